// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { LOG_DEBUG, LOG_ERR } from '../../../src/server/index.js';
import t from 'tap';
import { JsonReporter } from '../../../src/cli/transfer/json-reporter.js';
import type { Reporter, ReporterOptions } from '../../../src/cli/transfer/reporter.js';
import { TextReporter } from '../../../src/cli/transfer/text-reporter.js';
import type { TransferEvent } from '../../../src/transfer/transfer-event.js';
import type { TransferStatus } from '../../../src/transfer/transfer-status.js';
import { status } from './example-status.js';

const sending = {
  state: 'established',
  phase: 'sending',
  peer: '127.0.0.1:9',
  bytes: 3 << 20,
  rate: 1 << 20,
  seconds: 3,
} as const;

type Make = (options: ReporterOptions) => Reporter;

/** A reporter with what it writes, on a clock and a status that the test sets. */
function reporting(make: Make, options: Partial<ReporterOptions> = {}, terminal = false) {
  const clock = { seconds: 100, now: () => clock.seconds };
  let text = '';
  const now: { status: TransferStatus | undefined } = { status };
  const stream = { write: (more: string) => (text += more), isTTY: terminal, columns: 59 };
  const reporter = make({
    stream,
    clock,
    verbose: false,
    role: 'primary',
    status: () => now.status,
    ...options,
  });
  const written = (): string => {
    const all = text;
    text = '';
    return all;
  };
  return { reporter, clock, now, written };
}

const asText: Make = (options) => new TextReporter(options);
const asJson: Make = (options) => new JsonReporter(options);
const refused: TransferEvent = {
  event: 'retrying',
  attempts: 1,
  code: 'ECONNREFUSED',
  message: 'connection refused',
};

t.test('plain lines report repeated failures once', async (t) => {
  const { reporter, written } = reporting(asText);
  reporter.onEvent(refused);
  reporter.onEvent({ ...refused, attempts: 2 });
  t.equal(written(), 'tapdisk-ts: backup not available (connection refused); retrying every second\n');
  reporter.onEvent({ ...refused, attempts: 3, message: 'network is unreachable' });
  t.match(written(), /network is unreachable/);
  reporter.onEvent({ event: 'nothing', peer: 'x' });
  reporter.onEvent({ ...refused, attempts: 4, message: 'network is unreachable' });
  t.match(written(), /sent nothing\n.*network is unreachable/);
});

t.test('plain lines report what repeats once for each address that is tried in turn', async (t) => {
  const { reporter, now, written } = reporting(asText);
  const attempt = (address: string, message: string): void => {
    now.status = { ...status, address };
    reporter.onEvent({ ...refused, message, address });
    reporter.onEvent({ event: 'turned-away', message: `busy at ${address}` });
  };
  for (let round = 0; round < 3; round += 1) {
    attempt('a:1', 'connection refused');
    attempt('b:1', 'connection timed out');
  }
  const turns = 'trying its addresses in turn';
  t.equal(
    written(),
    `tapdisk-ts: backup not available at a:1 (connection refused); ${turns}\n` +
      'tapdisk-ts: busy at a:1; retrying\n' +
      `tapdisk-ts: backup not available at b:1 (connection timed out); ${turns}\n` +
      'tapdisk-ts: busy at b:1; retrying\n',
  );
  attempt('a:1', 'connection timed out');
  t.equal(written(), `tapdisk-ts: backup not available at a:1 (connection timed out); ${turns}\n`);
});

t.test('plain lines report progress every ten seconds, but not a waiting backup', async (t) => {
  const { reporter, clock, now, written } = reporting(asText);
  now.status = { ...status, ...sending };
  clock.seconds += 9;
  reporter.onProgress();
  t.equal(written(), '');
  clock.seconds += 1;
  reporter.onProgress();
  t.equal(written(), 'tapdisk-ts: primary 127.0.0.1:9  sending  3.0 MiB  1.0 MiB/s  3.00 s\n');
  now.status = { ...status, role: 'backup' };
  clock.seconds += 10;
  reporter.tick();
  t.equal(written(), '');
});

t.test('a terminal has one line that changes, below the others', async (t) => {
  const { reporter, clock, now, written } = reporting(asText, {}, true);
  const clear = '\r\u001B[2K';
  reporter.onEvent({ event: 'connecting', address: '127.0.0.1:9' });
  t.equal(written(), `tapdisk-ts: connecting to 127.0.0.1:9\n${clear}primary 127.0.0.1:9  connecting`);
  now.status = { ...status, attempts: 2, lastError: 'connection refused' };
  clock.seconds += 0.125;
  reporter.tick();
  t.equal(written(), `${clear}primary 127.0.0.1:9  connecting, attempt 2 (connection ref`);
  now.status = { ...status, ...sending, totalBytes: 4 << 20 };
  clock.seconds += 0.0625;
  reporter.onProgress();
  t.equal(written(), '', 'too soon');
  clock.seconds += 0.0625;
  reporter.onProgress();
  t.equal(written(), `${clear}sending  75%  3.0 MiB of 4.0 MiB  1.0 MiB/s  1 s left`);
  reporter.tick();
  clock.seconds += 1;
  reporter.tick();
  t.equal(written(), '', 'nothing new');
  reporter.onEvent({ event: 'stopped', signal: 'SIGINT' });
  t.match(written(), `${clear}tapdisk-ts: stopped by SIGINT\n`);
  reporter.end();
  t.equal(written(), clear);
});

