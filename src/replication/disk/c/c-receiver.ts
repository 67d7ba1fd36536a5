// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { BackupRole } from '../backup/backup-role.js';
import type { EngineCore } from '../engine-core.js';
import { randomHex } from '../format/fields.js';
import { NO_DISK, NO_ID } from '../format/metadata-record.js';
import type { CPrimaryReceiver } from '../sessions.js';

/**
 * What a backup offers to a C primary, which has no epochs, no generation and no disk id: each commit is the next one, and
 * the image is taken for what the primary's was in the beginning.
 */
export function cReceiver({ parts, state }: EngineCore, backup: BackupRole): CPrimaryReceiver {
  const { store } = backup;
  const { metadata } = state;
  const known = metadata.current.generation;
  const generation = known === NO_ID ? randomHex(parts.random, 8) : known;
  let { epoch } = backup;
  return {
    sectors: store.sectors,
    get hasRoom() {
      return store.hasRoom;
    },
    get isFull() {
      return store.isFull;
    },
    onRoom: (room) => store.onRoom(room),
    write: (sector, bytes) => store.write(sector, bytes),
    zero: (sector, sectors) => store.zero(sector, sectors),
    commit: (done) => {
      epoch += 1;
      if (metadata.current.diskId === NO_DISK) metadata.note({ diskId: randomHex(parts.random, 16) });
      backup.commit(epoch, generation, undefined, done);
    },
    abort: () => store.abort(),
  };
}
