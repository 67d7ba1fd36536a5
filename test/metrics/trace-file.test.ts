// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { mkdtempSync, readFileSync, rmSync, statSync, write } from 'node:fs';
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

t.test('a file that cannot be created is refused at once', async (t) => {
  const options = { logger: nullLogger, limitBytes: 1 << 20, now: () => 0 };
  t.throws(() => new TraceFile('/nonexistent/trace', { name: 'first' }, options), { code: 'ENOENT' });
  t.throws(() => new TraceFile('/dev/full', { name: 'first' }, options), { code: 'ENOSPC' });
});
