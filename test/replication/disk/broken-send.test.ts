// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { errno } from '../../../src/posix/index.js';
import type { SimulatedHost } from '../../../src/testing/index.js';
import { pair, SECTORS } from './world.js';

/** More than what a connection begins with, and what it takes to be protected. */
const SENDS = 12;
/** What an eventfd takes, and no message has. */
const EVENT_BYTES = 8;

/** Has the nth message from now on find the connection broken. Returns whether it has. */
function breakAt({ posix }: SimulatedHost, nth: number): () => boolean {
  const write = posix.write.bind(posix);
  let sent = 0;
  posix.write = (fd, bytes) => {
    if (bytes.length !== EVENT_BYTES) sent += 1;
    return sent === nth && bytes.length !== EVENT_BYTES ? -errno.EPIPE : write(fd, bytes);
  };
  return () => sent >= nth;
}

/** What a host has open besides its files, of which some are replaced. */
const openAt = (host: SimulatedHost): number =>
  host.leftovers().filter((line) => !/: file /.test(line)).length;

for (const side of ['primary', 'backup'] as const) {
  t.test(
    `a ${side} whose connection breaks while it sends is alone until there is another one`,
    async (t) => {
      for (let nth = 1; nth <= SENDS; nth++) {
        const { world, a, b } = pair(t, { seed: nth });
        const [node, other] = side === 'primary' ? [a, b] : [b, a];
        const isAlone = async (): Promise<number> => {
          other.host.crash('end of file');
          await world.run(3);
          t.equal(node.engine.status().state, side === 'primary' ? 'unprotected' : 'backup');
          t.equal(node.engine.status().peerAddress, null);
          return openAt(node.host);
        };
        await a.until('protected');
        const had = await isAlone();
        if (side === 'primary') for (let at = 0; at < SECTORS; at += 256) await a.write(at, 8, 1 + at / 256);
        other.host.restart();
        await world.run(() => a.isUp);
        const isBroken = breakAt(node.host, nth);
        for (let round = 0; !isBroken() && round < 1000; round++) {
          a.engine.write(8, new Uint8Array(512).fill(round), () => {});
          a.engine.checkpoint(() => {});
          await world.run(0.01);
        }
        t.ok(isBroken());
        t.equal(await isAlone(), had, `nothing is left of the connection after send ${nth}`);
        if (side === 'primary') {
          t.equal(await a.write(8, 8, 98), 0);
          t.ok((await a.checkpoint()) < 0);
        }
        other.host.restart();
        await a.until('protected');
        await a.write(8, 8, 99);
        t.ok((await a.checkpoint()) > 0);
        await world.run(1);
        t.ok((await a.read()).equals(await b.read()), `they are equal after send ${nth} failed`);
      }
    },
  );
}
