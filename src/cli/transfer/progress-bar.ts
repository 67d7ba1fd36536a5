// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

/** Bytes that move the marker of a bar without an end by one column. */
const STEP_BYTES = 1 << 20;
const MARKER = '<=>';

/**
 * A bar of so many columns, 6 at least: filled by the share of the bytes; where their number is not known, with a marker
 * that goes to and fro while bytes move.
 */
export function progressBar(
  columns: number,
  { bytes, totalBytes }: { readonly bytes: number; readonly totalBytes: number | null },
): string {
  const inside = columns - 2;
  if (totalBytes !== null) {
    const share = totalBytes === 0 ? 1 : Math.min(1, bytes / totalBytes);
    const filled = Math.floor(inside * share);
    return `[${'#'.repeat(filled)}${'-'.repeat(inside - filled)}]`;
  }
  const last = inside - MARKER.length;
  const step = Math.floor(bytes / STEP_BYTES) % (2 * last);
  const before = step <= last ? step : 2 * last - step;
  return `[${' '.repeat(before)}${MARKER}${' '.repeat(last - before)}]`;
}
