// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { createHash } from 'node:crypto';
import { formatBytes } from '../../src/server/format.js';
import { AF_UNIX } from '../../src/posix/index.js';
import { NbdClient } from '../../src/nbd/index.js';
import { nullLogger, TapdiskServer } from '../../src/server/index.js';
import { MIB } from './image.js';

/** An NBD client of a disk, for as long as `use` takes. */
export async function withDisk<Result>(
  socket: string,
  exportName: string,
  use: (client: NbdClient) => Promise<Result>,
): Promise<Result> {
  const server = new TapdiskServer({ logger: nullLogger });
  const running = server.run({ signals: false });
  const { posix } = server;
  const address = { family: AF_UNIX, path: socket } as const;
  const client = await NbdClient.connect({ registrar: server, posix, address, exportName });
  try {
    return await use(client);
  } finally {
    client.disconnect();
    server.stop();
    await running;
  }
}

/** Writes a whole disk, and flushes it. */
export async function writeDisk(client: NbdClient, bytes: Buffer): Promise<void> {
  for (let at = 0; at < bytes.length; at += MIB) await client.write(at, bytes.subarray(at, at + MIB));
  await client.flush();
}

/** The whole disk. */
export async function readDisk(client: NbdClient): Promise<Buffer> {
  const { size } = client.facts;
  if (!Number.isSafeInteger(size)) throw new Error(`a disk of ${formatBytes(size)}`);
  const pieces: Buffer[] = [];
  for (let at = 0; at < size; at += MIB) pieces.push(await client.read(at, Math.min(MIB, size - at)));
  return Buffer.concat(pieces);
}

export function hashOf(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
