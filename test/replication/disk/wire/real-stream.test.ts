// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { PeerStream } from '../../../../src/replication/disk/wire/peer-stream.js';
import { nullLogger, TapdiskServer } from '../../../../src/server/index.js';
import { Random } from '../../../../src/testing/index.js';
import { connectedTo, posixFor } from '../../../posix/fixture.js';
import { randomBytes, randomSeed } from '../../../random.js';

const BYTES = 6 << 20;

t.test(
  'over real sockets all comes back as it was sent, though it is sent faster than it is taken',
  async (t) => {
    const random = new Random(randomSeed(t));
    const posix = posixFor(t);
    await using server = new TapdiskServer({ posix, logger: nullLogger });
    const { fd, peer } = await connectedTo(t, posix);
    const sent = randomBytes(random, BYTES);
    const came: Buffer[] = [];
    const stream: PeerStream = new PeerStream({ registrar: server, posix }, fd, {
      bytes: (chunk) => {
        came.push(Buffer.from(chunk));
      },
      drained: () => {},
      ended: (reason) => t.fail(reason),
    });
    stream.resume();
    for (let at = 0; at < BYTES;) {
      const bytes = Buffer.from(sent.subarray(at, at + 1 + (random.word() % 100_000)));
      if (random.word() % 2 === 0) stream.send(bytes);
      else stream.queue(bytes);
      at += bytes.length;
      // It is the sender's again.
      bytes.fill(0);
    }
    stream.flush();
    t.ok(stream.queuedBytes > 0, 'the other side does not read yet');
    peer.pipe(peer);
    while (stream.receivedBytes < BYTES && !stream.isOver) await server.iterate();
    t.ok(Buffer.concat(came).equals(sent));
    stream.close();
  },
);
