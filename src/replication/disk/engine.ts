// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { errno } from '../../posix/errno.js';
import { whenAborted } from '../../posix/when-aborted.js';
import { BackupRole } from './backup/backup-role.js';
import { isBlank } from './blank-image.js';
import { CheckpointInterval } from './checkpoint-interval.js';
import { Commands } from './commands.js';
import { Connector } from './connector.js';
import type {
  CheckpointView,
  CommandDone,
  DiskReplication,
  DryRun,
  ReplicationParts,
} from './disk-replication.js';
import type { EngineCore } from './engine-core.js';
import type { ReplicationListener } from './events.js';
import { Failover } from './failover.js';
import { FlushPolicy } from './flush-policy.js';
import { NO_ID } from './format/metadata-record.js';
import type { Done } from './local-disk.js';
import { createState, loadState, type State } from './open-state.js';
import { DEFAULT_REPLICATION_OPTIONS, type ReplicationOptions } from './options.js';
import { Peering } from './peering.js';
import { PrimaryRole } from './primary/primary-role.js';
import { sweepWhenDurable } from './primary/sweep.js';
import { Reporter } from './reporter.js';
import { backupEvents, primaryEvents } from './role-events.js';
import { type StandingFacts, standingOf } from './standing-of.js';
import type { Standing } from './standing.js';
import { settleState } from './settle-state.js';
import { closeAll, failureOf, StateError } from './state-file.js';
import { stateOf } from './state-of.js';
import { statusOf } from './status-of.js';
import type { DiskState, ReplicationStatus } from './status.js';
import { Timer } from './timer.js';

/** How often a stalled backup, grains that may fall, and the like are looked at. */
const WATCH_SECONDS = 1;
/** The map's bits are let fall that often, in such watches. */
const SWEEP_EVERY = 10;

/** A replicated disk; see {@link DiskReplication}. */
export class Replication implements DiskReplication, EngineCore {
  readonly options: ReplicationOptions;
  readonly parts: ReplicationParts;
  readonly reporter: Reporter;
  readonly #commands: Commands;
  readonly #failover: Failover;
  readonly #given: Partial<ReplicationOptions>;
  #flushes: FlushPolicy | undefined;
  #peering: Peering | undefined;
  #connector: Connector | undefined;
  #watch: Timer | undefined;
  #interval: CheckpointInterval | undefined;
  #watches = 0;
  #state: State | undefined;
  primary: PrimaryRole | undefined;
  backup: BackupRole | undefined;
  /** A backup's image was all zeroes when it was opened, or may be overwritten. */
  #isBlank = false;
  #failure: StateError | undefined;
  /** Writes were taken in this run that are not this side's any more, since it became a backup. */
  #hasGivenUp = false;
  #isOpen = false;
  isPaused = false;
  /** Whether the backup is to be made equal, whatever it has: for the next agreement. */
  full = false;

  constructor(
    options: Pick<ReplicationOptions, 'address' | 'directory'> & Partial<ReplicationOptions>,
    parts: ReplicationParts,
  ) {
    this.options = { ...DEFAULT_REPLICATION_OPTIONS, ...options };
    this.parts = parts;
    this.reporter = new Reporter(() => parts.posix.clock.now(), parts.logger);
    this.#given = options;
    this.#commands = new Commands(this);
    this.#failover = new Failover(this, (done) => this.#commands.promote({}, ({ result }) => done(result)));
  }

  open(done: (result: number, reason?: string) => void): void {
    void this.#openThen(done);
  }
  close(done: (result: number, reason?: string) => void): void {
    void this.#closeThen(done);
  }

  read(sector: number, buffer: Uint8Array, done: Done): void {
    const isReadable = !this.#hasFailed && this.state.metadata.current.hasState;
    if (this.readsDisk) this.parts.disk.read(sector, buffer, done);
    else if (this.backup && isReadable) this.backup.store.read(sector, buffer, done);
    else done(-errno.EIO);
  }

