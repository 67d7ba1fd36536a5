// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { parseArgs } from 'node:util';
import { inputFromFile, inputFromStandard } from '../../transfer/input.js';
import { Primary } from '../../transfer/primary.js';
import type { CommandIo } from '../command-io.js';
import { EXIT_OK } from '../exit-status.js';
import { checkHostPort } from '../host-port.js';
import { runTransfer } from './run-transfer.js';
import {
  onlyArgument,
  TRANSFER_OPTIONS_HELP,
  transferOptions,
  transferOptionShapes,
} from './transfer-options.js';

export const PRIMARY_HELP = `Usage: tapdisk-ts primary [OPTION]... HOST:PORT < IMAGE

Connects to the backup at HOST:PORT, once a second for as long as it is not there, sends it the image, and checks that
both have the same bytes. HOST is a name or an IPv4 address.

  -i, --input FILE      send this file or block device instead of standard input
      --raw             send the image alone at once, to a backup that is another program and must not be waited for
${TRANSFER_OPTIONS_HELP}
A connection that breaks while the image is under way ends the transfer, and the backup keeps nothing of it; run again, it
starts over. A backup that is another program gets the image alone, and the end of it is the end of the connection.

Exit status: 0 the image was sent, and the backup has confirmed it (another program: does not confirm, which is told);
1 it was not; 2 the command line is wrong; 130, 143, 129 ended by SIGINT, SIGTERM, SIGHUP.
`;

/** `tapdisk-ts primary`: answers the exit status. */
export async function runPrimaryCommand(argv: string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parseArgs({
    args: argv,
    allowPositionals: true,
    options: {
      ...transferOptionShapes,
      input: { type: 'string', short: 'i' },
      raw: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    io.stdout.write(PRIMARY_HELP);
    return EXIT_OK;
  }
  const options = transferOptions(values);
  const name = checkHostPort(onlyArgument(positionals, 'HOST:PORT'), 1);
  return runTransfer('primary', options, io, async (server, reporter) => {
    const input =
      values.input === undefined || values.input === '-'
        ? inputFromStandard(io.stdin)
        : await inputFromFile(values.input);
    return new Primary({
      registrar: server,
      posix: server.posix,
      logger: reporter,
      observer: reporter,
      name,
      input,
      raw: values.raw,
      idleSeconds: options.idleSeconds,
    });
  });
}
