// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { errno } from '../../../../src/posix/index.js';
import {
  DEFAULT_CAPACITY_BYTES,
  FILE_CALL_NAMES,
  LAN,
  type Random,
  TYPICAL_FILE_ERRORS,
} from '../../../../src/testing/index.js';
import { DEFAULT_FILE_TIMES } from '../../../../src/testing/files/host-files.js';
import type { FaultKind } from '../../../../src/testing/simulation/fault-schedule.js';
import type { Scene } from './scene.js';

/** A resync is interrupted within so many seconds, or not at all. */
const RESYNC_SECONDS = 8;
const NOTHING_TO_UNDO = (): void => {};

function crash(scene: Scene, random: Random): () => void {
  const host = random.pick(scene.hosts);
  scene.crash(host, random.pick(['end of file', 'reset', 'silence', 'silence']));
  return () => {
    if (!host.isAlive) host.restart();
  };
}

function crashBoth(scene: Scene, random: Random): () => void {
  const kind = random.pick(['end of file', 'reset', 'silence', 'silence'] as const);
  for (const host of scene.hosts) scene.crash(host, kind);
  return () => {
    for (const host of scene.hosts) if (!host.isAlive) host.restart();
  };
}

function restartAtOnce(scene: Scene, random: Random): () => void {
  const host = random.pick(scene.hosts);
  scene.crash(host, random.pick(['end of file', 'reset', 'silence']));
  host.restart();
  return NOTHING_TO_UNDO;
}

function cut(scene: Scene, random: Random): () => void {
  const direction = random.pick(['forth', 'back', 'both'] as const);
  const link = scene.world.link(...scene.hosts).cut(direction);
  scene.cutSince ??= scene.world.nowSeconds;
  return () => {
    link.heal();
    scene.cutSince = undefined;
  };
}

function reset(scene: Scene): () => void {
  scene.world.link(...scene.hosts).reset();
  return NOTHING_TO_UNDO;
}

function slow(scene: Scene, random: Random): () => void {
  const link = scene.world.link(...scene.hosts);
  link.shape({
    latencySeconds: random.between(0, 0.5),
    jitterSeconds: random.between(0, 0.2),
    bytesPerSecond: random.between(50_000, 2_000_000),
  });
  return () => link.shape(LAN);
}

/**
 * Parts the two for a while, so that there is something to resync, and interrupts that over a slow link, once the backup has a part
 * of it on stable storage.
 */
function interruptResync(scene: Scene, random: Random): () => void {
  const { world, hosts } = scene;
  const link = world
    .link(...hosts)
    .cut()
    .reset();
  const bytesPerSecond = random.between(30_000, 200_000);
  const lost = random.pick([hosts, hosts.slice(0, 1), hosts.slice(1), []]);
  const kind = random.pick(['end of file', 'reset', 'silence', 'silence'] as const);
  const end = world.nowSeconds + RESYNC_SECONDS;
  const interrupt = (): void => {
    if (lost.length === 0) link.reset();
    for (const host of lost) {
      scene.crash(host, kind);
      host.restart();
    }
  };
  const look = (): void => {
    const isHalfway = hosts.some((host) => (scene.node(host)?.engine.status().resync?.bytes ?? 0) > 0);
    const isOver = scene.isHealed || world.nowSeconds > end;
    if (isHalfway && !isOver) interrupt();
    if (isHalfway || isOver) link.shape(LAN);
    else world.after(0.1, look);
  };
  world.after(random.between(0.2, 2), () => {
    link.heal().shape({ bytesPerSecond });
    look();
  });
  // It takes the time that it needs.
  return NOTHING_TO_UNDO;
}

function stallFiles(scene: Scene, random: Random): () => void {
  random.pick(scene.hosts).files.stall(random.between(0.1, 4));
  return NOTHING_TO_UNDO;
}

function slowFiles(scene: Scene, random: Random): () => void {
  const { files } = random.pick(scene.hosts);
  files.shape({ callSeconds: random.between(0, 0.01), syncSeconds: random.between(0, 0.5) });
  return () => files.shape(DEFAULT_FILE_TIMES);
}

function setClock(scene: Scene, random: Random): () => void {
  random.pick(scene.hosts).adjustClock(random.between(-20, 40));
  return NOTHING_TO_UNDO;
}

function failFileCall(scene: Scene, random: Random): () => void {
  const host = random.pick(scene.hosts);
  const calls = random.chance(0.5)
    ? FILE_CALL_NAMES
    : [random.pick(['read', 'write', 'fdatasync', 'fsync'] as const)];
  const mend = scene.harm(host);
  const fault = host.files.failCalls({
    calls,
    nth: random.integer(1, 40),
    // An existing file is never reported as missing: a side would rightly start as a new one.
    error: (call) => random.pick(TYPICAL_FILE_ERRORS[call].filter((error) => error !== errno.ENOENT)),
  });
  return () => {
    fault.cancel();
    mend();
  };
}

function fillDisk(scene: Scene, random: Random): () => void {
  const host = random.pick(scene.hosts);
  const { system } = host.files;
  const mend = scene.harm(host);
  system.capacityBytes = 0;
  return () => {
    system.capacityBytes = DEFAULT_CAPACITY_BYTES;
    mend();
  };
}

/** All of them; those that happen most stand more than once. */
export const FAULT_KINDS: readonly FaultKind<Scene>[] = [
  crash,
  crash,
  crash,
  crashBoth,
  restartAtOnce,
  restartAtOnce,
  cut,
  cut,
  reset,
  slow,
  interruptResync,
  interruptResync,
  stallFiles,
  slowFiles,
  setClock,
  failFileCall,
  fillDisk,
];
