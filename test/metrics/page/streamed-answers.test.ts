// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import {
  MAX_STREAM_BACKLOG_BYTES,
  SLOW_STREAM_SECONDS,
  StreamedAnswer,
} from '../../../src/metrics/page/streamed-answer.js';
import { StreamedAnswers } from '../../../src/metrics/page/streamed-answers.js';
import { AF_UNIX, errno, NodePosix, type Posix } from '../../../src/posix/index.js';
import {
  type EventCallback,
  modeName,
  POLL_READ_FD,
  POLL_WRITE_FD,
  TIMEOUT,
} from '../../../src/scheduler/event.js';
import { type EventRegistrar, Scheduler } from '../../../src/scheduler/index.js';
import type { ExchangeReply } from '../../../src/server/exchange.js';
import { ExchangeListener } from '../../../src/server/exchange-listener.js';
import { nullLogger } from '../../../src/server/logger.js';
import { TapdiskServer } from '../../../src/server/tapdisk-server.js';
import { ManualClock } from '../../control/world.js';
import { MemoryPoller } from '../../scheduler/memory-poller.js';
import { shortDirectory } from '../../short-directory.js';

/** Answers that begin with `first`, to clients that send one byte. */
function world(t: Test, { next }: { next?: () => () => Buffer | undefined } = {}) {
  const clock = new ManualClock();
  const posix = new NodePosix({ clock });
  const server = new TapdiskServer({ posix, logger: nullLogger });
  const parts = { registrar: server, posix, logger: nullLogger };
  const events: string[] = [];
  const answers = new StreamedAnswers({ ...parts, limit: 2, onNone: () => events.push('none') });
  const path = join(shortDirectory(t), 's');
  const listener = new ExchangeListener(
    { family: AF_UNIX, path },
    {
      ...parts,
      name: 'test',
      maxConnections: 1,
      slowClientSeconds: 2,
      protocol: {
        maxRequestBytes: 1,
        requestLength: (bytes) => bytes.length,
        answer(_, reply) {
          if (answers.add(reply, () => Buffer.from('first;'), next?.())) return;
          reply.send(Buffer.from('full'));
          reply.end();
        },
      },
    },
  );
  const running = server.run({ signals: false });
  t.teardown(async () => {
    answers[Symbol.dispose]();
    listener[Symbol.dispose]();
    server.stop();
    await running;
    assert.deepEqual(posix.openDescriptors(), []);
  });
  const client = (): Socket => {
    const socket = connect(path).on('error', () => {});
    t.teardown(() => socket.destroy());
    socket.write('a');
    return socket;
  };
  return { answers, clock, client, events, server };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise(setImmediate);
}

/** All that comes until the end; `onText` is told as it grows. */
async function textOf(socket: Socket, onText: (text: string) => void = () => {}): Promise<string> {
  let text = '';
  for await (const chunk of socket) {
    text += String(chunk);
    onText(text);
  }
  return text;
}

t.test('a client receives broadcasts without taking the place of a waiting request', async (t) => {
  const { answers, client, events } = world(t);
  const texts = ['', ''];
  const ended = [client(), client()].map((socket, index) => textOf(socket, (text) => (texts[index] = text)));
  await until(() => answers.size === 2);
  t.equal(await textOf(client()), 'full');
  answers.sendAll(Buffer.from('all;'));
  await until(() => texts.every((text) => text === 'first;all;'));
  answers[Symbol.dispose]();
  t.same(await Promise.all(ended), ['first;all;', 'first;all;']);
  t.same(events, ['none']);
});

t.test('a client that disconnects makes room', async (t) => {
  const { answers, client } = world(t);
  const [one] = [client(), client()];
  await until(() => answers.size === 2);
  one.destroy();
  await until(() => answers.size === 1);
  const other = client();
  await until(() => answers.size === 2);
  other.end();
  await until(() => answers.size === 1);
});

