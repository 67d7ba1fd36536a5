// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { createHash } from 'node:crypto';
import t from 'tap';
import { DEFAULT_TRACE_LINES, Trace } from '../../src/testing/index.js';

t.test('a line shows the time in seconds, the subject and the event', async (t) => {
  const trace = new Trace();
  trace.add(1_234_567, '10.0.0.1', 'close(3) = 0');
  t.same(trace.lines, ['   1.234567 10.0.0.1 close(3) = 0']);
  t.equal(trace.toString(), '   1.234567 10.0.0.1 close(3) = 0\n');
});

t.test('the newest lines are kept, and all of them enter the digest', async (t) => {
  const small = new Trace(10);
  const large = new Trace();
  for (let n = 0; n < 1000; n++) for (const trace of [small, large]) trace.add(n, 'world', `line ${n}`);
  t.ok(small.lines.length >= 10 && small.lines.length < 20);
  t.equal(small.lines.length + small.dropped, 1000);
  t.match(small.lines.at(-1), /line 999$/);
  t.equal(small.digest(), large.digest());
  t.equal(large.digest(), createHash('sha256').update(large.toString()).digest('hex'));
  large.add(1000, 'world', 'one more');
  t.not(small.digest(), large.digest());
});

t.test('with a limit of no lines nothing is traced', async (t) => {
  const trace = new Trace(0);
  trace.add(0, 'world', 'unseen');
  t.notOk(trace.enabled);
  t.same(trace.lines, []);
  t.equal(trace.toString(), '');
});

t.test('an invalid number of lines is refused', async (t) => {
  for (const bad of [-1, 1.5, Number.NaN])
    t.throws(() => new Trace(bad), { name: 'RangeError', message: /lines/ });
});

t.test('a line may be made when it is added, and is not where nothing is traced', async (t) => {
  let made = 0;
  const what = (): string => `line ${++made}`;
  new Trace(0).add(0, 'world', what);
  t.equal(made, 0);
  const trace = new Trace(1);
  trace.add(0, 'world', what);
  t.same(trace.lines, ['   0.000000 world line 1']);
});

t.test('200,000 lines are kept unless it is given how many', async (t) => {
  t.equal(DEFAULT_TRACE_LINES, 200_000);
});
