// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, write, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { nullLogger } from '../../src/server/logger.js';
import { MAX_WAITING_TRACE_BYTES, TraceFile, type WriteCall } from '../../src/metrics/trace-file.js';

interface World {
  readonly trace: TraceFile;
  readonly path: string;
  readonly read: () => { name: string }[];
}

function traceFile(t: Test, limitBytes = 1 << 20, lines: string[] = [], writeCall: WriteCall = write): World {
  const directory = mkdtempSync(join(tmpdir(), 'trace-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  const path = join(directory, 'trace.json');
  const logger = { log: (_: number, message: string) => lines.push(message) };
  const trace = new TraceFile(
    path,
    { name: 'first' },
    { logger, limitBytes, now: () => 7, write: writeCall },
  );
  return { trace, path, read: () => JSON.parse(readFileSync(path, 'utf8')) as { name: string }[] };
}

const names = (events: { name: string }[]): string[] => events.map(({ name }) => name);

t.test('the file is a valid array from the beginning, and after every write', async (t) => {
  const { trace, path, read } = traceFile(t);
  t.strictSame(names(read()), ['first']);
  trace.add({ name: 'ä' });
  trace.add({ name: 'b' });
  const { size } = statSync(path);
  trace.flush();
  trace.flush();
  // The size changes when the bytes are there: what is read before may be half of the old and half of the new.
  while (statSync(path).size === size) await new Promise(setImmediate);
  t.strictSame(names(read()), ['first', 'ä', 'b']);
  trace.add({ name: 'c' });
  await trace.close();
  t.strictSame(names(read()), ['first', 'ä', 'b', 'c']);
  trace.add({ name: 'late' });
  await trace.close();
  trace.closeNow();
  t.strictSame(names(read()), ['first', 'ä', 'b', 'c']);
});

t.test('pending lines are in the file when the process has to exit at once', async (t) => {
  const { trace, read } = traceFile(t);
  trace.add({ name: 'a' });
  trace.closeNow();
  t.strictSame(names(read()), ['first', 'a']);
});

t.test('the file is closed at the end, however it ends', async (t) => {
  for (const end of [(trace: TraceFile) => trace.close(), async (trace: TraceFile) => trace.closeNow()]) {
    const { trace, path } = traceFile(t);
    const isOpen = (): boolean =>
      readdirSync('/proc/self/fd').some((fd) => {
        const { dev, ino } = statSync(path);
        const found = statSync(`/proc/self/fd/${fd}`, { throwIfNoEntry: false });
        return found?.dev === dev && found.ino === ino;
      });
    t.ok(isOpen());
    await end(trace);
    t.notOk(isOpen());
  }
});

t.test('a write in progress is completed when the process has to exit at once', async (t) => {
  const { trace, read } = traceFile(t);
  trace.add({ name: 'a' });
  trace.flush();
  trace.add({ name: 'b' });
  trace.closeNow();
  t.strictSame(names(read()), ['first', 'a', 'b']);
  const { trace: last, read: readLast } = traceFile(t);
  last.add({ name: 'a' });
  last.flush();
  last.closeNow();
  t.strictSame(names(readLast()), ['first', 'a']);
});

t.test(
  'a write that does not arrive is not waited for for ever, and the file is whole without it',
  async (t) => {
    const { trace, read } = traceFile(t, 1 << 20, [], () => {});
    trace.add({ name: 'a' });
    trace.flush();
    trace.add({ name: 'b' });
    const began = performance.now();
    trace.closeNow();
    t.ok(performance.now() - began >= 95, 'it sleeps in between');
    t.strictSame(names(read()), ['first']);
  },
);

t.test('a write that does not arrive is looked for each millisecond, for a tenth of a second', async (t) => {
  const path = join(t.testdir(), 'trace.json');
  const sleeps: number[] = [];
  const trace = new TraceFile(
    path,
    { name: 'first' },
    {
      ...{ logger: nullLogger, limitBytes: 1 << 20, now: () => 7 },
      ...{ write: () => {}, sleep: (milliseconds: number) => void sleeps.push(milliseconds) },
    },
  );
  trace.add({ name: 'a' });
  trace.flush();
  trace.closeNow();
  // The file is closed by then, and is not looked at.
  trace.closeNow();
  t.same(
    sleeps,
    Array.from({ length: 100 }, () => 1),
  );
});

t.test('large writes proceed without waiting for readiness', async (t) => {
  const { trace, path, read } = traceFile(t);
  for (let count = 0; count < 100; count++) trace.add({ name: 'x'.repeat(1000) });
  while (statSync(path).size < 60_000) await new Promise(setImmediate);
  await trace.close();
  t.equal(read().length, 101);
});

t.test('a trace that reaches its limit ends with one entry that states it', async (t) => {
  const lines: string[] = [];
  const { trace, path, read } = traceFile(t, 10_000, lines);
  for (let count = 0; count < 1000; count++) trace.add({ name: `event ${count}`, ph: 'i' });
  await trace.close();
  const events = names(read());
  const remark = { name: 'the trace has reached its limit', ph: 'i', s: 'g', ts: 7, pid: 1, tid: 1 };
  t.strictSame(read().at(-1), remark);
  t.ok(events.length > 100);
  t.ok(statSync(path).size <= 10_000 && statSync(path).size > 9_000);
  t.strictSame(lines, ['the trace has reached its limit of 10000 bytes and ends']);
});

t.test('lines that arrive faster than they can be written are dropped and counted', async (t) => {
  const { trace, path, read } = traceFile(t, 64 << 20);
  const name = 'x'.repeat(100_000);
  // Within one turn of the event loop no write ends: the first event is being written, as many as fit wait, and ten more come.
  const fitting = 1 + Math.ceil(MAX_WAITING_TRACE_BYTES / 100_000);
  for (let count = 0; count < fitting + 10; count++) trace.add({ name });
  while (statSync(path).size < MAX_WAITING_TRACE_BYTES) await new Promise(setImmediate);
  trace.add({ name: 'afterwards' });
  await trace.close();
  const events = read() as { name: string; args?: { count: number } }[];
  t.equal(events.at(-1)?.name, 'afterwards');
  t.match(events.at(-2)?.name, /dropped/);
  t.equal(events.length - 3 + (events.at(-2)?.args?.count ?? 0), fitting + 10);
});

t.test('a partial write is continued', async (t) => {
  const short: WriteCall = (fd, bytes, offset, length, position, done) =>
    write(fd, bytes, offset, Math.min(length, 7), position, done);
  const { trace, read } = traceFile(t, 1 << 20, [], short);
  trace.add({ name: 'a' });
  trace.add({ name: 'b' });
  await trace.close();
  t.strictSame(names(read()), ['first', 'a', 'b']);
});

/** A file whose writes the test ends: each is what is written, without the array's end, and how it goes on. */
function scriptedFile(t: Test, limitBytes = 64 << 20) {
  const writes: { text: string; position: number; bytes: number; end: (error?: Error) => void }[] = [];
  const lines: string[] = [];
  const script: WriteCall = (_fd, bytes, offset, length, position, done) => {
    const text = Buffer.from(bytes.subarray(offset, offset + length)).toString();
    t.match(text, /\n\]\n$/, 'each write ends the array');
    const end = (error?: Error): void => done(error ?? null, length);
    writes.push({ text: text.slice(0, -3), position, bytes: length, end });
  };
  const { trace, path } = traceFile(t, limitBytes, lines, script);
  return { trace, path, writes, lines };
}

/** An event that takes this many bytes in the file, with the comma and line end before it. */
const eventOf = (bytes: number): { name: string } => ({ name: 'x'.repeat(bytes - ',\n{"name":""}'.length) });

t.test('64 KiB are worth a write, and less waits for a flush', async (t) => {
  const { trace, writes } = scriptedFile(t);
  trace.add(eventOf((64 << 10) - 20));
  t.equal(writes.length, 0);
  trace.add(eventOf(20));
  t.equal(writes.length, 1);
  t.equal(writes[0]?.text.length, 64 << 10);
  t.equal(writes[0]?.position, '[\n{"name":"first"}'.length);
  trace.add(eventOf(64 << 10));
  trace.flush();
  t.equal(writes.length, 1, 'one at a time');
  writes[0]?.end();
  t.equal(writes.length, 2, 'what came meanwhile is worth the next one');
  t.equal(writes[1]?.position, (writes[0]?.position ?? 0) + (64 << 10), 'which begins where the end was');
  trace.add(eventOf(100));
  writes[1]?.end();
  t.equal(writes.length, 2, 'and this is not');
  trace.flush();
  t.equal(writes[2]?.text, `,\n${JSON.stringify(eventOf(100))}`);
  writes[2]?.end();
  trace.flush();
  t.equal(writes.length, 3, 'there is nothing more');
  await trace.close();
});

t.test('4 MiB may wait, and what comes on top is counted when there is room again', async (t) => {
  const { trace, writes } = scriptedFile(t);
  trace.add(eventOf(64 << 10));
  trace.add(eventOf(MAX_WAITING_TRACE_BYTES - 20));
  trace.add(eventOf(20));
  for (let count = 0; count < 3; count++) trace.add(eventOf(100));
  writes[0]?.end();
  t.equal(writes[1]?.text.length, MAX_WAITING_TRACE_BYTES);
  trace.add(eventOf(30));
  trace.add(eventOf(31));
  writes[1]?.end();
  trace.flush();
  const [remark, ...events] = JSON.parse(`[${writes[2]?.text.slice(1)}]`) as {
    name: string;
    args?: object;
  }[];
  t.match(remark, { name: 'events dropped: the file is slow', args: { count: 3 } });
  t.same(events, [eventOf(30), eventOf(31)], 'once');
  writes[2]?.end();
  await trace.close();
});

t.test(
  'an event that leaves 200 bytes of the limit is in the file, one that leaves fewer is not',
  async (t) => {
    const head = '[\n{"name":"first"}'.length;
    for (const [missing, isIn] of [
      [0, true],
      [1, false],
    ] as const) {
      const { trace, writes, lines } = scriptedFile(t, head + 1000 + 200 - missing);
      trace.add(eventOf(500));
      trace.add(eventOf(500));
      t.equal(lines.length, isIn ? 0 : 1);
      if (!isIn) trace.add(eventOf(20));
      trace.flush();
      t.equal(writes[0]?.text.includes('the trace has reached its limit'), !isIn);
      t.ok((writes[0]?.bytes ?? 0) < 1200, 'nothing comes after that');
      writes[0]?.end();
      await trace.close();
    }
  },
);

t.test('after an error nothing is written any more, also of what waits', async (t) => {
  const { trace, path, writes, lines } = scriptedFile(t);
  trace.add(eventOf(64 << 10));
  trace.add(eventOf(100));
  writes[0]?.end(new Error('no space left'));
  trace.add(eventOf(64 << 10));
  trace.flush();
  t.equal(writes.length, 1);
  t.same(lines, ['the trace ends: no space left']);
  trace.closeNow();
  t.equal(readFileSync(path, 'utf8'), '[\n{"name":"first"}\n]\n');
  await trace.close();
});

t.test('a file that fails ends the trace and nothing else', async (t) => {
  const lines: string[] = [];
  const { trace, read } = traceFile(t, 1 << 20, lines, (_fd, _bytes, _offset, _length, _position, done) =>
    setImmediate(done, new Error('no space left'), 0),
  );
  trace.add({ name: 'a' });
  trace.flush();
  trace.add({ name: 'b' });
  await trace.close();
  t.strictSame(lines, ['the trace ends: no space left']);
  t.strictSame(names(read()), ['first']);
});

t.test('an earlier trace is replaced, and no other file', async (t) => {
  const { trace, path, read } = traceFile(t);
  await trace.close();
  const options = { logger: nullLogger, limitBytes: 1 << 20, now: () => 0 };
  await new TraceFile(path, { name: 'second' }, options).close();
  t.strictSame(names(read()), ['second']);
  for (const text of ['precious', '[\n{"suite":"scheduler"}]', '[']) {
    writeFileSync(path, text);
    t.throws(() => new TraceFile(path, { name: 'first' }, options), {
      code: 'EEXIST',
      message: /it exists and is not a trace$/,
    });
    t.equal(readFileSync(path, 'utf8'), text);
  }
});

t.test('a file that cannot be created is refused at once', async (t) => {
  const options = { logger: nullLogger, limitBytes: 1 << 20, now: () => 0 };
  t.throws(() => new TraceFile('/nonexistent/trace', { name: 'first' }, options), { code: 'ENOENT' });
  const full = { code: 'ENOSPC', message: /^cannot write \/dev\/full: / };
  t.throws(() => new TraceFile('/dev/full', { name: 'first' }, options), full);
  const isFull = (fd: string): boolean =>
    statSync(`/proc/self/fd/${fd}`, { throwIfNoEntry: false })?.rdev === statSync('/dev/full').rdev;
  t.notOk(readdirSync('/proc/self/fd').some(isFull), 'and left open by nobody');
});
