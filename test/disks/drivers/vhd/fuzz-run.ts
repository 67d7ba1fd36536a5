// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { VhdDisk } from '../../../../src/disks/drivers/vhd/disk.js';
import { checksumOf } from '../../../../src/disks/drivers/vhd/bytes.js';
import { checkChain } from '../../../../src/disks/drivers/vhd/tools/check.js';
import { describeChain } from '../../../../src/disks/drivers/vhd/tools/describe.js';
import { repair } from '../../../../src/disks/drivers/vhd/tools/repair.js';
import { FileError, VhdError } from '../../../../src/disks/drivers/vhd/vhd-error.js';
import { SECTOR_SIZE } from '../../../../src/disks/index.js';
import { Random } from '../../../../src/testing/index.js';
import { FileWorld } from '../../../testing/files/fixture.js';
import { chainFiles } from './new-chain.js';
import { openSimulated, simulated, simulatedResult, tagged } from './sim-disk.js';
import { stateCalls, stateOutcome } from './state-files.js';

/** No case may take as much memory, of whatever its fields speak. */
const MAX_BYTES = 32 << 20;
const LINKS = [
  { name: 'parent.vhd', sectors: 100, blockSectors: 16 },
  { name: 'leaf.vhd', sectors: 120, blockSectors: 16 },
];
const LEAF = '/d/leaf.vhd';
const HEADER_AT = 512;
const BAT_AT = 1536;

/** Values that fields have in the wrong, beside random ones. */
const NUMBERS = [
  0,
  1,
  2,
  3,
  7,
  255,
  256,
  511,
  512,
  513,
  2 ** 16,
  2 ** 24,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32 - 2,
  2 ** 32 - 1,
];
const FOOTER_FIELDS = [8, 12, 16, 20, 24, 28, 32, 36, 48, 52, 56, 60, 68, 84];
const HEADER_FIELDS = [
  8, 16, 20, 24, 28, 32, 40, 56, 64, 576, 580, 584, 592, 596, 600, 604, 608, 616, 620, 768,
];

/** Opens, reads, checks, repairs and writes an image with wrong fields and right checksums. Returns what it may not do, or undefined. */
export async function fuzzSeed(seed: number): Promise<string | undefined> {
  const random = new Random(seed);
  const world = new FileWorld({ seed, traceLines: 0 });
  for (const [name, bytes] of chainFiles(LINKS, random)) world.files.put(`/d/${name}`, bytes);
  for (const { name } of LINKS) await writeSome(world, `/d/${name}`, random);
  const image = world.files.contents(LEAF);
  const changed = spoil(image, random);
  world.files.put(LEAF, image);
  const before = process.memoryUsage().arrayBuffers;
  const start = process.cpuUsage();
  const wrong = look(world) ?? (await change(world));
  const { user } = process.cpuUsage(start);
  const where = `seed ${seed}, ${changed}`;
  if (wrong !== undefined) return `${where}: ${wrong}`;
  const taken = process.memoryUsage().arrayBuffers - before;
  if (taken > MAX_BYTES) return `${where}: it takes ${taken} bytes`;
  return user > 2e6 ? `${where}: it takes ${user} µs` : undefined;
}

async function writeSome(world: FileWorld, path: string, random: Random): Promise<void> {
  const disk = await openSimulated(world, path, { readOnly: false });
  const sector = random.integer(0, 90);
  const range = { sector, sectors: 9, buffer: tagged(9, 5) };
  await simulatedResult(world, (done) => disk.write({ ...range, complete: done }, done));
  await simulated(world, disk.close());
}

/** Changes some fields of footers, header, BAT, batmap and locators, and makes the checksums right. */
function spoil(image: Uint8Array, random: Random): string {
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength);
  const end = image.length - SECTOR_SIZE;
  const entries = view.getUint32(HEADER_AT + 28);
  const batmapAt = BAT_AT + 512;
  const places: (() => number)[] = [
    () => end + random.pick(FOOTER_FIELDS),
    () => random.pick(FOOTER_FIELDS),
    () => HEADER_AT + random.pick(HEADER_FIELDS),
    () => BAT_AT + 4 * random.integer(0, entries),
    () => batmapAt + random.pick([0, 8, 12, 16, 20, 28, 29]),
    () => batmapAt + 1024 + random.integer(0, 700),
    () => random.integer(0, end - 4),
  ];
  const changed: string[] = [];
  for (let count = random.integer(1, 4); count > 0; count--) {
    const at = Math.min(random.pick(places)(), image.length - 4);
    const value = random.chance(0.6)
      ? random.pick(NUMBERS)
      : random.chance(0.5)
        ? random.integer(0, 60)
        : random.word();
    view.setUint32(at, value >>> 0);
    changed.push(`${at}=${value}`);
  }
  if (random.chance(0.1)) image.fill(0, random.integer(0, end));
  for (const at of [0, end]) view.setUint32(at + 64, checksumOf(image.subarray(at, at + 512), 64));
  view.setUint32(HEADER_AT + 36, checksumOf(image.subarray(HEADER_AT, HEADER_AT + 1024), 36));
  return changed.join(' ');
}

/** Whatever only looks. */
function look(world: FileWorld): string | undefined {
  const calls = stateCalls(world.files.system);
  return (
    attempt(() => {
      const disk = stateOutcome(VhdDisk.open(calls, LEAF, { readOnly: true }));
      for (const sector of [0, 40, Math.max(0, disk.sectors - 100)]) {
        const sectors = Math.min(100, disk.sectors - sector);
        if (sectors <= 0) continue;
        const buffer = new Uint8Array(sectors * SECTOR_SIZE);
        disk.read({ sector, sectors, buffer, complete: () => {} }, () => {});
        disk.extents({ sector, sectors }, () => {});
      }
    }) ??
    attempt(() => stateOutcome(checkChain(calls, LEAF, { bitmaps: true }))) ??
    attempt(() => stateOutcome(describeChain(calls, LEAF, {}))) ??
    attempt(() => stateOutcome(repair(calls, { path: LEAF, write: false, uuid: new Uint8Array(16) })))
  );
}

/** What opens for writing takes a write, and can be opened again. */
async function change(world: FileWorld): Promise<string | undefined> {
  let disk: VhdDisk;
  try {
    disk = await openSimulated(world, LEAF, { readOnly: false });
  } catch (error) {
    return unexpected(error);
  }
  const sectors = Math.min(5, disk.sectors);
  if (sectors === 0) {
    await simulated(world, disk.close());
    return undefined;
  }
  const buffer = tagged(sectors, 9);
  const written = await simulatedResult(world, (done) =>
    disk.write({ sector: 0, sectors, buffer, complete: done }, done),
  );
  await simulated(world, disk.close());
  if (written < 0) return undefined;
  const found = new Uint8Array(sectors * SECTOR_SIZE);
  return attempt(() => {
    const again = stateOutcome(VhdDisk.open(stateCalls(world.files.system), LEAF, { readOnly: true }));
    again.read({ sector: 0, sectors, buffer: found, complete: () => {} }, () => {});
    if (Buffer.compare(found, buffer) !== 0) throw new TypeError('what was written is not there');
  }, true);
}

function attempt(act: () => unknown, mustSucceed = false): string | undefined {
  try {
    act();
    return undefined;
  } catch (error) {
    return mustSucceed ? String(error) : unexpected(error);
  }
}

function unexpected(error: unknown): string | undefined {
  if (error instanceof VhdError || error instanceof FileError) return undefined;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
