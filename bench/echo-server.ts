// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// An echo server in a process of its own: over plain node:net; the same, but writing at the end of the event loop's turn; or
// over the scheduler's descriptors. It prints its port, and ends with its standard input.

import { createServer, type AddressInfo } from 'node:net';
import { AF_INET, type Inet4Address, SOCK_STREAM } from '../src/posix/index.js';
import { errno } from '../src/posix/errno.js';
import { POLL_READ_FD, POLL_WRITE_FD } from '../src/scheduler/index.js';
import { TapdiskServer } from '../src/server/index.js';

const BUFFER_BYTES = 64 * 1024;

/** @param deferred whether it writes when the turn's other events have had their say, as select has to answer */
function plain(deferred: boolean): void {
  const server = createServer((socket) => {
    const echo = (data: Buffer): void => {
      if (!socket.write(data)) {
        socket.pause();
        socket.once('drain', () => socket.resume());
      }
    };
    socket.on('data', deferred ? (data) => setImmediate(echo, data) : echo);
    socket.on('error', () => socket.destroy());
  });
  server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port));
}

/** Echoes what one descriptor receives: READ is asked for while the buffer is empty, WRITE while it is not. */
class Echo {
  readonly #buffer = new Uint8Array(BUFFER_BYTES);
  #from = 0;
  #to = 0;
  #id = -1;

  private readonly server: TapdiskServer;
  private readonly fd: number;

  constructor(server: TapdiskServer, fd: number) {
    this.server = server;
    this.fd = fd;
  }

  start(): void {
    this.#id = this.server.registerEvent(POLL_READ_FD, this.fd, 0, this.#read);
  }

  readonly #read = (): void => {
    const received = this.server.posix.read(this.fd, this.#buffer);
    if (received === -errno.EAGAIN) return;
    if (received <= 0) {
      this.server.unregisterEvent(this.#id);
      this.server.posix.close(this.fd);
      return;
    }
    this.#from = 0;
    this.#to = received;
    this.#drain();
    if (this.#from < this.#to) this.#ask(POLL_WRITE_FD, this.#write);
  };

  readonly #write = (): void => {
    this.#drain();
    if (this.#from === this.#to) this.#ask(POLL_READ_FD, this.#read);
  };

  #drain(): void {
    while (this.#from < this.#to) {
      const sent = this.server.posix.write(this.fd, this.#buffer.subarray(this.#from, this.#to));
      if (sent < 0) return;
      this.#from += sent;
    }
  }

  #ask(mode: number, callback: () => void): void {
    this.server.unregisterEvent(this.#id);
    this.#id = this.server.registerEvent(mode, this.fd, 0, callback);
  }
}

function scheduled(): void {
  const server = new TapdiskServer();
  const { posix } = server;
  const listener = posix.socket(AF_INET, SOCK_STREAM);
  posix.bind(listener, { family: AF_INET, address: '127.0.0.1', port: 0 });
  posix.listen(listener, 8);
  server.registerEvent(POLL_READ_FD, listener, 0, () => {
    const fd = posix.accept(listener);
    if (fd >= 0) new Echo(server, fd).start();
  });
  console.log((posix.getsockname(listener) as Inet4Address).port);
  void server.run();
}

const [, , kind] = process.argv;
if (kind === 'scheduled') scheduled();
else plain(kind === 'deferred');
process.stdin.on('end', () => process.exit(0)).resume();
