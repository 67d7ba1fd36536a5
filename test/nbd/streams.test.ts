// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { errno, type SentDone } from '../../src/posix/index.js';
import type { EventRegistrar } from '../../src/scheduler/registrar.js';
import { Receiver } from '../../src/nbd/receiver.js';
import { Sender } from '../../src/nbd/sender.js';
import { bench, type Bench } from '../disks/bench.js';
import { CountedPool } from '../posix/counted-pool.js';

const FD = 77;

/** A pool that nothing may be taken from. */
class NoPool extends CountedPool {
  override take(): never {
    throw new Error('taken from the pool');
  }
}

/** The bench's operating system, with a descriptor 77 that takes and has what the test says. */
function scriptedStream({ posix }: Bench) {
  const stream = {
    /** How many bytes each write takes; -EAGAIN when there is none left. */
    takes: [] as number[],
    written: [] as Buffer[],
    calls: 0,
    incoming: Buffer.alloc(0),
    posix: Object.assign(Object.create(posix) as typeof posix, {
      send: () => -errno.EOPNOTSUPP,
      write(_fd: number, bytes: Uint8Array): number {
        stream.calls++;
        const taken = Math.min(stream.takes.shift() ?? -errno.EAGAIN, bytes.length);
        if (taken > 0) stream.written.push(Buffer.from(bytes.subarray(0, taken)));
        return taken;
      },
      read(_fd: number, buffer: Uint8Array): number {
        stream.calls++;
        const count = Math.min(buffer.length, stream.incoming.length);
        if (count === 0) return -errno.EAGAIN;
        buffer.set(stream.incoming.subarray(0, count));
        stream.incoming = stream.incoming.subarray(count);
        return count;
      },
    }),
  };
  return stream;
}

const numbered = (length: number, from: number): Buffer =>
  Buffer.from(Uint8Array.from({ length }, (_, index) => (from + index * 7) & 0xff));

t.test('pieces go out in order, small ones together, however little is taken at a time', (t) => {
  const world = bench(t);
  const stream = scriptedStream(world);
  const sender = new Sender(world.server, stream.posix, FD, () => t.fail('an error'));
  const pieces = [16, 100_000, 16, 16, 0, 5000, 70_000, 1].map((length, index) => numbered(length, index));
  const told: number[] = [];
  for (const [index, piece] of pieces.entries()) sender.queue(piece, () => told.push(index));
  stream.takes = [10, 7, 60_000, 1, ...Array<number>(20).fill(30_000)];
  sender.flush();
  t.strictSame(Buffer.concat(stream.written), Buffer.concat(pieces));
  t.strictSame(told, [0, 1, 2, 3, 4, 5, 6, 7]);
  t.equal(sender.pendingBytes, 0);
  stream.calls = 0;
  for (let count = 0; count < 100; count++) sender.queue(numbered(16, count));
  sender.flush();
  t.equal(stream.calls, 1);
  t.end();
});

t.test('the rest of a partial write waits for a WRITE event', (t) => {
  const world = bench(t);
  const stream = scriptedStream(world);
  const events = (): number => [...world.server.scheduler.events()].length;
  const before = events();
  const sender = new Sender(world.server, stream.posix, FD, () => t.fail('an error'));
  for (let count = 0; count < 3000; count++) sender.queue(Buffer.alloc(1000));
  sender.flush();
  sender.flush();
  t.equal(events(), before + 1);
  t.equal(sender.pendingBytes, 3_000_000);
  stream.takes = Array<number>(30).fill(64_000);
  sender.flush();
  t.equal(sender.pendingBytes, 3_000_000 - 30 * 64_000);
  stream.takes = Array<number>(100).fill(64_000);
  sender.flush();
  t.equal(sender.pendingBytes, 0);
  t.equal(events(), before);
  t.equal(Buffer.concat(stream.written).length, 3_000_000);
  t.end();
});

t.test('an error is reported once, and nothing is sent after it', (t) => {
  const world = bench(t);
  const stream = scriptedStream(world);
  const errors: number[] = [];
  const sender = new Sender(world.server, stream.posix, FD, (error) => errors.push(error));
  sender.queue(Buffer.alloc(10), () => t.fail('it was not sent'));
  stream.takes = [-errno.EPIPE, 100, 100];
  sender.flush();
  sender.queue(Buffer.alloc(10));
  sender.flush();
  t.strictSame(errors, [-errno.EPIPE]);
  t.strictSame(stream.written, []);
  t.equal(sender.pendingBytes, 0);
  t.end();
});

