// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import path from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import t from 'tap';
import { Footer } from '../../../../src/disks/drivers/vhd/footer.js';
import { Header } from '../../../../src/disks/drivers/vhd/header.js';
import { promiseOf } from '../../../../src/disks/drivers/vhd/steps.js';
import { createImage } from '../../../../src/disks/drivers/vhd/tools/create.js';
import { randomSeed } from '../../../random.js';
import { closeDisk, imageDirectory, nodeCalls, openDisk } from './fixture.js';
import { fuzzSeed } from './fuzz-run.js';
import { imageBytes } from './new-chain.js';

/** As many as take a second; TEST_SEEDS in the environment sets another number. */
const SEEDS = Number(process.env['TEST_SEEDS'] ?? 100);

t.test('wrong fields with correct checksums are refused or read, at little cost', async (t) => {
  const first = randomSeed(t);
  for (let seed = first; seed < first + SEEDS; seed++) {
    const wrong = await fuzzSeed(seed);
    if (wrong !== undefined) {
      t.fail(wrong);
      return;
    }
  }
  t.pass(`${SEEDS} seeds`);
});

t.test('a table that fits only a sparse file is not read', async (t) => {
  const file = path.join(imageDirectory(t), 'sparse.vhd');
  const image = imageBytes({ size: 1 << 20, uuid: new Uint8Array(16).fill(1), unixSeconds: 1e9 });
  const header = new Header(image.subarray(512, 1536)).with({ entries: 2 ** 32 - 1 });
  const fd = openSync(file, 'w');
  for (const [bytes, at] of [
    [new Footer(image.subarray(0, 512)).bytes, 0],
    [header.bytes, 512],
  ] as const) {
    writeSync(fd, bytes, 0, bytes.length, at);
  }
  ftruncateSync(fd, 2 ** 40);
  closeSync(fd);
  const before = process.memoryUsage().arrayBuffers;
  await t.rejects(
    openDisk(file, { readOnly: true }),
    /unsupported: BAT entries: 4294967295, expected at most/,
  );
  t.ok(process.memoryUsage().arrayBuffers - before < 1 << 20);
});

t.test('a disk of 1 TiB takes at most 4 MiB before its first request', async (t) => {
  const file = path.join(imageDirectory(t), 'large.vhd');
  await promiseOf(
    createImage(nodeCalls(), { path: file, size: 2 ** 40, uuid: new Uint8Array(16), unixSeconds: 1e9 }),
  );
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as () => void;
  gc();
  const before = process.memoryUsage();
  const disk = await openDisk(file);
  gc();
  const after = process.memoryUsage();
  const taken = after.arrayBuffers - before.arrayBuffers + Math.max(0, after.heapUsed - before.heapUsed);
  t.ok(taken <= 4 << 20, `${taken} bytes`);
  await closeDisk(disk);
});
