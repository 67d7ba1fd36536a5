// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { BackupRole } from './backup/backup-role.js';
import type { BitSet } from './bit-set.js';
import { cReceiver } from './c/c-receiver.js';
import { orEnd } from './connection-resources.js';
import type { Connector } from './connector.js';
import { formatAddress } from '../../posix/address.js';
import { errnoCode } from '../../posix/errno.js';
import { LOG_INFO } from '../../server/logger.js';
import type { EngineCore, PeeringView } from './engine-core.js';
import type { PeerTls } from './peer-tls.js';
import { Timer } from './timer.js';
import { type Agreement, judge, type Verdict } from './judge.js';
import { describeRefusal, isAgreement } from './own/handshake.js';
import type { Hello } from './own/hello.js';
import { OwnBackupPeer } from './own/own-backup-peer.js';
import type { OwnLink } from './own/own-link.js';
import { OwnPrimarySession } from './own/own-primary-session.js';
import { type KnownPeer, meetPeer, turnAway } from './peer-session.js';
import type { ResyncPlan } from './primary/primary-parts.js';
import type { PrimaryRole } from './primary/primary-role.js';
import type { BackupPeer, CConnection, CPrimaryEnd, CPrimaryGone, PrimarySession } from './sessions.js';
import type { PeerKind } from './status.js';

/** What this program calls itself toward an own peer. */
const VERSION = 'tapdisk-ts replication 1';
/** How long the side that connects waits after a connection ended for a reason that time may change. */
const RETRY_SECONDS = 1;
/** After a decision that only an operator changes, or for lack of room. */
const SLOW_RETRY_SECONDS = 10;
const NO_ROOM_RETRY_SECONDS = 60;
/** The resync that follows from an agreement. */
const PLANS: Readonly<Record<Agreement['kind'], ResyncPlan['kind']>> = {
  'first-sync': 'first',
  resync: 'maps',
  compare: 'compare',
};
/** The maximum number of connections that are being rejected at a time. */
const MAX_TURNED_AWAY = 8;

/** The connection to the other side, from its beginning to its end, and what was decided on it. */
export class Peering implements PeeringView {
  readonly #engine: EngineCore;
  readonly #connector: Connector;
  #isStarted = false;
  /** Connections that came before the start. */
  #early: { readonly fd: number; readonly peer: string } | undefined;
  /** How to end the connection, unless it is a session's or the primary's by now: see {@link end}. */
  #leave: (() => void) | undefined;
  /** The connection is one that has sent nothing yet. */
  #isSilent = false;
  #session: PrimarySession | undefined;
  /** How to end each connection that is being rejected. */
  readonly #turnedAway = new Set<() => void>();
  address: string | null = null;
  kind: PeerKind | null = null;
  version: string | null = null;
  /** What a resync waits for, in words, while there is no connection because of it; null: nothing. */
  waitsFor: string | null = null;
  /** How the connection from a C primary has ended, after which none is taken any more; undefined: it has not. */
  cEnd: CPrimaryGone | undefined;

  constructor(engine: EngineCore, connector: Connector) {
    this.#engine = engine;
    this.#connector = connector;
  }

  /** Takes connections from now on. */
  start(): void {
    this.#isStarted = true;
    const early = this.#early;
    this.#early = undefined;
    if (early) this.meet(early.fd, early.peer);
  }

  meet(fd: number, peer: string): void {
    if (!this.#isStarted) {
      this.#early = { fd, peer };
      return;
    }
    const { tls } = this.#engine.parts;
    this.waitsFor = null;
    this.address = peer;
    if (tls === undefined) this.#meet(fd);
    else this.#secureOrLose(fd, tls);
  }

