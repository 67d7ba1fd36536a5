// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { randomFillSync } from 'node:crypto';
import { errno } from '../../posix/errno.js';
import type { FileCalls } from '../../posix/files.js';
import { openFifo } from '../../posix/node/fifo.js';
import { NodeFileCalls } from '../../posix/node/files.js';
import { NodePosix } from '../../posix/node/node-posix.js';
import { cPeers } from '../../replication/disk/c/index.js';
import type { DiskReplication } from '../../replication/disk/disk-replication.js';
import type { ReplicationListener } from '../../replication/disk/events.js';
import { Replication } from '../../replication/disk/engine.js';
import { type PeerTls, peerTls } from '../../replication/disk/peer-tls.js';
import { LOG_WARNING } from '../../server/logger.js';
import { readWholeFile } from '../../server/own-file.js';
import {
  type BlockStatusDone,
  type DataRequest,
  type DiskInfo,
  type Done,
  type DoneWithReason,
  type Driver,
  type DriverContext,
  type FilterDriverType,
  type OpenFlags,
  type RangeRequest,
  type SectorRange,
  SECTOR_SIZE,
} from '../index.js';
import { identifyImage, RemusDisk } from './remus-disk.js';
import { C_FIFO_MODE, FIFO_DIRECTORY, FIFO_MODE, type OpenFifo, RemusFifos } from './remus-fifos.js';
import {
  parseRemusArgument,
  type RemusOptions,
  type RemusTlsOptions,
  stateDirectoryOf,
} from './remus-options.js';

/** What a remus driver works with beside its context. */
export interface RemusParts {
  readonly files: (context: DriverContext) => FileCalls;
  readonly random: (bytes: Uint8Array) => void;
  /** Without it there are no FIFOs for checkpoint control. */
  readonly openFifo?: (context: DriverContext) => OpenFifo | undefined;
}

type Opening = RemusOptions & { readonly directory: string };

/**
 * `remus:HOST:PORT[,KEY=VALUE…]|…`: keeps a backup of the disk below on another host, or is that backup (C: block-remus.c).
 * See docs/replication.md for the options, and `DiskReplication` for what is promised.
 *
 * Its files are in `IMAGE.remus/` beside the image, or in the `directory` that is given. Requests are the engine's: on a
 * backup, reads show the last committed checkpoint and changes are refused with -EROFS.
 */
export class RemusDriver implements Driver {
  readonly argument: string;
  readonly #below: Driver;
  readonly #context: DriverContext;
  readonly #parts: RemusParts;
  readonly #listeners = new Set<ReplicationListener>();
  #replication: Replication | undefined;
  #fifos: RemusFifos | undefined;
  /** Aborts the opening. */
  #opening = new AbortController();

  constructor(argument: string, below: Driver, context: DriverContext, parts: RemusParts) {
    this.argument = argument;
    this.#below = below;
    this.#context = context;
    this.#parts = parts;
  }

  /** The one among a disk's drivers; undefined for a disk that is not replicated. */
  static among(drivers: readonly Driver[]): RemusDriver | undefined {
    return drivers.find((driver) => driver instanceof RemusDriver);
  }

  /** Calls the listener for each event of this opening and later ones. */
  onEvent(listener: ReplicationListener): void {
    this.#listeners.add(listener);
  }

  /** While it is open. */
  get replication(): DiskReplication | undefined {
    return this.#replication;
  }

