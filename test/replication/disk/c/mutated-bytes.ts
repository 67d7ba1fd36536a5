// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Random } from '../../../../src/testing/index.js';
import { randomBytes } from '../../../random.js';
import { SECTORS } from './sessions.js';

const SECTOR = 512;
const TAGS = ['wreq', 'creq', 'done', 'fail', 'tdts', 'rp01'].map((tag) => Buffer.from(tag, 'latin1'));
const MAX_MUTATIONS = 6;

/** Bytes with something wrong in them, or several things. */
export function mutated(bytes: Buffer, others: readonly Buffer[], random: Random): Buffer {
  let now = bytes;
  for (let left = random.integer(0, MAX_MUTATIONS); left > 0; left--) now = mutatedOnce(now, others, random);
  return now;
}

function mutatedOnce(bytes: Buffer, others: readonly Buffer[], random: Random): Buffer {
  const at = random.integer(0, bytes.length);
  const length = random.integer(1, random.chance(0.5) ? 16 : 600);
  const end = Math.min(at + length, bytes.length);
  const inserted = (part: Uint8Array): Buffer =>
    Buffer.concat([bytes.subarray(0, at), part, bytes.subarray(at)]);
  switch (random.integer(0, 7)) {
    case 0:
      return inserted(randomBytes(random, length));
    case 1:
      return inserted(random.pick(TAGS));
    case 2:
      return inserted(bytes.subarray(at, end));
    case 3:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(end)]);
    case 4:
      return bytes.subarray(0, at);
    case 5:
      return inserted(random.pick(others));
    case 6: {
      // A number in some header becomes a large one, or any.
      const header = bytes.indexOf('wreq', at);
      if (header < 0 || header + 16 > bytes.length) return bytes;
      const changed = Buffer.from(bytes);
      changed.writeUInt32LE(
        random.chance(0.5) ? random.word() : random.integer(0, 12),
        header + 4 * random.integer(1, 3),
      );
      return changed;
    }
    default: {
      const changed = Buffer.from(bytes);
      for (let flips = random.integer(1, 4); flips > 0 && changed.length > 0; flips--) {
        const which = random.integer(0, changed.length - 1);
        changed[which] = (changed[which] as number) ^ (1 << random.integer(0, 7));
      }
      return changed;
    }
  }
}

/**
 * What a backup's disk may be after these bytes: as it was, then after each commit up to the first message that must be
 * refused. Written beside the program, message by message.
 */
export function statesAfter(bytes: Buffer, image: Buffer): Buffer[] {
  const states = [image];
  const open = Buffer.from(image);
  for (let at = 0; at + 4 <= bytes.length;) {
    const tag = bytes.toString('latin1', at, at + 4);
    at += 4;
    if (tag === 'creq') states.push(Buffer.from(open));
    if (tag !== 'wreq') continue;
    if (at + 12 > bytes.length) break;
    const sectors = bytes.readUInt32LE(at);
    const first = bytes.readBigUInt64LE(at + 4);
    at += 12;
    if (sectors > 8 || first + BigInt(sectors) > BigInt(SECTORS) || at + sectors * SECTOR > bytes.length)
      break;
    bytes.copy(open, Number(first) * SECTOR, at, at + sectors * SECTOR);
    at += sectors * SECTOR;
  }
  return states;
}
