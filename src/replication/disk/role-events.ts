// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { errnoCode } from '../../posix/errno.js';
import type { BackupEvents } from './backup/backup-role.js';
import type { EngineCore } from './engine-core.js';
import type { PrimaryEvents } from './primary/primary-parts.js';

/** What a primary role reports, as events of the disk. `reached`: there is a backup, for those who wait for one. */
export function primaryEvents(engine: EngineCore, reached: () => void, wrote: () => void): PrimaryEvents {
  const { reporter } = engine;
  return {
    phase: (phase, reason) => {
      engine.changed(reason);
      if (phase !== 'alone') reached();
    },
    checkpoint: ({ epoch, seconds, bytes, failure }) =>
      reporter.tell({ kind: 'checkpoint', epoch, seconds, bytes, failure }),
    wrote,
    detached: (reason, code) => engine.peering?.lost(reason, code),
    resync: (what, bytes, reason) => reporter.tell({ kind: 'resync', what, bytes, reason }),
    failed: (what, result) => engine.fail(what, result),
    verified: (what, sector, sectors) => {
      reporter.tell({ kind: 'verify', what, sector, sectors });
      if (what === 'ended') return;
      const how = what === 'difference' ? 'differs' : 'cannot read what it has';
      const reason = `the backup ${how} within ${sectors} sectors at ${sector}`;
      engine.changed(reason);
      reporter.notice(reason);
    },
    unsolicited: () => reporter.tell({ kind: 'unsolicited' }),
    notice: (message) => reporter.notice(message),
  };
}

/** What a backup role reports, as events of the disk. */
export function backupEvents(engine: EngineCore): BackupEvents {
  const { reporter } = engine;
  return {
    committed: (epoch, bytes, seconds, result) => {
      const failure = result < 0 ? errnoCode(result) : null;
      reporter.tell({ kind: 'checkpoint', epoch, seconds, bytes, failure });
    },
    initialised: () => {
      // A backup's map says what its own changes are: with a state of the primary's it has none.
      const { map } = engine.state;
      for (const grain of [...map.bits]) map.lower(grain);
      engine.changed('the first checkpoint is committed');
    },
    failed: (what, result) => engine.fail(what, result),
    notice: (message) => reporter.notice(message),
  };
}
