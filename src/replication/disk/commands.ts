// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { errno } from '../../posix/errno.js';
import { provideJournal } from './backup/backup-role.js';
import type { CommandDone, CommandOutcome, DryRun } from './disk-replication.js';
import type { EngineCore } from './engine-core.js';
import { NO_ID } from './format/metadata-record.js';
import { keepAside } from './keep-aside.js';
import { mustFork } from './primary/fork.js';
import type { PrimaryRole } from './primary/primary-role.js';
import { completed, StateError } from './state-file.js';

/** What becomes of both copies when the other side has given its own up too, which this side cannot know. */
const IF_BOTH =
  '; nothing of this side is overwritten unless the other one is a primary: if both gave up, promote one';

/** What an operator can order a disk to do; see the table in docs/replication-protocol.md. */
export class Commands {
  readonly #engine: EngineCore;
  #isBusy = false;

  constructor(engine: EngineCore) {
    this.#engine = engine;
  }

  promote({ dryRun }: DryRun, done: CommandDone): void {
    this.#run(done, async () => {
      const engine = this.#engine;
      const { backup, peering } = engine;
      const { metadata } = engine.state;
      if (backup === undefined) return refused('this side is the primary already');
      if (!metadata.current.hasState) return refused('there is no committed checkpoint to promote');
      const { rejoining } = metadata.current;
      if (rejoining && backup.hasCheckpoint)
        return refused('it is rejoining: what it has is not the primary’s state');
      if (peering?.address)
        return refused('the primary is connected: stop it or pause it first', -errno.EBUSY);
      const where = (): string =>
        rejoining ? 'with the changes that it had given up' : `at checkpoint ${backup.epoch}`;
      if (dryRun) return outcome(`would become the primary ${where()}`);
      // A primary that came back meanwhile would be sent to a side that is no longer a backup.
      engine.connector?.stop();
      try {
        await backup.dropUnfinished();
        await completed('write the checkpoints to the image', (ended) => backup.store.drain(ended));
        // A commit that was on its way when the connection ended counts, too.
        const { epoch } = backup;
        const { generation } = metadata.current;
        const survivor = { promoted: true, sent: epoch, acked: epoch, generation, ancestors: [] };
        // What it had given up is as it was, and so is its line: nothing of the other side's has come here.
        const now = { role: 'primary', rejoining: false, ...(rejoining ? {} : survivor) } as const;
        // All of the journal is on the image: whatever this side is later, what its markers say is past.
        const firstLiveSegment = backup.journal.segment + 1;
        await this.#update({ ...now, firstLiveSegment, resyncId: NO_ID });
        await this.#takeRole(() => backup.close());
        engine.changed('promoted');
      } finally {
        if (!engine.isPaused && peering?.cEnd === undefined) engine.connector?.resume();
      }
      return outcome(`is the primary now, ${where()}`);
    });
  }

  rejoin({ dryRun }: DryRun, done: CommandDone): void {
    this.#run(done, async () => {
      const { metadata, map } = this.#engine.state;
      const { current } = metadata;
      if (current.role === 'backup') return refused('this side is a backup already');
      const wroteNothing = current.promoted && mustFork(metadata);
      if (!current.stale && !wroteNothing) {
        return refused('this side is not stale: its changes would be lost (see discard)');
      }
      const lost = wroteNothing ? 0 : this.#grainSectors(map.bits.count);
      if (dryRun) return { ...outcome('would become the backup of the other side'), sectorsLost: lost };
      await this.#becomeBackup(!wroteNothing);
      return { ...outcome('is the backup of the other side now'), sectorsLost: lost };
    });
  }

  discard({ dryRun, keep }: DryRun & { readonly keep: string }, done: CommandDone): void {
    this.#run(done, async () => {
      const engine = this.#engine;
      const { metadata, map } = engine.state;
      const { current } = metadata;
      if (current.role === 'backup') return refused('this side is a backup: it has no changes of its own');
      if (!current.stale && !current.splitBrain) return refused('there is no split brain to end');
      const lost = this.#grainSectors(map.bits.count);
      if (dryRun)
        return {
          ...outcome(`would keep its changes in ${keep} and give them up${IF_BOTH}`),
          sectorsLost: lost,
        };
      const { files, disk } = engine.parts;
      const { stale, grainSectors } = current;
      // What is kept must be all that is given up: nothing is written from here on.
      await this.#update({ stale: true });
      try {
        await completed('sync the image', (ended) => (engine.primary as PrimaryRole).flush(ended));
        await keepAside({ files, disk, path: keep, grains: map.bits, grainSectors });
      } catch (error) {
        await this.#update({ stale });
        throw error;
      }
      await this.#becomeBackup(true);
      return {
        ...outcome(`has kept its changes in ${keep} and is the backup now${IF_BOTH}`),
        sectorsLost: lost,
      };
    });
  }

  resync({ full = false }: { readonly full?: boolean }, done: CommandDone): void {
    this.#run(done, async () => {
      const engine = this.#engine;
      const { primary } = engine;
      if (primary === undefined) return refused('only the primary can begin a resync');
      if (full && primary.peer === undefined) {
        engine.full = true;
        return outcome('compares every grain once the backup is connected');
      }
      if (primary.peer === undefined) return refused('there is no backup', -errno.ENOTCONN);
      if (!full) {
        const grains = primary.resendDifferent('requested: send what differs');
        engine.changed('requested: send what differs');
        if (grains > 0) return outcome(`sends ${grains} grains that were found to differ`);
        return outcome('the backup gets what the map says by itself');
      }
      if (primary.peer.sync === undefined) return refused('a C backup cannot compare', -errno.EOPNOTSUPP);
      primary.resendAll('requested: compare every grain');
      return outcome('compares every grain');
    });
  }

  verify(done: CommandDone): void {
    this.#run(done, async () => {
      const { primary } = this.#engine;
      if (primary === undefined) return refused('only the primary can verify');
      if (primary.phase !== 'protected') return refused('the disk is not protected', -errno.ENOTCONN);
      if (primary.peer?.sync === undefined) return refused('a C backup cannot compare', -errno.EOPNOTSUPP);
      const differences = await new Promise<number>((resolve) => primary.verifier.verifyAll(resolve));
      const { unreadable } = primary.verifier;
      if (differences === 0 && unreadable > 0)
        return refused(`the backup cannot read up to ${unreadable} sectors (see resync)`, -errno.EIO);
      if (differences === 0) return outcome('both sides are equal');
      return refused(`the backup differs in up to ${differences} sectors (see resync)`, -errno.EBADMSG);
    });
  }

  pause(done: CommandDone): void {
    this.#run(done, async () => {
      const engine = this.#engine;
      engine.isPaused = true;
      engine.peering?.end('paused', 'replication was paused');
      engine.connector?.stop();
      return outcome('replication is paused');
    });
  }

  resume(done: CommandDone): void {
    this.#run(done, async () => {
      this.#engine.isPaused = false;
      this.#engine.peering?.reopen();
      this.#engine.connector?.resume();
      return outcome('replication goes on');
    });
  }

  async #becomeBackup(rejoining: boolean): Promise<void> {
    const engine = this.#engine;
    engine.peering?.end('rejoin', 'the other side becomes a backup');
    // Nobody is met between two roles.
    engine.connector?.stop();
    try {
      // For lack of room, say, this side can stay what it is; once it is a backup it cannot.
      await provideJournal(engine.parts.files, engine.options);
      await this.#update({
        role: 'backup',
        rejoining,
        promoted: false,
        stale: false,
        splitBrain: false,
        inconsistent: false,
      });
      await this.#takeRole();
      engine.changed('became the backup of the other side');
    } finally {
      if (!engine.isPaused) engine.connector?.resume();
    }
  }

  /** Changes what this side is. If that cannot be written it may be so all the same: nothing is served any more. */
  async #update(change: Parameters<EngineCore['state']['metadata']['update']>[0]): Promise<void> {
    const { metadata } = this.#engine.state;
    await this.#orFail('write the metadata', () =>
      completed('write the metadata', (done) => metadata.update(change, done)),
    );
  }

  /** Makes the parts of the role that the metadata have by now. Without them nothing is served any more. */
  #takeRole(closeOther: () => Promise<void> = async () => {}): Promise<void> {
    return this.#orFail('take the role', async () => {
      await closeOther();
      await this.#engine.takeRole();
    });
  }

  async #orFail(what: string, step: () => Promise<unknown>): Promise<void> {
    try {
      await step();
    } catch (error) {
      this.#engine.fail(what, error instanceof StateError ? error.result : -errno.EIO);
      throw error;
    }
  }

  #grainSectors(grains: number): number {
    const { grainSectors, sectors } = this.#engine.state.metadata.current;
    return Math.min(grains * grainSectors, sectors);
  }

  /** One command at a time. */
  #run(done: CommandDone, command: () => Promise<CommandOutcome>): void {
    if (this.#engine.isOpen && this.#engine.word === 'failed') {
      done(refused('the disk has failed: close it and open it again', -errno.EIO));
      return;
    }
    if (!this.#engine.isOpen || this.#isBusy) {
      done(refused('another command is under way', -errno.EBUSY));
      return;
    }
    this.#isBusy = true;
    void this.#runAlone(done, command);
  }

  async #runAlone(done: CommandDone, command: () => Promise<CommandOutcome>): Promise<void> {
    let ended: CommandOutcome;
    try {
      ended = await command();
    } catch (error) {
      if (!(error instanceof StateError)) throw error;
      ended = refused(error.message, error.result);
    }
    this.#isBusy = false;
    done(ended);
  }
}

function outcome(message: string): CommandOutcome {
  return { result: 0, message, sectorsLost: 0, lostSinceSeconds: null };
}

function refused(message: string, result: number = -errno.EINVAL): CommandOutcome {
  return { result, message, sectorsLost: 0, lostSinceSeconds: null };
}
