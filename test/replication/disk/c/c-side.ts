// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { AF_INET, errno, SO_ERROR, SOCK_STREAM, SOL_SOCKET } from '../../../../src/posix/index.js';
import type { SimulatedHost, SimulatedWorld } from '../../../../src/testing/index.js';

export const BACKUP = '10.0.0.2';
export const PORT = 9000;

/** The other side of a replication, byte by byte: what a C driver, or whoever takes its part, sends and gets. */
export class CSide {
  readonly #world: SimulatedWorld;
  readonly #host: SimulatedHost;
  #listener = -1;
  #fd = -1;
  #come = Buffer.alloc(0);
  /** Whether the stream has ended, and how. */
  end: 'end of stream' | 'reset' | undefined;
  connections = 0;

  constructor(world: SimulatedWorld, host: SimulatedHost) {
    this.#world = world;
    this.#host = host;
  }

  listen(): void {
    const { posix } = this.#host;
    this.#listener = posix.socket(AF_INET, SOCK_STREAM);
    check(posix.bind(this.#listener, { family: AF_INET, address: BACKUP, port: PORT }));
    check(posix.listen(this.#listener, 4));
  }

  stopListening(): void {
    if (this.#listener >= 0) this.#host.posix.close(this.#listener);
    this.#listener = -1;
  }

  /** Takes a connection if there is one. */
  accept(): boolean {
    const { posix } = this.#host;
    const fd = posix.accept(this.#listener);
    if (fd < 0) return false;
    this.#begin(fd);
    return true;
  }

  /** @returns 0, or the negative errno of the attempt */
  async connect(): Promise<number> {
    const { posix } = this.#host;
    const fd = posix.socket(AF_INET, SOCK_STREAM);
    posix.connect(fd, { family: AF_INET, address: BACKUP, port: PORT });
    await this.#world.complete(posix.select({ write: [fd] }, 5));
    const error = posix.getsockopt(fd, SOL_SOCKET, SO_ERROR);
    if (error !== 0) {
      posix.close(fd);
      return -error;
    }
    this.#begin(fd);
    return 0;
  }

  #begin(fd: number): void {
    this.#fd = fd;
    this.#come = Buffer.alloc(0);
    this.end = undefined;
    this.connections += 1;
  }

  async send(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      const taken = this.#host.posix.write(this.#fd, bytes.subarray(at));
      if (taken > 0) at += taken;
      else if (taken === -errno.EAGAIN) await this.#world.run(0.001);
      else return;
    }
  }

  /** All that has come since it was taken. */
  get come(): Buffer {
    const buffer = Buffer.alloc(65_536);
    while (this.#fd >= 0 && this.end === undefined) {
      const count = this.#host.posix.read(this.#fd, buffer);
      if (count === -errno.EAGAIN) break;
      if (count > 0) this.#come = Buffer.concat([this.#come, buffer.subarray(0, count)]);
      else this.end = count === 0 ? 'end of stream' : 'reset';
    }
    return this.#come;
  }

  take(length: number): Buffer {
    const taken = this.come.subarray(0, length);
    this.#come = this.#come.subarray(length);
    return taken;
  }

  /** Waits for so many bytes, or the end of the stream. */
  async taken(length: number, limitSeconds = 1): Promise<Buffer> {
    await this.until(() => this.come.length >= length || this.end !== undefined, limitSeconds);
    return this.take(length);
  }

  /** @returns whether it came true */
  async until(condition: () => boolean, limitSeconds = 1): Promise<boolean> {
    for (let waited = 0; waited < limitSeconds; waited += 0.01) {
      if (condition()) return true;
      await this.#world.run(0.01);
    }
    return condition();
  }

  halfClose(): void {
    this.#host.posix.shutdown(this.#fd, 1);
  }
  close(): void {
    if (this.#fd >= 0) this.#host.posix.close(this.#fd);
    this.#fd = -1;
  }
  /** Its process is gone, and its connections are reset. */
  reset(): void {
    this.#host.crash('reset');
    this.#fd = -1;
    this.#listener = -1;
    this.#host.restart();
  }
}

function check(result: number): void {
  if (result < 0) throw new Error(`a call failed: ${result}`);
}
