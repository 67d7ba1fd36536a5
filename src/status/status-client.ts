// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { parseJson } from '../posix/json-text.js';
import { errno, errnoCode, inWords } from '../posix/errno.js';
import { SystemError } from '../posix/system-error.js';
import type { Posix } from '../posix/posix.js';
import { ClientConnection } from '../server/client-connection.js';
import { checkSocketPath } from '../server/socket-path.js';
import { requireTrustedSocket } from '../server/trusted-directory.js';
import { MAX_ANSWER_BYTES, STATUS_REQUEST } from './status-protocol.js';

/** How long a program may take for its answer, in seconds, all in all. */
export const QUERY_TIMEOUT_SECONDS = 2;

/** Nobody answered, or not with a status. `code` is an errno's name: ECONNREFUSED and ENOENT when nobody serves the socket. */
export class StatusError extends SystemError {
  override readonly name = 'StatusError';
}

/**
 * Asks for the status on a socket.
 *
 * @throws (rejects with) StatusError
 */
export async function queryStatus(
  posix: Posix,
  path: string,
  timeoutSeconds: number = QUERY_TIMEOUT_SECONDS,
): Promise<object> {
  try {
    checkSocketPath(path);
    requireTrustedSocket(path);
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    throw new StatusError(code, message, { cause: error });
  }
  const patience = { stepSeconds: timeoutSeconds, wholeSeconds: timeoutSeconds };
  const opened = await ClientConnection.open(posix, path, patience);
  if (typeof opened === 'number') throw callFailed(opened, path);
  using connection = opened;
  const sent = await connection.send(Buffer.from(STATUS_REQUEST));
  if (sent < 0) throw callFailed(sent, path);
  const answer = Buffer.alloc(MAX_ANSWER_BYTES + 1);
  const length = await connection.receive(answer);
  if (length < 0) throw callFailed(length, path);
  if (length > MAX_ANSWER_BYTES)
    throw new StatusError('EMSGSIZE', `${path}: the reply has more than ${MAX_ANSWER_BYTES} bytes`);
  return statusOf(answer.subarray(0, length), path);
}

function statusOf(answer: Buffer, path: string): object {
  if (answer.length === 0) throw new StatusError('ECONNRESET', `${path}: closed without a reply`);
  try {
    const status: unknown = parseJson(answer.toString());
    if (typeof status === 'object' && status !== null) return status;
  } catch {
    // No JSON is no status either.
  }
  throw new StatusError('EPROTO', `${path}: the reply is not a status`);
}

function callFailed(result: number, path: string): StatusError {
  const what = result === -errno.ETIMEDOUT ? 'no answer in time' : inWords(-result);
  return new StatusError(errnoCode(result), `${path}: ${what}`);
}
