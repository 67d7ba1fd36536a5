// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import type { Test } from 'tap';
import { NodePosix } from '../../../../src/posix/index.js';
import { RingFiles } from '../../../../src/posix/node/file-ring/ring-files.js';
import { RingHost } from '../../../../src/posix/node/file-ring/ring-host.js';
import { type StartThread, threadStarter } from '../../../../src/posix/node/file-ring/thread-handle.js';
import { SharedBuffers } from '../../../../src/posix/node/shared-buffers.js';
import { nodeTimers, type Timers } from '../../../../src/posix/timers.js';
import { moduleFile } from '../../../../scripts/program.js';
import { Completions } from '../../../../src/server/completions.js';
import { nullLogger } from '../../../../src/server/logger.js';
import { TapdiskServer } from '../../../../src/server/tapdisk-server.js';

export const CALL_BYTES = 4096;

/** Files whose calls may go through rings, on a running scheduler, until the test has ended. */
export interface RingWorld {
  readonly buffers: SharedBuffers;
  readonly lines: string[];
  /** The threads of all rings, in the order of their starts. */
  readonly workers: Worker[];
  /** By thread, in that order: fulfilled when it runs. */
  readonly online: Promise<unknown>[];
  /** Words that threads of {@link heldThreads} share with the test. */
  readonly control: Int32Array;
  /** Another user of files in the same process. */
  files(): RingFiles;
  /** A new file of so many bytes, open for reading and writing. */
  open(bytes: number): number;
}

export interface RingWorldOptions {
  readonly timers?: Timers;
  /** What starts threads; the product's own unless given. */
  readonly start?: (world: RingWorld) => StartThread;
}

export function ringWorld(t: Test, { timers = nodeTimers, start }: RingWorldOptions = {}): RingWorld {
  const directory = mkdtempSync(join(tmpdir(), 'ring-'));
  const posix = new NodePosix();
  const server = new TapdiskServer({ posix, logger: nullLogger });
  const completions = new Completions(server, posix, nullLogger);
  const running = server.run({ signals: false });
  const buffers = new SharedBuffers(timers);
  const fds: number[] = [];
  const world: RingWorld = {
    buffers,
    lines: [],
    workers: [],
    online: [],
    control: new Int32Array(new SharedArrayBuffer(16)),
    files: () => new RingFiles(completions, (line) => void world.lines.push(line), host),
    open(bytes) {
      const path = join(directory, `${fds.length}`);
      writeFileSync(path, Buffer.alloc(bytes));
      const fd = openSync(path, 'r+');
      fds.push(fd);
      return fd;
    },
  };
  const ownStart = threadStarter(undefined, (worker) => created(world, worker));
  const host = new RingHost(buffers, timers, start?.(world) ?? ownStart);
  t.teardown(async () => {
    Atomics.store(world.control, 0, 0);
    Atomics.notify(world.control, 0);
    await Promise.all(world.workers.map((worker) => worker.terminate()));
    buffers[Symbol.dispose]();
    completions[Symbol.dispose]();
    server.stop();
    await running;
    for (const fd of fds) closeSync(fd);
    rmSync(directory, { recursive: true });
  });
  return world;
}

function created(world: RingWorld, worker: Worker): void {
  world.workers.push(worker);
  world.online.push(once(worker, 'online'));
}

/** Threads whose calls wait. */
export const heldThreads = (world: RingWorld): StartThread => {
  const file = moduleFile('test/posix/node/file-ring/held-thread.ts');
  const started = threadStarter(file, (worker) => created(world, worker));
  return (data, listener) => started({ ...data, control: world.control.buffer } as typeof data, listener);
};

/** Result of a call. */
export const told = (call: (done: (result: number) => void) => void): Promise<number> =>
  new Promise((resolve) => {
    call(resolve);
  });

/** Reads at the same time, each of one call's bytes, one behind the other from `position` on. */
export function readMany(world: RingWorld, files: RingFiles, fd: number, count: number): Promise<number[]> {
  return Promise.all(
    Array.from({ length: count }, (_, index) => {
      const buffer = world.buffers.take(CALL_BYTES);
      // Every second place, so that none adjoins another.
      return told((done) => files.read(fd, buffer, index * 2 * CALL_BYTES, done)).finally(() =>
        world.buffers.give(buffer),
      );
    }),
  );
}

/** Reads until there is a thread, and its ring takes calls. */
export async function warmUp(world: RingWorld, files: RingFiles, fd: number): Promise<void> {
  const before = world.workers.length;
  for (let turn = 0; turn < 1000 && world.workers.length === before; turn++) {
    await readMany(world, files, fd, 2);
  }
  if (world.workers.length === before) throw new Error('no ring comes into being');
  await world.online[before];
}
