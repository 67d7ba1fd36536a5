// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { parseArgs } from 'node:util';
import { NodePosix } from '../../posix/index.js';
import { queryStatus, StatusError } from '../../status/status-client.js';
import {
  isAlive,
  listStatusSockets,
  removeSocket,
  statusDirectory,
  type StatusSocket,
} from '../../status/status-directory.js';
import type { CommandIo } from '../command-io.js';
import { EXIT_FAILED, EXIT_OK } from '../exit-status.js';
import { statusTable } from './status-table.js';
import { UsageError } from '../usage-error.js';

export const STATUS_HELP = `Usage: tapdisk-ts status [OPTION]...

Asks every primary and backup of this user that runs on this host for its state, and prints them in a table. A socket that
one has left behind, which nobody serves any more, is removed.

      --socket PATH  ask only the one that answers on this Unix socket
      --json         print a JSON object a line instead
  -h, --help         print this

Exit status: 0 all that run have answered; 1 one has not, or none runs; 2 the command line is wrong.
`;

/** `tapdisk-ts status`: answers the exit status. */
export async function runStatusCommand(argv: string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parseArgs({
    args: argv,
    allowPositionals: true,
    options: {
      socket: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    io.stdout.write(STATUS_HELP);
    return EXIT_OK;
  }
  if (positionals.length > 0) {
    throw new UsageError(`${positionals.join(' ')} is not wanted here; --socket PATH names a socket`);
  }
  const posix = new NodePosix();
  const directory = statusDirectory();
  const asked =
    values.socket === undefined
      ? listStatusSockets(directory).map((socket) => queryListed(posix, socket))
      : [query(posix, values.socket)];
  const answers = (await Promise.all(asked)).filter((answer) => answer !== undefined);
  const statuses = answers.filter((answer) => !(answer instanceof StatusError));
  if (values.json) for (const status of statuses) io.stdout.write(`${JSON.stringify(status)}\n`);
  else if (statuses.length > 0) io.stdout.write(statusTable(statuses));
  for (const answer of answers) {
    if (answer instanceof StatusError) io.stderr.write(`tapdisk-ts status: ${answer.message}\n`);
  }
  if (answers.length === 0) io.stderr.write(`tapdisk-ts status: none runs (no socket in ${directory})\n`);
  return statuses.length > 0 && statuses.length === answers.length ? EXIT_OK : EXIT_FAILED;
}

async function query(posix: NodePosix, path: string): Promise<object> {
  try {
    return await queryStatus(posix, path);
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    return error;
  }
}

/** Undefined when the socket was left behind: then it is removed. */
async function queryListed(posix: NodePosix, { path, pid }: StatusSocket): Promise<object | undefined> {
  const answer = await query(posix, path);
  if (!(answer instanceof StatusError) || isAlive(pid)) return answer;
  if (answer.code !== 'ECONNREFUSED' && answer.code !== 'ENOENT') return answer;
  removeSocket(path);
  return undefined;
}
