// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { BitSet } from './bit-set.js';
import { orEnd } from './connection-resources.js';
import type { Verdict } from './judge.js';
import type { ReplicationOptions } from './options.js';
import { shakeHands } from './own/handshake.js';
import type { Hello } from './own/hello.js';
import { OwnLink } from './own/own-link.js';
import { encodeReason } from './own/reason.js';
import type { CConnection } from './sessions.js';
import type { PeerKind } from './status.js';
import { Timer, type TimerHost } from './timer.js';
import { PeerStream } from './wire/peer-stream.js';
import { probePeer } from './wire/probe.js';

const NOBODY = { bytes: () => {}, drained: () => {}, ended: () => {} };

export interface MeetingParts {
  readonly host: TimerHost;
  readonly options: ReplicationOptions;
  readonly sectors: number;
  readonly grains: number;
  /** Whether this side made the connection. */
  readonly connected: boolean;
  readonly peer: ReplicationOptions['peer'];
  readonly hello: () => Hello;
  readonly map: () => Iterable<number>;
  /** An own peer, and what both decided; see shakeHands. */
  readonly onOwn: (link: OwnLink, verdict: Verdict, peer: Hello, theirs: BitSet) => void;
  readonly onC: (connection: CConnection) => void;
  readonly onLost: (reason: string, code: string) => void;
  /** It has sent something. */
  readonly onHeard?: () => void;
}

/** A peer that has shown which driver it is. */
export interface KnownPeer {
  /** Its events are the taker's. */
  readonly stream: PeerStream;
  readonly kind: PeerKind;
  /** What came after that. */
  readonly rest: Uint8Array;
}

/**
 * A connection until both sides know each other. Returns how to end it before that.
 *
 * @param peer the descriptor of one that has sent nothing yet, or one whose first bytes have been read
 */
export function meetPeer(peer: number | KnownPeer, parts: MeetingParts): () => void {
  const isNew = typeof peer === 'number';
  const stream = isNew ? new PeerStream(parts.host, peer, NOBODY) : peer.stream;
  let leave = (): void => {};
  const begin = (): void => {
    leave = meetOn(stream, parts, isNew ? undefined : peer);
  };
  orEnd(begin, (reason) => {
    stream.close();
    parts.onLost(reason, 'lost');
  });
  return leave;
}

function meetOn(stream: PeerStream, parts: MeetingParts, found?: KnownPeer): () => void {
  const { host, options, connected } = parts;
  let link: OwnLink | undefined;
  const timer = new Timer(host, () => lose('the peer does not complete the handshake', 'silent'));
  const lose = (reason: string, code: string): void => {
    timer.close();
    link?.close();
    stream.close();
    parts.onLost(reason, code);
  };
  const known = (kind: PeerKind, rest: Uint8Array): void => {
    if (kind === 'c') {
      timer.close();
      parts.onC({ host, stream, rest, sectors: parts.sectors, options });
      return;
    }
    // A peer that only sends pings must not hold the place for ever.
    if (!connected) timer.set(options.peerTimeoutSeconds);
    link = new OwnLink({ host, stream, ...heartbeat(options) }, { frame() {}, drained() {}, lost() {} });
    const met = link;
    shakeHands({
      link: met,
      mine: parts.hello(),
      rest,
      map: parts.map(),
      grains: parts.grains,
      onVerdict: (verdict, peer, theirs) => {
        timer.close();
        parts.onOwn(met, verdict, peer, theirs);
      },
      onLost: lose,
    });
  };
  const onKind = (kind: PeerKind, rest: Uint8Array): void => {
    parts.onHeard?.();
    orEnd(
      () => known(kind, rest),
      (reason) => lose(reason, 'lost'),
    );
  };
  // The listening side waits for a C primary's first write for as long as it takes, but not in the middle of a tag.
  if (connected || parts.peer === 'own') timer.set(options.peerTimeoutSeconds);
  if (found) onKind(found.kind, found.rest);
  else
    probePeer({
      stream,
      connected,
      peer: parts.peer,
      onPart: () => {
        parts.onHeard?.();
        if (!timer.isSet) timer.set(options.messageSeconds);
      },
      onKind,
      onFailure: (reason) => lose(reason, 'lost'),
    });
  return () => {
    timer.close();
    link?.close();
    stream.close();
  };
}

/**
 * Informs an own peer that there is another connection already; a C peer sees the connection end.
 *
 * @param endings has how to end the connection before that, as long as there is one
 * @param takes whether the caller takes the peer after all, now that it is known
 */
export function turnAway(
  fd: number,
  host: TimerHost,
  options: ReplicationOptions,
  endings: Set<() => void>,
  takes: (peer: KnownPeer) => boolean,
): void {
  const stream = new PeerStream(host, fd, NOBODY);
  orEnd(
    () => turnAwayOn(stream, host, options, endings, takes),
    () => stream.close(),
  );
}

function turnAwayOn(
  stream: PeerStream,
  host: TimerHost,
  options: ReplicationOptions,
  endings: Set<() => void>,
  takes: (peer: KnownPeer) => boolean,
): void {
  const leave = (): void => {
    timer.close();
    endings.delete(end);
  };
  const end = (): void => {
    leave();
    stream.close();
  };
  const sayWhy = (): void => {
    const link = new OwnLink(
      { host, stream, ...heartbeat(options) },
      { frame() {}, drained() {}, lost() {} },
    );
    link.send('busy', [encodeReason('busy', 'there is a connection already')]);
    link.close();
  };
  const timer = new Timer(host, end);
  endings.add(end);
  timer.set(options.messageSeconds);
  probePeer({
    stream,
    connected: false,
    peer: options.peer,
    onPart: () => {},
    onKind: (kind, rest) => {
      if (takes({ stream, kind, rest })) return leave();
      if (kind === 'own') orEnd(sayWhy, () => {});
      return end();
    },
    onFailure: end,
  });
}

function heartbeat({ pingSeconds, peerTimeoutSeconds }: ReplicationOptions): {
  pingSeconds: number;
  peerTimeoutSeconds: number;
} {
  return { pingSeconds, peerTimeoutSeconds };
}
