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