  /** -EINVAL for an argument that is wrong or a read-only opening, else as `DiskReplication.open`. */
  open(flags: OpenFlags, done: DoneWithReason): void {
    const options = parseRemusArgument(this.argument);
    if (typeof options === 'string') {
      done(-errno.EINVAL, options);
      return;
    }
    if (flags.readOnly || flags.shared) {
      done(-errno.EINVAL, 'a replicated disk cannot be opened read-only or shared');
      return;
    }
    this.#opening = new AbortController();
    identifyImage(this.#below, (result, image) => {
      const directory = options.directory ?? (image && stateDirectoryOf(image.path));
      if (result < 0) done(result);
      else if (directory === undefined) done(-errno.EINVAL, 'not a file: expected directory=PATH');
      else this.#open({ ...options, directory }, done);
    });
  }

  abortOpen(): void {
    this.#opening.abort();
  }

  info(): DiskInfo {
    return { ...this.#below.info(), copiesData: false };
  }

  /** Its peer would have to grow with it. */
  resize(done: DoneWithReason): void {
    done(-errno.EOPNOTSUPP, 'a replicated disk cannot be resized: both copies have to have the same size');
  }

  close(done: DoneWithReason): void {
    const replication = this.#opened;
    this.#replication = undefined;
    if (this.#fifos) this.#fifos.close(() => replication.close(done));
    else replication.close(done);
  }

  queueRead(request: DataRequest): void {
    this.#opened.read(request.sector, request.buffer.subarray(0, request.sectors * SECTOR_SIZE), (result) =>
      request.complete(result),
    );
  }
  queueWrite(request: DataRequest): void {
    this.#opened.write(request.sector, request.buffer.subarray(0, request.sectors * SECTOR_SIZE), (result) =>
      request.complete(result),
    );
  }
  flush(done: Done): void {
    this.#opened.flush(done);
  }
  /** As zeroes: what may read as anything must read the same on both sides. */
  discard(request: RangeRequest): void {
    this.writeZeroes(request);
  }
  writeZeroes(request: RangeRequest): void {
    this.#opened.zero(request.sector, request.sectors, (result) => request.complete(result));
  }

  /** As the disk below reports it, while that is what is read. A backup reads its last checkpoint: all is data there. */
  blockStatus(range: SectorRange, done: BlockStatusDone): void {
    this.#status(range, done, false);
  }
  blockStatusFast(range: SectorRange, done: BlockStatusDone): void {
    this.#status(range, done, true);
  }
  #status(range: SectorRange, done: BlockStatusDone, fast: boolean): void {
    const below = this.#below;
    if (!below.blockStatus || !this.#opened.readsDisk) {
      done(0);
      return;
    }
    const told: BlockStatusDone = (result, extents) => {
      if (this.#replication?.readsDisk) done(result, extents);
      else done(result);
    };
    if (fast && below.blockStatusFast) below.blockStatusFast(range, told);
    else below.blockStatus(range, told);
  }

  describe(): string {
    const status = this.#replication?.isOpen ? this.#replication.status() : undefined;
    return `remus ${this.argument}${status ? ` ${status.state} ${status.role}` : ''}`;
  }

  get #opened(): Replication {
    if (this.#replication === undefined) throw new Error('a request came to a replication that is not open');
    return this.#replication;
  }

  #open({ tls, ...options }: Opening, done: DoneWithReason): void {
    const { registrar, posix, logger, completions } = this.#context;
    const { files, random } = this.#parts;
    let secured: PeerTls | undefined;
    try {
      secured = tls && this.#tls(tls);
    } catch (error) {
      done(-errno.EINVAL, `TLS cannot be used: ${(error as Error).message}`);
      return;
    }
    const replication = new Replication(options, {
      registrar,
      posix,
      logger,
      files: files(this.#context),
      disk: new RemusDisk(this.#below, (task) => completions.post(task)),
      random,
      cPeers,
      signal: this.#opening.signal,
      ...(secured && { tls: secured }),
    });
    for (const listener of this.#listeners) replication.onEvent(listener);
    replication.open((result, reason) => {
      if (result < 0) done(result, reason);
      else this.#openFifos(replication, options, done);
    });
  }

  /** @throws Error when a file cannot be read, or is no certificate or key */
  #tls({ cert, key, ca, fingerprints }: RemusTlsOptions): PeerTls {
    const { posix, completions } = this.#context;
    if (!(posix instanceof NodePosix)) throw new Error('TLS needs real sockets');
    return peerTls(posix, completions, {
      cert: readWholeFile(cert),
      key: readWholeFile(key),
      ...(ca && { ca: readWholeFile(ca) }),
      ...(fingerprints && { fingerprints }),
    });
  }

  /** FIFOs that were asked for must be there; without those that there are otherwise, a disk is as good. */
  #openFifos(
    replication: Replication,
    { address, fifos = FIFO_DIRECTORY, fifoMode, ...given }: RemusOptions,
    done: DoneWithReason,
  ): void {
    const { registrar, posix, logger } = this.#context;
    const opener = this.#parts.openFifo?.(this.#context);
    const opened = (found?: RemusFifos): void => {
      this.#replication = replication;
      this.#fifos = found;
      done(0);
    };
    if (opener === undefined || fifos === 'no') {
      opened();
      return;
    }
    const mode = fifoMode === 'c' ? C_FIFO_MODE : FIFO_MODE;
    const files = this.#parts.files(this.#context);
    RemusFifos.open(
      { registrar, posix, logger, replication, files, openFifo: opener, directory: fifos, mode, address },
      (result, found, reason) => {
        if (found || (fifos === FIFO_DIRECTORY && given.peer !== 'c')) {
          if (!found) logger.log(LOG_WARNING, `replication: no FIFOs for checkpoint control: ${reason}`);
          opened(found);
        } else {
          replication.close((_, failure) => {
            if (failure !== undefined) logger.log(LOG_WARNING, `replication: ${failure}`);
            done(result, reason);
          });
        }
      },
    );
  }
}

/** The driver type `remus` over other parts than Node's. */
export function createRemusType(parts: RemusParts): FilterDriverType {
  return {
    name: 'remus',
    createFilter: (context, argument, below) => new RemusDriver(argument, below, context, parts),
  };
}

/** The driver type `remus`, over the operating system's files. */
export const remusDriverType: FilterDriverType = createRemusType({
  files: ({ completions }) => new NodeFileCalls(completions),
  random: (bytes) => randomFillSync(bytes),
  openFifo: ({ posix, completions }) => {
    if (!(posix instanceof NodePosix)) return undefined;
    const files = new NodeFileCalls(completions);
    return (path, end, mode, done) => {
      const bits = mode === C_FIFO_MODE ? mode & ~process.umask() : mode;
      openFifo({ posix, files, tasks: completions }, { path, end, mode: bits }, done);
    };
  },
});
