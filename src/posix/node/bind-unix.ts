// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import fs from 'node:fs';
import { basename, dirname } from 'node:path';
import { AF_UNIX, type UnixAddress } from '../address.js';
import type { Bound } from './bound.js';
import { errno } from '../errno.js';
import { absolutePath } from '../exact-text.js';
import { namesDirectory } from '../path-text.js';
import { PrivatePlace } from './private-place.js';
import type { CreateServerHandle, ServerHandle } from './server-handle.js';
import { SocketFile } from './socket-file.js';
import { systemErrno } from './system-errno.js';

/**
 * Binds a Unix socket: its file is there from then on, with the mode of the address or what the umask leaves.
 *
 * The sockets are made in a {@link PrivatePlace} and linked to the path. So the file has its mode before anybody can
 * connect, no mode is set through a path that others can bend, and the library under Node, which removes the path that it
 * bound when it closes a socket, finds nothing there: {@link SocketFile} removes the name, and only if it is still ours.
 *
 * @param create without it the file is made by listen only
 */
export function bindUnix(create: CreateServerHandle | undefined, address: UnixAddress): Bound | number {
  // It is removed under the same name, wherever the process has gone by then.
  const path = absoluteOf(address);
  if (typeof path === 'number') return path;
  const name = basename(path);
  let handle: ServerHandle | undefined;
  let file: SocketFile | undefined;
  let mode = address.mode;

  const bindHandle = (call: CreateServerHandle): number => {
    return inPrivate(path, (place) => {
      const from = place.newPath(name);
      const made = call(from, -1, -1);
      if (typeof made === 'number') return made;
      const outcome = SocketFile.publish(from, path, mode);
      if (typeof outcome === 'number') {
        made.close();
        return outcome;
      }
      handle = made;
      file = outcome;
      return 0;
    });
  };
  const letGo = (): void => {
    // The file first: as long as the socket is open, nobody else's has its inode.
    file?.remove();
    file = undefined;
    handle?.close();
    handle = undefined;
  };

  const outcome = create === undefined ? checkFree(path) : bindHandle(create);
  if (outcome < 0) return outcome;
  return {
    address: { family: AF_UNIX, path: address.path },
    listen: (server, backlog) =>
      inPrivate(path, (place) => {
        // A server takes no handle of a Unix socket. It binds another; what the caller may have done to the file's
        // permissions since bind is carried over, as they are the bound socket's own.
        mode = file?.mode ?? mode;
        const from = place.newPath(name);
        server.listen({ path: from, backlog, exclusive: true });
        if (!server.listening) return -errno.EADDRINUSE;
        const published = SocketFile.publish(from, path, mode, file);
        letGo();
        if (typeof published === 'number') {
          server.close();
          return published;
        }
        file = published;
        // A user of the server object may close it, too.
        server.once('close', letGo);
        return 0;
      }),
    close: letGo,
  };
}

function absoluteOf({ path }: UnixAddress): string | number {
  // As for the kernel, a socket is no directory.
  if (namesDirectory(path)) return fs.existsSync(path) ? -errno.EADDRINUSE : -errno.ENOENT;
  try {
    return absolutePath(path);
  } catch (error) {
    return systemErrno(error);
  }
}

function checkFree(path: string): number {
  if (fs.lstatSync(path, { throwIfNoEntry: false }) !== undefined) return -errno.EADDRINUSE;
  return fs.existsSync(dirname(path)) ? 0 : -errno.ENOENT;
}

function inPrivate(path: string, work: (place: PrivatePlace) => number): number {
  const place = PrivatePlace.beside(path);
  if (typeof place === 'number') return place;
  try {
    return work(place);
  } finally {
    place.remove();
  }
}