t.test('an error is reported before pieces are dropped for it', (t) => {
  const world = bench(t);
  const stream = scriptedStream(world);
  const told: (string | number)[] = [];
  const sender = new Sender(world.server, stream.posix, FD, (error) => {
    told.push(error);
    sender.queue(Buffer.alloc(10), undefined, () => told.push('not even queued'));
  });
  sender.queue(Buffer.alloc(10), undefined, () => told.push('dropped'));
  stream.takes = [-errno.EPIPE];
  sender.flush();
  t.strictSame(told, [-errno.EPIPE, 'not even queued', 'dropped']);
  t.end();
});

t.test('the callback for a sent piece may close the sender', (t) => {
  const world = bench(t);
  const stream = scriptedStream(world);
  const sender = new Sender(world.server, stream.posix, FD, () => t.fail('an error'));
  const told: string[] = [];
  sender.queue(Buffer.alloc(10), () => sender.close());
  sender.queue(
    Buffer.alloc(10),
    () => told.push('sent too'),
    () => t.fail('it was sent'),
  );
  sender.queue(
    Buffer.alloc(10),
    () => t.fail('it is closed'),
    () => told.push('dropped'),
  );
  stream.takes = [25, 100];
  sender.flush();
  t.same(told, ['dropped', 'sent too']);
  t.equal(stream.calls, 1);
  t.end();
});

t.test('the callback for a sent piece may queue and flush: nothing is sent twice', (t) => {
  const world = bench(t);
  const stream = scriptedStream(world);
  const sender = new Sender(world.server, stream.posix, FD, () => t.fail('an error'));
  const pieces = [numbered(10, 1), numbered(10, 2), numbered(10, 3)] as const;
  sender.queue(pieces[0], () => {
    sender.queue(pieces[2]);
    sender.flush();
  });
  sender.queue(pieces[1]);
  stream.takes = [15, 4, 100];
  sender.flush();
  t.same(Buffer.concat(stream.written), Buffer.concat(pieces));
  t.equal(sender.pendingBytes, 0);
  t.equal(sender.isClear, true);
  t.end();
});

t.test('a scheduler without room is an error of the sender', (t) => {
  const world = bench(t);
  const stream = scriptedStream(world);
  const errors: number[] = [];
  const full = {
    registerEvent: () => -errno.EBUSY,
    unregisterEvent() {},
    setMaxTimeout: () => 0,
  };
  const sender = new Sender(full, stream.posix, FD, (error) => errors.push(error));
  sender.queue(Buffer.alloc(10));
  sender.flush();
  t.strictSame(errors, [-errno.EBUSY]);
  t.end();
});

t.test('expected bytes are collected piece by piece, across skipped ones', (t) => {
  const world = bench(t);
  const stream = scriptedStream(world);
  const receiver = new Receiver(stream.posix, FD);
  const pool = new CountedPool();
  receiver.usePool(pool, false);
  const bytes = numbered(200_000, 3);
  const [small, large, empty, last] = [
    Buffer.alloc(28),
    Buffer.alloc(100_000),
    Buffer.alloc(0),
    Buffer.alloc(72),
  ];
  let done = false;
  receiver.expect(small, () =>
    receiver.expect(large, () =>
      receiver.skip(99_900, () =>
        receiver.expect(empty, () =>
          receiver.expect(last, () => {
            done = true;
          }),
        ),
      ),
    ),
  );
  for (let at = 0; at < bytes.length; at += 1999) {
    stream.incoming = Buffer.concat([stream.incoming, bytes.subarray(at, at + 1999)]);
    t.equal(receiver.pump(), at + 1999 < bytes.length ? 'again' : 'idle');
  }
  t.equal(done, true);
  t.strictSame(Buffer.concat([small, large]), bytes.subarray(0, 100_028));
  t.strictSame(last, bytes.subarray(199_928));
  t.equal(pool.taken.size, 0);
  t.end();
});

