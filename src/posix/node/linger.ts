// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { Socket } from 'node:net';
import { Readable, Writable } from 'node:stream';
import type { NodeStream } from '../shared/node-object.js';
import { MAX_TIMER_MS, type TimerHandle, type Timers } from '../timers.js';

/**
 * How long a closed socket may make no progress at all in sending what was written, in seconds, unless set otherwise;
 * then it is reset. The kernel would try for longer, but without holding a process alive.
 */
export const DEFAULT_LINGER_SECONDS = 60;

/** How many closed sockets of the process may still have something to send; beyond that the oldest is reset. */
export const MAX_LINGERING = 64;
const lingering = new Set<Socket>();

/** Closes a stream as close(2) does: what was written is still sent, what comes in is thrown away. */
export function closeStream(stream: NodeStream, timers: Timers, lingerSeconds: number): void {
  if (stream.destroyed) return;
  if (stream instanceof Socket) closeSocket(stream, timers, lingerSeconds);
  else if (stream instanceof Writable) {
    if (!stream.writableEnded) stream.end();
    // Node destroys it once both sides are through. Its reading side may have another reader (a compressor's output), so
    // it is emptied only if nobody listens there.
    if (stream instanceof Readable && stream.listenerCount('readable') === 0) stream.resume();
  } else stream.destroy();
}

/**
 * Closes a socket for good once Node has handed everything to the kernel, without waiting for the peer's end of file.
 *
 * Until then incoming bytes are read and thrown away: a close with unread bytes would make the kernel send a reset
 * instead of the end of file, and the peer could lose what it has not read yet.
 */
function closeSocket(socket: Socket, timers: Timers, lingerSeconds: number): void {
  if (socket.connecting) {
    socket.destroy();
    return;
  }
  if (!socket.writableEnded) socket.end();
  if (socket.writableFinished) {
    socket.destroy();
    return;
  }
  socket.once('finish', () => {
    socket.destroy();
  });
  socket.resume();
  if (socket.writableLength > 0) linger(socket, timers, lingerSeconds);
}

function linger(socket: Socket, timers: Timers, lingerSeconds: number): void {
  lingering.add(socket);
  socket.once('close', () => lingering.delete(socket));
  const [oldest] = lingering;
  if (oldest && lingering.size > MAX_LINGERING) {
    lingering.delete(oldest);
    reset(oldest);
  }
  resetWithoutProgress(socket, timers, lingerSeconds);
}

/** Looks every `lingerSeconds` whether the socket has sent anything, and resets it if not. */
function resetWithoutProgress(socket: Socket, timers: Timers, lingerSeconds: number): void {
  const delayMs = Math.min(lingerSeconds * 1000, MAX_TIMER_MS);
  let left = socket.writableLength;
  let timer: TimerHandle;
  const look = (): void => {
    if (left > 0 && socket.writableLength === left) reset(socket);
    else {
      left = socket.writableLength;
      watch();
    }
  };
  const watch = (): void => {
    timer = timers.setTimeout(look, delayMs);
    // The socket itself holds the process alive while it has something to send.
    timer.unref();
  };
  watch();
  socket.once('close', () => {
    timers.clearTimeout(timer);
  });
}

/** Drops a connection at once; the peer of a TCP connection sees a reset, not an end of file, since bytes may be missing. */
export function reset(socket: Socket): void {
  // Node knows resets of plain TCP sockets only.
  if (Object.getPrototypeOf(socket) === Socket.prototype && socket.remoteFamily !== undefined)
    socket.resetAndDestroy();
  else socket.destroy();
}
