// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

export type SegmentKind = 'SYN' | 'SYN+ACK' | 'ACK' | 'DATA' | 'FIN' | 'RST';

const NO_BYTES = new Uint8Array(0);

/** What travels between two endpoints: TCP's segment, as far as a simulation needs it. */
export interface Segment<End> {
  readonly kind: SegmentKind;
  /** The sender; undefined for a reset by a host without such an endpoint. */
  readonly from: End | undefined;
  /** DATA, FIN: the position of the first byte, or of the end of file, in the sender's stream. */
  readonly position: number;
  /** DATA: the bytes; a probe has none. */
  readonly bytes: Uint8Array;
  /** The position up to which the sender has everything, its peer's end of file counted as one byte. */
  readonly acknowledged: number;
  /** The position up to which the sender has room for bytes. */
  readonly windowEnd: number;
}

/** A reset, or the start of a connection: segments that say nothing of positions. */
export function bareSegment<End>(kind: SegmentKind, from: End | undefined): Segment<End> {
  return { kind, from, position: 0, bytes: NO_BYTES, acknowledged: 0, windowEnd: 0 };
}

export function describeSegment({
  kind,
  position,
  bytes,
  acknowledged,
  windowEnd,
}: Segment<unknown>): string {
  switch (kind) {
    case 'SYN':
    case 'RST':
      return kind;
    case 'SYN+ACK':
    case 'ACK':
      return `${kind} ack ${acknowledged} window ${windowEnd}`;
    case 'FIN':
      return `FIN ${position} ack ${acknowledged}`;
    case 'DATA':
      return `DATA ${position}+${bytes.length} ack ${acknowledged}`;
  }
}
