// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// Hosts that acknowledge nothing. What a link that is cut does to programs: silence.test.ts.

import { NodePosix } from '../../src/posix/index.js';
import type { TapdiskServer } from '../../src/server/index.js';
import type { Output } from '../../src/transfer/output.js';
import { GREETING, HEADER } from '../../src/transfer/wire.js';
import { ManualClock } from '../disks/bench.js';
import { foreignBackup, foreignPrimary } from './foreign.js';
import { listeningBackup, MemoryOutput, openInput, primaryOn, serverTest } from './world.js';

/** A kernel that sends again what the peers' hosts do not acknowledge, by a clock that the test moves. */
class Unacknowledged extends NodePosix {
  count = 1;
  readonly manual: ManualClock;

  constructor() {
    const manual = new ManualClock();
    super({ clock: manual });
    this.manual = manual;
  }
  override retransmissions(): number {
    return this.count;
  }
}

/** Moves the clock to the time of the next look at the connection, a few times. */
async function looks(server: TapdiskServer, { manual }: Unacknowledged, count: number): Promise<void> {
  for (let look = 0; look < count; look += 1) {
    manual.seconds += 5;
    for (let pass = 0; pass < 3; pass += 1) await server.sleep(0);
  }
}

const deaf = new Unacknowledged();
serverTest(
  'a host that acknowledges nothing for the silence time is given up, by either side, and not before',
  async (t, server) => {
    const toBackup = await listeningBackup(server, { silenceSeconds: 10 });
    for (const sent of [Buffer.alloc(0), Buffer.concat([HEADER, Buffer.alloc(1000)])]) {
      const nth = toBackup.log.names().filter((name) => name === 'broken').length + 1;
      const socket = await foreignPrimary(toBackup.address);
      await toBackup.log.event('established', nth);
      socket.write(sent);
      deaf.count = 1;
      await looks(server, deaf, 1);
      // One acknowledgement, and the time starts again.
      deaf.count = 0;
      await looks(server, deaf, 1);
      deaf.count = 1;
      await looks(server, deaf, 1);
      t.equal(toBackup.log.names().filter((name) => name === 'broken').length, nth - 1);
      await looks(server, deaf, 1);
      const message = "the primary's host has answered nothing for 10 s";
      t.match(await toBackup.log.event('broken', nth), { code: 'ETIMEDOUT', message });
      await toBackup.log.event('listening', nth + 1);
      socket.destroy();
    }
    await toBackup.backup.stop('SIGTERM');

    const name = await foreignBackup(t, (socket) => socket.resume().write(GREETING));
    const { input } = openInput();
    const { primary, log } = primaryOn(server, { name, input, silenceSeconds: 10 });
    await primary.start();
    await log.event('established');
    await looks(server, deaf, 1);
    t.equal(primary.status().state, 'established');
    await looks(server, deaf, 1);
    t.same(await primary.ended, { kind: 'failed' });
    t.match(await log.event('failed'), {
      code: 'ETIMEDOUT',
      message: "the backup's host has answered nothing for 10 s: connection timed out",
    });
  },
  deaf,
);

const ignored = new Unacknowledged();
serverTest(
  'while the output is opened a silent host is waited for, and without a silence time always',
  async (t, server) => {
    for (const silenceSeconds of [10, 0]) {
      let open!: () => void;
      const opened = new Promise<void>((resolve) => {
        open = resolve;
      });
      const memory = new MemoryOutput();
      const output: Output = { name: 'held', appends: false, begin: () => opened.then(() => memory.begin()) };
      const { backup, log, address } = await listeningBackup(server, { silenceSeconds, output });
      const socket = await foreignPrimary(address);
      await log.event('established');
      if (silenceSeconds > 0) {
        socket.write(HEADER);
        while (backup.status().phase !== 'opening') await server.sleep(0);
      }
      await looks(server, ignored, 4);
      t.same(log.names(), ['listening', 'established']);
      socket.destroy();
      open();
      await backup.stop('SIGTERM');
    }
  },
  ignored,
);