t.test('plain lines have the time unless something else adds it; lines on a terminal do not', async (t) => {
  const times = { now: () => 1_700_000_000.25 };
  const plain = reporting(asText, { times });
  plain.reporter.onEvent({ event: 'nothing', peer: 'x' });
  t.equal(plain.written(), '2023-11-14T22:13:20.250Z tapdisk-ts: x sent nothing\n');
  const terminal = reporting(asText, { times }, true);
  terminal.reporter.onEvent({ event: 'nothing', peer: 'x' });
  t.match(terminal.written(), /^tapdisk-ts: x sent nothing\n/);
});

t.test('a dump begins with the operations in progress', async (t) => {
  const { reporter, now, written } = reporting(asText);
  now.status = { ...status, attempts: 1 };
  reporter.dump('tables\n');
  t.equal(written(), 'tapdisk-ts: primary 127.0.0.1:9  connecting, attempt 1\ntapdisk-ts: tables\n');
});

t.test('a terminal of unknown width has 80 columns', async (t) => {
  let text = '';
  const stream = { write: (more: string) => (text += more), isTTY: true };
  const { reporter, now } = reporting(asText, { stream });
  now.status = { ...status, phase: 'x'.repeat(100) };
  reporter.onEvent({ event: 'nothing', peer: 'x' });
  t.equal(text.split('\u001B[2K').at(-1)?.length, 79);
});

t.test('an event before the first status is still reported', async (t) => {
  const { reporter, now, written } = reporting(asText, {}, true);
  now.status = undefined;
  reporter.onEvent({ event: 'failed', code: 'ENOENT', message: 'no such file', bytes: 0 });
  reporter.dump('tables\n');
  reporter.end();
  t.equal(written(), 'tapdisk-ts: failed: no such file\ntapdisk-ts: tables\n');
});

t.test('a complete image is reported with its hash, and with a note when it is not confirmed', async (t) => {
  const done = {
    event: 'complete',
    bytes: 2048,
    sha256: 'ab',
    seconds: 2,
    rate: 1024,
    file: 'image',
  } as const;
  const primary = reporting(asText);
  primary.reporter.onEvent({ ...done, confirmed: true });
  t.equal(
    primary.written(),
    'tapdisk-ts: sent image: 2048 bytes (2.0 KiB) in 2.00 s, 1.0 KiB/s\ntapdisk-ts: SHA-256 ab\n',
  );
  primary.reporter.onEvent({ ...done, confirmed: false });
  t.match(primary.written(), /note: the backup is another program and did not confirm/);
  const backup = reporting(asText, { role: 'backup' });
  backup.reporter.onEvent({ ...done, confirmed: false });
  t.match(backup.written(), /received, written to image.*\n.*note: the primary sent raw/);
});

t.test('JSON output is one object per line for each event, with progress once a second', async (t) => {
  const { reporter, clock, now, written } = reporting(asJson);
  reporter.onEvent(refused);
  reporter.onEvent(refused);
  t.same(written(), `${JSON.stringify(refused)}\n`.repeat(2));
  now.status = { ...status, ...sending };
  clock.seconds += 0.9;
  reporter.onProgress();
  t.equal(written(), '');
  clock.seconds += 0.1;
  reporter.tick();
  t.same(JSON.parse(written()), { event: 'progress', ...status, ...sending });
  now.status = { ...status, role: 'backup' };
  clock.seconds += 1;
  reporter.tick();
  t.equal(written(), '');
  reporter.dump('tables');
  t.match(JSON.parse(written()), { event: 'dump', text: 'tables', pid: 7 });
  reporter.end();
  t.equal(written(), '');
});

t.test('errors in the log are reported, the rest only on request', async (t) => {
  for (const make of [asText, asJson]) {
    const quiet = reporting(make);
    quiet.reporter.log(LOG_ERR, 'bad\n');
    quiet.reporter.log(LOG_DEBUG, 'detail');
    const text = quiet.written();
    t.match(text, /err.*bad/);
    t.notMatch(text, /detail/);
    const verbose = reporting(make, { verbose: true });
    verbose.reporter.log(LOG_DEBUG, 'detail');
    t.match(verbose.written(), /debug.*detail/);
  }
});

t.test('every event has a text', async (t) => {
  const events: [TransferEvent, RegExp][] = [
    [{ event: 'listening', address: 'a:1' }, /waiting for a primary on a:1/],
    [{ event: 'turned-away', message: 'the backup is busy' }, /the backup is busy; retrying/],
    [
      { event: 'retrying', attempts: 1, code: 'ETIMEDOUT', message: 'connection timed out', address: 'a:1' },
      /^tapdisk-ts: backup not available at a:1 \(connection timed out\); trying its addresses in turn\n$/,
    ],
    [{ event: 'established', peer: 'b:2' }, /connected to b:2/],
    [{ event: 'refused', peer: 'b:2' }, /b:2 was rejected: its address is not allowed/],
    [
      { event: 'broken', code: 'EPIPE', message: 'cut', bytes: 2048 },
      /transfer broke after 2.0 KiB, nothing was kept: cut/,
    ],
  ];
  for (const [event, words] of events) {
    const { reporter, written } = reporting(asText);
    reporter.onEvent(event);
    t.match(written(), words);
  }
  const { reporter, written } = reporting(asText, { role: 'backup' });
  reporter.onEvent({ event: 'established', peer: 'b:2' });
  t.match(written(), /connected from b:2/);
});
