// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { RecordPiece } from '../../../../src/replication/disk/backup/record-piece.js';
import { tagged } from '../simulation/content.js';

/** A piece in memory whose sectors are tagged with `tag`, `tag + 1` and so on. */
export function memoryPiece(tag: number, sectors: number): RecordPiece {
  const each = Array.from({ length: sectors }, (_, sector) => tagged(tag + sector, 1));
  return new RecordPiece(Buffer.concat(each));
}
