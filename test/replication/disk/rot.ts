// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { errno, errnoCode } from '../../../src/posix/errno.js';
import { type Random, type SimulatedFileSystem, SimulatedWorld } from '../../../src/testing/index.js';
import type { DiskContent } from './simulation/history.js';
import { type CreateReplication, DIRECTORY } from './simulation/node.js';
import { Scene } from './simulation/scene.js';
import { Session } from './simulation/session.js';

/** Sectors of a write: so few that the journal is short. */
const SMALL = [1, 2];

/** A backup with committed checkpoints that are not on its image yet, and what it shows. */
export interface RotSubject {
  readonly seed: number;
  readonly system: SimulatedFileSystem;
  readonly content: DiskContent;
}

export async function rotSubject(seed: number, create: CreateReplication): Promise<RotSubject> {
  const session = await Session.begin(seed, create);
  const { world } = session.scene;
  await session.write(2, SMALL);
  await session.checkpoint();
  // While a checkpoint is looked at, what comes after it stays in the journal.
  await world.complete(
    new Promise<void>((resolve, reject) => {
      session.backup.engine.openCheckpoint((result) =>
        result < 0 ? reject(new Error(`${result}`)) : resolve(),
      );
    }),
  );
  for (let round = 0; round < 3; round++) {
    await session.write(2, SMALL);
    await session.checkpoint();
  }
  const host = session.scene.hosts[0];
  host.crash('end of file');
  host.files.system.syncAll();
  const system = host.files.system.copy();
  return { seed, system, content: await showsAlone(seed, create, system) };
}

export interface Place {
  readonly path: string;
  readonly position: number;
}

/** The sectors in which anything is, of each file of the state. */
function* writtenSectors({ system }: RotSubject): Generator<Place & { readonly bytes: Uint8Array }> {
  const { files } = new SimulatedWorld().host('10.0.0.1');
  files.system.restore(system);
  for (const name of ['metadata', 'journal-0', 'journal-1']) {
    const path = `${DIRECTORY}/${name}`;
    const contents = files.contents(path);
    for (let position = 0; position < contents.length; position += 512) {
      const bytes = contents.subarray(position, position + 512);
      if (bytes.some((byte) => byte !== 0)) yield { path, position, bytes };
    }
  }
}

/** The bytes of these sectors. */
export function* writtenBytes(subject: RotSubject): Generator<Place> {
  for (const { path, position } of writtenSectors(subject)) {
    for (let at = 0; at < 512; at++) yield { path, position: position + at };
  }
}

/** Some bytes that are not zero, in each of these sectors. */
export function* sampledBytes(subject: RotSubject, each: number, random: Random): Generator<Place> {
  for (const { path, position, bytes } of writtenSectors(subject)) {
    const candidates = [...bytes.keys()].filter((at) => bytes[at] !== 0);
    for (let count = 0; count < each; count++) yield { path, position: position + random.pick(candidates) };
  }
}

/** How a backup opens after a byte has rotted: `refused`, `as it was`, or what is wrong. */
export async function flip(
  subject: RotSubject,
  create: CreateReplication,
  { path, position }: Place,
  bits: number,
): Promise<string> {
  const { seed, system, content } = subject;
  const scene = alone(seed, create, system);
  const host = scene.hosts[0];
  host.files.rot(path, position, bits);
  scene.boot(host);
  let result: number | undefined;
  let reason: string | undefined;
  scene.onOpened = (opened, why) => ([result, reason] = [opened, why]);
  await scene.world.run(() => result !== undefined, { limitSeconds: 60 });
  const where = `${path} at ${position}, bits ${bits}`;
  if (result === -errno.EBADMSG) {
    return reason?.includes(`${path} is damaged`) ? 'refused' : `${where}: is refused without its name`;
  }
  if (result !== 0) return `${where}: ${errnoCode(result ?? 0)}`;
  const node = scene.node(host);
  const shown = node ? await scene.world.complete(node.checkpoint()) : -1;
  if (typeof shown === 'number')
    return node?.engine.status().state === 'failed' ? 'refused' : `${where}: shows nothing`;
  const sector = content.findIndex((tag, index) => shown[index] !== tag);
  return sector < 0
    ? 'as it was'
    : `${where}: sector ${sector} is ${shown[sector]}, expected ${content[sector]}`;
}

function alone(seed: number, create: CreateReplication, system: SimulatedFileSystem): Scene {
  const scene = new Scene(seed, { create, traceLines: 100 });
  scene.hosts[0].files.system.restore(system);
  scene.harm(scene.hosts[0]);
  return scene;
}

async function showsAlone(
  seed: number,
  create: CreateReplication,
  system: SimulatedFileSystem,
): Promise<DiskContent> {
  const scene = alone(seed, create, system);
  const [host] = scene.hosts;
  scene.boot(host);
  await scene.world.run(() => scene.node(host) !== undefined, { limitSeconds: 60 });
  const shown = await scene.world.complete(scene.node(host)?.checkpoint() ?? Promise.resolve(-1));
  if (typeof shown === 'number') throw new Error(`the backup shows nothing: ${shown}`);
  return shown;
}