t.test('nothing is read while nothing is expected, and a flood lets others have their turns', (t) => {
  const world = bench(t);
  const stream = scriptedStream(world);
  const receiver = new Receiver(stream.posix, FD);
  stream.incoming = Buffer.alloc(8 << 20);
  t.equal(receiver.pump(), 'idle');
  t.equal(stream.calls, 0);
  receiver.skip(8 << 20, () => {});
  t.equal(receiver.pump(), 'again');
  t.equal(stream.incoming.length, (8 << 20) - (128 << 10));
  receiver.stop();
  t.equal(receiver.expecting, false);
  t.equal(receiver.pump(), 'idle');
  t.end();
});

t.test('what was read ahead moves to another pool, and each pool gets back what was taken', (t) => {
  const world = bench(t);
  const stream = scriptedStream(world);
  const receiver = new Receiver(stream.posix, FD);
  const pools = [new CountedPool(), new CountedPool(), new CountedPool()] as const;
  const bytes = numbered(1000, 3);
  const parts: readonly [Buffer, Buffer, Buffer] = [Buffer.alloc(100), Buffer.alloc(900), Buffer.alloc(100)];
  receiver.usePool(pools[0], false);
  receiver.expect(parts[0], () => {
    receiver.usePool(pools[1], false);
    receiver.expect(parts[1], () => {
      receiver.usePool(pools[2], true);
      receiver.expect(parts[2], () => {});
    });
  });
  stream.incoming = Buffer.concat([bytes]);
  t.equal(receiver.pump(), 'again');
  t.strictSame(Buffer.concat([parts[0], parts[1]]), bytes);
  stream.incoming = Buffer.concat([bytes.subarray(0, 100)]);
  t.equal(receiver.pump(), 'idle');
  t.strictSame(parts[2], bytes.subarray(0, 100));
  t.strictSame(
    pools.map(({ taken }) => taken.size),
    [0, 0, 0],
  );
  t.end();
});

t.test('a large part is read to where it belongs, unless copying is quicker, and a small one ahead', (t) => {
  const world = bench(t);
  const stream = scriptedStream(world);
  const rooms: number[] = [];
  const posix = Object.assign(Object.create(stream.posix) as typeof stream.posix, {
    read(fd: number, buffer: Uint8Array): number {
      rooms.push(buffer.length);
      return stream.posix.read(fd, buffer);
    },
  });
  const bytes = numbered(40_000, 3);
  const LARGE = 32 << 10;
  const AHEAD = 64 << 10;
  const shared = (length: number): Uint8Array => new Uint8Array(new SharedArrayBuffer(length));
  const plain = (length: number): Uint8Array => new Uint8Array(length);
  for (const [length, isDedicated, allocate, room] of [
    [LARGE, false, plain, LARGE],
    [LARGE - 1, false, plain, AHEAD],
    [LARGE, true, shared, LARGE],
    [LARGE - 1, true, shared, AHEAD],
    [LARGE, false, shared, AHEAD],
  ] as const) {
    const receiver = new Receiver(posix, FD);
    receiver.usePool(new CountedPool(), isDedicated);
    const target = allocate(length);
    receiver.expect(target, () => {});
    stream.incoming = Buffer.from(bytes.subarray(0, length));
    rooms.length = 0;
    t.equal(receiver.pump(), 'idle');
    t.same(rooms, [room]);
    t.same(Buffer.from(target), bytes.subarray(0, length));
    t.equal(receiver.receivedBytes, length);
  }
  t.end();
});

/** A descriptor that also sends pieces as they are, and is done with them when the test says so. */
function directStream(world: Bench) {
  const stream = scriptedStream(world);
  const handed: number[][] = [];
  const results: number[] = [];
  const done: SentDone[] = [];
  const posix = Object.assign(Object.create(stream.posix) as typeof stream.posix, {
    send(_fd: number, parts: readonly Uint8Array[], sent: SentDone): number {
      const result = results.shift() ?? parts.reduce((sum, { length }) => sum + length, 0);
      if (result < 0) return result;
      handed.push(parts.map(({ length }) => length));
      done.push(sent);
      return result;
    },
  });
  return { stream, handed, results, done, posix };
}

