// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { errno } from '../../../../src/posix/errno.js';
import { SECTOR_SIZE } from '../../../../src/disks/index.js';
import { FileRecorder, Random, type SimulatedFileSystem } from '../../../../src/testing/index.js';
import { randomBytes } from '../../../random.js';
import { FileWorld } from '../../../testing/files/fixture.js';
import { SectorModel } from '../../../testing/files/sector-model.js';
import { chainFiles, type NewLink } from './new-chain.js';
import { openSimulated, simulated, simulatedCalls, simulatedResult, tagged, withDevice } from './sim-disk.js';
import { readState } from './state-files.js';

/** What the user of a disk was told, in the order of the telling. */
type Mark =
  | {
      readonly kind: 'write' | 'discard';
      readonly id: number;
      readonly sector: number;
      readonly count: number;
      readonly tag: number;
    }
  | { readonly kind: 'flush'; readonly id: number }
  | { readonly kind: 'done'; readonly id: number };

/** How many states of a recording are opened and read, at most. */
export interface CrashDepth {
  readonly lives: number;
  readonly requests: number;
  /** The part of the states that are looked at. */
  readonly looked: number;
}

export const SHORT: CrashDepth = { lives: 2, requests: 20, looked: 0.4 };

const LEAF = '/d/leaf.vhd';

/**
 * Random requests on a chain in a simulated file system, all that they do to the files recorded; then the power is lost in
 * every way at moments of it, the chain opened, and each sector held against what it may be. Life goes on from one of these
 * states. Returns what was wrong, or undefined.
 */
export async function crashSeed(seed: number, depth = SHORT): Promise<string | undefined> {
  const random = new Random(seed);
  const links = drawnLinks(random);
  const answersEarly = random.chance(0.3);
  const world = new FileWorld({ seed, traceLines: 0, shortTransfers: random.pick([0, 0.1]) });
  world.files.shape({ callSeconds: random.pick([0.0001, 0.003]), syncSeconds: random.pick([0.002, 0.02]) });
  const isDevice = random.chance(0.2);
  for (const [name, image] of chainFiles(links, random)) {
    const bytes: Uint8Array = isDevice && name === 'leaf.vhd' ? onDevice(image, random) : image;
    // A footer that was damaged at the head alone: it must be mended before the one at the end may be dropped.
    if (name === 'leaf.vhd' && random.chance(0.25)) bytes[random.integer(0, SECTOR_SIZE - 1)]! ^= 0x55;
    world.files.put(`/d/${name}`, bytes);
  }
  let tag = 0;
  for (const link of links.slice(0, -1)) tag = await fill(world, `/d/${link.name}`, tag, random);
  let image = readState(world.files.system, LEAF);
  for (let life = 0; life < depth.lives; life++) {
    const recorder = new FileRecorder<Mark>(world.files.system);
    const fault = random.chance(0.3) ? drawnFault(world, random) : undefined;
    tag = await live(world, { recorder, random, answersEarly, isDevice, requests: depth.requests, tag });
    fault?.cancel();
    recorder.stop();
    const next = examine(recorder, { random, image, answersEarly, looked: depth.looked });
    if (typeof next === 'string')
      return `seed ${seed}, life ${life}, ${JSON.stringify(links)}, early ${answersEarly}, device ${isDevice}: ${next}`;
    world.files.endProcess();
    world.files.system.restore(next);
    image = readState(next, LEAF);
  }
  return undefined;
}

/** The root first; children are as large as their parents or larger. */
function drawnLinks(random: Random): readonly NewLink[] {
  const depth = random.pick([1, 1, 2, 2, 3]);
  let sectors = random.integer(20, 90);
  return Array.from({ length: depth }, (_, index) => {
    const name = index === depth - 1 ? 'leaf.vhd' : `parent${index}.vhd`;
    if (random.chance(0.5)) sectors += random.integer(1, 40);
    // With blocks of one sector the BAT has entries in more than one of its own.
    if (random.chance(0.1)) sectors += 130;
    return { name, sectors, blockSectors: random.pick([1, 8, 16, 32]) };
  });
}

/** The image with room behind it, full of what was there before, and its footer in the last sector. */
function onDevice(image: Uint8Array, random: Random): Uint8Array {
  const room = randomBytes(random, 200 * SECTOR_SIZE);
  const footer = image.subarray(image.length - SECTOR_SIZE);
  return Buffer.concat([image.subarray(0, image.length - SECTOR_SIZE), room, footer]);
}

/** One call, or all from there on, will fail. */
function drawnFault(world: FileWorld, random: Random): { cancel(): void } {
  return world.files.failCalls({
    calls: [random.pick(['write', 'write', 'fdatasync', 'fsync', 'ftruncate'] as const)],
    nth: random.integer(1, 25),
    times: random.pick([1, 1, 3, Number.POSITIVE_INFINITY]),
    error: random.pick([errno.EIO, errno.ENOSPC]),
  });
}

