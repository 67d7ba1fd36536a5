// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

/** A disk's cylinders, heads and sectors per track, as a footer has them. */
export interface Geometry {
  readonly cylinders: number;
  readonly heads: number;
  readonly sectorsPerTrack: number;
}

const MAX_SECTORS = 65_535 * 16 * 255;

/** The geometry that a footer has for a disk of this many sectors (V15). */
export function geometryOf(sectors: number): Geometry {
  const total = Math.min(sectors, MAX_SECTORS);
  if (total >= 65_535 * 16 * 63) return geometry(Math.floor(total / 255), 16, 255);
  const tracks = Math.floor(total / 17);
  const heads = Math.max(4, Math.ceil(tracks / 1024));
  if (tracks < heads * 1024 && heads <= 16) return geometry(tracks, heads, 17);
  const tracksOf31 = Math.floor(total / 31);
  if (tracksOf31 < 16 * 1024) return geometry(tracksOf31, 16, 31);
  return geometry(Math.floor(total / 63), 16, 63);
}

function geometry(tracks: number, heads: number, sectorsPerTrack: number): Geometry {
  return { cylinders: Math.floor(tracks / heads), heads, sectorsPerTrack };
}

/** How many sectors a geometry has. */
export function sectorsOf({ cylinders, heads, sectorsPerTrack }: Geometry): number {
  return cylinders * heads * sectorsPerTrack;
}
