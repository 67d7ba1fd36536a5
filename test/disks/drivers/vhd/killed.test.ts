// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { writeFileSync } from 'node:fs';
import path from 'node:path';
import t, { type Test } from 'tap';
import { promiseOf } from '../../../../src/disks/drivers/vhd/steps.js';
import { checkChain } from '../../../../src/disks/drivers/vhd/tools/check.js';
import { snapshot } from '../../../../src/disks/drivers/vhd/tools/snapshot.js';
import { Random } from '../../../../src/testing/index.js';
import { DaemonChild } from '../../../daemon/daemon-child.js';
import { loadUntilKilled } from '../../../nbd/kill-load.js';
import { randomBytes, randomSeed } from '../../../random.js';
import { shortDirectory } from '../../../short-directory.js';
import { closeDisk, nodeCalls, openDisk, readDisk } from './fixture.js';
import { chainFiles } from './new-chain.js';

/** How often a daemon is killed; TEST_SEEDS in the environment sets another number. */
const ROUNDS = Number(process.env['TEST_SEEDS'] ?? 3);
/** More rounds would have longer chains than need be. */
const ROUNDS_OF_A_DISK = 6;
const SECTORS = 512;
const REQUESTS = 1000;

async function contentOf(image: string): Promise<Buffer> {
  const disk = await openDisk(image, { readOnly: true });
  const bytes = await readDisk(disk, 0, SECTORS);
  await closeDisk(disk);
  if (typeof bytes === 'number') throw new Error(`cannot read: ${bytes}`);
  return bytes;
}

/** Kills daemons that serve a disk, one after the other; between them there may be a snapshot. */
async function killDaemons(t: Test, random: Random, directory: string, rounds: number): Promise<void> {
  const calls = nodeCalls();
  let image = path.join(directory, 'leaf.vhd');
  // More blocks than the file grows by at once, and some of them in each of several sectors of the BAT.
  const [bytes] = chainFiles(
    [{ name: 'leaf.vhd', sectors: SECTORS, blockSectors: random.pick([1, 2, 16]) }],
    random,
  ).values();
  writeFileSync(image, bytes ?? '');
  let before: Buffer = Buffer.alloc(SECTORS * 512);
  for (let round = 0; round < rounds; round++) {
    if (round > 0 && random.chance(0.5)) {
      const child = path.join(directory, `${round}.vhd`);
      const made = { uuid: randomBytes(random, 16), unixSeconds: 1e9 };
      await promiseOf(snapshot(calls, { parent: image, child, keepEmpty: true, ...made }));
      image = child;
    }
    const socket = path.join(directory, `${round}.sock`);
    const control = ['--control-directory', directory];
    const daemon = new DaemonChild(t, [...control, '--disk', `0=vhd:${image}`, '--nbd', socket]);
    await daemon.ready();
    const lastWord = round * REQUESTS;
    const disk = { daemon, socket, sectors: SECTORS, lastWord, requests: REQUESTS, isMixed: true };
    const faults = await loadUntilKilled(t, random, disk);
    const { findings } = await promiseOf(checkChain(calls, image, { bitmaps: true }));
    t.same(
      findings.filter(({ severity }) => severity === 'error'),
      [],
    );
    const after = await contentOf(image);
    t.same(faults(after, before), []);
    before = after;
  }
}

t.test('after kill -9 a VHD is sound, and has all acknowledged writes', async (t) => {
  const random = new Random(randomSeed(t));
  for (let left = ROUNDS; left > 0; left -= ROUNDS_OF_A_DISK) {
    await t.test(`${left} left`, async (t) => {
      await killDaemons(t, random, shortDirectory(t), Math.min(left, ROUNDS_OF_A_DISK));
    });
  }
});