t.test('a client that leaves before its reply begins takes no place', (t) => {
  const { answers } = world(t);
  const gone = { takeOver: () => -errno.ENOTCONN } as ExchangeReply;
  const first = (): Buffer => t.fail('nothing is to be sent') as never;
  t.ok(answers.add(gone, first));
  t.equal(answers.size, 0);
  t.end();
});

t.test('a page that does not read is dropped when too much is pending, and others are not', async (t) => {
  const { answers, client } = world(t);
  const slow = client().pause();
  let read = 0;
  client().on('data', (chunk: Buffer) => (read += chunk.length));
  await until(() => answers.size === 2 && read > 0);
  const piece = Buffer.alloc(256 << 10, 'x');
  let sent = 'first;'.length;
  while (answers.size === 2) {
    answers.sendAll(piece);
    sent += piece.length;
    await until(() => read === sent);
  }
  t.ok(sent > MAX_STREAM_BACKLOG_BYTES);
  t.equal(read, sent);
  t.equal(slow.bytesRead, 0);
});

t.test('a client that takes what comes costs no event but that of its end', async (t) => {
  const { answers, client, server } = world(t);
  const modes = (): string[] => [...server.scheduler.events()].map(({ mode }) => modeName(mode));
  const before = modes();
  const socket = client();
  let read = 0;
  socket.on('data', (chunk: Buffer) => (read += chunk.length));
  await until(() => answers.size === 1);
  const own = (): string[] => modes().slice(before.length);
  t.same(own(), ['READ']);
  socket.pause();
  const bytes = Buffer.alloc(MAX_STREAM_BACKLOG_BYTES - 1000, 'x');
  answers.sendAll(bytes);
  t.same(own(), ['READ|WRITE|TIMEOUT'], 'while something waits, it must take it in time');
  socket.resume();
  await until(() => read === 'first;'.length + bytes.length);
  await until(() => own()[0] === 'READ');
});

t.test('a client that sends more than its request is dropped', async (t) => {
  const { answers, client } = world(t);
  const socket = client();
  await until(() => answers.size === 1);
  socket.write('more');
  await until(() => answers.size === 0);
});

t.test('an answer ends once, however often it is dropped, and does nothing after that', async (t) => {
  const posix = new NodePosix();
  const why: string[] = [];
  const onClosed = (_: StreamedAnswer, reason: string): void => void why.push(reason);
  const full = { registerEvent: () => -errno.EBUSY, unregisterEvent() {}, setMaxTimeout: () => 0 };
  const answer = (): StreamedAnswer =>
    new StreamedAnswer(posix.eventfd(), { registrar: full, posix, onClosed });
  const dropped = answer();
  dropped.drop('first');
  dropped.drop('second');
  dropped.send(Buffer.from('more'));
  t.same(why.splice(0), ['first']);
  answer().start(Buffer.from('first;'));
  t.same(why, ['there is no event left']);
  t.same(posix.openDescriptors(), []);
});

t.test(
  'of more than may wait nothing is written, also where the descriptor is another by then',
  async (t) => {
    const posix = new NodePosix();
    let next = -1;
    const fd = posix.eventfd();
    const registrar = { registerEvent: () => 1, unregisterEvent() {}, setMaxTimeout: () => 0 };
    const why: string[] = [];
    const answer = new StreamedAnswer(fd, {
      registrar,
      posix,
      onClosed: (_, reason) => {
        why.push(reason);
        next = posix.eventfd();
      },
    });
    answer.send(Buffer.alloc(MAX_STREAM_BACKLOG_BYTES + 1, 1));
    t.same(why, ['0 bytes wait for it']);
    t.equal(next, fd);
    t.equal(posix.read(next, new Uint8Array(8)), -errno.EAGAIN);
    posix.close(next);
  },
);

