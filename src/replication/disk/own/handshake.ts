// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { BitSet } from '../bit-set.js';
import { type Agreement, judge, type Verdict } from '../judge.js';
import type { Standing } from '../standing.js';
import { type FrameName, ProtocolError } from '../wire/frame.js';
import { decodeHello, encodeHello, type Hello } from './hello.js';
import { mapBodies, MapReader } from './map-frames.js';
import type { OwnLink } from './own-link.js';
import { decodeReason, encodeReason } from './reason.js';

export interface HandshakeParts {
  readonly link: OwnLink;
  readonly mine: Hello;
  /** What came with the probe. */
  readonly rest: Uint8Array;
  /** This side's dirty map: a rejoining backup sends it. */
  readonly map: Iterable<number>;
  readonly grains: number;
  /**
   * Both have taken this decision. For an agreement (first-sync, resync, compare) the link's events are the taker's from now
   * on; otherwise the connection is closed. `theirs`: the grains of a rejoining backup's map.
   */
  readonly onVerdict: (verdict: Verdict, peer: Hello, theirs: BitSet) => void;
  /** They will not meet: closes the link, where it is open. */
  readonly onLost: (reason: string, code: string) => void;
}

/** Says what this side is, hears what the other one is, and decides. */
export function shakeHands(parts: HandshakeParts): void {
  const { link, mine } = parts;
  let peer: Hello | undefined;
  let verdict: Verdict | undefined;
  const theirs = new MapReader(new BitSet(parts.grains));
  const agreed = (): void => {
    if (verdict && peer) parts.onVerdict(verdict, peer, theirs.grains);
  };
  const hear = (hello: Hello): void => {
    peer = hello;
    verdict = judge(mine.standing, hello.standing);
    if (!isAgreement(verdict)) {
      link.send('refused', [encodeReason(verdict.kind, describeRefusal(verdict))]);
      link.close();
      agreed();
      return;
    }
    if (mine.standing.rejoining) for (const body of mapBodies(parts.map)) link.send('map', [body]);
    if (!sendsMap(hello.standing, mine.standing)) agreed();
  };
  const frame = (name: FrameName, body: Uint8Array): void => {
    if (name === 'busy' || name === 'refused') {
      const { code, reason } = decodeReason(body);
      parts.onLost(`the peer ends the connection: ${reason}`, code);
    } else if (peer === undefined) {
      if (name !== 'hello') throw new ProtocolError(`received ${name}, expected hello`);
      hear(decodeHello(body));
    } else {
      if (name !== 'map') throw new ProtocolError(`received ${name}, expected map`);
      if (body.length === 0) agreed();
      else theirs.take(body);
    }
  };
  link.events = {
    frame,
    drained: () => {},
    lost: (reason) => parts.onLost(reason, 'lost'),
  };
  link.send('hello', [encodeHello(mine)]);
  link.start(parts.rest);
}

/** Whether replication goes on after a decision. */
export function isAgreement(verdict: Verdict): verdict is Agreement {
  return verdict.kind === 'first-sync' || verdict.kind === 'resync' || verdict.kind === 'compare';
}

/** A decision against replication, in words. */
export function describeRefusal(verdict: Verdict): string {
  switch (verdict.kind) {
    case 'stale':
      return 'one of two primaries is stale';
    case 'split-brain':
      return 'both sides have changes that the other one lacks';
    case 'refuse':
      return verdict.why === 'two backups' ? 'both sides are backups: promote one of them' : verdict.why;
    default:
      return verdict.kind;
  }
}

function sendsMap(peer: Standing, mine: Standing): boolean {
  return peer.rejoining && mine.role === 'primary';
}