  /** Whether what {@link read} reads is what the local disk has now. */
  get readsDisk(): boolean {
    if (this.#hasFailed) return false;
    if (this.backup === undefined) return true;
    // Until a first sync begins, the image is what it always was.
    const { hasState, resyncId } = this.state.metadata.current;
    return !hasState && resyncId === NO_ID;
  }

  write(sector: number, bytes: Uint8Array, done: Done): void {
    const again = (): void => this.write(sector, bytes, done);
    this.#writable(again, done)?.write(sector, bytes, done);
  }
  zero(sector: number, sectors: number, done: Done): void {
    const again = (): void => this.zero(sector, sectors, done);
    this.#writable(again, done)?.zero(sector, sectors, done);
  }
  flush(done: Done): void {
    if (this.#hasFailed) done(-errno.EIO);
    // A backup's writes are its own: there is nothing of the caller's to make durable, unless it was given up.
    else if (this.primary === undefined) done(this.#hasGivenUp ? -errno.EROFS : 0);
    else this.#flushes?.flush(done);
  }

  checkpoint(done: Done): void {
    if (this.primary === undefined) done(-errno.EINVAL);
    else this.primary.checkpoint(done);
  }

  promote(options: DryRun, done: CommandDone): void {
    this.#commands.promote(options, done);
  }
  rejoin(options: DryRun, done: CommandDone): void {
    this.#commands.rejoin(options, done);
  }
  discard(options: DryRun & { readonly keep: string }, done: CommandDone): void {
    this.#commands.discard(options, done);
  }
  resync(options: { readonly full?: boolean }, done: CommandDone): void {
    this.#commands.resync(options, done);
  }
  verify(done: CommandDone): void {
    this.#commands.verify(done);
  }
  pause(done: CommandDone): void {
    this.#commands.pause(done);
  }
  resume(done: CommandDone): void {
    this.#commands.resume(done);
  }
  openCheckpoint(done: (result: number, view?: CheckpointView) => void): void {
    const { backup } = this;
    if (backup === undefined || !this.state.metadata.current.hasState) {
      done(-errno.EINVAL);
      return;
    }
    const { layers, release } = backup.store.freeze();
    const { store, epoch } = backup;
    done(0, {
      epoch,
      sectors: this.parts.disk.sectors,
      read: (sector, buffer, read) => store.readLayers(layers, sector, buffer, read),
      close: release,
    });
  }

  status(): ReplicationStatus {
    return statusOf(this);
  }
  onEvent(listener: ReplicationListener): () => void {
    return this.reporter.onEvent(listener);
  }

  /**
   * What is durable of it; only while it is open.
   *
   * @throws Error while it is not open
   */
  get state(): State {
    if (this.#state === undefined) throw new Error('the replication is not open');
    return this.#state;
  }
  get isOpen(): boolean {
    return this.#isOpen;
  }
  get peering(): Peering | undefined {
    return this.#peering;
  }
  get connector(): Connector | undefined {
    return this.#connector;
  }

  get word(): DiskState {
    const { current } = this.state.metadata;
    return stateOf({
      role: current.role,
      hasFailed: this.#hasFailed,
      isStale: current.stale,
      isSplitBrain: current.splitBrain,
      isUsable: current.hasState && !current.rejoining,
      phase: this.primary?.phase ?? 'alone',
      differs: (this.primary?.verifier.differences ?? 0) > 0,
    });
  }

  /** The state may be another one now. */
  changed(reason: string): void {
    if (this.#state) this.reporter.state(this.word, this.#state.metadata.current.role, reason);
  }

  standing(): Standing {
    const { metadata } = this.state;
    const facts: StandingFacts = {
      committed: this.backup?.epoch ?? 0,
      takesFirstSync: this.#isBlank || this.options.initialise,
      full: this.full,
      resyncId: this.backup?.resyncId ?? null,
    };
    return standingOf(metadata.current, facts);
  }

  get #hasFailed(): boolean {
    return this.#failure !== undefined;
  }

  /** Nothing is served any more. */
  fail(what: string, result: number): void {
    if (this.#failure) return;
    this.#failure = new StateError(`cannot ${what}`, result);
    const reason = this.#failure.message;
    this.#peering?.end('failed', reason);
    this.#connector?.close();
    this.changed(reason);
    this.reporter.notice(reason);
  }

  /** Makes the role's parts from the metadata, those of the other role gone. @throws (rejects with) StateError */
  async takeRole(): Promise<void> {
    const { metadata } = this.state;
    if (metadata.current.role === 'primary') this.#becomePrimary();
    else await this.#becomeBackup();
  }

  #becomePrimary(): void {
    const { disk, random } = this.parts;
    const { metadata, map } = this.state;
    this.backup = undefined;
    this.primary = new PrimaryRole({
      disk,
      map,
      metadata,
      options: this.options,
      random,
      nowSeconds: () => this.parts.posix.clock.now(),
      events: primaryEvents(
        this,
        () => this.#flushes?.again(),
        () => this.#interval?.wrote(),
      ),
    });
    if (this.#flushes) this.#flushes.primary = this.primary;
  }

  async #becomeBackup(): Promise<void> {
    const { files, disk, random, posix } = this.parts;
    const { metadata } = this.state;
    const { directory, memoryBytes } = this.options;
    this.#hasGivenUp ||= this.primary !== undefined;
    this.primary = undefined;
    if (this.#flushes) this.#flushes.primary = undefined;
    if (!metadata.current.hasState) this.#isBlank = await isBlank(disk, this.parts.signal);
    this.backup = await BackupRole.open({
      files,
      directory,
      disk,
      metadata,
      isBlank: this.#isBlank,
      memoryBytes,
      random,
      nowSeconds: () => posix.clock.now(),
      signal: this.parts.signal,
      events: backupEvents(this),
    });
  }

  /** The primary, if a write may be made now; otherwise it is answered, or done again later. */
  #writable(again: () => void, done: Done): PrimaryRole | undefined {
    if (!this.#hasFailed && this.#failover.takes(again, done)) return undefined;
    this.#connector?.begin();
    const isReadOnly = this.primary === undefined || this.state.metadata.current.stale;
    if (!this.#hasFailed && !isReadOnly) return this.primary;
    done(this.#hasFailed ? -errno.EIO : -errno.EROFS);
    return undefined;
  }

  async #openThen(done: (result: number, reason?: string) => void): Promise<void> {
    const { signal } = this.parts;
    const ignoreSignal = whenAborted(signal, () => this.#connector?.close());
    let failure: StateError | undefined;
    try {
      failure = await failureOf(() => this.#open());
    } finally {
      ignoreSignal();
    }
    const further = failure && (await this.#letGo());
    if (further) this.reporter.notice(further.message);
    done(failure?.result ?? 0, failure?.message);
  }

  async #closeThen(done: (result: number, reason?: string) => void): Promise<void> {
    this.#peering?.end('closing', 'the disk is being closed');
    this.#connector?.stop();
    // What it has written may not be on stable storage, whatever closes well now.
    const first = this.#failure ?? (await failureOf(() => settleState(this.state, this.parts.disk, this)));
    const second = await this.#letGo();
    const failure = first ?? second;
    if (first && second) this.reporter.notice(second.message);
    if (!failure) return done(0);
    this.reporter.error(failure.message);
    return done(failure.result, failure.message);
  }

  /** @throws StateError -ECANCELED once the signal is aborted */
  #requireNeeded(): void {
    if (this.parts.signal?.aborted) throw new StateError('it is not needed any more', -errno.ECANCELED);
  }

  async #open(): Promise<void> {
    this.#requireNeeded();
    const { registrar, posix, files, disk, random, logger } = this.parts;
    const { options } = this;
    const host = { registrar, posix };
    this.#connector = new Connector({
      ...host,
      logger,
      address: options.address,
      peers: options.peers,
      onConnection: (fd, peer) => this.#peering?.meet(fd, peer),
      onSurplus: (fd) => this.#peering?.turnAway(fd),
    });
    // Connections may come from here on; they are met once all is there.
    this.#peering = new Peering(this, this.#connector);
    const stateParts = {
      files,
      disk,
      options,
      random,
      notice: (message: string) => this.reporter.notice(message),
    };
    const found = await loadState(stateParts);
    // A new side finds its role by whether it can listen; what a role needs is made before a peer is accepted.
    const saidToListen = options.role === 'auto' ? undefined : options.role === 'backup';
    const waits = options.peer === 'c' && (found?.map.bits.count ?? 0) === 0;
    const listens = await this.#connector.start(found?.metadata.current.listens ?? saidToListen, waits);
    if (typeof listens === 'number') {
      const what = listens === -errno.ENOENT ? 'find' : 'listen at';
      throw new StateError(`cannot ${what} ${options.address}`, listens);
    }
    this.#state = found ?? (await createState(stateParts, listens ? 'backup' : 'primary', listens));
    this.#flushes = new FlushPolicy(host, options);
    await this.takeRole();
    this.#watch = new Timer(host, () => this.#watched());
    this.#watch.set(WATCH_SECONDS);
    this.#interval = new CheckpointInterval(host, this.#given, () => this.primary);
    // Once a connection is met, there is more to end than to let go.
    this.#requireNeeded();
    this.#isOpen = true;
    this.changed('opened');
    this.#peering.start();
  }

  /** Closes everything, and returns what failed. */
  async #letGo(): Promise<StateError | undefined> {
    const state = this.#state;
    this.#isOpen = false;
    this.#state = undefined;
    this.#watch?.close();
    this.#interval?.close();
    this.#flushes?.close();
    this.#peering?.close();
    this.#connector?.close();
    try {
      return await failureOf(() => closeAll([this.backup, state?.map, state?.metadata]));
    } finally {
      this.primary = undefined;
      this.backup = undefined;
    }
  }

  #watched(): void {
    this.#watches += 1;
    const { primary } = this;
    primary?.watch(WATCH_SECONDS);
    primary?.verifier.allow(this.options.verifyBytesPerSecond * WATCH_SECONDS);
    if (primary && this.#watches % SWEEP_EVERY === 0)
      sweepWhenDurable(primary, this.state.metadata, () => this.primary === primary);
    this.#watch?.set(WATCH_SECONDS);
  }
}
