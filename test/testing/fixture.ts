// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import {
  AF_INET,
  errnoName,
  type InetAddress,
  type Posix,
  SO_ERROR,
  SOCK_STREAM,
  SOL_SOCKET,
} from '../../src/posix/index.js';
import { type SimulatedHost, SimulatedWorld, type WorldOptions } from '../../src/testing/index.js';

export const PORT = 9000;

/** Two hosts in a world of their own. */
export function twoHosts(options: WorldOptions = {}): {
  world: SimulatedWorld;
  near: SimulatedHost;
  far: SimulatedHost;
} {
  const world = new SimulatedWorld({ traceLines: 10_000, ...options });
  return { world, near: world.host('10.0.0.1'), far: world.host('10.0.0.2') };
}

export function addressOf(host: SimulatedHost, port = PORT): InetAddress {
  return { family: AF_INET, address: host.name, port };
}

/** A listener on a host. */
export function listenOn(host: SimulatedHost, backlog = 5, port = PORT): number {
  const fd = host.posix.socket(AF_INET, SOCK_STREAM);
  host.posix.bind(fd, addressOf(host, port));
  host.posix.listen(fd, backlog);
  return fd;
}

/** A socket of a host that connects to another. */
export function dial(from: SimulatedHost, to: SimulatedHost, port = PORT): number {
  const fd = from.posix.socket(AF_INET, SOCK_STREAM);
  from.posix.connect(fd, addressOf(to, port));
  return fd;
}

/** Two connected hosts: the descriptors of both ends. */
export async function connected(
  options: WorldOptions = {},
): Promise<ReturnType<typeof twoHosts> & { one: number; other: number; listener: number }> {
  const { world, near, far } = twoHosts(options);
  const listener = listenOn(far);
  const one = dial(near, far);
  await world.complete(far.posix.select({ read: [listener] }, 600));
  const other = far.posix.accept(listener);
  return { world, near, far, one, other, listener };
}

/** What became of a connect: a name, or 'connected', as SO_ERROR tells once the descriptor is writable. */
export async function outcome(world: SimulatedWorld, host: SimulatedHost, fd: number): Promise<string> {
  await world.complete(host.posix.select({ write: [fd] }, 600));
  const error = host.posix.getsockopt(fd, SOL_SOCKET, SO_ERROR);
  return error === 0 ? 'connected' : (errnoName(error) ?? String(error));
}

/** Reads once: the text, 'end of file', or the errno's name. */
export function readText(posix: Posix, fd: number): string {
  const buffer = Buffer.alloc(65_536);
  const count = posix.read(fd, buffer);
  if (count === 0) return 'end of file';
  return count < 0 ? (errnoName(count) ?? String(count)) : buffer.toString('latin1', 0, count);
}

/** Writes text: the bytes taken, or the errno's name. */
export function writeText(posix: Posix, fd: number, text: string): number | string {
  const count = posix.write(fd, Buffer.from(text, 'latin1'));
  return count < 0 ? (errnoName(count) ?? String(count)) : count;
}
