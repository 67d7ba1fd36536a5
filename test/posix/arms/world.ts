// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Test } from 'tap';
import type { SocketAddress } from '../../../src/posix/address.js';
import { type InetAddress, type Posix, READABLE, WRITABLE } from '../../../src/posix/index.js';

/**
 * Two programs that can reach each other, each with its own descriptors. The bodies in this folder use nothing else, so
 * that they hold for every implementation of Posix.
 */
export interface World {
  /** The program that mostly connects. */
  readonly a: Posix;
  /** The program that mostly listens. */
  readonly b: Posix;
  /** An address of a's host with port 0, which b reaches. */
  readonly hostA: InetAddress;
  /** An address of b's host with port 0: bind chooses a free one, and a can connect there. */
  readonly hostB: InetAddress;
  /** Another family's loopback address with port 0, where the world has one: both programs are on its host. */
  readonly loopback6: InetAddress | undefined;
  /** An address that b's host does not have, with port 0. */
  readonly foreign: InetAddress;
  /** A fresh path for a Unix socket of b's host that a can connect to, where the world has them. */
  unixPath(): string | undefined;
  /** Drops the connection under a descriptor, so that the peer meets a reset. */
  reset(posix: Posix, fd: number): void;
  /** Opens descriptors up to the table's limit of a and returns them. The limit is low enough to do so. */
  readonly maxDescriptorsOfA: number;
}

/** Something that holds in every world. */
export interface Behaviour {
  readonly title: string;
  readonly body: (t: Test, world: World) => Promise<void>;
}

/** Long enough that only a broken implementation gets there, in seconds. */
const GIVE_UP_SECONDS = 20;

/** Waits until a descriptor is ready for a condition. */
export async function readiness(posix: Posix, fd: number, condition: number): Promise<void> {
  const sets = condition === READABLE ? { read: [fd] } : { write: [fd] };
  const answer = await posix.select(sets, GIVE_UP_SECONDS);
  const ready = typeof answer === 'number' ? [] : [...answer.read, ...answer.write];
  if (!ready.includes(fd))
    throw new Error(`descriptor ${fd} did not become ready: ${JSON.stringify(answer)}`);
}

/** What a descriptor is ready for at this moment: R, W, RW or nothing. */
export async function readyFor(posix: Posix, fd: number): Promise<string> {
  const answer = await posix.select({ read: [fd], write: [fd], except: [fd] }, 0);
  if (typeof answer === 'number') return String(answer);
  return (
    (answer.read.length > 0 ? 'R' : '') +
    (answer.write.length > 0 ? 'W' : '') +
    (answer.except.length > 0 ? 'E' : '')
  );
}

/** A socket that has a port and does not listen on it: who connects to it is refused. */
export function bound(posix: Posix, address: SocketAddress): { fd: number; address: SocketAddress } {
  const fd = succeeded(posix.socket(address.family, 1));
  succeeded(posix.bind(fd, address));
  return { fd, address: addressOf(posix.getsockname(fd)) };
}

/** A socket that listens at a port that bind chose. */
export function listening(
  posix: Posix,
  address: SocketAddress,
  backlog = 5,
): { fd: number; address: SocketAddress } {
  const named = bound(posix, address);
  succeeded(posix.listen(named.fd, backlog));
  return named;
}

/** Both ends of a fresh connection, and the listener it came through. */
export async function connection(
  world: World,
  at: SocketAddress = world.hostB,
): Promise<{ client: number; server: number; listener: number }> {
  const listener = listening(world.b, at);
  const client = succeeded(world.a.socket(at.family, 1));
  world.a.connect(client, listener.address);
  await readiness(world.a, client, WRITABLE);
  succeeded(-world.a.getsockopt(client, 1, 4));
  return { client, server: await acceptOne(world.b, listener.fd), listener: listener.fd };
}

export async function acceptOne(posix: Posix, listener: number): Promise<number> {
  await readiness(posix, listener, READABLE);
  return succeeded(posix.accept(listener));
}

/** Reads what is there, up to `size` bytes, once something is; '' at end of file, the errno's number otherwise. */
export async function readText(posix: Posix, fd: number, size = 65_536): Promise<string> {
  await readiness(posix, fd, READABLE);
  const buffer = Buffer.alloc(size);
  const count = posix.read(fd, buffer);
  return count < 0 ? String(count) : buffer.toString('latin1', 0, count);
}

/** Reads to the end of file. */
export async function readToEnd(posix: Posix, fd: number, size = 65_536): Promise<string> {
  let text = '';
  for (;;) {
    const piece = await readText(posix, fd, size);
    if (piece === '') return text;
    text += piece;
  }
}

/** Writes everything, waiting for room as often as needed. */
export async function writeText(posix: Posix, fd: number, text: string): Promise<void> {
  let left: Uint8Array = Buffer.from(text, 'latin1');
  while (left.length > 0) {
    await readiness(posix, fd, WRITABLE);
    left = left.subarray(succeeded(posix.write(fd, left)));
  }
}

/** Closes what a test has opened. */
export function closeAll(world: Pick<World, 'a' | 'b'>): void {
  for (const posix of [world.a, world.b]) for (const { fd } of posix.openDescriptors()) posix.close(fd);
}

export function succeeded(answer: number): number {
  if (answer < 0) throw new Error(`a call failed with ${answer}`);
  return answer;
}

export function addressOf(answer: SocketAddress | number): SocketAddress {
  if (typeof answer === 'number') throw new Error(`no address but ${answer}`);
  return answer;
}