  #secureOrLose(fd: number, tls: PeerTls): void {
    const begin = (): void => this.#secure(fd, tls);
    orEnd(begin, (reason) => {
      this.#engine.parts.posix.close(fd);
      this.lost(reason, 'lost');
    });
  }

  /** Both sides show their certificates before anything else is said. */
  #secure(fd: number, tls: PeerTls): void {
    const { parts, options } = this.#engine;
    const leave = (): void => {
      timer.close();
      giveUp();
    };
    const timer = new Timer(parts, () => {
      leave();
      this.lost('the peer does not complete the TLS handshake', 'silent');
    });
    timer.set(options.peerTimeoutSeconds);
    const giveUp = tls.secure(fd, this.#connector.listens, (result, reason) => {
      timer.close();
      if (result >= 0) this.#meet(result);
      else this.lost(reason ?? `TLS failed: ${errnoCode(result)}`, 'tls');
    });
    this.#leave = leave;
  }

  #meet(peer: number | KnownPeer): void {
    const engine = this.#engine;
    const { registrar, posix, disk } = engine.parts;
    const { metadata, map } = engine.state;
    const isOwn = metadata.current.peerIsOwn || engine.parts.tls !== undefined;
    this.#isSilent = engine.parts.tls === undefined;
    this.#leave = meetPeer(peer, {
      host: { registrar, posix },
      options: engine.options,
      sectors: disk.sectors,
      grains: map.grains,
      connected: !this.#connector.listens,
      peer: engine.options.peer === 'auto' && isOwn ? 'own' : engine.options.peer,
      hello: () => ({ version: VERSION, standing: engine.standing() }),
      map: () => map.bits,
      onOwn: (link, verdict, hello, theirs) => this.#own(link, verdict, hello, theirs),
      onC: (connection) => this.#c(connection),
      onLost: (reason, code) => this.lost(reason, code),
      onHeard: () => (this.#isSilent = false),
    });
  }

  /**
   * A peer that has come meanwhile and has shown what it is takes the place of a connection that has not: that may be no
   * peer at all, and a C primary that is silent until its first write connects again.
   */
  #takesPlace(peer: KnownPeer, address: string): boolean {
    if (!this.#isSilent) return false;
    this.#connector.report(
      LOG_INFO,
      `connection to ${this.address} is over: it has sent nothing, and ${address} has`,
    );
    this.#leave?.();
    this.address = address;
    this.#meet(peer);
    return true;
  }

  turnAway(fd: number): void {
    const { registrar, posix } = this.#engine.parts;
    const getsReason = this.kind !== 'c' && this.#engine.options.peer !== 'c';
    if (!getsReason || this.#turnedAway.size >= MAX_TURNED_AWAY) {
      posix.close(fd);
      return;
    }
    const found = posix.getpeername(fd);
    const address = typeof found === 'number' ? 'unknown' : formatAddress(found);
    turnAway(fd, { registrar, posix }, this.#engine.options, this.#turnedAway, (peer) =>
      this.#takesPlace(peer, address),
    );
  }

  /** The connection is over. */
  lost(reason: string, code: string): void {
    const { reporter } = this.#engine;
    if (this.address === null) return;
    reporter.tell({ kind: 'disconnected', peer: this.address, peerKind: this.kind, reason });
    this.#connector.report(LOG_INFO, `connection to ${this.address} is over: ${reason}`);
    this.waitsFor = code === 'no-room' ? 'room at the backup' : null;
    if (code === 'no-room') {
      reporter.tell({ kind: 'resync', what: 'waiting', bytes: 0, reason });
      reporter.notice(reason);
    }
    this.#forget();
    const isSlow = code === 'split-brain' || code === 'stale' || code === 'refuse';
    this.#connector.next(
      code === 'no-room' ? NO_ROOM_RETRY_SECONDS : isSlow ? SLOW_RETRY_SECONDS : RETRY_SECONDS,
    );
  }

  /** Ends the connection, if there is one. */
  end(code: string, reason: string): void {
    const { primary } = this.#engine;
    const session = this.#session;
    if (this.address === null) return;
    if (primary?.peer) {
      primary.detach(reason);
      return;
    }
    if (session) session.close(code, reason);
    else this.#leave?.();
    this.lost(reason, code);
  }

  /** Closes what was never met, after {@link end}; no connection can come any more. */
  close(): void {
    if (this.#early) this.#engine.parts.posix.close(this.#early.fd);
    for (const end of this.#turnedAway) end();
  }

  #forget(): void {
    this.#leave = undefined;
    this.#isSilent = false;
    this.#session = undefined;
    this.address = null;
    this.kind = null;
    this.version = null;
  }

  #own(link: OwnLink, verdict: Verdict, hello: Hello, theirs: BitSet): void {
    const engine = this.#engine;
    const { metadata } = engine.state;
    this.kind = 'own';
    this.version = hello.version;
    if (!isAgreement(verdict)) {
      // A write may have begun a new generation since this side said what it has.
      this.#refused(judge(engine.standing(), hello.standing));
      return;
    }
    const { reporter } = engine;
    reporter.tell({ kind: 'connected', peer: this.address as string, peerKind: 'own', reason: verdict.kind });
    const known = hello.standing.line[0]?.generation;
    const { ancestors } = metadata.current;
    const index = ancestors.findIndex(({ generation }) => generation === known);
    metadata.note({
      peerIsOwn: true,
      stale: false,
      splitBrain: false,
      // What the backup has is younger than what it had.
      ...(index >= 0 && { ancestors: ancestors.slice(0, index + 1) }),
    });
    const { primary, backup } = engine;
    if (primary) this.#becomesBackups(primary, link, verdict, hello, theirs);
    else this.#becomesPrimarys(backup as BackupRole, link, verdict, hello);
  }

  /** The other side is the backup. */
  #becomesBackups(
    primary: PrimaryRole,
    link: OwnLink,
    verdict: Agreement,
    hello: Hello,
    theirs: BitSet,
  ): void {
    const engine = this.#engine;
    if (verdict.kind === 'compare' && verdict.alarm) {
      engine.reporter.notice('the backup has lost checkpoints that it had: every grain is compared');
    }
    engine.full = false;
    primary.grains.toSend.addAll(theirs);
    const { grainSectors } = engine.state.metadata.current;
    const peer: BackupPeer = new OwnBackupPeer(
      link,
      engine.state.map.grains,
      grainSectors,
      primary.eventsOf(() => peer),
    );
    primary.attach(peer, { kind: PLANS[verdict.kind], known: hello.standing.resyncId });
  }

  /** The other side is the primary. */
  #becomesPrimarys(backup: BackupRole, link: OwnLink, verdict: Agreement, hello: Hello): void {
    const engine = this.#engine;
    const { metadata, map } = engine.state;
    const { registrar, posix } = engine.parts;
    // Only what goes on from the epoch that is here has to be above it: another line, or an older copy, may be far below.
    const isCovered = verdict.kind === 'resync';
    const { rejoining } = metadata.current;
    const goesOn = isCovered && !rejoining;
    const session = new OwnPrimarySession({
      host: { registrar, posix },
      link,
      services: backup,
      grainSectors: metadata.current.grainSectors,
      epoch: goesOn ? backup.epoch : 0,
      // What a rejoining side has written alone is in its map, which the primary has by now.
      needsResync: !isCovered || (rejoining && map.bits.count > 0),
      lost: (reason) => this.lost(reason, 'lost'),
    });
    this.#session = session;
    const { diskId } = hello.standing;
    if (diskId === null || metadata.current.diskId === diskId) return;
    // Whose disk it is must be known before anything of it is here.
    link.pause('disk id');
    metadata.update({ diskId }, (result) => {
      if (result < 0) engine.fail('write the metadata', result);
      else link.resume('disk id');
    });
  }

  #refused(verdict: Verdict): void {
    const engine = this.#engine;
    const { metadata } = engine.state;
    const reason = describeRefusal(verdict);
    const isStale = verdict.kind === 'stale' && verdict.stale === 'mine';
    const isSplitBrain = verdict.kind === 'split-brain';
    engine.reporter.notice(`the other side is refused: ${reason}`);
    if (isStale !== metadata.current.stale || isSplitBrain !== metadata.current.splitBrain) {
      metadata.update({ stale: isStale, splitBrain: isSplitBrain }, (result) => {
        if (result < 0) engine.fail('write the metadata', result);
      });
      engine.changed(reason);
    }
    this.lost(reason, verdict.kind);
  }

  #c(connection: CConnection): void {
    const engine = this.#engine;
    const { cPeers } = engine.parts;
    const { reporter } = engine;
    const { listens } = this.#connector;
    // In C it is the backup that listens.
    const backup = listens ? engine.backup : undefined;
    const primary = listens ? undefined : engine.primary;
    if (cPeers === undefined || (backup === undefined && primary === undefined)) {
      connection.stream.close();
      this.lost('the peer is a C driver of the same role', 'refuse');
      return;
    }
    this.kind = 'c';
    this.version = primary ? 'done = received' : null;
    reporter.tell({ kind: 'connected', peer: this.address as string, peerKind: 'c', reason: 'C driver' });
    if (primary) {
      const peer = cPeers.backupPeer(
        connection,
        primary.eventsOf(() => peer),
      );
      primary.attach(peer, { kind: 'maps', known: null });
      peer.start();
    } else if (backup) {
      const session = cPeers.primarySession(connection, cReceiver(engine, backup), (end) =>
        this.#cEnded(end),
      );
      this.#session = session;
      session.start();
    }
  }

  /** What a C primary writes after a break never comes here, so what it sends later must not be laid over what is here. */
  #cEnded(end: CPrimaryEnd): void {
    this.lost(end.reason, 'lost');
    if (end.hasSpoken) this.shut(end);
  }

  /** Takes no connection any more, until {@link reopen}: that of a C primary has ended. */
  shut(end: CPrimaryGone): void {
    this.cEnd = end;
    this.#connector.stop();
    this.#engine.reporter.notice(`the C primary is gone and will not be accepted again: ${end.reason}`);
  }

  reopen(): void {
    this.cEnd = undefined;
  }
}
