// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { FileContent } from './content.js';

/** Something that was done to a file's bytes. Nobody changes `bytes` any more. */
export type FileChange =
  | { readonly kind: 'write'; readonly position: number; readonly bytes: Uint8Array }
  | { readonly kind: 'truncate'; readonly size: number }
  /** What is left of a write that made a file longer when its bytes are lost. */
  | { readonly kind: 'extend'; readonly size: number }
  | { readonly kind: 'allocate' | 'punch'; readonly position: number; readonly length: number };

/** Does it. */
export function applyChange(content: FileContent, change: FileChange): void {
  switch (change.kind) {
    case 'write':
      content.write(change.bytes, change.position);
      break;
    case 'truncate':
      content.truncate(change.size);
      break;
    case 'extend':
      content.extend(change.size);
      break;
    case 'allocate':
      content.allocate(change.position, change.length);
      content.extend(change.position + change.length);
      break;
    case 'punch':
      content.punch(change.position, Math.min(change.length, Math.max(0, content.size - change.position)));
      break;
  }
}

/** A write in pieces that end at multiples of `grain` bytes. */
export function torn(change: FileChange & { kind: 'write' }, grain: number): FileChange[] {
  const pieces: FileChange[] = [];
  const { position, bytes } = change;
  for (let at = 0; at < bytes.length;) {
    const length = Math.min(grain - ((position + at) % grain), bytes.length - at);
    pieces.push({ kind: 'write', position: position + at, bytes: bytes.subarray(at, at + length) });
    at += length;
  }
  return pieces;
}
