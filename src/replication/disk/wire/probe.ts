// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { PeerKindOption } from '../options.js';
import type { PeerKind } from '../status.js';
import type { PeerStream } from './peer-stream.js';

const TAG_BYTES = 4;
const FIRST_TAG = 'tdts';
/** The second tag, and an own listener's answer: the version of the protocol. */
const VERSION_TAG = 'rp01';
/** What makes a C backup answer, and commits nothing. */
const EMPTY_COMMIT = 'creq';
const DONE = 'done';
export const PROBE = Buffer.from(FIRST_TAG + VERSION_TAG + EMPTY_COMMIT, 'latin1');
const PROBE_ANSWER = Buffer.from(VERSION_TAG, 'latin1');

export interface ProbeOptions {
  readonly stream: PeerStream;
  /** Whether this side made the connection: then it speaks first. */
  readonly connected: boolean;
  readonly peer: PeerKindOption;
  /** Something has come, but not enough to decide. */
  readonly onPart: () => void;
  /** `rest`: what came after. The stream's events are the taker's from now on. */
  readonly onKind: (kind: PeerKind, rest: Uint8Array) => void;
  /** The connection is closed. */
  readonly onFailure: (reason: string) => void;
}

/** Distinguishes an own peer from a C one by the first bytes, without waiting for a time; see docs/replication-protocol.md. */
export function probePeer(options: ProbeOptions): void {
  const { stream, connected, peer, onKind } = options;
  if (peer === 'c') {
    onKind('c', new Uint8Array(0));
    return;
  }
  let come = Buffer.alloc(0);
  let isReported = false;
  const fail = (reason: string): void => {
    isReported = true;
    stream.close();
    options.onFailure(reason);
  };
  const kind = (found: PeerKind, rest: Uint8Array): void => {
    isReported = true;
    if (found === 'c' && peer === 'own') fail('the peer is a C driver, but an own one was expected');
    else onKind(found, rest);
  };
  const hear = connected
    ? (): void => {
        const answer = tag(come, 0);
        const rest = come.subarray(TAG_BYTES);
        if (answer === VERSION_TAG) kind('own', rest);
        else if (answer === DONE) kind('c', rest);
        else fail(`the peer replied ${JSON.stringify(answer)}, expected ${VERSION_TAG} or ${DONE}`);
      }
    : (): void => {
        if (tag(come, 0) !== FIRST_TAG) return kind('c', come);
        if (come.length < PROBE.length) return undefined;
        const version = tag(come, TAG_BYTES);
        if (version !== VERSION_TAG) return fail(`the peer speaks ${version}, expected ${VERSION_TAG}`);
        stream.send(PROBE_ANSWER);
        return kind('own', come.subarray(PROBE.length));
      };
  stream.events = {
    bytes: (chunk) => {
      come = Buffer.concat([come, chunk]);
      if (come.length >= TAG_BYTES) hear();
      if (!isReported) options.onPart();
    },
    drained: () => {},
    ended: (reason) => {
      isReported = true;
      options.onFailure(reason);
    },
  };
  if (connected) stream.send(PROBE);
  stream.resume();
}

function tag(bytes: Uint8Array, at: number): string {
  return Buffer.from(bytes.subarray(at, at + TAG_BYTES)).toString('latin1');
}
