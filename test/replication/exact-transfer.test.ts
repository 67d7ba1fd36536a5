// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { errno } from '../../src/posix/index.js';
import {
  type ExactTransferOptions,
  readExactly,
  ExactTransferError,
  type TransferHost,
  writeExactly,
} from '../../src/replication/index.js';
import { failEachCall, Random, type WorldOptions } from '../../src/testing/index.js';
import { randomBytes, randomSeed } from '../random.js';
import { connected, writeText } from '../testing/fixture.js';

/** Two hosts with a connection: a server with its own end of it, and the other host's end. */
async function connection(options: WorldOptions = {}) {
  const { world, near, far, one, other } = await connected(options);
  const server = near.serve();
  const send = (text: string): void => void writeText(far.posix, other, text);
  return { world, near, far, other, server, fd: one, send };
}

/** Waits for the error of a transfer. */
async function errorOf(world: { complete<V>(p: PromiseLike<V>): Promise<V> }, transfer: Promise<unknown>) {
  const error: unknown = await world.complete(
    transfer.then(
      () => undefined,
      (reason: unknown) => reason,
    ),
  );
  if (!(error instanceof ExactTransferError)) throw new Error('the transfer did not fail', { cause: error });
  return error;
}

const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');

t.test('a read gives exactly so many bytes, however they come, and leaves the rest', async (t) => {
  const { world, server, fd, send } = await connection();
  send('head');
  world.after(1, () => send('er and bo'));
  world.after(2, () => send('dy'));
  t.equal(textOf(await world.complete(readExactly(server, fd, 7))), 'header ');
  const buffer = Buffer.alloc(8);
  t.equal(await world.complete(readExactly(server, fd, buffer)), buffer, 'a buffer that is given is filled');
  t.equal(textOf(buffer), 'and body');
  t.equal(server.scheduler.size, 0, 'no event is left');
});

t.test('the end of file has a code of its own, before the first byte and within', async (t) => {
  const { world, far, other, server, fd, send } = await connection();
  send('abc');
  far.posix.close(other);
  const buffer = new Uint8Array(8);
  const within = await errorOf(world, readExactly(server, fd, buffer));
  t.match(within, {
    code: 'END_OF_FILE',
    bytesMoved: 3,
    message: `read of descriptor ${fd} ended after 3 of 8 bytes: end of file`,
  });
  t.equal(textOf(buffer.subarray(0, 3)), 'abc');
  t.match(await errorOf(world, readExactly(server, fd, 1)), { code: 'END_OF_FILE', bytesMoved: 0 });
});

t.test('an error has the name of its errno, and the bytes moved before it', async (t) => {
  const { world, far, other, server, fd, send } = await connection();
  send('ab');
  const reading = errorOf(world, readExactly(server, fd, 5));
  world.after(1, () => far.posix.abort(other));
  t.match(await reading, { code: 'ECONNRESET', bytesMoved: 2 });
  t.match(await errorOf(world, writeExactly(server, fd, new Uint8Array(1))), {
    code: 'EPIPE',
    bytesMoved: 0,
  });
  t.match(await errorOf(world, readExactly(server, 99, 1)), { code: 'EBADF' });
  t.equal(server.scheduler.size, 0);
});

t.test('a peer that sends a byte now and then does not put the deadline off', async (t) => {
  const { world, server, fd, send } = await connection();
  for (let second = 0; second < 10; second += 0.5) world.after(second, () => send('x'));
  const start = world.nowSeconds;
  const { code, bytesMoved } = await errorOf(world, readExactly(server, fd, 100, { deadlineSeconds: 3 }));
  t.equal(code, 'ETIME');
  t.ok(bytesMoved >= 6 && bytesMoved <= 9, `${bytesMoved} bytes`);
  t.equal(server.scheduler.size, 0);
  t.ok(world.nowSeconds - start < 3.01);
});