t.test('a large piece is sent as it is, with a small one before it that nobody waits for', (t) => {
  const world = bench(t);
  const LARGE = 16 << 10;
  for (const [lengths, waits, handed, written] of [
    [[LARGE], [], [[LARGE]], []],
    [[LARGE - 1], [], [], [LARGE - 1]],
    [
      [16, LARGE, 20, LARGE + 1],
      [],
      [
        [16, LARGE],
        [20, LARGE + 1],
      ],
      [],
    ],
    [[16, LARGE - 1], [], [], [16 + LARGE - 1]],
    [[16, LARGE], [0], [], [16 + LARGE]],
    [[LARGE, LARGE], [0], [[LARGE], [LARGE]], []],
    [[16, 16, LARGE], [], [], [32 + LARGE]],
  ] as const) {
    const { stream, handed: parts, done, posix } = directStream(world);
    const sender = new Sender(world.server, posix, FD, () => t.fail('an error'));
    const told: number[] = [];
    for (const [index, length] of lengths.entries()) {
      const isAwaited = (waits as readonly number[]).includes(index) || index === lengths.length - 1;
      sender.queue(Buffer.alloc(length), isAwaited ? () => told.push(index) : undefined);
    }
    stream.takes = Array<number>(5).fill(1 << 20);
    sender.flush();
    const what = lengths.join(' ');
    t.same(parts, handed, what);
    t.same(
      stream.written.map(({ length }) => length),
      written,
      what,
    );
    t.equal(sender.pendingBytes, 0);
    t.same(
      told,
      handed.length > 0 ? [] : [...waits, lengths.length - 1],
      'what is handed over may be in use',
    );
    for (const sent of done) sent(false);
    t.same(told, [...waits, lengths.length - 1]);
  }
  t.end();
});

t.test('a large piece that is not taken waits for room, and the rest of a partial one is sent', (t) => {
  const world = bench(t);
  const { stream, handed, results, posix } = directStream(world);
  const errors: number[] = [];
  const sender = new Sender(world.server, posix, FD, (error) => errors.push(error));
  sender.queue(Buffer.alloc(20_000));
  results.push(-errno.EAGAIN);
  sender.flush();
  t.equal(sender.isClear, false);
  t.equal(sender.pendingBytes, 20_000);
  sender.flush();
  t.same(handed, [[20_000]]);
  t.equal(sender.isClear, true);
  sender.queue(Buffer.alloc(20_000));
  results.push(-errno.EOPNOTSUPP);
  stream.takes = [5];
  results.push(-errno.EAGAIN);
  sender.flush();
  t.equal(sender.pendingBytes, 19_995);
  sender.flush();
  t.same(handed, [[20_000], [19_995]], 'a part is not sent twice');
  t.same(
    stream.written.map(({ length }) => length),
    [5],
  );
  sender.queue(Buffer.alloc(20_000), () => t.fail('it was not sent'));
  results.push(-errno.EPIPE);
  sender.flush();
  t.same(errors, [-errno.EPIPE]);
  t.equal(sender.isClosed, true);
  t.equal(sender.pendingBytes, 0);
  t.end();
});

t.test('a large piece that is lost with the connection is dropped, after the error is reported', (t) => {
  const world = bench(t);
  const { stream, done, posix } = directStream(world);
  const told: (string | number)[] = [];
  const sender = new Sender(world.server, posix, FD, (error) => told.push(error));
  for (const name of ['first', 'second'])
    sender.queue(
      Buffer.alloc(16 << 10),
      () => told.push(`${name} sent`),
      () => told.push(`${name} dropped`),
    );
  stream.takes = [1 << 20, 1 << 20];
  sender.flush();
  for (const sent of done) sent(true);
  t.same(told, [-errno.EPIPE, 'first dropped', 'second dropped']);
  t.equal(sender.isClosed, true);
  t.end();
});

t.test('what is queued and not sent when the sender closes is dropped, each piece once', (t) => {
  const world = bench(t);
  const stream = scriptedStream(world);
  const events = (): number => [...world.server.scheduler.events()].length;
  const before = events();
  const sender = new Sender(world.server, stream.posix, FD, () => t.fail('an error'));
  const told: string[] = [];
  for (const name of ['one', 'two', 'three'])
    sender.queue(
      Buffer.alloc(10),
      () => told.push(`${name} sent`),
      () => told.push(`${name} dropped`),
    );
  stream.takes = [15];
  sender.flush();
  t.equal(events(), before + 1);
  sender.close();
  t.equal(events(), before, 'and waits for nothing');
  sender.close();
  sender.queue(Buffer.alloc(1), undefined, () => told.push('later dropped'));
  t.same(told, ['one sent', 'two dropped', 'three dropped', 'later dropped']);
  t.equal(sender.pendingBytes, 0);
  t.end();
});

