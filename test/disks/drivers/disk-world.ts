// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { NodePosix, type SystemError } from '../../../src/posix/index.js';
import { standardDriverTypes } from '../../../src/disks/drivers/index.js';
import type { Logger } from '../../../src/server/logger.js';
import { TapdiskServer } from '../../../src/server/tapdisk-server.js';
import {
  type Done,
  type DriverTypes,
  type OpenFlags,
  type Vbd,
  VbdRegistry,
} from '../../../src/disks/index.js';

/** VBDs on a running scheduler, with a directory for images, until the test has ended. */
export interface DiskWorld {
  readonly directory: string;
  readonly posix: NodePosix;
  readonly server: TapdiskServer;
  readonly registry: VbdRegistry;
  /** What was logged, and why an opening failed. */
  readonly lines: string[];
  /** A path in the directory. */
  path(name: string): string;
  /** A new VBD with an image; rejects when it does not open. */
  open(name: string, flags?: Partial<OpenFlags>): Promise<Vbd>;
  /** The result of opening a new VBD. */
  tryOpen(name: string, flags?: Partial<OpenFlags>): Promise<number>;
}

export interface DiskWorldOptions {
  readonly types?: DriverTypes;
  readonly posix?: NodePosix;
  /** The images are large: they go where files are in memory, if there is room, so that nobody waits for a disk. */
  readonly large?: boolean;
  /** How many requests a driver may have at once. */
  readonly maxInFlight?: number;
}

const MEMORY_DIRECTORY = '/dev/shm';
const ROOM_FOR_LARGE_BYTES = 2 ** 30;

function parentDirectory(large: boolean): string {
  const found = large ? statfsSync(MEMORY_DIRECTORY, { bigint: false }) : undefined;
  return found && found.bavail * found.bsize >= ROOM_FOR_LARGE_BYTES ? MEMORY_DIRECTORY : tmpdir();
}

export function diskWorld(
  t: Test,
  { types = standardDriverTypes, posix = new NodePosix(), large = false, maxInFlight }: DiskWorldOptions = {},
): DiskWorld {
  const directory = mkdtempSync(join(parentDirectory(large), 'disks-'));
  const lines: string[] = [];
  const logger: Logger = { log: (_priority, line) => void lines.push(line) };
  const server = new TapdiskServer({ posix, logger });
  const parts = { registrar: server, posix, logger, types };
  const registry = new VbdRegistry({ ...parts, ...(maxInFlight !== undefined && { maxInFlight }) });
  const running = server.run({ signals: false });
  t.teardown(async () => {
    for (const vbd of registry.vbds()) await vbd.close();
    registry[Symbol.dispose]();
    server.stop();
    await running;
    rmSync(directory, { recursive: true });
    // After the test's end there is no assertion any more: an error here fails it all the same.
    assert.deepEqual(posix.openDescriptors(), [], 'no descriptor is left');
  });
  let minor = 0;
  const attachAndOpen = async (name: string, flags: Partial<OpenFlags>): Promise<Vbd> => {
    assert.equal(registry.attach(minor), 0);
    const vbd = registry.get(minor++);
    assert(vbd);
    try {
      await vbd.open(name, { readOnly: false, shared: false, ...flags });
    } catch (error) {
      lines.push(`cannot open ${name}: ${(error as SystemError).message}`);
      throw error;
    }
    return vbd;
  };
  return {
    directory,
    posix,
    server,
    registry,
    lines,
    path: (name) => join(directory, name),
    async open(name, flags = {}) {
      return attachAndOpen(name, flags);
    },
    async tryOpen(name, flags = {}) {
      return resultOf(attachAndOpen(name, flags));
    },
  };
}

/** The outcome of a promise as a result: 0, or the negative errno. */
export async function resultOf(ended: Promise<unknown>): Promise<number> {
  try {
    await ended;
    return 0;
  } catch (error) {
    return (error as SystemError).errno as number;
  }
}

/** The result that a call tells. */
export function told(call: (done: Done) => void): Promise<number> {
  return new Promise((resolve) => {
    call(resolve);
  });
}

/** The sectors' bytes; rejects when they cannot be read. */
export async function readSectors(vbd: Vbd, sector: number, sectors: number): Promise<Buffer> {
  // Not zeroes, so that what was not read shows.
  const buffer = Buffer.alloc(sectors * 512, 0xee);
  const result = await told((done) => vbd.queueRead(sector, buffer, done));
  if (result < 0) throw new Error(`read: ${result}`);
  return buffer;
}

export const writeSectors = (vbd: Vbd, sector: number, bytes: Uint8Array): Promise<number> =>
  told((done) => vbd.queueWrite(sector, bytes, done));

/** Bytes that tell where they are from: a byte that changes with the sector and with `seed`. */
export function pattern(sectors: number, seed: number): Buffer {
  const bytes = Buffer.alloc(sectors * 512);
  for (let sector = 0; sector < sectors; sector++) {
    bytes.fill((seed * 31 + sector * 7 + 1) & 0xff, sector * 512, (sector + 1) * 512);
  }
  return bytes;
}
