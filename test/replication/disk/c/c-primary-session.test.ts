// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { errno } from '../../../../src/posix/index.js';
import { writeMessages } from '../../../../src/replication/disk/c/c-message.js';
import { CPrimarySession } from '../../../../src/replication/disk/c/c-primary-session.js';
import type { Done } from '../../../../src/replication/disk/local-disk.js';
import type { ReplicationOptions } from '../../../../src/replication/disk/options.js';
import type { CPrimaryEnd, CPrimaryReceiver } from '../../../../src/replication/disk/sessions.js';
import { leftovers, StreamPair } from './stream-pair.js';

const CREQ = Buffer.from('creq', 'latin1');
const write = (sector: number): Buffer => Buffer.from(writeMessages(sector, 1, Buffer.alloc(512, sector)));

/** A backup whose room and commits are the test's to decide. */
class Receiver implements CPrimaryReceiver {
  readonly sectors = 4096;
  hasRoom = true;
  isFull = false;
  readonly taken: string[] = [];
  readonly commits: Done[] = [];
  readonly rooms: (() => void)[] = [];
  onRoom(room: () => void): void {
    this.rooms.push(room);
  }
  write(sector: number): void {
    this.taken.push(`write ${sector}`);
  }
  zero(): void {}
  commit(done: Done): void {
    this.taken.push('commit');
    this.commits.push(done);
  }
  abort(): void {
    this.taken.push('abort');
  }
}

/** A session that has started, what it gives to the backup, and how it has ended. */
async function session(options: Partial<ReplicationOptions> = {}, rest?: Uint8Array, hasRoom = true) {
  const pair = await StreamPair.open();
  const { world, far, near, stream } = pair;
  const receiver = new Receiver();
  receiver.hasRoom = hasRoom;
  const ends: CPrimaryEnd[] = [];
  const made = new CPrimarySession(pair.connection(options, rest), receiver, (end) => ends.push(end));
  made.start();
  /** Sends, and waits until it has been taken. */
  const send = async (...parts: Uint8Array[]): Promise<void> => {
    await far.send(Buffer.concat(parts));
    await world.run(0.05);
  };
  const answers = async (): Promise<string> => {
    await world.run(0.05);
    return far.take(far.come.length).toString('latin1');
  };
  return { world, far, near, stream, receiver, ends, session: made, send, answers };
}

t.test('a commit is answered once it is on stable storage, in order', async (t) => {
  const { receiver, send, answers } = await session();
  await send(write(1), CREQ, write(2), CREQ);
  t.same(receiver.taken, ['write 1', 'commit', 'write 2', 'commit']);
  t.equal(await answers(), '');
  receiver.commits[0]?.(0);
  t.equal(await answers(), 'done');
  receiver.commits[1]?.(0);
  t.equal(await answers(), 'done');
});

t.test('what came with the identification is taken first', async (t) => {
  const { receiver, send } = await session({}, write(1));
  t.same(receiver.taken, ['write 1']);
  await send(write(2));
  t.same(receiver.taken, ['write 1', 'write 2']);
});

t.test('an empty commit needs none of its own, and is answered with the one before it', async (t) => {
  const { receiver, send, answers } = await session();
  await send(CREQ);
  t.same(receiver.taken, ['commit'], 'the first one of a connection is made');
  await send(CREQ, CREQ);
  t.same(receiver.taken, ['commit']);
  t.equal(await answers(), '');
  receiver.commits[0]?.(0);
  t.equal(await answers(), 'done'.repeat(3));
  await send(CREQ);
  t.equal(await answers(), 'done', 'at once when nothing is on its way');
  await send(write(1), CREQ, CREQ, write(2), CREQ, CREQ, CREQ);
  t.same(receiver.taken, ['commit', 'write 1', 'commit', 'write 2', 'commit']);
  receiver.commits[1]?.(0);
  t.equal(await answers(), 'done'.repeat(2));
  receiver.commits[2]?.(0);
  t.equal(await answers(), 'done'.repeat(3));
});

t.test('with done=received a commit is answered as it comes, and once', async (t) => {
  const { receiver, send, answers } = await session({ done: 'received' });
  await send(write(1), CREQ, CREQ);
  t.equal(await answers(), 'done'.repeat(2));
  receiver.commits[0]?.(0);
  t.equal(await answers(), '');
  await send(CREQ);
  t.equal(await answers(), 'done');
  t.same(receiver.taken, ['write 1', 'commit']);
});

