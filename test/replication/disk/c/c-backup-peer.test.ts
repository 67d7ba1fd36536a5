// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { CBackupPeer } from '../../../../src/replication/disk/c/c-backup-peer.js';
import { writeMessages } from '../../../../src/replication/disk/c/c-message.js';
import type { ReplicationOptions } from '../../../../src/replication/disk/options.js';
import { leftovers, StreamPair } from './stream-pair.js';

const CREQ = 'creq';
const DONE = Buffer.from('done', 'latin1');

/** A peer that has started, and what it has reported. */
async function peer(options: Partial<ReplicationOptions> = {}, rest?: Uint8Array) {
  const pair = await StreamPair.open();
  const { world, far, near } = pair;
  const events: string[] = [];
  const hooks = { onAcked: () => {}, drains: 0 };
  const made = new CBackupPeer(pair.connection(options, rest), {
    acked: (epoch) => {
      events.push(`acked ${epoch}`);
      hooks.onAcked();
    },
    failed: (epoch) => events.push(`failed ${epoch}`),
    drained: () => (hooks.drains += 1),
    begun: () => events.push('begun'),
    progress: () => events.push('progress'),
    compared: () => events.push('compared'),
    unsolicited: () => events.push('unsolicited'),
    lost: (reason) => events.push(`lost: ${reason}`),
  });
  made.start();
  const heard = async (): Promise<string> => {
    await world.run(0.05);
    return far.take(far.come.length).toString('latin1');
  };
  const answer = async (bytes: Uint8Array): Promise<void> => {
    await far.send(bytes);
    await world.run(0.05);
  };
  /** Commits at once. */
  const commit = (epoch: number): void => made.commit(epoch)();
  return { world, far, near, events, hooks, peer: made, heard, answer, commit };
}

t.test('a C backup is a peer without a channel for resyncs that cannot drop a checkpoint', async (t) => {
  const { peer: made } = await peer();
  t.match(made, { kind: 'c', sync: undefined, canAbort: false });
  t.throws(() => made.abort(), { message: /cannot drop/ });
});

t.test(
  'writes, zeroes and commits are sent in order, and each answer is that to the oldest commit',
  async (t) => {
    const { peer: made, events, heard, answer, commit } = await peer();
    made.write(3, Buffer.alloc(1024, 9));
    commit(7);
    made.zero(0, 9);
    commit(8);
    t.equal(
      await heard(),
      Buffer.concat([
        writeMessages(3, 2, Buffer.alloc(1024, 9)),
        Buffer.from(CREQ, 'latin1'),
        writeMessages(0, 9),
        Buffer.from(CREQ, 'latin1'),
      ]).toString('latin1'),
    );
    t.equal(made.sentBytes, 1040 + 4 + 9 * 512 + 32 + 4);
    t.equal(made.queuedBytes, 0);
    await answer(DONE);
    t.same(events, ['acked 7']);
    await answer(DONE.subarray(0, 1));
    await answer(DONE.subarray(1));
    t.same(events, ['acked 7', 'acked 8']);
    await answer(DONE);
    t.same(events, ['acked 7', 'acked 8', 'unsolicited']);
  },
);

t.test('a commit, and what is sent after it, is kept back until it is let go', async (t) => {
  const { peer: made, world, events, heard } = await peer({ messageSeconds: 1 });
  const letGo = made.commit(1);
  made.write(0, new Uint8Array(512));
  t.ok(made.queuedBytes > 0);
  await world.run(10);
  t.same(events, [], 'it does not wait for the backup');
  t.equal(await heard(), '');
  letGo();
  t.equal((await heard()).length, 4 + 528);
});

t.test('what came with the identification is an answer', async (t) => {
  const { events } = await peer({}, DONE);
  t.same(events, ['unsolicited']);
});

t.test('an answer that is not done ends the connection, which names it', async (t) => {
  const { events, far, answer, commit } = await peer();
  commit(1);
  await answer(Buffer.from('fail....', 'latin1'));
  t.same(events, ['lost: the backup has answered "fail", expected done']);
  await far.until(() => far.come.length === 0 && far.end !== undefined);
  t.equal(far.end, 'end of stream');
});

