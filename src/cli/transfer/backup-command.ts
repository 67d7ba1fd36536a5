// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { parseArgs } from 'node:util';
import { Backup } from '../../transfer/backup.js';
import { outputToFile } from '../../transfer/output-file.js';
import { outputToStandard } from '../../transfer/output-standard.js';
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

export const BACKUP_HELP = `Usage: tapdisk-ts backup [OPTION]... HOST:PORT > COPY

Listens on HOST:PORT, an address of this host, takes the image that a primary sends, and then waits for the next one. HOST
is a name or an IPv4 address, 0.0.0.0 for every address of this host. Port 0 takes a free one, which is reported.

  -o, --output FILE     write each image to this file instead of standard output
      --once            end after the first complete image
      --no-raw          take images from tapdisk-ts primary only
${TRANSFER_OPTIONS_HELP}
An image is written beside FILE, as FILE.partial, and takes its name when it is complete and on the disk: FILE is always a
whole image, and a transfer that breaks off leaves the one before. A device is written in place. Standard output gets one
image after another; when a transfer breaks off in the middle there, the backup ends with status 1.

A primary that is another program sends the image alone, and the end of its connection is taken for the end of the image.
One that sends nothing changes nothing.

Exit status: 0 with --once, the image is complete; 1 it cannot be written, or the address cannot be listened on; 2 the
command line is wrong; 3 this host does not have the address, so that the other host is the backup; 130, 143, 129 ended by
SIGINT, SIGTERM, SIGHUP.
`;

/** `tapdisk-ts backup`: answers the exit status. */
export async function runBackupCommand(argv: string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parseArgs({
    args: argv,
    allowPositionals: true,
    options: {
      ...transferOptionShapes,
      output: { type: 'string', short: 'o' },
      once: { type: 'boolean', default: false },
      'no-raw': { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    io.stdout.write(BACKUP_HELP);
    return EXIT_OK;
  }
  const options = transferOptions(values);
  const name = checkHostPort(onlyArgument(positionals, 'HOST:PORT'), 0);
  return runTransfer('backup', options, io, async (server, reporter) => {
    const output =
      values.output === undefined || values.output === '-'
        ? outputToStandard(io.stdoutFd ?? io.stdout)
        : await outputToFile(values.output);
    return new Backup({
      registrar: server,
      posix: server.posix,
      logger: reporter,
      observer: reporter,
      name,
      output,
      once: values.once,
      acceptsRaw: !values['no-raw'],
      idleSeconds: options.idleSeconds,
    });
  });
}
