// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { AF_INET, SOCK_STREAM } from '../../posix/address.js';
import { errno } from '../../posix/errno.js';
import { CALL_NAMES, type CallName } from '../call-faults.js';
import { LAN } from '../path.js';
import type { Random } from '../random.js';
import { TYPICAL_ERRORS } from '../typical-errors.js';
import type { FaultKind } from './fault-schedule.js';
import { nameOf, type Scene } from './scene.js';

const NOTHING_TO_UNDO = (): void => {};

function crash(scene: Scene, random: Random): () => void {
  const host = random.pick(scene.hosts);
  host.crash(random.pick(['end of file', 'reset', 'silence']));
  return () => {
    if (!host.isAlive) host.restart();
  };
}

function restartAtOnce(scene: Scene, random: Random): () => void {
  const host = random.pick(scene.hosts);
  if (host.isAlive) {
    host.crash(random.pick(['end of file', 'reset', 'silence']));
    host.restart();
  }
  return NOTHING_TO_UNDO;
}

function cut(scene: Scene, random: Random): () => void {
  const link = scene.world.link(...scene.hosts).cut(random.pick(['forth', 'back', 'both']));
  return () => link.heal();
}

function refuse(scene: Scene): () => void {
  const link = scene.world.link(...scene.hosts).refuse();
  return () => link.heal();
}

function unreachable(scene: Scene, random: Random): () => void {
  const link = scene.world.link(...scene.hosts);
  const error = random.pick([errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ETIMEDOUT, errno.ECONNABORTED]);
  link.unreachable(error, random.pick([0, 0.5, 3]));
  return () => link.heal();
}

function reset(scene: Scene): () => void {
  scene.world.link(...scene.hosts).reset();
  return NOTHING_TO_UNDO;
}

function slow(scene: Scene, random: Random): () => void {
  const link = scene.world.link(...scene.hosts);
  link.shape({
    latencySeconds: random.between(0, 1.5),
    jitterSeconds: random.between(0, 1),
    bytesPerSecond: random.between(5000, 100_000),
  });
  return () => link.shape(LAN);
}

function failCalls(scene: Scene, random: Random): () => void {
  const calls: readonly CallName[] = random.chance(0.5) ? CALL_NAMES : [random.pick(CALL_NAMES)];
  const probability = random.between(0.05, 0.5);
  const fault = random.pick(scene.hosts).failCalls({
    calls,
    times: Infinity,
    error: (call) => {
      // A server is to give up when select goes on failing, so it fails now and then only.
      const isDue = random.chance(call === 'select' ? probability / 5 : probability);
      return isDue ? random.pick(TYPICAL_ERRORS[call]) : undefined;
    },
  });
  return () => fault.cancel();
}

function failOneCall(scene: Scene, random: Random): () => void {
  const fault = random.pick(scene.hosts).failCalls({
    nth: random.integer(1, 30),
    error: (call) => random.pick(TYPICAL_ERRORS[call]),
  });
  return () => fault.cancel();
}

/** Uses up every descriptor of a process. */
function exhaustDescriptors(scene: Scene, random: Random): () => void {
  const { posix } = random.pick(scene.hosts);
  const taken: number[] = [];
  for (let fd = posix.eventfd(); fd >= 0; fd = posix.eventfd()) taken.push(fd);
  return () => {
    for (const fd of taken) posix.close(fd);
  };
}

function setClock(scene: Scene, random: Random): () => void {
  random.pick(scene.hosts).adjustClock(random.between(-2, 4));
  return NOTHING_TO_UNDO;
}

function loseNames(scene: Scene, random: Random): () => void {
  const host = random.pick(scene.hosts);
  const name = nameOf(host);
  if (random.chance(0.5))
    scene.world.name(name, { failure: random.pick(['ENOTFOUND', 'EAI_AGAIN', 'EAI_FAIL']) });
  else scene.world.name(name, { addresses: [host.name], afterSeconds: 3 });
  return () => scene.restoreNames();
}

function dropConnection(scene: Scene, random: Random): () => void {
  const running = scene.nodes.filter((node) => node.isAlive);
  if (running.length > 0) random.pick(running).drop();
  return NOTHING_TO_UNDO;
}

/** A client that is not its primary connects to a backup, and disconnects. */
function intrude(scene: Scene, random: Random): () => void {
  const disk = random.pick(scene.disks);
  const { posix } = scene.stranger;
  const fd = posix.socket(AF_INET, SOCK_STREAM);
  const port = Number(disk.address.slice(disk.address.indexOf(':') + 1));
  posix.connect(fd, { family: AF_INET, address: disk.backup.name, port });
  let isOpen = true;
  const leave = (): void => {
    if (isOpen) posix.close(fd);
    isOpen = false;
  };
  scene.world.after(random.between(0, 1), leave);
  return leave;
}

/** The kinds, each as often as it stands here. */
export const FAULT_KINDS: readonly FaultKind<Scene>[] = [
  crash,
  crash,
  restartAtOnce,
  cut,
  cut,
  refuse,
  unreachable,
  reset,
  slow,
  failCalls,
  failOneCall,
  failOneCall,
  exhaustDescriptors,
  setClock,
  loseNames,
  dropConnection,
  intrude,
];