t.test('memory for small pieces is taken once a flush, and given back after it', (t) => {
  const world = bench(t);
  const stream = scriptedStream(world);
  let takes = 0;
  class CountingPool extends CountedPool {
    override take(length: number): Buffer {
      takes++;
      return super.take(length);
    }
  }
  const pool = new CountingPool();
  const sender = new Sender(world.server, stream.posix, FD, () => t.fail('an error'));
  sender.usePool(pool);
  for (let count = 0; count < 500; count++) sender.queue(Buffer.alloc(1000));
  stream.takes = Array<number>(5).fill(64 << 10);
  sender.flush();
  t.equal(pool.taken.size, 0);
  t.equal(takes, 1);
  stream.takes = Array<number>(5).fill(64 << 10);
  sender.flush();
  t.equal(pool.taken.size, 0);
  t.equal(takes, 2);
  t.equal(sender.pendingBytes, 0);
  sender.usePool(new NoPool());
  for (const length of [1000, 64 << 10]) {
    sender.queue(Buffer.alloc(length));
    stream.takes = [length];
    sender.flush();
    t.equal(sender.pendingBytes, 0, 'one that goes alone is not copied');
  }
  sender.queue(Buffer.alloc(64 << 10));
  sender.queue(Buffer.alloc(64 << 10));
  stream.takes = [64 << 10, 64 << 10];
  sender.flush();
  t.equal(sender.pendingBytes, 0, 'nor is a large one');
  t.end();
});

t.test('a descriptor that takes nothing is waited for once, however often it is flushed', (t) => {
  const world = bench(t);
  const stream = scriptedStream(world);
  let registered = 0;
  const registrar: EventRegistrar = {
    registerEvent: (...parameters) => {
      registered++;
      return world.server.registerEvent(...parameters);
    },
    unregisterEvent: (id) => world.server.unregisterEvent(id),
    setMaxTimeout: (seconds) => world.server.setMaxTimeout(seconds),
  };
  const sender = new Sender(registrar, stream.posix, FD, () => t.fail('an error'));
  sender.queue(Buffer.alloc(10));
  for (let count = 0; count < 3; count++) sender.flush();
  t.equal(registered, 1);
  sender.close();
  t.end();
});

t.test('what was read ahead is kept until it is expected, or the receiver is closed', (t) => {
  const world = bench(t);
  const stream = scriptedStream(world);
  const pool = new CountedPool();
  const receiver = new Receiver(stream.posix, FD);
  receiver.usePool(pool, false);
  const bytes = numbered(30, 5);
  const [first, second] = [Buffer.alloc(10), Buffer.alloc(10)];
  receiver.expect(first, () => {});
  stream.incoming = Buffer.from(bytes);
  t.equal(receiver.pump(), 'idle');
  t.equal(receiver.bytesAhead, 20);
  t.equal(pool.taken.size, 1);
  receiver.expect(second, () => {});
  t.equal(receiver.pump(), 'idle');
  t.same(Buffer.concat([first, second]), bytes.subarray(0, 20));
  t.equal(receiver.bytesAhead, 10);
  receiver.expect(Buffer.alloc(11), () => {});
  receiver.close();
  t.equal(receiver.expecting, false);
  t.equal(receiver.bytesAhead, 0);
  t.equal(pool.taken.size, 0);
  t.end();
});

t.test(
  'the end and an error of a stream are reported, and a message is in the middle once it has begun',
  (t) => {
    const world = bench(t);
    const stream = scriptedStream(world);
    const results = [1, 1, 0, -errno.ECONNRESET];
    const posix = Object.assign(Object.create(stream.posix) as typeof stream.posix, {
      read: (): number => results.shift() ?? -errno.EAGAIN,
    });
    const receiver = new Receiver(posix, FD);
    t.equal(receiver.isMidMessage, false);
    receiver.skip(5, () => t.fail('not all has come'));
    t.equal(receiver.isMidMessage, false);
    t.equal(receiver.pump(), 'end');
    t.equal(receiver.receivedBytes, 2);
    receiver.expect(new Uint8Array(3), () => t.fail('not all has come'));
    t.equal(receiver.isMidMessage, false);
    t.equal(receiver.pump(), -errno.ECONNRESET);
    results.push(1);
    t.equal(receiver.pump(), 'again');
    t.equal(receiver.isMidMessage, true);
    receiver.skip(3, () => {});
    t.equal(receiver.isMidMessage, false);
    t.end();
  },
);