t.test('a deadline is never over early, and milliseconds late at most', async (t) => {
  const random = new Random(randomSeed(t));
  const { world, server, fd, send } = await connection();
  for (let round = 0; round < 200; round++) {
    await world.run(random.between(0, 3));
    const deadlineSeconds = random.between(0.01, 5);
    // Something else wakes the wait at a moment of its own.
    world.after(random.between(0, deadlineSeconds), () => send('x'));
    const start = world.nowSeconds;
    await errorOf(world, readExactly(server, fd, 1e6, { deadlineSeconds }));
    const late = world.nowSeconds - start - deadlineSeconds;
    if (late < 0 || late > 0.001) t.fail(`${deadlineSeconds} s were over ${late} s late`);
  }
  t.equal(server.scheduler.size, 0);
});

t.test('an aborted transfer has the reason and the bytes moved, and leaves no event', async (t) => {
  const { world, server, fd, send } = await connection();
  const reason = new Error('the disk is closed');
  const controller = new AbortController();
  send('abc');
  const reading = errorOf(
    world,
    readExactly(server, fd, 5, { signal: controller.signal, deadlineSeconds: 60 }),
  );
  world.after(1, () => controller.abort(reason));
  t.match(await reading, { code: 'ABORT_ERR', bytesMoved: 3, cause: reason });
  t.equal(server.scheduler.size, 0);
  send('de');
  await world.run(1);
  t.match(await errorOf(world, readExactly(server, fd, 2, { signal: AbortSignal.abort() })), {
    code: 'ABORT_ERR',
    bytesMoved: 0,
  });
  t.equal(textOf(await world.complete(readExactly(server, fd, 2))), 'de', 'nothing was lost');
});

t.test('a write takes as long as the peer does, and no longer than its deadline', async (t) => {
  const { world, far, other, server, fd } = await connection();
  const sent = randomBytes(new Random(randomSeed(t)), 3_000_000);
  const stuck = await errorOf(world, writeExactly(server, fd, sent, { deadlineSeconds: 5 }));
  t.equal(stuck.code, 'ETIME');
  t.ok(stuck.bytesMoved > 0 && stuck.bytesMoved < sent.length, `${stuck.bytesMoved} bytes`);
  const rest = writeExactly(server, fd, sent.subarray(stuck.bytesMoved), { deadlineSeconds: 60 });
  const [received] = await world.complete(
    Promise.all([readExactly(far.serve(), other, sent.length, { deadlineSeconds: 60 }), rest]),
  );
  t.ok(sent.equals(received));
});

t.test('random messages cross both ways at once over short transfers', async (t) => {
  const random = new Random(randomSeed(t));
  const { world, far, other, server, fd } = await connection({
    shortTransfers: 0.5,
    seed: random.integer(1, 2 ** 31),
  });
  const messages = Array.from({ length: 50 }, () => randomBytes(random, random.integer(0, 5000)));
  const exchange = async (host: TransferHost, end: number): Promise<void> => {
    const writing = (async () => {
      for (const message of messages) await writeExactly(host, end, message);
    })();
    for (const message of messages) {
      const read = await readExactly(host, end, message.length);
      if (!message.equals(read)) t.fail('another message arrived');
    }
    await writing;
  };
  await world.complete(Promise.all([exchange(server, fd), exchange(far.serve(), other)]));
  t.equal(server.scheduler.size, 0);
});

t.test('no bytes are moved at once, on any descriptor', async (t) => {
  const { server } = await connection();
  t.equal((await readExactly(server, 99, 0)).length, 0);
  await writeExactly(server, 99, new Uint8Array());
});

t.test('sizes and deadlines out of range are refused by name', async (t) => {
  const { server, fd } = await connection();
  for (const size of [-1, 1.5, Number.NaN]) {
    await t.rejects(readExactly(server, fd, size), {
      name: 'RangeError',
      message: `the size is ${size}, but must be a whole number of bytes`,
    });
  }
  for (const deadlineSeconds of [0, -1, Number.NaN, Infinity]) {
    await t.rejects(readExactly(server, fd, 1, { deadlineSeconds }), {
      name: 'RangeError',
      message: `deadlineSeconds is ${deadlineSeconds}, but must be a number above 0`,
    });
  }
});

