// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t, { type Test } from 'tap';
import { AF_UNIX, errno, NodePosix } from '../../src/posix/index.js';
import { type NbdExport, NbdServer, vbdExports } from '../../src/nbd/index.js';
import { driverTypes } from '../../src/disks/drivers/index.js';
import { LOG_DEBUG, LOG_INFO } from '../../src/server/logger.js';
import { diskWorld } from '../disks/drivers/disk-world.js';
import { ScriptedDisks } from '../disks/scripted-disks.js';
import { nbdWorld, until } from './nbd-world.js';
import { RawClient, request } from './raw-client.js';

const DISC = 2;
const FLUSH = 3;

/** All connections can be made to break. */
class BreakablePosix extends NodePosix {
  isBroken = false;
  override write(fd: number, bytes: Uint8Array): number {
    const isConnection = typeof this.getpeername(fd) !== 'number';
    return this.isBroken && isConnection ? -errno.EPIPE : super.write(fd, bytes);
  }
}

/** A server with a disk that the test answers for. It knows who listens for the disk's end, and how urgent each line is. */
async function watchedWorld(t: Test) {
  const disks = new ScriptedDisks();
  disks.answerAtOnce = (what) => (what === 'flush' ? undefined : 0);
  const posix = new BreakablePosix();
  const world = diskWorld(t, { posix, types: driverTypes([disks.type]) });
  const { server, registry } = world;
  await world.open('scripted:disk');
  const lines: [priority: number, line: string][] = [];
  let listeners = 0;
  const listening = (found: NbdExport): NbdExport => ({
    ...found,
    onClosed(listener) {
      listeners++;
      const stop = found.onClosed(listener);
      return () => {
        listeners--;
        stop();
      };
    },
  });
  const exports = vbdExports(registry);
  const nbd = new NbdServer({
    registrar: server,
    posix,
    logger: { log: (priority, line) => void lines.push([priority, line]) },
    completions: registry.completions,
    exports: {
      list: () => exports.list(),
      find(name) {
        const found = exports.find(name);
        return typeof found === 'string' ? found : listening(found);
      },
    },
  });
  t.teardown(() => nbd.close());
  const address = { family: AF_UNIX, path: world.path('nbd.sock') } as const;
  t.equal(nbd.listen(address), 0);
  const client = async (): Promise<RawClient> => {
    const raw = new RawClient(address);
    t.teardown(() => raw.destroy());
    return raw.go();
  };
  return { nbd, posix, disks, lines, client, listeners: () => listeners };
}

t.test('a connection that has ended no longer listens for the end of its disk', async (t) => {
  const { nbd, client, listeners } = await watchedWorld(t);
  const [first, second] = [await client(), await client()];
  t.equal(listeners(), 2);
  first.send(request(DISC));
  await first.rest();
  second.destroy();
  await until(() => nbd.connections === 0);
  t.equal(listeners(), 0);
});

t.test('that a connection is lost is news, unless its client has said goodbye', async (t) => {
  for (const [goodbye, priority] of [
    [[], LOG_INFO],
    [[request(DISC)], LOG_DEBUG],
  ] as const) {
    const { nbd, posix, disks, lines, client } = await watchedWorld(t);
    const raw = await client();
    raw.send(request(FLUSH), ...goodbye);
    await until(() => disks.calls.length === 1);
    if (goodbye.length > 0) await until(() => lines.some(([, line]) => /disconnects/.test(line)));
    posix.isBroken = true;
    disks.answer('flush');
    await until(() => nbd.connections === 0);
    t.match(lines.at(-1), [priority, /connection lost: EPIPE/]);
  }
});

t.test('a connection at rest uses no time', async (t) => {
  const world = nbdWorld(t);
  await world.open('ram:1');
  const raw = await world.raw().go();
  raw.send(request(FLUSH));
  await raw.simple();
  for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate);
  let tasks = 0;
  const { completions } = world.registry;
  const post = completions.post.bind(completions);
  completions.post = (task) => {
    tasks++;
    post(task);
  };
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
  t.equal(tasks, 0);
});
