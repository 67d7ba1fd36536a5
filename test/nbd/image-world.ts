// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { createCipheriv } from 'node:crypto';
import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import type { Test } from 'tap';
import { nbdWorld, type NbdWorld } from './nbd-world.js';
import { run } from '../programs.js';

export const MIB = 1 << 20;

/** How long a test of other programs may take, in milliseconds: on a busy machine they are slow. */
export const PROGRAMS_TIMEOUT_MS = 180_000;

/** A file of bytes that no two places share, the same in every run. */
export function writeImage(path: string, mebibytes: number): void {
  const stream = createCipheriv('aes-128-ctr', Buffer.alloc(16, 1), Buffer.alloc(16));
  const zeroes = Buffer.alloc(8 * MIB);
  const fd = openSync(path, 'w');
  for (let written = 0; written < mebibytes; written += 8) writeSync(fd, stream.update(zeroes));
  closeSync(fd);
}

export function emptyImage(path: string, mebibytes: number): void {
  const fd = openSync(path, 'w');
  ftruncateSync(fd, mebibytes * MIB);
  closeSync(fd);
}

/** Runs a program that must succeed; returns what it says. */
export async function succeeds(t: Test, name: string, ...parameters: string[]): Promise<string> {
  const { status, stdout, stderr } = await run(name, parameters);
  t.equal(status, 0, `${name} ${parameters.join(' ')}: ${stderr}`);
  return stdout + stderr;
}

/** A world with an empty image of so many MiB. */
export async function imageWorld(t: Test, mebibytes: number): Promise<NbdWorld & { readonly image: string }> {
  const world = nbdWorld(t, { large: true });
  const image = world.path('disk.img');
  emptyImage(image, mebibytes);
  await world.open(`aio:${image}`);
  return { ...world, image };
}
