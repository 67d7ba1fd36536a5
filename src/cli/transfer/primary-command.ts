// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { inputFromFile, inputFromStandard } from '../../transfer/input.js';
import { Primary } from '../../transfer/primary.js';
import type { CommandIo } from '../command-io.js';
import type { Values } from '../command-line/command-table.js';
import { runTransfer } from './run-transfer.js';
import type { primaryTable } from './primary-table.js';

/** Runs `tapdisk-ts primary`; returns the exit status. */
export async function runPrimary(values: Values<typeof primaryTable>, io: CommandIo): Promise<number> {
  return runTransfer('primary', values, io, async (server, reporter) => {
    const input =
      values.input === undefined || values.input === '-'
        ? inputFromStandard(io.stdin, io.stdinFd)
        : await inputFromFile(values.input);
    return new Primary({
      registrar: server,
      posix: server.posix,
      logger: reporter,
      observer: reporter,
      name: values.address,
      input,
      raw: values.raw,
      allow: values.allow,
      idleSeconds: values.idleTimeout,
      silenceSeconds: values.silenceTimeout,
      attemptSeconds: values.connectTimeout,
    });
  });
}
