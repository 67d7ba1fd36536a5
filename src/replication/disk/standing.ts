// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

/** A generation, and which of its epochs a side knows to be at the other side (low) and may be there (high). */
export interface Reach {
  /** 16 hexadecimal digits. */
  readonly generation: string;
  readonly low: number;
  readonly high: number;
}

/** What each side reports of itself to the other, before anything is decided. See docs/replication-protocol.md. */
export interface Standing {
  readonly role: 'primary' | 'backup';
  /** 32 hexadecimal digits; null for a backup that never had a primary. */
  readonly diskId: string | null;
  readonly sectors: number;
  /** Sectors of a grain of its map. */
  readonly grainSectors: number;
  /** Whether its image is a state of the disk at all; a primary's always is. */
  readonly hasState: boolean;
  /** A backup without a state: whether a first sync may overwrite its image. */
  readonly takesFirstSync: boolean;
  /** A primary that was made one by promotion, in the generation that it has. */
  readonly promoted: boolean;
  /** A backup that was a primary, and gave its changes up. */
  readonly rejoining: boolean;
  /** A primary that is to make the backup equal, whatever the backup has. */
  readonly full: boolean;
  /**
   * Its line of history, its generation first, then the ancestors, youngest first. Primary: acked and sent; backup: the
   * committed epoch twice. Empty for a backup without a state.
   */
  readonly line: readonly Reach[];
  /** The resync that the backup has a part of; null: none. */
  readonly resyncId: string | null;
}

/** How many ancestors a line has at most, the present generation not counted. */
export const MAX_ANCESTORS = 8;
