// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { errno } from '../../../src/posix/index.js';
import { logDriverType } from '../../../src/disks/drivers/index.js';
import type { RangeRequest } from '../../../src/disks/index.js';
import { bench, type Bench, Results } from '../bench.js';
import type { ScriptedOptions } from '../scripted-disks.js';

/** A log filter labelled `label` over a scripted disk. */
function logged(t: Parameters<typeof bench>[0], options: ScriptedOptions = {}): Bench {
  const it = bench(t, { ...options, types: [logDriverType] });
  it.registry.attach(0);
  void it.registry.open(0, 'log:label|scripted:disk', { readOnly: false, shared: true });
  it.disks.answer('open disk shared');
  it.disks.log.length = 0;
  return it;
}

t.test('every request is logged when it ends, and passed on unchanged', async (t) => {
  const { registry, disks, lines, clock } = logged(t, { canDiscard: true, canZero: true });
  const vbd = registry.get(0)!;
  lines.length = 0;
  const results = new Results();
  const buffer = Buffer.alloc(1024);
  vbd.queueRead(3, buffer, results.done);
  vbd.queueWrite(5, buffer, results.done);
  vbd.flush(results.done);
  vbd.discard(7, 1, results.done);
  vbd.writeZeroes(9, 1, results.done);
  t.strictSame(disks.log, ['read 3+2', 'write 5+2', 'flush', 'discard 7+1', 'zeroes 9+1']);
  t.equal(disks.calls[0]!.buffer, buffer);
  t.strictSame(lines, []);
  clock.seconds += 0.25;
  disks.answer('read');
  disks.answer('write', -errno.ENOSPC);
  disks.answer('flush');
  disks.answer('discard');
  disks.answer('zeroes');
  t.strictSame(await results.settled(), [0, -errno.ENOSPC, 0, 0, 0]);
  t.strictSame(lines, [
    'log label: read 2 at 3: ok in 250000 us',
    'log label: write 2 at 5: ENOSPC in 250000 us',
    'log label: flush: ok in 250000 us',
    'log label: discard 1 at 7: ok in 250000 us',
    'log label: zeroes 1 at 9: ok in 250000 us',
  ]);
  t.match(vbd.describe(), '[log label | scripted disk]');
});

t.test('opening and closing are logged', async (t) => {
  const { registry, disks, lines } = logged(t);
  t.match(lines[0], 'log label: open shared');
  void registry.close(0);
  t.match(lines.at(-1), 'log label: close');
  disks.answer('close');
});

t.test('the filter can do only what its disk can', async (t) => {
  const { registry, disks } = logged(t);
  const vbd = registry.get(0)!;
  t.equal(vbd.canDiscard, false);
  vbd.writeZeroes(0, 8, () => {});
  t.strictSame(disks.log, ['write 0+8']);
});

t.test('without a label lines have none, and an open’s line has its flags', async (t) => {
  const it = bench(t, { types: [logDriverType] });
  it.registry.attach(0);
  void it.registry.open(0, 'log:|scripted:disk', { readOnly: true, shared: false });
  it.disks.answer('open disk read-only');
  t.match(it.lines.join('\n'), /^log: open read-only$/m);
  t.match(it.registry.get(0)!.describe(), /log/);
});

t.test('what a driver may lack the filter has where its disk has it, and passes on', async (t) => {
  const { registry, disks, lines } = logged(t);
  const [filter, plain] = registry.get(0)?.drivers ?? [];
  const { context } = disks;
  if (!filter || !plain || !context) throw new Error('there is no filter');
  const optional = [
    'discard',
    'writeZeroes',
    'writeZeroesFast',
    'blockStatus',
    'blockStatusFast',
    'identify',
    'settle',
    'resize',
  ] as const;
  for (const name of optional) t.equal(filter[name], undefined, name);
  const asked: unknown[] = [];
  const given = (what: string, request: RangeRequest, result: number): void => {
    asked.push([what, Object.fromEntries(Object.entries(request).filter(([key]) => key !== 'complete'))]);
    request.complete(result);
  };
  const extents = [{ sectors: 8, allocated: false, zero: true }];
  const image = { path: '/a', fileSystem: 1, inode: 2, modifiedMicroseconds: 3 };
  const able = logDriverType.createFilter(context, 'able', {
    ...plain,
    discard: (request) => given('discard', request, 0),
    writeZeroes: (request) => given('zeroes', request, 0),
    writeZeroesFast: (request) => given('fast zeroes', request, -errno.EBUSY),
    blockStatus: (range, done) => (asked.push(['status', range]), done(0, extents)),
    blockStatusFast: (range, done) => (asked.push(['fast status', range]), done(0, extents)),
    identify: (done) => done(0, image),
    settle: (done) => done(-errno.EIO, 'no settling'),
    resize: (done) => done(-errno.EINVAL, 'no resizing'),
  });
  const told: unknown[] = [];
  const done = (...results: unknown[]): void => void told.push(results);
  const range = { sector: 8, sectors: 8 };
  const isNeeded = (): boolean => true;
  able.open({ readOnly: false, shared: false }, done);
  able.close(done);
  t.strictSame(told.splice(0), [[0], [0]]);
  lines.length = 0;
  able.discard?.({ ...range, complete: done });
  able.writeZeroes?.({ ...range, noHole: true, isNeeded, complete: done });
  able.writeZeroesFast?.({ ...range, noHole: true, complete: done });
  able.blockStatus?.(range, done);
  able.blockStatusFast?.(range, done);
  able.identify?.(done);
  able.settle?.(done);
  able.resize?.(done);
  t.strictSame(asked, [
    ['discard', range],
    ['zeroes', { ...range, noHole: true, isNeeded }],
    ['fast zeroes', { ...range, noHole: true }],
    ['status', range],
    ['fast status', range],
  ]);
  t.strictSame(told, [
    [0],
    [0],
    [-errno.EBUSY],
    [0, extents],
    [0, extents],
    [0, image],
    [-errno.EIO, 'no settling'],
    [-errno.EINVAL, 'no resizing'],
  ]);
  t.strictSame(lines, [
    'log able: discard 8 at 8: ok in 0 us',
    'log able: zeroes 8 at 8: ok in 0 us',
    'log able: fast zeroes 8 at 8: EBUSY in 0 us',
  ]);
});
