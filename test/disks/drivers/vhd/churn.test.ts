// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { readdirSync } from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { promiseOf } from '../../../../src/disks/drivers/vhd/steps.js';
import { checkChain } from '../../../../src/disks/drivers/vhd/tools/check.js';
import { coalesce } from '../../../../src/disks/drivers/vhd/tools/coalesce.js';
import { createImage } from '../../../../src/disks/drivers/vhd/tools/create.js';
import { snapshot } from '../../../../src/disks/drivers/vhd/tools/snapshot.js';
import { Random } from '../../../../src/testing/index.js';
import { openFiles } from '../../../open-files.js';
import { randomBytes, randomSeed } from '../../../random.js';
import { closeDisk, imageDirectory, nodeCalls, openDisk, readDisk, writeDisk } from './fixture.js';

/** As many as take a second; TEST_SEEDS in the environment sets another number. */
const ROUNDS = Number(process.env['TEST_SEEDS'] ?? 15);
const SECTORS = 8192;

t.test('snapshots and coalesces in a row keep the disk, and leave nothing open or behind', async (t) => {
  const random = new Random(randomSeed(t));
  const directory = imageDirectory(t);
  const calls = nodeCalls();
  const at = (name: string): string => path.join(directory, `${name}.vhd`);
  const made = () => ({ uuid: randomBytes(random, 16), unixSeconds: 1e9 });
  await promiseOf(
    createImage(calls, { path: at('base'), size: SECTORS * 512, blockBytes: 65_536, ...made() }),
  );
  await promiseOf(snapshot(calls, { parent: at('base'), child: at('0'), keepEmpty: true, ...made() }));
  const model = Buffer.alloc(SECTORS * 512);
  const write = async (name: string): Promise<void> => {
    const disk = await openDisk(at(name), {}, calls);
    for (let count = 0; count < 4; count++) {
      const sectors = random.integer(1, 60);
      const sector = random.integer(0, SECTORS - sectors);
      const bytes = randomBytes(random, 512);
      const all = Buffer.concat(Array.from({ length: sectors }, () => bytes));
      all.copy(model, sector * 512);
      t.equal(await writeDisk(disk, sector, all), 0);
    }
    await closeDisk(disk);
  };
  for (let round = 0; round < ROUNDS; round++) {
    const [leaf, next] = [`${round}`, `${round + 1}`];
    await write(leaf);
    await promiseOf(snapshot(calls, { parent: at(leaf), child: at(next), keepEmpty: true, ...made() }));
    await write(next);
    await promiseOf(coalesce(calls, { child: at(leaf), relink: [at(next)], deleteChild: true }));
    const disk = await openDisk(at(next), { readOnly: true }, calls);
    const found = await readDisk(disk, 0, SECTORS);
    await closeDisk(disk);
    if (typeof found === 'number' || !found.equals(model)) {
      t.fail(`round ${round}: the disk has other content`);
      return;
    }
  }
  t.same(openFiles(directory), [], 'no descriptor is left');
  t.same(readdirSync(directory).toSorted(), [`${ROUNDS}.vhd`, 'base.vhd']);
  const { findings } = await promiseOf(checkChain(calls, at(`${ROUNDS}`), { bitmaps: true }));
  t.same(findings, []);
});