/** Writes something into an image that will be a parent. */
async function fill(world: FileWorld, path: string, lastTag: number, random: Random): Promise<number> {
  const disk = await openSimulated(world, path, { readOnly: false });
  let tag = lastTag;
  for (let sector = 0, count = 0; sector < disk.sectors; sector += count) {
    count = Math.min(random.integer(1, 30), disk.sectors - sector);
    if (random.chance(0.1)) continue;
    tag++;
    const buffer = tagged(count, tag);
    await simulatedResult(world, (done) =>
      disk.write({ sector, sectors: count, buffer, complete: done }, done),
    );
  }
  await simulated(world, disk.close());
  world.files.system.syncAll();
  return tag;
}

interface Life {
  readonly recorder: FileRecorder<Mark>;
  readonly random: Random;
  readonly answersEarly: boolean;
  readonly isDevice: boolean;
  readonly requests: number;
  readonly tag: number;
}

/** Some requests, several at once, and at times a close at the end. */
async function live(
  world: FileWorld,
  { recorder, random, answersEarly, isDevice, requests, tag }: Life,
): Promise<number> {
  const calls = simulatedCalls(world);
  const node = world.files.system.lookup(LEAF);
  const used = isDevice && typeof node !== 'number' ? withDevice(calls, node.id) : calls;
  const disk = await openSimulated(world, LEAF, { readOnly: false, answersEarly }, used);
  let lastTag = tag;
  let open = 0;
  // Most of the requests of a life meet in few blocks.
  const span = random.pick([8, 18, 40, disk.sectors]);
  const begin = (id: number, done: (result: number) => void): void => {
    const sectors = Math.min(span, random.pick([1, 1, 1, 2, 5, 18]));
    const sector = random.integer(0, Math.min(span, disk.sectors) - sectors);
    const range = { sector, sectors, complete: () => {} };
    const kind = random.pick(['write', 'write', 'write', 'zeroes', 'flush', 'discard'] as const);
    if (kind === 'flush') {
      recorder.mark({ kind, id });
      disk.flush(done);
    } else if (kind === 'discard') {
      recorder.mark({ kind, id, sector, count: sectors, tag: 0 });
      disk.discard(range, done);
    } else {
      lastTag++;
      const content = kind === 'zeroes' ? 0 : lastTag;
      recorder.mark({ kind: 'write', id, sector, count: sectors, tag: content });
      if (content === 0) disk.writeZeroes({ ...range, noHole: random.chance(0.3) }, done);
      else disk.write({ ...range, buffer: tagged(sectors, content) }, done);
    }
  };
  const request = (id: number): Promise<void> =>
    new Promise((resolve) => {
      open++;
      begin(id, (result) => {
        open--;
        // One that failed may have been done all the same, or not.
        if (result >= 0) recorder.mark({ kind: 'done', id });
        resolve();
      });
    });
  const all: Promise<void>[] = [];
  for (let id = 0; id < requests; id++) {
    all.push(request(id));
    // So that some begin while a sync of others is under way.
    await world.world.run(open < 8 ? random.pick([0, 0.0001, 0.001, 0.003]) : 0.005);
  }
  await world.world.complete(Promise.all(all));
  if (random.chance(0.6)) {
    recorder.mark({ kind: 'flush', id: requests });
    const isClosed = await simulated(world, disk.close()).then(
      () => true,
      () => false,
    );
    if (isClosed) recorder.mark({ kind: 'done', id: requests });
  }
  return lastTag;
}

interface Examination {
  readonly random: Random;
  /** What the disk was at first. */
  readonly image: Uint8Array;
  readonly answersEarly: boolean;
  readonly looked: number;
}

/** Looks at states of a recording: returns what is wrong with one, or one to go on from. */
function examine(
  recorder: FileRecorder<Mark>,
  { random, image, answersEarly, looked }: Examination,
): string | SimulatedFileSystem {
  const model = new SectorModel(image.length / SECTOR_SIZE);
  model.settle(image, false);
  const dones = new Map<number, () => void>();
  let told = 0;
  let next: SimulatedFileSystem | undefined;
  let count = 0;
  for (const { operations, survival, marks, systems } of recorder.prefixes(random, 1)) {
    for (const mark of marks.slice(told)) tell(model, mark, dones);
    told = marks.length;
    const [system] = systems;
    const isDrawn = random.chance(looked);
    if (!system || (!isDrawn && count > 0)) continue;
    count++;
    const where = `after ${operations} operations, ${survival} survives`;
    try {
      const found = readState(system, LEAF);
      // All that was carried out is there after a kill; but an early answer may be one of a write that was not committed.
      const wrong = model.faults(found, survival === 'everything' && !answersEarly);
      if (wrong.length > 0) return `${where}: ${wrong.slice(0, 5).join('; ')}`;
    } catch (error) {
      return `${where}: ${String(error)}`;
    }
    if (random.chance(1 / count)) next = system;
  }
  return next ?? 'no state was looked at';
}

function tell(model: SectorModel, mark: Mark, dones: Map<number, () => void>): void {
  switch (mark.kind) {
    case 'write':
      dones.set(mark.id, model.write(mark.sector, mark.count, mark.tag));
      break;
    case 'discard':
      model.discard(mark.sector, mark.count);
      break;
    case 'flush':
      dones.set(mark.id, model.flush());
      break;
    case 'done':
      dones.get(mark.id)?.();
      break;
  }
}