t.test('a page that does not read while data is pending is dropped in time', async (t) => {
  const { answers, client, clock } = world(t);
  client().pause();
  await until(() => answers.size === 1);
  clock.seconds += 10 * SLOW_STREAM_SECONDS;
  const other = client();
  await until(() => answers.size === 2);
  other.destroy();
  await until(() => answers.size === 1);
  // More than the socket takes, and less than may wait.
  answers.sendAll(Buffer.alloc(MAX_STREAM_BACKLOG_BYTES - 1000, 'x'));
  t.equal(answers.size, 1, 'while nothing waits it may take its time');
  clock.seconds += SLOW_STREAM_SECONDS + 2;
  // Wakes the scheduler, whose clock has jumped.
  const wake = client().on('data', () => wake.destroy());
  await until(() => answers.size === 0);
});

t.test('a streamed answer is produced as it is read, and ends in order', async (t) => {
  let made = 0;
  const pieces = 200;
  const { client } = world(t, {
    next: () => () => (made === pieces ? undefined : Buffer.alloc(40_000, ++made)),
  });
  const socket = client().pause();
  const countOf = (): number => made;
  await until(() => countOf() > 0);
  for (let before = 0; before !== countOf();) {
    before = countOf();
    for (let turn = 0; turn < 100; turn++) await new Promise(setImmediate);
  }
  t.ok(made < pieces, `${made} were made while nobody read`);
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks);
  t.equal(text.length, 'first;'.length + pieces * 40_000);
  t.equal(text.at(-1), pieces);
});

t.test('a piece may be empty: the answer goes on with the next one', async (t) => {
  const pieces = ['', 'second;', '', '', 'last'].map((text) => Buffer.from(text));
  const { client } = world(t, { next: () => () => pieces.shift() });
  t.equal(await textOf(client()), 'first;second;last');
});

/** An answer whose descriptor the test answers for, with what it does. */
function scripted(next?: () => Buffer | undefined) {
  const log: string[] = [];
  const results = { read: 0, write: 0 };
  let fired: (mode: number) => void = () => {};
  const posix = {
    read: () => results.read,
    write: (_fd: number, bytes: Uint8Array) => {
      log.push(`write ${Buffer.from(bytes).toString()}`);
      return Math.min(results.write, bytes.length);
    },
    close: (fd: number) => {
      log.push(`close ${fd}`);
      return 0;
    },
  } as Partial<Posix> as Posix;
  const registrar: EventRegistrar = {
    registerEvent: (mode, fd, timeoutSeconds, callback) => {
      log.push(`${modeName(mode)} ${fd} ${timeoutSeconds}`);
      fired = (what) => (callback as EventCallback)(1, what, undefined);
      return 1;
    },
    unregisterEvent: () => void log.push('unregister'),
    setMaxTimeout: () => 0,
  };
  const onClosed = (_: StreamedAnswer, why: string): void => void log.push(why);
  const answer = new StreamedAnswer(7, { registrar, posix, onClosed, ...(next && { next }) });
  return { answer, log, results, fire: (mode: number) => fired(mode), taken: () => log.splice(0) };
}

t.test(
  'what a client does not take at once is offered again, for five seconds and up to one more',
  async (t) => {
    const { answer, results, fire, taken } = scripted();
    results.write = 2;
    answer.start(Buffer.from('abcde'));
    t.same(taken(), ['READ 7 6', 'write abcde', 'unregister', 'READ|WRITE|TIMEOUT 7 6']);
    answer.send(Buffer.from('fg'));
    t.same(taken(), [], 'more waits with it');
    results.write = -errno.EAGAIN;
    fire(POLL_WRITE_FD);
    t.same(taken(), ['write cdefg']);
    results.write = 9;
    fire(POLL_WRITE_FD);
    t.same(taken(), ['write cdefg', 'unregister', 'READ 7 6'], 'it has all, and may take its time');
    answer.send(Buffer.from('h'));
    t.same(taken(), ['write h']);
    results.write = 0;
    answer.send(Buffer.from('i'));
    taken();
    fire(TIMEOUT);
    t.same(taken(), ['unregister', 'close 7', 'no progress in 5 s']);
  },
);

