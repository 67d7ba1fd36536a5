// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { errno } from '../errno.js';
import type { NodeObject } from '../shared/node-object.js';
import type { TaskQueue } from './task-queue.js';

/** What TLS needs of the operating system: the Node object behind a descriptor, and a descriptor for another one (rule D5). */
export interface NodeObjects {
  adopt(object: NodeObject): number;
  nodeObject(fd: number): NodeObject | undefined;
  release(fd: number): number;
  close(fd: number): number;
}

/** Called with the descriptor for what is said under TLS, or a negative errno and, where it is known, why. */
export type SecuredDone = (result: number, reason?: string) => void;

/**
 * Puts TLS on a connected descriptor, after what was written to it. Its number is gone at once.
 *
 * @param wrap makes TLS of the socket and says when it may be used: at once, or once the handshake was judged
 * @returns how to give up before `done` is called: the connection ends, and it is not called
 */
export function startTls(
  posix: NodeObjects,
  tasks: TaskQueue,
  fd: number,
  wrap: (socket: Socket, usable: (secured: TLSSocket | string) => void) => void,
  done: SecuredDone,
): () => void {
  const socket = posix.nodeObject(fd);
  posix.release(fd);
  let givenUp = false;
  let adopted = -1;
  const ignore = (): void => {};
  const tell = (result: number, reason?: string): void =>
    tasks.post(() => (givenUp ? undefined : done(result, reason)));
  if (!(socket instanceof Socket)) {
    // The peer has sent more than it may, and the end of its stream: what reads that is no socket any more.
    // Destroyed before its end the stream emits an error, for which nobody else listens.
    if (socket && 'destroy' in socket) socket.on('error', ignore).destroy();
    tell(-errno.ECONNRESET);
    return () => {
      givenUp = true;
    };
  }
  // Between the two descriptors nobody else listens; what goes wrong shows in the callback of write.
  socket.on('error', ignore);
  socket.write('', (error) => {
    if (givenUp) return;
    if (error) {
      socket.destroy();
      tell(-errno.ECONNRESET);
      return;
    }
    // A peer that ends the stream in mid-handshake is gone, which Node would not report.
    socket.allowHalfOpen = false;
    wrap(socket, (secured) => {
      if (typeof secured === 'string' || givenUp) {
        socket.destroy();
        if (typeof secured === 'string') tell(-errno.EPROTO, secured);
        return;
      }
      adopted = posix.adopt(secured);
      if (adopted < 0) secured.on('error', ignore).destroy();
      else socket.off('error', ignore);
      tell(adopted);
    });
  });
  return () => {
    givenUp = true;
    if (adopted >= 0) posix.close(adopted);
    else socket.destroy();
  };
}
