// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { Writable } from 'node:stream';
import { NodePosix } from '../../src/posix/index.js';
import type { Output } from '../../src/transfer/output.js';
import { RATE_SECONDS } from '../../src/transfer/min-rate.js';
import { ManualClock } from '../disks/bench.js';
import { inputOf, listeningBackup, primaryOn, serverTest } from './world.js';

const clock = new ManualClock();
const SPANS = 4;

serverTest(
  'a primary is not blamed for an output that takes nothing',
  async (t, server) => {
    const held: (() => void)[] = [];
    let isHeld = true;
    let written = 0;
    const stream = new Writable({
      highWaterMark: 1,
      write(chunk: Buffer, _, done) {
        written += chunk.length;
        if (isHeld) held.push(done);
        else done();
      },
    });
    const output: Output = {
      name: 'slow',
      appends: false,
      begin: async () => ({ stream, commit: async () => {}, abandon: async () => {} }),
    };
    // Silence is another limit, which a primary would come to in this time.
    const silenceSeconds = 0;
    const options = { minRate: 1000, once: true, output, silenceSeconds };
    const { backup, log, address } = await listeningBackup(server, options);
    const bytes = 4 << 20;
    const input = inputOf(Buffer.alloc(bytes));
    const { primary } = primaryOn(server, { name: address, input, silenceSeconds });
    await primary.start();
    while (held.length === 0) await new Promise(setImmediate);
    for (let span = 0; span < SPANS; span++) {
      clock.seconds += RATE_SECONDS + 1;
      // The scheduler sleeps by another clock: this wakes it.
      await server.sleep(0);
    }
    t.notOk(log.names().includes('broken'));
    // One more measurement ends just as the output goes on, so that the primary could send again only from now on.
    clock.seconds += RATE_SECONDS + 1;
    isHeld = false;
    for (const done of held) done();
    t.same(await primary.ended, { kind: 'complete' });
    t.same(await backup.ended, { kind: 'complete' });
    t.ok(log.names().includes('complete'));
    t.equal(written, bytes);
  },
  new NodePosix({ clock }),
);