t.test('why an answer ends is known', async (t) => {
  for (const [read, why] of [
    [0, 'it ended'],
    [-errno.ECONNRESET, 'it ended'],
    [1, 'it sent more than its request'],
  ] as const) {
    const { answer, results, fire, taken } = scripted();
    results.write = 9;
    answer.start(Buffer.from('a'));
    results.read = -errno.EAGAIN;
    fire(POLL_READ_FD);
    t.same(taken(), ['READ 7 6', 'write a'], 'there was nothing to read');
    results.read = read;
    fire(POLL_READ_FD);
    t.same(taken(), ['unregister', 'close 7', why]);
    answer.send(Buffer.from('b'));
    t.same(taken(), [], 'nothing is written to what may be another descriptor by then');
  }
  const gone = scripted();
  gone.results.write = -errno.EPIPE;
  gone.answer.start(Buffer.from('a'));
  t.same(gone.taken(), ['READ 7 6', 'write a', 'unregister', 'close 7', 'it went away']);
  const pieces = [Buffer.from('b')];
  const whole = scripted(() => pieces.shift());
  whole.results.write = 9;
  whole.answer.start(Buffer.from('a'));
  t.same(whole.taken(), ['READ 7 6', 'write a', 'unregister', 'READ|WRITE|TIMEOUT 7 6']);
  whole.fire(POLL_WRITE_FD);
  t.same(whole.taken(), ['write b', 'unregister', 'close 7', 'answered']);
});

t.test('a MiB may wait for a client, and not a byte more', async (t) => {
  const { answer, results, log } = scripted();
  results.write = -errno.EAGAIN;
  answer.send(Buffer.alloc(MAX_STREAM_BACKLOG_BYTES));
  t.notOk(log.includes('close 7'));
  answer.send(Buffer.alloc(1));
  t.same(log.slice(-2), ['close 7', '1048576 bytes wait for it']);
});

t.test('an answer that has begun, or whose client has gone, is answered; one too many is not', async (t) => {
  const posix = new NodePosix();
  const registrar = { registerEvent: () => 1, unregisterEvent() {}, setMaxTimeout: () => 0 };
  const answers = new StreamedAnswers({ registrar, posix, logger: nullLogger, limit: 1 });
  const add = (fd: number): boolean =>
    answers.add({ send() {}, end() {}, takeOver: () => fd }, () => Buffer.alloc(8, 1));
  t.equal(add(-1), true);
  t.equal(answers.size, 0);
  t.equal(add(posix.eventfd()), true);
  t.equal(answers.size, 1);
  t.equal(add(-1), false);
  answers[Symbol.dispose]();
  t.equal(answers.size, 0);
  t.same(posix.openDescriptors(), []);
});

t.test(
  'a client whose host has died is dropped, though the kernel takes all that is sent to it',
  async (t) => {
    const clock = new ManualClock();
    class SilentPosix extends NodePosix {
      sentAgain = 0;
      override retransmissions(): number {
        return this.sentAgain;
      }
    }
    const posix = new SilentPosix({ clock });
    const scheduler = new Scheduler({ poller: new MemoryPoller(), clock });
    const lines: string[] = [];
    const logger = { log: (_: number, line: string) => void lines.push(line) };
    const answers = new StreamedAnswers({ registrar: scheduler, posix, logger, limit: 1 });
    const pass = (seconds: number): void => {
      for (; seconds > 0; seconds--) {
        clock.seconds += 1;
        answers.sendAll(Buffer.alloc(8, 1));
      }
    };
    answers.add({ send() {}, end() {}, takeOver: () => posix.eventfd() }, () => Buffer.alloc(8, 1));
    pass(60);
    t.equal(answers.size, 1, 'its host answers');
    posix.sentAgain = 3;
    // The silence counts from the first look at it.
    pass(30);
    t.equal(answers.size, 1);
    pass(1);
    t.equal(answers.size, 0);
    t.match(lines.join(), /its host has not answered for 30 s/);
    t.same([...scheduler.events()], [], 'nothing is watched any more');
    t.same(posix.openDescriptors(), []);
  },
);