/** A host whose calls and registrations return what a list says; the last item goes on. */
function scriptedHost(calls: number[], registrations: number[]): TransferHost & { unregistered: number[] } {
  const next = (list: number[]): number => (list.length > 1 ? list.shift() : list[0]) as number;
  const unregistered: number[] = [];
  return {
    posix: {
      read: () => next(calls),
      write: () => next(calls),
      close: () => 0,
      timerfd: () => 9,
      timerfdSettime: () => 0,
    },
    registerEvent: () => next(registrations),
    unregisterEvent: (id) => void unregistered.push(id),
    setMaxTimeout: () => 0,
    unregistered,
  };
}

t.test('a write that takes nothing is EIO, and EINTR is tried again', async (t) => {
  const options: ExactTransferOptions = {};
  await t.rejects(writeExactly(scriptedHost([-errno.EINTR, 2, 0], [1]), 3, new Uint8Array(5), options), {
    code: 'EIO',
    bytesMoved: 2,
    message: 'write of descriptor 3 ended after 2 of 5 bytes: Input/output error',
  });
});

t.test('an event that cannot be registered fails the transfer and leaves no other', async (t) => {
  const first = scriptedHost([-errno.EAGAIN], [-errno.ECANCELED]);
  await t.rejects(readExactly(first, 3, 1), { code: 'ECANCELED', bytesMoved: 0 });
  t.same(first.unregistered, []);
  const { signal } = new AbortController();
  const second = scriptedHost([1, -errno.EAGAIN], [7, -errno.EBUSY]);
  await t.rejects(readExactly(second, 3, 2, { deadlineSeconds: 1, signal }), {
    code: 'EBUSY',
    bytesMoved: 1,
  });
  t.same(second.unregistered, [7]);
});

t.test('a deadline that cannot be set fails the transfer', async (t) => {
  const host = scriptedHost([-errno.EAGAIN], [7]);
  host.posix.timerfd = () => -errno.EMFILE;
  await t.rejects(readExactly(host, 3, 2, { deadlineSeconds: 1 }), { code: 'EMFILE', bytesMoved: 0 });
  t.same(host.unregistered, [7]);
  const other = scriptedHost([-errno.EAGAIN], [7, 8]);
  other.posix.timerfdSettime = () => -errno.EINVAL;
  await t.rejects(readExactly(other, 3, 2, { deadlineSeconds: 1 }), {
    code: 'EINVAL',
    message: 'read of descriptor 3 ended after 0 of 2 bytes: cannot get a deadline: EINVAL',
  });
  t.same(other.unregistered, [7, 8]);
});

t.test('whichever call fails, a transfer ends, and leaves neither event nor descriptor', async (t) => {
  const report = await failEachCall(async (fault) => {
    const { world, near, far, other, server, fd } = await connection();
    const { posix } = server;
    const before = posix.openDescriptors().length;
    const wrong: string[] = [];
    near.failCalls(fault);
    const peer = far.serve();
    const within = { deadlineSeconds: 1 };
    const echo = async (): Promise<void> => {
      await writeExactly(peer, other, await readExactly(peer, other, 5000, within), within);
    };
    const call = async (): Promise<void> => {
      await writeExactly(server, fd, new Uint8Array(5000).fill(7), within);
      const bytes = await readExactly(server, fd, 5000, within);
      if (bytes.some((byte) => byte !== 7)) wrong.push('other bytes came back');
    };
    for (const outcome of await world.complete(Promise.allSettled([echo(), call()]))) {
      if (outcome.status === 'rejected' && !(outcome.reason instanceof ExactTransferError)) {
        wrong.push(String(outcome.reason));
      }
    }
    if (server.scheduler.size + peer.scheduler.size > 0) wrong.push('an event is left');
    if (posix.openDescriptors().length !== before) wrong.push('a descriptor is left');
    return wrong;
  });
  t.same(report.failedRuns, []);
  for (const name of ['read', 'write', 'timerfd'] as const) t.ok(report.calls.has(name), name);
});
