// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { createHash } from 'node:crypto';
import { PassThrough, Readable } from 'node:stream';
import tap, { type Test } from 'tap';
import { NodePosix } from '../../src/posix/index.js';
import { nullLogger, TapdiskServer } from '../../src/server/index.js';
import { Backup, type BackupOptions } from '../../src/transfer/backup.js';
import type { Input } from '../../src/transfer/input.js';
import type { Copy, Output } from '../../src/transfer/output.js';
import { Primary, type PrimaryOptions } from '../../src/transfer/primary.js';
import type { TransferEvent, TransferObserver } from '../../src/transfer/transfer-event.js';

type EventOf<Name extends TransferEvent['event']> = Extract<TransferEvent, { event: Name }>;

/** Everything that a role tells, and a way to wait for it. */
export class EventLog implements TransferObserver {
  readonly events: TransferEvent[] = [];
  #moves = 0;
  #waiting: (() => void)[] = [];

  onEvent(event: TransferEvent): void {
    this.events.push(event);
    this.#wake();
  }

  onProgress(): void {
    this.#moves += 1;
    this.#wake();
  }

  names(): string[] {
    return this.events.map(({ event }) => event);
  }

  /** The `nth` event of a name, counted from 1, as soon as there is one. */
  async event<Name extends TransferEvent['event']>(name: Name, nth = 1): Promise<EventOf<Name>> {
    for (;;) {
      const found = this.events.filter(({ event }) => event === name)[nth - 1];
      if (found !== undefined) return found as EventOf<Name>;
      await this.#anything();
    }
  }

  /** Some bytes of the image have moved. */
  async bytesMoved(): Promise<void> {
    while (this.#moves === 0) await this.#anything();
  }

  #anything(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }
}

/**
 * A test with a server that runs while the body does, and has nothing left afterwards. It runs beside others where the
 * file sets tap's `jobs`.
 */
export function serverTest(
  title: string,
  body: (t: Test, server: TapdiskServer) => Promise<void>,
  posix?: NodePosix,
): void {
  tap.test(title, { buffered: tap.jobs > 1 }, async (t) => {
    const server = new TapdiskServer({ logger: nullLogger, ...(posix !== undefined && { posix }) });
    const run = server.run({ signals: false });
    try {
      await body(t, server);
      t.same([...server.scheduler.events()], [], 'no event is left');
      t.same(server.posix.openDescriptors(), [], 'no descriptor is left');
    } finally {
      server.stop();
      await run;
    }
  });
}

/** A system that notes which connections are looked up to be reset. */
export class NotedResets extends NodePosix {
  readonly resets: number[] = [];

  override nodeObject(fd: number): ReturnType<NodePosix['nodeObject']> {
    this.resets.push(fd);
    return super.nodeObject(fd);
  }
}

/** A primary with what it tells. */
export function primaryOn(server: TapdiskServer, options: Partial<PrimaryOptions> & { name: string }) {
  const log = new EventLog();
  const primary = new Primary({
    registrar: server,
    posix: server.posix,
    logger: nullLogger,
    observer: log,
    input: inputOf(Buffer.from('image')),
    raw: false,
    idleSeconds: 0,
    ...options,
  });
  return { primary, log };
}

/** A backup with what it tells. */
export function backupOn(server: TapdiskServer, options: Partial<BackupOptions> = {}) {
  const log = new EventLog();
  const backup = new Backup({
    registrar: server,
    posix: server.posix,
    logger: nullLogger,
    observer: log,
    name: '127.0.0.1:0',
    output: new MemoryOutput(),
    once: false,
    acceptsRaw: true,
    idleSeconds: 0,
    ...options,
  });
  return { backup, log };
}

/** A backup that listens, with its address. */
export async function listeningBackup(server: TapdiskServer, options: Partial<BackupOptions> = {}) {
  const { backup, log } = backupOn(server, options);
  await backup.start();
  const { address } = await log.event('listening');
  return { backup, log, address };
}

/** An image that comes from memory. */
export function inputOf(image: Buffer): Input {
  return { name: 'memory', stream: Readable.from([image], { objectMode: false }), size: image.length };
}

/** An input that the test feeds. */
export function openInput(): { input: Input; stream: PassThrough } {
  const stream = new PassThrough();
  return { input: { name: 'feed', stream, size: undefined }, stream };
}

/** Keeps committed copies in memory. */
export class MemoryOutput implements Output {
  readonly name = 'memory';
  readonly appends: boolean;
  readonly copies: Buffer[] = [];
  abandoned = 0;

  constructor({ appends = false } = {}) {
    this.appends = appends;
  }

  async begin(): Promise<Copy> {
    const stream = new PassThrough();
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    return {
      stream,
      commit: () =>
        new Promise((resolve) => {
          stream.on('end', () => {
            this.copies.push(Buffer.concat(chunks));
            resolve();
          });
          stream.end();
        }),
      abandon: async () => {
        this.abandoned += 1;
        stream.destroy();
      },
    };
  }
}

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
