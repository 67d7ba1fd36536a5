// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { blockSize, directoriesOf, diskSize } from '../../../src/cli/vhd/vhd-values.js';

t.test('a size has a unit or none, and becomes whole sectors', async (t) => {
  for (const [text, bytes] of [
    ['1', 512],
    ['512', 512],
    ['513', 1024],
    ['1K', 1024],
    ['3M', 3 << 20],
    ['2G', 2 ** 31],
    ['8T', 2 ** 43],
    ['8796093022208', 2 ** 43],
  ] as const)
    t.equal(diskSize.parse(text), bytes, text);
  for (const text of [
    '',
    '0',
    '0K',
    'K',
    '9T',
    '8796093022209',
    '1.5G',
    '-1',
    '1k',
    '1KB',
    ' 1',
    '1000000000000000',
  ])
    t.throws(() => diskSize.parse(text), { name: 'UsageError', message: /^expected 1 to 8T/ }, text);
});

t.test('a block is a power of two from 512 bytes to 2 MiB', async (t) => {
  for (const [text, bytes] of [
    ['512', 512],
    ['1', 512],
    ['64K', 65_536],
    ['2M', 2 << 20],
  ] as const)
    t.equal(blockSize.parse(text), bytes, text);
  for (const text of ['1536', '3K', '4M', '2097153'])
    t.throws(() => blockSize.parse(text), { message: 'expected a power of two from 512 to 2M' }, text);
});

t.test('parents may lie anywhere unless directories are named', async (t) => {
  t.equal(directoriesOf([]), undefined);
  t.same(directoriesOf(['/a']), ['/a']);
});
