// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t, { type Test } from 'tap';
import type { DiskCalls } from '../../../../src/disks/drivers/vhd/disk.js';
import type { Steps } from '../../../../src/disks/drivers/vhd/steps.js';
import { checkChain } from '../../../../src/disks/drivers/vhd/tools/check.js';
import { coalesce } from '../../../../src/disks/drivers/vhd/tools/coalesce.js';
import { repair } from '../../../../src/disks/drivers/vhd/tools/repair.js';
import { resize } from '../../../../src/disks/drivers/vhd/tools/resize.js';
import { snapshot } from '../../../../src/disks/drivers/vhd/tools/snapshot.js';
import { SECTOR_SIZE } from '../../../../src/disks/index.js';
import { FileRecorder, Random } from '../../../../src/testing/index.js';
import { randomSeed } from '../../../random.js';
import { FileWorld } from '../../../testing/files/fixture.js';
import { chainFiles, type NewLink } from './new-chain.js';
import { openSimulated, simulated, simulatedCalls, simulatedResult, tagged } from './sim-disk.js';
import { readState, stateCalls, stateOutcome } from './state-files.js';

const SECTORS = 150;
const LINKS: readonly NewLink[] = [
  { name: 'root.vhd', sectors: SECTORS - 30, blockSectors: 16 },
  { name: 'middle.vhd', sectors: SECTORS, blockSectors: 8 },
  { name: 'leaf.vhd', sectors: SECTORS, blockSectors: 32 },
];

/** A chain of three with random data in each image. */
async function chainWorld(seed: number): Promise<FileWorld> {
  const random = new Random(seed);
  const world = new FileWorld({ seed, traceLines: 0 });
  for (const [name, bytes] of chainFiles(LINKS, random)) world.files.put(`/d/${name}`, bytes);
  let tag = 0;
  for (const { name, sectors } of LINKS) {
    const disk = await openSimulated(world, `/d/${name}`, { readOnly: false });
    for (let write = 0; write < 5; write++) {
      const count = random.integer(1, 20);
      const sector = random.integer(0, sectors - count);
      const buffer = tagged(count, ++tag);
      await simulatedResult(world, (done) =>
        disk.write({ sector, sectors: count, buffer, complete: done }, done),
      );
    }
    await simulated(world, disk.close());
  }
  world.files.system.syncAll();
  return world;
}

interface ToolRun {
  /** What is done to the chain before. */
  readonly spoil?: (world: FileWorld) => void;
  /** Runs on the world. */
  readonly tool: (calls: DiskCalls) => Steps<unknown>;
  /** The disks that must be there, with their content, after a loss of power at any moment; beyond it all is zeroes. */
  readonly disks: readonly string[];
}

/** Runs a tool, loses the power in every way at each moment of it, and holds the disks against what they were. */
async function survives(t: Test, { spoil, tool, disks }: ToolRun): Promise<void> {
  const seed = randomSeed(t);
  const world = await chainWorld(seed);
  spoil?.(world);
  const before = disks.map((path) => readState(world.files.system, path));
  const recorder = new FileRecorder(world.files.system);
  await simulated(world, tool(simulatedCalls(world)));
  recorder.stop();
  let states = 0;
  for (const { operations, survival, systems } of recorder.prefixes(new Random(seed), 2)) {
    for (const [index, path] of disks.entries()) {
      const [system] = systems;
      if (!system) continue;
      const where = `${path} after ${operations} operations, ${survival} survives`;
      const found = attempt(() => readState(system, path));
      if (typeof found === 'string') {
        t.fail(`${where}: ${found}`);
        return;
      }
      const kept = before[index] ?? new Uint8Array(0);
      const isSame = Buffer.compare(found.subarray(0, kept.length), kept) === 0;
      const isZeroBehind = found.subarray(kept.length).every((byte) => byte === 0);
      if (!isSame || !isZeroBehind) {
        t.fail(`${where}: it has other content`);
        return;
      }
      states++;
    }
  }
  t.ok(states > 5, `${states} states`);
  for (const path of disks) {
    const { findings } = stateOutcome(checkChain(stateCalls(world.files.system), path));
    t.same(findings, [], `${path} is without fault in the end`);
  }
}

function attempt<T>(act: () => T): T | string {
  try {
    return act();
  } catch (error) {
    return String(error);
  }
}

