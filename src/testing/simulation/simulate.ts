// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Trace } from '../trace.js';
import { scheduleFaults } from './fault-schedule.js';
import { FAULT_KINDS } from './faults.js';
import { Scene, type SceneOptions } from './scene.js';

/** Faults begin in this time, in virtual seconds; at its end all of them are healed. */
export const FAULT_SECONDS = 15;
/**
 * How long it may take then until the two sides of each disk are connected. The longest pause of a side that is not
 * connected is TCP's own: a connect that was lost all through the faults is tried again 1, 3, 7, 15 and 31 s after it
 * began, so up to 16 s after they end. What comes before that (a lookup that hangs, a silent connection that has to be
 * noticed, clocks that were set back) and what comes after it (the retry second, a stranger's connection) adds up to less.
 */
export const CONNECT_SECONDS = 40;
const MAX_FAULTS = 16;
/** How long they have to stay connected. */
const STAY_SECONDS = 5;
/** Longer than anything TCP does for a connection that nobody owns any more. */
const DRAIN_SECONDS = 700;

/** What a simulated run came to. */
export interface SimulationResult {
  readonly seed: number;
  /** What must never be and was; empty when the run has passed. */
  readonly violations: readonly string[];
  /** Virtual seconds from the end of the faults until everything was connected; undefined when it never was. */
  readonly secondsToConnect: number | undefined;
  /** How many starts and restarts of the connect module there were, over all processes that were alive at the end. */
  readonly attempts: number;
  readonly trace: Trace;
}

export type SimulationOptions = Pick<SceneOptions, 'traceLines' | 'module' | 'dialect'>;

/**
 * One run of primaries and backups on the real scheduler, server and connect module, in a world where everything that
 * can go wrong does, and then stops to: checks what must hold all along, that they connect in the end, and that nothing
 * is left when they are stopped. The seed decides everything.
 */
export async function simulate(seed: number, options: SimulationOptions = {}): Promise<SimulationResult> {
  const scene = new Scene(seed, options);
  const { world, violations } = scene;
  let secondsToConnect: number | undefined;
  let attempts = 0;
  try {
    await liveThroughFaults(scene);
    secondsToConnect = await connectAll(scene);
    if (violations.isEmpty) await stayConnected(scene);
    attempts = scene.nodes.reduce((sum, node) => sum + node.connect.attempts, 0);
    if (violations.isEmpty) await stopAll(scene);
  } catch (error) {
    violations.caught('world', error);
  }
  return { seed, violations: violations.list, secondsToConnect, attempts, trace: world.trace };
}

async function liveThroughFaults(scene: Scene): Promise<void> {
  const { world } = scene;
  const random = world.random.fork();
  for (const host of scene.hosts) world.after(random.between(0, 4), () => scene.boot(host));
  const undoFaults = scheduleFaults(scene, random, FAULT_KINDS, {
    maxFaults: MAX_FAULTS,
    begins: [0, FAULT_SECONDS],
    shortSeconds: 1,
  });
  await runFor(scene, FAULT_SECONDS);
  undoFaults();
}

/** Waits until every disk is connected: seconds it took, or undefined when something is wrong. */
export async function connectAll(scene: Scene): Promise<number | undefined> {
  const { world, violations, disks } = scene;
  const begin = world.nowSeconds;
  for (const node of scene.nodes) node.calmDown();
  const isDone = (): boolean => disks.every((disk) => scene.isConnected(disk));
  await world.run(() => isDone() || !violations.isEmpty || world.nowSeconds > begin + CONNECT_SECONDS);
  for (const disk of disks) {
    if (!violations.isEmpty || scene.isConnected(disk)) continue;
    violations.add(disk.address, `not connected ${CONNECT_SECONDS} s after the faults were healed`);
  }
  return violations.isEmpty ? world.nowSeconds - begin : undefined;
}

async function stayConnected(scene: Scene): Promise<void> {
  await runFor(scene, STAY_SECONDS);
  for (const disk of scene.disks) {
    if (scene.isConnected(disk)) continue;
    scene.violations.add(disk.address, 'was connected and did not stay so, without a fault');
  }
}

/** Stops every node and server, and checks that nothing is left. */
export async function stopAll(scene: Scene): Promise<void> {
  const { world, violations } = scene;
  for (const node of scene.nodes) {
    node.stop();
    if (node.eventCount > 0) violations.add(node.name, `${node.eventCount} events are left after stop`);
  }
  for (const left of await world.shutDown({ limitSeconds: DRAIN_SECONDS })) {
    violations.add('world', `left after everything was stopped: ${left}`);
  }
}

/** Lets the world go on for this many seconds, or until something is wrong. */
async function runFor({ world, violations }: Scene, seconds: number): Promise<void> {
  let isOver = false;
  world.after(seconds, () => {
    isOver = true;
  });
  await world.run(() => isOver || !violations.isEmpty);
}
