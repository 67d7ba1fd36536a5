// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { type Clock, monotonicClock, NodePosix } from '../../src/posix/index.js';
import { ControlClient } from '../../src/control/control-client.js';
import { ControlServer } from '../../src/control/control-server.js';
import { ControlMessage } from '../../src/control/message.js';
import type { ReplicationHandler } from '../../src/control/replication-request.js';
import { driverTypes, standardDriverTypes } from '../../src/disks/drivers/index.js';
import { type Logger, nullLogger } from '../../src/server/logger.js';
import { TapdiskServer } from '../../src/server/tapdisk-server.js';
import { VbdRegistry } from '../../src/disks/index.js';
import { HeldDisks } from './held-disks.js';

/** A pid that no process has here: the sockets are named by it, nothing else. */
export const PID = 4242;

/** A control server on a running scheduler, with the disks `ram:`, `vhd:`, `remus:` and `held:`, until the test has ended. */
export interface ControlWorld {
  readonly directory: string;
  readonly server: TapdiskServer;
  readonly registry: VbdRegistry;
  readonly control: ControlServer;
  readonly client: ControlClient;
  readonly held: HeldDisks;
  /** How many descriptors are open without any connection. */
  readonly descriptors: number;
}

export interface ControlWorldOptions {
  readonly report?: () => string;
  readonly logger?: Logger;
  readonly clock?: Clock;
  readonly maxDescriptors?: number;
  readonly replication?: ReplicationHandler;
}

export function controlWorld(t: Test, options: ControlWorldOptions = {}): ControlWorld {
  const { report = () => '{}', logger = nullLogger, clock = monotonicClock, maxDescriptors = 1024 } = options;
  const { replication } = options;
  const directory = mkdtempSync(join(tmpdir(), 'ctl-'));
  const posix = new NodePosix({ clock, maxDescriptors });
  const server = new TapdiskServer({ logger, posix });
  const held = new HeldDisks();
  const types = driverTypes([...standardDriverTypes.values(), held.type]);
  const registry = new VbdRegistry({ registrar: server, posix, logger, types });
  const control = new ControlServer({
    registrar: server,
    posix,
    logger,
    directory,
    registry,
    pid: PID,
    report,
    ...(replication && { replication }),
  });
  const running = server.run({ signals: false });
  t.teardown(async () => {
    control[Symbol.dispose]();
    registry[Symbol.dispose]();
    server.stop();
    await running;
    // After the test's end there is no assertion any more: an error here fails it all the same.
    assert.deepEqual(posix.openDescriptors(), [], 'no descriptor is left');
    rmSync(directory, { recursive: true });
  });
  const client = new ControlClient(posix, directory);
  return { directory, server, registry, control, client, held, descriptors: posix.openDescriptors().length };
}

/** A connection made by Node, and not by what is tested. */
export function connectTo(path: string): Socket {
  return connect({ path, allowHalfOpen: true }).on('error', () => {});
}

/** All that the other side sends until it ends, however it ends. */
export async function bytesOf(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  await ended(socket);
  socket.destroy();
  return Buffer.concat(chunks);
}

/** Fulfilled when the other side has ended the connection, in whatever way. */
export async function ended(socket: Socket): Promise<void> {
  socket.resume();
  if (socket.readableEnded || socket.destroyed) return;
  await new Promise<void>((resolve) => {
    socket.once('end', resolve);
    socket.once('close', () => resolve());
  });
}

/** Sends one request on a connection of its own, and returns the messages that come back. */
export async function request(path: string, message: ControlMessage): Promise<ControlMessage[]> {
  const socket = connectTo(path);
  socket.write(message.bytes);
  const bytes = await bytesOf(socket);
  return Array.from(
    { length: Math.ceil(bytes.length / 280) },
    (_, index) => new ControlMessage(bytes.subarray(280 * index, 280 * (index + 1))),
  );
}

/** A clock that only the test moves. */
export class ManualClock implements Clock {
  seconds = 1_000_000_000.5;

  now(): number {
    return this.seconds;
  }
}