t.test('a commit that fails ends the connection', async (t) => {
  const { receiver, ends, far, send } = await session();
  await send(write(1), CREQ);
  receiver.commits[0]?.(-errno.EIO);
  t.match(ends, [{ reason: /cannot be committed: EIO/, hasSpoken: true, isInMessage: false }]);
  t.same(receiver.taken, ['write 1', 'commit', 'abort']);
  await far.until(() => far.come.length === 0 && far.end !== undefined);
  t.equal(far.end, 'end of stream');
});

t.test(
  'without room nothing more is taken until there is room, however often the receiver says so',
  async (t) => {
    const { receiver, stream, send, world } = await session();
    receiver.hasRoom = false;
    await send(write(1), write(2), write(3));
    t.same(receiver.taken, ['write 1']);
    t.equal(receiver.rooms.length, 1);
    const { receivedBytes } = stream;
    await send(write(4));
    t.same(receiver.taken, ['write 1']);
    t.equal(stream.receivedBytes, receivedBytes, 'nothing is read');
    receiver.rooms.shift()?.();
    await world.run(0.05);
    t.same(receiver.taken, ['write 1'], 'there is none yet');
    t.equal(stream.receivedBytes, receivedBytes);
    t.equal(receiver.rooms.length, 1, 'and it waits again');
    receiver.hasRoom = true;
    receiver.rooms.shift()?.();
    t.same(receiver.taken, ['write 1', 'write 2', 'write 3']);
    await world.run(0.05);
    t.same(receiver.taken, ['write 1', 'write 2', 'write 3', 'write 4']);
  },
);

t.test('a commit that leaves no room stops reading as a write does', async (t) => {
  const { receiver, send } = await session();
  receiver.hasRoom = false;
  await send(CREQ, write(1));
  t.same(receiver.taken, ['commit']);
  receiver.hasRoom = true;
  receiver.rooms.shift()?.();
  t.same(receiver.taken, ['commit', 'write 1']);
});

t.test('a checkpoint that fills the journal ends the connection', async (t) => {
  const { receiver, ends, send } = await session();
  receiver.hasRoom = false;
  receiver.isFull = true;
  await send(write(1));
  t.match(ends, [{ reason: 'the open checkpoint is larger than the journal', isInMessage: false }]);
  t.same(receiver.taken, ['write 1', 'abort']);
  t.same(receiver.rooms, []);
});

t.test('a session that is over waits for no room any more', async (t) => {
  const { receiver, session: made, ends, send } = await session();
  receiver.hasRoom = false;
  await send(write(1));
  const [room] = receiver.rooms.splice(0);
  made.close();
  room?.();
  t.same(receiver.rooms, []);
  receiver.isFull = true;
  room?.();
  t.same([ends, receiver.taken], [[], ['write 1', 'abort']]);
});

t.test('256 commits may be on their way; then nothing more is taken until one has ended', async (t) => {
  const { receiver, send, world } = await session();
  const messages = Array.from({ length: 258 }, (_, at) => Buffer.concat([write(at % 64), CREQ]));
  await send(...messages);
  await world.run(1);
  t.equal(receiver.commits.length, 256);
  receiver.commits[0]?.(0);
  await world.run(0.05);
  t.equal(receiver.commits.length, 257);
  for (const commit of receiver.commits.slice(1)) commit(0);
  await world.run(0.05);
  t.equal(receiver.commits.length, 258);
});

t.test('while 4 KiB of answers wait for the primary, nothing more is taken', async (t) => {
  const { receiver, stream, send, far } = await session();
  // Answers wait in the stream, as the primary reads none.
  const open = stream.gate();
  await send(CREQ);
  receiver.commits[0]?.(0);
  await send(Buffer.concat(Array.from({ length: 1022 }, () => CREQ)));
  t.equal(stream.queuedBytes, 1023 * 4);
  await send(CREQ, CREQ, CREQ);
  t.equal(stream.queuedBytes, 4096);
  open();
  t.equal((await far.taken(1026 * 4)).length, 1026 * 4);
});

