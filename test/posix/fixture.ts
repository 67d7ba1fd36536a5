// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { once } from 'node:events';
import net from 'node:net';
import type { Test } from 'tap';
import {
  AF_INET,
  type Inet4Address,
  NodePosix,
  type NodePosixOptions,
  SOCK_STREAM,
  type TimerHandle,
  type Timers,
  WRITABLE,
} from '../../src/posix/index.js';
import { bound, closeAll, readiness, succeeded } from './arms/world.js';

/** A table whose descriptors are closed when the test ends. */
export function posixFor(t: Test, options: NodePosixOptions = {}): NodePosix {
  const posix = new NodePosix(options);
  t.teardown(() => {
    closeAll({ a: posix, b: posix });
  });
  return posix;
}

/** A Node server on the loopback that ends with the test. */
export async function nodeServer(
  t: Test,
  options: net.ServerOpts = {},
): Promise<{ server: net.Server; address: Inet4Address }> {
  const server = net.createServer(options);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.close();
  });
  const { port } = server.address() as net.AddressInfo;
  return { server, address: { family: AF_INET, address: '127.0.0.1', port } };
}

/** An address that is taken, at which nobody listens: who connects there is refused, until the test has ended. */
export function refusingAddress(t: Test): Inet4Address {
  const { address } = bound(posixFor(t), { family: AF_INET, address: '127.0.0.1', port: 0 });
  return address as Inet4Address;
}

/** A connected descriptor and, as its peer, a plain Node socket. */
export async function connectedTo(t: Test, posix: NodePosix): Promise<{ fd: number; peer: net.Socket }> {
  const { server, address } = await nodeServer(t, { allowHalfOpen: true });
  const arrival = once(server, 'connection') as Promise<[net.Socket]>;
  const fd = succeeded(posix.socket(AF_INET, SOCK_STREAM));
  posix.connect(fd, address);
  const [peer] = await arrival;
  // A peer that is gone is no matter of the test's.
  peer.on('error', () => {});
  t.teardown(() => {
    peer.destroy();
  });
  await readiness(posix, fd, WRITABLE);
  succeeded(-posix.getsockopt(fd, 1, 4));
  return { fd, peer };
}

/** Learns of the calls of a function of Node's sockets until the test has ended. */
export function spyOn(
  t: Test,
  name: 'setNoDelay' | 'setKeepAlive',
  called: (args: unknown[], socket: net.Socket) => void,
): void {
  const original = net.Socket.prototype[name] as (...args: unknown[]) => net.Socket;
  net.Socket.prototype[name] = function (this: net.Socket, ...args: unknown[]) {
    called(args, this);
    return original.apply(this, args);
  };
  t.teardown(() => {
    net.Socket.prototype[name] = original;
  });
}

/** Timers whose time passes only when they are told. */
export class ManualTimers implements Timers {
  nowMs = 1000;
  readonly set: {
    atMs: number;
    delayMs: number;
    callback: () => void;
    referenced: boolean;
    handle: TimerHandle;
  }[] = [];

  now(): number {
    return this.nowMs;
  }

  setTimeout(callback: () => void, delayMs: number): TimerHandle {
    const timer = {
      atMs: this.nowMs + delayMs,
      delayMs,
      callback,
      referenced: true,
      handle: {
        ref: (): void => {
          timer.referenced = true;
        },
        unref: (): void => {
          timer.referenced = false;
        },
      },
    };
    this.set.push(timer);
    return timer.handle;
  }

  clearTimeout(handle: TimerHandle): void {
    const index = this.set.findIndex((timer) => timer.handle === handle);
    if (index >= 0) this.set.splice(index, 1);
  }

  /** Lets time pass and fires what is due on the way, each up to `earlyMs` too early. */
  pass(durationMs: number, earlyMs = 0): void {
    const end = this.nowMs + durationMs;
    for (;;) {
      const next = this.set.toSorted((a, b) => a.atMs - b.atMs)[0];
      if (next === undefined || next.atMs - earlyMs > end) break;
      this.clearTimeout(next.handle);
      this.nowMs = Math.max(this.nowMs, next.atMs - earlyMs);
      next.callback();
    }
    this.nowMs = end;
  }
}

/** After everything that the event loop has ready has run, poll phase included. */
export async function turns(count = 2): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
}
