// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { BlockList } from 'node:net';
import { AF_INET6, formatAddress, type InetAddress } from '../posix/address.js';
import { errnoCode, strerror } from '../posix/errno.js';
import { nodeTimers } from '../posix/timers.js';
import { SystemError } from '../posix/system-error.js';
import type { NodePosix } from '../posix/index.js';
import type { EventRegistrar } from '../scheduler/registrar.js';
import type { Logger } from '../server/logger.js';

/** What a replica's connection lives on: a TapdiskServer over Node's sockets is one. It must be running. */
export interface ReplicaHost extends EventRegistrar {
  readonly posix: NodePosix;
  readonly logger: Logger;
  /** Whether its loop runs; unknown unless it says so. */
  readonly isRunning?: boolean;
}

/** How long a server that does not run is waited for before that is worth a warning, in milliseconds. */
const RUN_PATIENCE_MS = 1000;

/** Warns, as Node does of its own, of a server whose run was forgotten: nothing would ever happen. Returns how to stop that. */
export function warnUnlessRunning(server: ReplicaHost, timers = nodeTimers): () => void {
  if (server.isRunning !== false) return () => {};
  const timer = timers.setTimeout(() => {
    if (server.isRunning !== false) return;
    process.emitWarning('the server that was given does not run: call server.run()', {
      type: 'TapdiskServerNotRunning',
    });
  }, RUN_PATIENCE_MS);
  timer.unref();
  return () => timers.clearTimeout(timer);
}

/** Which peers are talked to. */
export interface PeerFilter {
  /** Only addresses on this list; every address unless given. */
  readonly allow?: BlockList;
  /** Not the addresses on this list, even if allowed. */
  readonly deny?: BlockList;
}

/** Whether the filter allows an address. */
export function isPeerAllowed(filter: PeerFilter, peer: InetAddress): boolean {
  const family = peer.family === AF_INET6 ? 'ipv6' : 'ipv4';
  if (filter.deny?.check(peer.address, family)) return false;
  return filter.allow?.check(peer.address, family) ?? true;
}

/** An error of a replica's connection; `code` is stable. */
export class ReplicaError extends SystemError {
  override readonly name = 'ReplicaError';

  /** @param code an errno's or EAI_ code's name */
  constructor(message: string, code: string) {
    super(code, message);
  }
}

/** The error of a call that returned a negative errno. */
export function callError(what: string, answer: number, address: InetAddress): ReplicaError {
  return new ReplicaError(`${what} ${formatAddress(address)}: ${strerror(-answer)}`, errnoCode(answer));
}

/** @throws RangeError when a port is not an integer in the given range */
export function checkPort(port: number, least: number): void {
  if (!Number.isInteger(port) || port < least || port > 65_535) {
    throw new RangeError(`the port is ${port}, but must be an integer from ${least} to 65535`);
  }
}