t.test(
  'an answer that stops in its middle ends the connection; one that does not come never does',
  async (t) => {
    const { events, world, answer, commit } = await peer({ messageSeconds: 2, peerTimeoutSeconds: 1 });
    commit(1);
    await world.run(60);
    t.same(events, []);
    for (const byte of DONE) {
      await answer(Uint8Array.of(byte));
      await world.run(1.5);
    }
    t.same(events, ['acked 1'], 'however slowly it comes');
    await answer(DONE.subarray(0, 1));
    await world.run(1.8);
    t.same(events, ['acked 1']);
    await world.run(0.8);
    t.same(events.slice(1), ["lost: the backup's answer stopped after 1 bytes"]);
  },
);

t.test('a backup that takes nothing for the message time is given up', async (t) => {
  const { peer: made, world, events, far } = await peer({ messageSeconds: 2 });
  made.write(0, new Uint8Array(512 << 10));
  await world.run(1.9);
  await far.taken(100_000);
  await world.run(1.5);
  t.same(events, [], 'it has taken something');
  await world.run(1.5);
  t.same(events, ['lost: the backup has taken nothing for 2 s']);
});

for (const [what, start] of [
  ['zeroes', (made: CBackupPeer) => made.zero(0, 4096)],
  [
    'a commit that is let go',
    (made: CBackupPeer) => {
      const letGo = made.commit(1);
      made.write(0, new Uint8Array(512 << 10));
      letGo();
    },
  ],
] as const) {
  t.test(`a backup that does not take ${what} is given up`, async (t) => {
    const { peer: made, world, events } = await peer({ messageSeconds: 2 });
    start(made);
    await world.run(2.6);
    t.same(events, ['lost: the backup has taken nothing for 2 s']);
  });
}

t.test('what waits is sent as the backup takes it, and its primary hears of it', async (t) => {
  const { peer: made, far, events, hooks } = await peer();
  made.zero(0, 4096);
  t.ok(made.queuedBytes > 1 << 20);
  const expected = Buffer.from(writeMessages(0, 4096));
  t.ok((await far.taken(expected.length, 20)).equals(expected));
  t.ok(hooks.drains > 0);
  t.same(events, []);
  t.equal(made.queuedBytes, 0);
});

t.test('a heartbeat is an empty commit of which the primary hears nothing', async (t) => {
  const { events, world, heard, answer } = await peer({ peerTimeoutSeconds: 5 });
  await world.run(4.9);
  t.equal(await heard(), '');
  await world.run(0.2);
  t.equal(await heard(), CREQ);
  await world.run(20);
  t.equal(await heard(), '', 'one is on its way');
  await answer(DONE);
  t.same(events, []);
  await world.run(4.9);
  t.equal(await heard(), '', 'the backup has been heard');
  await world.run(5.1);
  t.equal(await heard(), CREQ);
});

t.test('no heartbeat commits what is open, or comes between others', async (t) => {
  const { peer: made, world, heard, answer, commit } = await peer({ peerTimeoutSeconds: 5 });
  for (const open of [() => made.write(0, new Uint8Array(512)), () => made.zero(0, 1)]) {
    open();
    await heard();
    await world.run(30);
    t.equal(await heard(), '');
    commit(1);
    t.equal(await heard(), CREQ);
    await world.run(30);
    t.equal(await heard(), '');
    await answer(DONE);
  }
  await world.run(10);
  t.equal(await heard(), CREQ, 'after the commit nothing is open');
});

t.test('a peer that is closed reports nothing, and leaves nothing open', async (t) => {
  const {
    near,
    peer: made,
    far,
    events,
    world,
    answer,
  } = await peer({ peerTimeoutSeconds: 1, messageSeconds: 1 });
  const letGo = made.commit(1);
  await answer(DONE.subarray(0, 2));
  made.zero(0, 4096);
  made.close();
  made.close();
  letGo();
  await far.send(DONE);
  await world.run(10);
  t.same(events, []);
  t.same(leftovers(near), []);
});

t.test('a peer that is closed for what it reports reports nothing more', async (t) => {
  const { peer: made, events, hooks, answer, commit } = await peer();
  commit(1);
  commit(2);
  hooks.onAcked = () => made.close();
  await answer(Buffer.concat([DONE, DONE]));
  t.same(events, ['acked 1']);
});

t.test('the end of the stream is a loss', async (t) => {
  const { far, events, world } = await peer();
  far.close();
  await world.run(0.1);
  t.same(events, ['lost: the peer closed the connection']);
});
