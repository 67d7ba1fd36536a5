// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { constants } from 'node:fs';
import type { FileCalls } from '../../../src/posix/files.js';

/** `fdatasync`: or a write that is as good as one, through O_DSYNC; `synced`: the result of either, once carried out. */
type Held = 'fdatasync' | 'synced' | 'read' | 'write';

/** Holds back the results of reads and syncs, or the beginning of writes and syncs, so that a test sees what does not wait for them. */
export class HeldCalls {
  readonly #held = new Map<string, (() => void)[]>();

  /** Calls of a file wait from now on. */
  hold(call: Held, path: string): void {
    this.#held.set(`${call} ${path}`, []);
  }

  /** How many wait. */
  waiting(call: Held, path: string): number {
    return this.#held.get(`${call} ${path}`)?.length ?? 0;
  }

  /** Those that wait go on, and no more are held. */
  release(call: Held, path: string): void {
    const waiting = this.#held.get(`${call} ${path}`) ?? [];
    this.#held.delete(`${call} ${path}`);
    for (const goOn of waiting) goOn();
  }

  /** The calls of a process, of which some are held. */
  over(files: FileCalls): FileCalls {
    const paths = new Map<number, string>();
    const durable = new Set<number>();
    const wait = (call: Held, fd: number, start: () => void): void => {
      const waiting = this.#held.get(`${call} ${paths.get(fd)}`);
      if (waiting) waiting.push(start);
      else start();
    };
    const own: Partial<FileCalls> = {
      open: (path, flags, done, mode) =>
        files.open(
          path,
          flags,
          (fd) => {
            if (fd >= 0) paths.set(fd, path);
            if (fd >= 0 && (flags & constants.O_DSYNC) !== 0) durable.add(fd);
            else durable.delete(fd);
            done(fd);
          },
          mode,
        ),
      rename: (from, to, done) => {
        for (const [fd, path] of paths) if (path === from) paths.set(fd, to);
        files.rename(from, to, done);
      },
      write: (fd, buffer, position, done) =>
        wait('write', fd, () => {
          if (!durable.has(fd)) files.write(fd, buffer, position, done);
          else
            wait('fdatasync', fd, () =>
              files.write(fd, buffer, position, (result) => wait('synced', fd, () => done(result))),
            );
        }),
      fdatasync: (fd, done) =>
        wait('fdatasync', fd, () => files.fdatasync(fd, (result) => wait('synced', fd, () => done(result)))),
      read: (fd, buffer, position, done) =>
        files.read(fd, buffer, position, (result) => wait('read', fd, () => done(result))),
    };
    return new Proxy(files, {
      get: (target, name: keyof FileCalls) => own[name] ?? target[name].bind(target),
    });
  }
}
