// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { SimulatedHost } from '../../../../src/testing/index.js';
import { scheduleFaults } from '../../../../src/testing/simulation/fault-schedule.js';
import type { DiskContent } from './history.js';
import { FAULT_KINDS } from './faults.js';
import type { Node } from './node.js';
import { Operator } from './operator.js';
import { Scene, type SceneOptions } from './scene.js';

/** Faults begin in this time, in virtual seconds; at its end all of them are healed. */
const FAULT_SECONDS = 12;
const MAX_FAULTS = 8;
/** How long it may take then until one side is protected and the other its backup: pauses of TCP, of room, of stalls. */
const SETTLE_SECONDS = 400;
/** What a resync may have waiting, the grains on their way there, and the last write, beside the writes' own bound. */
const RESYNC_QUEUE_BYTES = 6 << 20;
/** A heartbeat and its limit, and what a call that has stalled may add. */
const LOUD_SECONDS = 12;

export interface SimulationResult {
  readonly seed: number;
  /** What must never be and was; empty when the run has passed. */
  readonly violations: readonly string[];
  readonly trace: string;
  readonly digest: string;
}

/** One run of the engine on two hosts on which everything goes wrong, and then nothing any more. The seed decides all. */
export async function simulateReplication(seed: number, options: SceneOptions): Promise<SimulationResult> {
  const scene = new Scene(seed, options);
  const { world, violations } = scene;
  try {
    const operator = new Operator(scene);
    for (const host of scene.hosts) world.after(scene.random.between(0, 2), () => scene.boot(host));
    void watch(scene).catch((error: unknown) => violations.caught('watch', error));
    void operator
      .run(() => !violations.isEmpty)
      .catch((error: unknown) => violations.caught('operator', error));
    await liveThroughFaults(scene);
    if (violations.isEmpty) await settle(scene, operator);
  } catch (error) {
    violations.caught('world', error);
  }
  return { seed, violations: violations.list, trace: world.trace.toString(), digest: world.trace.digest() };
}

async function liveThroughFaults(scene: Scene): Promise<void> {
  const { world, violations } = scene;
  const random = scene.random.fork();
  const undoFaults = scheduleFaults(scene, random, FAULT_KINDS, {
    maxFaults: MAX_FAULTS,
    begins: [1, FAULT_SECONDS],
    shortSeconds: 2,
  });
  let isOver = false;
  world.after(FAULT_SECONDS, () => (isOver = true));
  await world.run(() => isOver || !violations.isEmpty);
  undoFaults();
  scene.isHealed = true;
}

/** Looks at each process now and then: bounds hold (Q11), and replication that has stopped says so (Q15). */
async function watch(scene: Scene): Promise<void> {
  const { world, violations, options } = scene;
  const goneSince = new Map<SimulatedHost, number>();
  while (violations.isEmpty) {
    await scene.sleep(0.5);
    for (const host of scene.hosts) {
      const peer = scene.peerOf(host);
      if (peer.isAlive) goneSince.delete(peer);
      else if (!goneSince.has(peer)) goneSince.set(peer, world.nowSeconds);
      const node = scene.node(host);
      if (!node) continue;
      const status = node.engine.status();
      const wrong = (what: string): void => violations.add(host.name, what);
      if (status.journalUsedBytes > status.journalLimitBytes)
        wrong(`${status.journalUsedBytes} bytes of journal, limit ${status.journalLimitBytes}`);
      if (status.queuedBytes > options.queueBytes + RESYNC_QUEUE_BYTES)
        wrong(`${status.queuedBytes} bytes are queued, bound ${options.queueBytes}`);
      const since = Math.min(goneSince.get(peer) ?? Infinity, scene.cutSince ?? Infinity);
      if (status.state === 'protected' && world.nowSeconds - since > LOUD_SECONDS)
        wrong(`is protected, but has not heard its backup since ${since} s`);
    }
  }
}

