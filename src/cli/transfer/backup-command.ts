// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { Backup } from '../../transfer/backup.js';
import { outputToFile } from '../../transfer/output-file.js';
import { outputToStandard } from '../../transfer/output-standard.js';
import { LOG_WARNING } from '../../server/logger.js';
import type { CommandIo } from '../command-io.js';
import type { Values } from '../command-line/command-table.js';
import { runTransfer } from './run-transfer.js';
import type { backupTable } from './backup-table.js';

/** Runs `tapdisk-ts backup`; returns the exit status. */
export async function runBackup(values: Values<typeof backupTable>, io: CommandIo): Promise<number> {
  return runTransfer('backup', values, io, async (server, reporter) => {
    const output =
      values.output === undefined || values.output === '-'
        ? outputToStandard(io.stdoutFd ?? io.stdout)
        : await outputToFile(values.output, {
            mode: values.mode,
            keepsPrevious: values.previous,
            warn: (message) => reporter.log(LOG_WARNING, message),
          });
    return new Backup({
      registrar: server,
      posix: server.posix,
      logger: reporter,
      observer: reporter,
      name: values.address,
      output,
      once: values.once,
      acceptsRaw: values.raw,
      maxBytes: values.maxSize,
      minRate: values.minRate,
      allow: values.allow,
      idleSeconds: values.idleTimeout,
      silenceSeconds: values.silenceTimeout,
    });
  });
}
