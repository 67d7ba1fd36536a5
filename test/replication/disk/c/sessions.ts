// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { readFileSync } from 'node:fs';
import { repositoryFile } from '../../../../scripts/repository-files.js';

export interface Step {
  readonly from: 'primary' | 'backup' | 'fifo-in' | 'fifo-out' | 'guest' | 'disk';
  readonly bytes: Buffer;
  /** The bytes as text: of the FIFOs and the guest. */
  readonly text: string;
  readonly note: string;
}

/** A session of the C driver as it was recorded: what each side sent, and what was seen. */
export interface Session {
  readonly name: string;
  readonly role: 'primary' | 'backup' | 'both';
  readonly steps: readonly Step[];
}

interface Recorded {
  readonly name: string;
  readonly role_of_c: Session['role'];
  readonly steps: readonly { readonly from: Step['from']; readonly hex: string; readonly note: string }[];
}

/** What every recorded session's disk is full of in the beginning. */
export const OLD = 0xdd;
export const SECTORS = 128;

export function recordedSessions(): Session[] {
  const text = readFileSync(repositoryFile('test/replication/disk/c/remus-streams.json'), 'utf8');
  return (JSON.parse(text) as Recorded[]).map(({ name, role_of_c, steps }) => ({
    name,
    role: role_of_c,
    steps: steps.map(({ from, hex, note }) => {
      const bytes = Buffer.from(hex, 'hex');
      return { from, bytes, text: bytes.toString('latin1'), note };
    }),
  }));
}

/** The first byte of each sector that a remark names: `8=b2, 10=c3`. */
export function firstBytes(note: string): { readonly sector: number; readonly byte: number }[] {
  return [...note.matchAll(/\b(\d+)=([0-9a-f]{2})\b/g)].map(([, sector, byte]) => ({
    sector: Number(sector),
    byte: Number.parseInt(byte as string, 16),
  }));
}