/** The primary that is protected and used, and its backup, when that is how things are. */
function pair(
  scene: Scene,
  operator: Operator,
): { readonly primary: Node; readonly backup: Node } | undefined {
  const [one, other] = [scene.node(scene.hosts[0]), scene.node(scene.hosts[1])];
  if (!one || !other) return undefined;
  const [oneState, otherState] = [one.engine.status().state, other.engine.status().state];
  const isPair = (primary: Node, state: string, backupState: string): boolean =>
    state === 'protected' && backupState === 'backup' && operator.client(primary) !== undefined;
  if (isPair(one, oneState, otherState)) return { primary: one, backup: other };
  return isPair(other, otherState, oneState) ? { primary: other, backup: one } : undefined;
}

/** Without faults, and with somebody who looks after it, all must come to rest: protected, and equal. */
async function settle(scene: Scene, operator: Operator): Promise<void> {
  const { world, violations } = scene;
  const begin = world.nowSeconds;
  await world.run(
    () =>
      !violations.isEmpty || pair(scene, operator) !== undefined || world.nowSeconds > begin + SETTLE_SECONDS,
  );
  const settled = pair(scene, operator);
  if (!settled) {
    const states = scene.hosts.map((host) => {
      const status = scene.node(host)?.engine.status();
      return `${host.name} ${status ? `${status.state} (${status.reason}), connection ${status.connection}` : 'is not up'}`;
    });
    if (violations.isEmpty)
      violations.add('world', `not protected ${SETTLE_SECONDS} s after the faults: ${states.join('; ')}`);
    return;
  }
  const { primary, backup } = settled;
  const client = operator.client(primary);
  if (!client) throw new Error(`nobody works on ${primary.name}`);
  client.isStopped = true;
  await world.run(() => client.underWay === 0 || !violations.isEmpty);
  await checkEqual(scene, primary, backup, () => client.checkpoint());
  if (violations.isEmpty) await stop(scene);
}

/** With nothing under way, a checkpoint that is done means that the two are equal (Q3). */
async function checkEqual(
  scene: Scene,
  primary: Node,
  backup: Node,
  checkpoint: () => Promise<boolean>,
): Promise<void> {
  const { world, violations, oracle } = scene;
  let isDone = false;
  for (let attempt = 0; attempt < 20 && !isDone && violations.isEmpty; attempt++) {
    isDone = await world.complete(checkpoint());
    if (!isDone) await world.run(10);
  }
  if (!violations.isEmpty) return;
  if (!isDone) violations.add(primary.name, 'no checkpoint is done, though nothing is wrong any more');
  const mine = await world.complete(primary.readAll());
  const theirs = await world.complete(backup.checkpoint());
  if (mine === undefined || typeof theirs === 'number') {
    violations.add(backup.name, `cannot be read: ${typeof theirs === 'number' ? theirs : ''}`);
    return;
  }
  oracle.backupShows(backup.name, theirs);
  const segment = oracle.segment(primary.name);
  const now = oracle.next();
  for (const [sector, tag] of mine.entries()) oracle.read(primary.name, segment, sector, tag, now);
  const different = differences(mine, theirs);
  if (different.length > 0)
    violations.add(
      primary.name,
      `is protected, but ${different.length} sectors differ, the first is ${different[0]}`,
    );
}

/** Closes both engines: then nothing is left, and the images themselves are equal. */
async function stop(scene: Scene): Promise<void> {
  const { world, violations } = scene;
  for (const host of scene.hosts) {
    const node = scene.node(host);
    if (!node) continue;
    const result = await world.complete(node.close());
    if (result !== 0) violations.add(host.name, `close: ${result}`);
  }
  for (const left of await world.shutDown({ limitSeconds: 1000 }))
    violations.add('world', `left after everything was stopped: ${left}`);
}

function differences(one: DiskContent, other: DiskContent): number[] {
  return [...one.keys()].filter((sector) => one[sector] !== other[sector]);
}
