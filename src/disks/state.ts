// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

/** The state bits that LIST shows, with tapdisk's numbers (C: TD_VBD_DEAD and so on). */
export const VBD_DEAD = 1;
export const VBD_CLOSED = 2;
export const VBD_QUIESCE_REQUESTED = 4;
export const VBD_QUIESCED = 8;
export const VBD_PAUSE_REQUESTED = 16;
export const VBD_PAUSED = 32;
export const VBD_SHUTDOWN_REQUESTED = 64;
export const VBD_LOCKING = 128;
export const VBD_RETRY_NEEDED = 256;
export const VBD_LOG_DROPPED = 512;

/**
 * Where a VBD is in its life. The bits above are what is shown of it.
 *
 *     closed ──open──▶ opening ──▶ running ──pause──▶ pausing ──quiet──▶ paused
 *       ▲  ▲              │         │  ▲                                 │  │
 *       │  └───failed─────┘         │  └─────────── resuming ◀──resume───┘  │
 *       │                         close                  └──failed──▶ paused │
 *       │                           ▼                                       │
 *       │                 draining (requests pending)                       │
 *       │                           │ quiet                                 │
 *       └────────────────────── closing ◀─────────────close─────────────────┘
 *
 * A closed VBD that is detached is dead and stays so.
 */
export type VbdPhase =
  | 'closed'
  | 'opening'
  | 'running'
  | 'pausing'
  | 'paused'
  | 'resuming'
  | 'draining'
  | 'closing'
  | 'dead';

const bitsOfPhase: Readonly<Record<VbdPhase, number>> = {
  closed: VBD_CLOSED,
  opening: VBD_CLOSED | VBD_LOCKING,
  running: 0,
  pausing: VBD_PAUSE_REQUESTED | VBD_QUIESCE_REQUESTED,
  paused: VBD_PAUSED | VBD_QUIESCED | VBD_CLOSED,
  resuming: VBD_PAUSED | VBD_QUIESCED | VBD_CLOSED | VBD_LOCKING,
  draining: VBD_SHUTDOWN_REQUESTED,
  closing: VBD_SHUTDOWN_REQUESTED | VBD_QUIESCED,
  dead: VBD_DEAD | VBD_CLOSED,
};

/** The bits that LIST shows for a phase; `retrying` while requests wait to be tried again. */
export function stateBits(phase: VbdPhase, retrying: boolean): number {
  return bitsOfPhase[phase] | (retrying ? VBD_RETRY_NEEDED : 0);
}

/** What a phase goes on beside, and what else is known of it. */
const besides = [
  [VBD_RETRY_NEEDED, 'retrying'],
  [VBD_LOG_DROPPED, 'log dropped'],
] as const;

const bitNames = [
  [VBD_DEAD, 'dead'],
  [VBD_CLOSED, 'closed'],
  [VBD_QUIESCE_REQUESTED, 'quiesce requested'],
  [VBD_QUIESCED, 'quiesced'],
  [VBD_PAUSE_REQUESTED, 'pause requested'],
  [VBD_PAUSED, 'paused'],
  [VBD_SHUTDOWN_REQUESTED, 'shutdown requested'],
  [VBD_LOCKING, 'locking'],
] as const;

/**
 * The name of the state that LIST shows: of a phase where the bits are those of one, else of each bit, as other daemons may
 * combine them; `unknown` with the number for bits that have no name.
 */
export function stateName(bits: number): string {
  const beside = besides.filter(([bit]) => (bits & bit) !== 0);
  const rest = beside.reduce((left, [bit]) => left & ~bit, bits);
  const phase = Object.entries(bitsOfPhase).find(([, ofPhase]) => ofPhase === rest)?.[0];
  const known = bitNames.filter(([bit]) => (rest & bit) !== 0);
  const unknown = known.reduce((left, [bit]) => left & ~bit, rest);
  const names = phase === undefined ? known.map(([, name]) => name) : [phase];
  if (unknown !== 0) names.push(`unknown 0x${(unknown >>> 0).toString(16)}`);
  return [...names, ...beside.map(([, name]) => name)].join(', ');
}
