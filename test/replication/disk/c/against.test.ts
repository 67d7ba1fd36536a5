// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { statesAfter } from './mutated-bytes.js';
import { play } from './player.js';
import { OLD, recordedSessions, SECTORS, type Step } from './sessions.js';

const blank = Buffer.alloc(SECTORS * 512, OLD);
const from = (steps: readonly Step[], side: Step['from']): Step[] =>
  steps.filter((step) => step.from === side && step.bytes.length > 0);

for (const session of recordedSessions().filter(({ role }) => role !== 'backup')) {
  t.test(`a backup takes what the C primary sent in ${session.name}`, async (t) => {
    await play(t, session, 'backup', async ({ peer, node }) => {
      t.equal(await peer.connect(), 0);
      const bytes = Buffer.concat(from(session.steps, 'primary').map((step) => step.bytes));
      const states = statesAfter(bytes, blank);
      await peer.send(bytes);
      const answers = 'done'.repeat(states.length - 1);
      t.equal((await peer.taken(answers.length)).toString('latin1'), answers);
      t.ok(
        (await node.read(0, SECTORS)).equals(states.at(-1) as Buffer),
        'the last checkpoint is here, and no more',
      );
    });
  });
}

for (const session of recordedSessions().filter(({ role }) => role !== 'primary')) {
  t.test(`a primary commits by what the C backup answered in ${session.name}`, async (t) => {
    await play(t, session, 'primary', async ({ peer, node, fifo }) => {
      t.equal(await node.write(0, 1, 0xee), 0);
      t.ok(await peer.until(() => peer.accept(), 3));
      const answers = Buffer.concat(from(session.steps, 'backup').map((step) => step.bytes));
      t.equal(answers.toString('latin1'), 'done'.repeat(answers.length / 4));
      for (let at = 0; at < answers.length; at += 4) {
        fifo.command('flush');
        await peer.until(() => peer.come.subarray(-4).toString('latin1') === 'creq');
        peer.take(peer.come.length);
        await peer.send(answers.subarray(at, at + 4));
        await peer.until(() => fifo.answers.length === 4);
        t.equal(fifo.take(4), 'done');
      }
      t.equal(node.engine.status().checkpoints, answers.length / 4);
    });
  });
}
