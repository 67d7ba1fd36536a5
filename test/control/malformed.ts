// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { MessageType } from '../../src/control/message-type.js';
import type { Random } from '../../src/testing/random.js';

const types = Object.values(MessageType);
const names = [
  'ram:1',
  'ram:',
  'held:a',
  ':',
  'log:',
  'log:|ram:1',
  'x'.repeat(300),
  'ram:1'.repeat(60),
  '\u{1f600}:',
];

/** Bytes that are no message, are part of one, or ask for nonsense. */
export function malformedMessage(random: Random): Uint8Array {
  const bytes = Uint8Array.from({ length: random.integer(0, 600) }, () => random.integer(0, 255));
  if (bytes.length < 280 || random.chance(0.3)) return bytes;
  const view = new DataView(bytes.buffer);
  view.setUint16(0, random.pick(types), true);
  // A few minors only, so that requests meet VBDs in all their states.
  view.setUint16(2, random.integer(0, 5), true);
  if (random.chance(0.7)) {
    bytes.fill(0, 8, 280);
    view.setUint8(8, random.integer(0, 31));
    Buffer.from(bytes.buffer).write(random.pick(names), 22, 256);
  }
  return bytes;
}
