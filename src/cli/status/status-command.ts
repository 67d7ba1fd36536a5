// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { shownMessage, shownText } from '../../server/shown-text.js';
import { NodePosix, type Posix } from '../../posix/index.js';
import { queryStatus, StatusError } from '../../status/status-client.js';
import { listStatusSockets, statusDirectories, type StatusSocket } from '../../status/status-directory.js';
import { removeDeadSockets } from '../../server/dead-sockets.js';
import { columnsOf, type CommandIo } from '../command-io.js';
import type { Values } from '../command-line/command-table.js';
import { EXIT_FAILED, EXIT_OK } from '../exit-status.js';
import { statusText } from './status-text.js';
import type { statusTable } from './status-table.js';

/** Runs `tapdisk-ts status`; returns the exit status. */
export async function runStatus(values: Values<typeof statusTable>, io: CommandIo): Promise<number> {
  const posix = io.posix ?? new NodePosix();
  const directories = statusDirectories();
  const lists = values.socket === undefined ? directories.map(list) : [];
  const failures = lists.filter((sockets) => sockets instanceof StatusError);
  const listed = lists.flatMap((sockets) => (sockets instanceof StatusError ? [] : sockets));
  for (const { message } of failures) io.stderr.write(`tapdisk-ts status: ${shownMessage(message)}\n`);
  const asked =
    values.socket === undefined
      ? listed.map((socket) => queryListed(posix, socket))
      : [query(posix, values.socket)];
  const answers = (await Promise.all(asked)).filter((answer) => answer !== undefined);
  const statuses = answers.filter((answer) => !(answer instanceof StatusError));
  if (values.json) for (const status of statuses) io.stdout.write(`${shownText(JSON.stringify(status))}\n`);
  else if (statuses.length > 0) io.stdout.write(statusText(statuses, columnsOf(io.stdout)));
  for (const answer of answers) {
    if (answer instanceof StatusError)
      io.stderr.write(`tapdisk-ts status: ${shownMessage(answer.message)}\n`);
  }
  if (answers.length === 0 && failures.length === 0) {
    const where = directories.map(shownText).join(', ');
    io.stderr.write(`tapdisk-ts status: no primary or backup is running (no socket in ${where})\n`);
  }
  return statuses.length > 0 && statuses.length === answers.length ? EXIT_OK : EXIT_FAILED;
}

function list(directory: string): StatusSocket[] | StatusError {
  try {
    return listStatusSockets(directory);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    return new StatusError(code, message, { cause: error });
  }
}

async function query(posix: Posix, path: string): Promise<object> {
  try {
    return await queryStatus(posix, path);
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    return error;
  }
}

/** Undefined when the socket was left behind: then it is removed. */
async function queryListed(posix: Posix, socket: StatusSocket): Promise<object | undefined> {
  const answer = await query(posix, socket.path);
  if (!(answer instanceof StatusError)) return answer;
  const removed = await removeDeadSockets(posix, [socket]);
  return removed.length > 0 ? undefined : answer;
}