t.test('a snapshot changes no disk', (t) =>
  survives(t, {
    tool: (calls) =>
      snapshot(calls, {
        parent: '/d/leaf.vhd',
        child: '/d/new.vhd',
        uuid: new Uint8Array(16).fill(7),
        unixSeconds: 1e9,
      }),
    disks: ['/d/root.vhd', '/d/middle.vhd', '/d/leaf.vhd'],
  }),
);

t.test('coalescing an image into a smaller parent changes no disk above it', (t) =>
  survives(t, {
    tool: (calls) => coalesce(calls, { child: '/d/middle.vhd' }),
    disks: ['/d/middle.vhd', '/d/leaf.vhd'],
  }),
);

t.test('coalescing, relinking and deleting leaves the grandchild as it is', (t) =>
  survives(t, {
    tool: (calls) => coalesce(calls, { child: '/d/middle.vhd', relink: ['/d/leaf.vhd'], deleteChild: true }),
    disks: ['/d/leaf.vhd'],
  }),
);

t.test('an image that grows has its old size or its new one, and zeroes after the old end', async (t) => {
  for (const sectors of [SECTORS + 1, 160, 5000]) {
    await survives(t, {
      tool: (calls) => resize(calls, { path: '/d/leaf.vhd', size: sectors * SECTOR_SIZE }),
      disks: ['/d/leaf.vhd'],
    });
  }
});

/** Cuts the footer at the end off. */
function cutFooter(world: FileWorld): void {
  const bytes = world.files.contents('/d/leaf.vhd');
  world.files.put('/d/leaf.vhd', bytes.subarray(0, bytes.length - SECTOR_SIZE));
}

t.test('an image without a footer at the end is repaired', async (t) => {
  const options = { path: '/d/leaf.vhd', write: true, uuid: new Uint8Array(16) };
  await survives(t, {
    spoil: cutFooter,
    tool: (calls) => repair(calls, options),
    disks: ['/d/leaf.vhd'],
  });
  const world = await chainWorld(1);
  const bytes = world.files.contents('/d/leaf.vhd');
  cutFooter(world);
  const changes = await simulated(world, repair(simulatedCalls(world), options));
  t.same(changes, ['the footer at the end is written']);
  t.same(Buffer.compare(world.files.contents('/d/leaf.vhd'), bytes), 0, 'it is as it was');
});

t.test('stopped coalescing gives the same result when repeated', async (t) => {
  const world = await chainWorld(3);
  const before = readState(world.files.system, '/d/middle.vhd');
  let left = 2;
  const calls = simulatedCalls(world);
  const stopped = await simulated(
    world,
    coalesce(calls, {
      child: '/d/middle.vhd',
      deleteChild: true,
      relink: ['/d/leaf.vhd'],
      shouldStop: () => left-- <= 0,
    }),
  );
  t.match(stopped, { isStopped: true, isDeleted: false, relinked: [] });
  t.same(readState(world.files.system, '/d/middle.vhd'), before);
  const progress: string[] = [];
  const onProgress = (done: number, total: number): void => void progress.push(`${done}/${total}`);
  const done = await simulated(world, coalesce(calls, { child: '/d/middle.vhd', onProgress }));
  t.match(done, { isStopped: false });
  t.equal(progress.at(-1)?.split('/')[0], progress.at(-1)?.split('/')[1]);
  t.same(readState(world.files.system, '/d/root.vhd'), before, 'the parent has it all');
});

t.test('a child that is the parent of others is not deleted', async (t) => {
  const world = await chainWorld(4);
  const steps = coalesce(simulatedCalls(world), { child: '/d/middle.vhd', deleteChild: true });
  await t.rejects(
    simulated(world, steps),
    /leaf.vhd: parent-missing: parent locators: its parent .* is to be deleted/,
  );
  t.same(world.files.descriptors(), [], 'nothing is left open');
});

t.test('an image that is being written cannot be coalesced, resized or repaired', async (t) => {
  const world = await chainWorld(5);
  const disk = await openSimulated(world, '/d/leaf.vhd', { readOnly: false });
  const calls = simulatedCalls(world);
  const busy = /leaf.vhd: cannot lock: /;
  await t.rejects(simulated(world, coalesce(calls, { child: '/d/leaf.vhd' })), busy);
  await t.rejects(simulated(world, resize(calls, { path: '/d/leaf.vhd', size: 1e6 * 512 })), busy);
  const uuid = new Uint8Array(16);
  await t.rejects(simulated(world, repair(calls, { path: '/d/leaf.vhd', write: true, uuid })), busy);
  await simulated(world, disk.close());
  t.same(world.files.descriptors(), []);
});