t.test('a primary that stops in the middle of a message for the message time is given up', async (t) => {
  const { receiver, ends, send, world } = await session({ messageSeconds: 2 });
  await send(write(1).subarray(0, 100));
  await world.run(1.5);
  await send(write(1).subarray(100, 200));
  await world.run(1.9);
  t.same(ends, []);
  await world.run(0.8);
  t.match(ends, [
    {
      reason: 'the primary has sent nothing for 2 s in the middle of a message',
      hasSpoken: true,
      isInMessage: true,
    },
  ]);
  t.same(receiver.taken, ['abort']);
});

t.test(
  'between messages a primary may be silent, and while it waits for room in the middle of one',
  async (t) => {
    const { receiver, ends, send, world } = await session({ messageSeconds: 2 });
    await send(write(1), CREQ);
    receiver.commits[0]?.(0);
    await world.run(20);
    receiver.hasRoom = false;
    await send(write(2), write(3).subarray(0, 100));
    await world.run(20);
    t.same(ends, []);
    receiver.hasRoom = true;
    receiver.rooms.shift()?.();
    await world.run(3);
    t.match(ends, [{ reason: /in the middle of a message/ }], 'once there is room its time runs');
  },
);

t.test('a primary that takes no answers for the message time is given up', async (t) => {
  const { receiver, ends, stream, send, world } = await session({ messageSeconds: 2 });
  stream.gate();
  await send(CREQ);
  receiver.commits[0]?.(0);
  await world.run(1.9);
  t.same(ends, []);
  await world.run(0.8);
  t.match(ends, [{ reason: 'the primary has taken nothing for 2 s', isInMessage: false }]);
});

t.test('a primary that takes an answer within the message time is not given up', async (t) => {
  const { receiver, ends, stream, send, world } = await session({ messageSeconds: 2 });
  const open = stream.gate();
  await send(CREQ);
  receiver.commits[0]?.(0);
  stream.gate();
  await send(CREQ);
  await world.run(1.5);
  open();
  await world.run(1.5);
  t.same(ends, []);
  await world.run(1.5);
  t.match(ends, [{ reason: 'the primary has taken nothing for 2 s' }]);
});

t.test('a session that starts without room reads nothing', async (t) => {
  const { receiver, stream, send } = await session({}, write(1), false);
  await send(write(2));
  t.same(receiver.taken, ['write 1']);
  t.equal(stream.receivedBytes, 0);
});

t.test('an error that is not the primary’s is not taken for one', async (t) => {
  const pair = await StreamPair.open();
  const ends: CPrimaryEnd[] = [];
  const receiver = new Receiver();
  receiver.write = () => {
    throw new RangeError('a fault of the backup');
  };
  const made = new CPrimarySession(pair.connection({}, write(1)), receiver, (end) => ends.push(end));
  t.throws(() => made.start(), { message: 'a fault of the backup' });
  t.same(ends, []);
});

t.test('what is not the protocol ends the connection, which names what was wrong', async (t) => {
  const { receiver, ends, send } = await session();
  await send(Buffer.from(writeMessages(5000, 1)));
  t.match(ends, [{ reason: /1 sectors at 5000 are not within/, hasSpoken: true, isInMessage: true }]);
  t.same(receiver.taken, ['abort']);
});

t.test('the end of a stream says whether it was a C primary, and whether a write was cut off', async (t) => {
  const ends: unknown[] = [];
  for (const parts of [['GET / HTTP'], ['wr'], ['creq', 'wr'], ['creq', 'wreq']]) {
    const one = await session();
    await one.send(Buffer.from(parts.join(''), 'latin1'));
    one.far.close();
    await one.world.run(0.1);
    ends.push(one.ends);
  }
  const reason = 'the peer closed the connection';
  t.same(ends, [
    [{ reason, hasSpoken: false, isInMessage: false }],
    [{ reason, hasSpoken: false, isInMessage: false }],
    [{ reason, hasSpoken: true, isInMessage: false }],
    [{ reason, hasSpoken: true, isInMessage: true }],
  ]);
});

t.test('a session that is closed drops what is open, reports nothing, and leaves nothing open', async (t) => {
  const { near, receiver, ends, session: made, send, world } = await session();
  await send(write(1), CREQ, write(2), CREQ, write(3).subarray(0, 100));
  made.close();
  made.close();
  t.same(receiver.taken, ['write 1', 'commit', 'write 2', 'commit', 'abort']);
  receiver.commits[0]?.(0);
  receiver.commits[1]?.(-errno.EIO);
  receiver.hasRoom = false;
  await world.run(5);
  t.same(ends, []);
  t.same(leftovers(near), []);
});
