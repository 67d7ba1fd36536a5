// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { statusText } from '../../../src/cli/status/status-text.js';

const primary = {
  role: 'primary',
  pid: 4194304,
  address: '127.0.0.1:9000',
  peer: '127.0.0.1:9000',
  phase: 'sending',
  bytes: 3 << 20,
  totalBytes: 4 << 20,
  rate: 1 << 20,
  attempts: 1,
  transfers: 0,
  file: '/srv/disk.img',
};
const lines = (statuses: object[], width = 80): string[] => statusText(statuses, width).trimEnd().split('\n');

t.test(
  'a row has what a primary or a backup does at the moment, and nothing of what it did before',
  async (t) => {
    const backup = { ...primary, role: 'backup', pid: 7, peer: null, phase: 'listening', transfers: 2 };
    const waiting = { ...primary, pid: 8, peer: null, phase: 'waiting to try again', attempts: 12 };
    t.same(lines([primary, backup, waiting], 120), [
      'ROLE         PID  ADDRESS         ACTIVITY          PROGRESS           RATE  FILE',
      'primary  4194304  127.0.0.1:9000  sending           3.0 MiB, 75%  1.0 MiB/s  /srv/disk.img',
      'backup         7  127.0.0.1:9000  listening         2 images              -  /srv/disk.img',
      'primary        8  127.0.0.1:9000  waiting to retry  12 attempts           -  /srv/disk.img',
    ]);
  },
);

t.test('a transfer without progress for a while is stalled', async (t) => {
  t.match(lines([{ ...primary, quietSeconds: 1 }])[1], /1.0 MiB\/s/);
  t.match(lines([{ ...primary, quietSeconds: 67 }])[1], /3.0 MiB, 75% +stalled 1 min 7 s/);
});

t.test('one attempt is counted once', async (t) => {
  t.match(lines([{ ...primary, peer: null, phase: 'connecting' }])[1], / connecting +1 attempt /);
});

t.test('a table is at most 80 columns wide: files, then addresses, are shortened', async (t) => {
  const large = {
    ...primary,
    address: 'a-host-with-a-long-name.example:65535',
    phase: 'waiting to try again',
    bytes: 1023 * 1024 ** 3,
    totalBytes: 1024 ** 4,
    file: `/srv/${'x'.repeat(100)}/disk.img`,
  };
  const [, row = ''] = lines([large]);
  t.match(row, /^primary  4194304  …\S*:65535  waiting to ret… .* …isk\.img$/);
  for (const line of lines([large, { ...large, phase: 'sending', rate: 1023 * 1024 ** 2 }])) {
    t.ok(line.length <= 80, line);
  }
  t.ok(lines([large], 60).every((line) => line.length <= 60));
});

t.test('another program’s reply is shown as far as it can be decoded', async (t) => {
  const [, strange = '', ...more] = lines([
    { role: ['x'], pid: 7, address: 'a\u001B[31mb', bytes: 'many', peer: 'x' },
  ]);
  t.match(strange, /^- +7 +a\\u001b\[31mb +- +- +- +-$/);
  t.same(more, []);
});

t.test('progress is in per cent only of an image whose size is known', async (t) => {
  const progress = (changes: object): string | undefined =>
    / (?:sending|receiving|-) {2,}(.*?) {2,}/.exec(lines([{ ...primary, ...changes }], 120)[1] ?? '')?.[1];
  t.equal(progress({ totalBytes: null }), '3.0 MiB');
  t.equal(progress({ totalBytes: 0 }), '3.0 MiB');
  t.equal(progress({ totalBytes: '4' }), '3.0 MiB');
  t.equal(progress({ bytes: 0 }), '0 B, 0%');
  t.equal(progress({ bytes: (4 << 20) - 1 }), '4.0 MiB, 99%');
  t.equal(progress({ bytes: 5 << 20 }), '5.0 MiB, 100%', 'it has grown');
});

t.test('without a connection the work to get one is counted, by role', async (t) => {
  const alone = { ...primary, peer: null, phase: 'sending', attempts: 0, transfers: 1 };
  t.match(lines([alone])[1], / 0 attempts /);
  t.match(lines([{ ...alone, role: 'backup' }])[1], / 1 image /);
  t.match(lines([{ ...alone, role: 'backup', transfers: 0 }])[1], / 0 images /);
  t.match(lines([{ ...alone, role: 'other', rate: 'fast' }])[1], / sending +- +- +\/srv/);
  t.match(lines([{ ...alone, attempts: '1' }])[1], / sending +- +1\.0 MiB\/s/);
});

t.test('only what moves has a rate, and two seconds without a byte are a stall', async (t) => {
  t.match(lines([{ ...primary, phase: 'receiving' }])[1], /75% +1\.0 MiB\/s/);
  t.match(lines([{ ...primary, phase: 'greeting' }], 120)[1], /75% +- +\/srv/);
  t.match(lines([{ ...primary, quietSeconds: 1.99 }])[1], /1\.0 MiB\/s/);
  t.match(lines([{ ...primary, quietSeconds: 2 }])[1], /stalled 2 s/);
});
