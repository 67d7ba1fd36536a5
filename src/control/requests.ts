// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { errno } from '../posix/errno.js';
import { SystemError } from '../posix/system-error.js';
import type { Vbd, VbdRegistry } from '../disks/index.js';
import type { Reply } from '../server/exchange.js';
import { LOG_ERR, LOG_INFO, type Logger } from '../server/logger.js';
import { ControlMessage, MAX_LISTED_MINORS, NO_COOKIE, REPORT_BYTES } from './message.js';
import { parseReplicationRequest, type ReplicationHandler } from './replication-request.js';
import { FLAG_READ_ONLY, FLAG_SHARED, MessageType, messageTypeName } from './message-type.js';

/** What requests are about. */
export interface ControlTarget {
  readonly registry: VbdRegistry;
  readonly pid: number;
  /** The daemon's statistics as JSON. */
  readonly report: () => string;
  /** Commands for replicated disks; refused unless given. */
  readonly replication?: ReplicationHandler;
  /** Logs failures, which the client gets as well; without it they are not logged. */
  readonly logger?: Logger;
}

type Handler = (request: ControlMessage, reply: Reply, target: ControlTarget) => void;

const handlers = new Map<number, Handler>([
  [MessageType.pid, answerPid],
  [MessageType.attach, attach],
  [MessageType.open, open],
  [MessageType.pause, pause],
  [MessageType.resume, resume],
  [MessageType.close, close],
  [MessageType.detach, detach],
  [MessageType.listMinors, listMinors],
  [MessageType.list, list],
  [MessageType.statistics, (request, reply, { report }) => sendText(request, reply, report())],
  [MessageType.replication, replicate],
  [MessageType.resize, resize],
]);

/** Does what a request asks, and replies as the C daemon's control socket does, at once or when it is done. */
export function answerRequest(request: ControlMessage, reply: Reply, target: ControlTarget): void {
  const handler = handlers.get(request.type);
  if (handler) handler(request, reply, target);
  else refuse(request, reply, errno.EINVAL, `there is no request ${messageTypeName(request.type)}`);
}

function answerPid(request: ControlMessage, reply: Reply, { pid }: ControlTarget): void {
  finish(reply, answerTo(request, MessageType.pidAnswer).setPid(pid));
}

function attach(request: ControlMessage, reply: Reply, { registry }: ControlTarget): void {
  respond(request, reply, MessageType.attachAnswer, registry.attach(request.cookie));
}

function open(request: ControlMessage, reply: Reply, target: ControlTarget): void {
  const { registry } = target;
  const { cookie: minor, parameters } = request;
  runOrRefuse(request, reply, async () => {
    const { flags, path } = parameters;
    if (path === undefined) throw new SystemError(errno.EINVAL, PATH_RULE);
    requireOpenable(flags, path);
    const openFlags = { readOnly: (flags & FLAG_READ_ONLY) !== 0, shared: (flags & FLAG_SHARED) !== 0 };
    await logged(registry.open(minor, path, openFlags), `vbd ${minor}: cannot open ${path}`, target);
    // Nobody can detach it before it is closed again.
    const { info } = registry.get(minor) as Vbd;
    finish(reply, answerTo(request, MessageType.openAnswer).setImage(info));
  });
}

function pause(request: ControlMessage, reply: Reply, target: ControlTarget): void {
  const { cookie: minor } = request;
  const change = logged(target.registry.pause(minor), `vbd ${minor}: cannot pause`, target);
  respondWhen(change, request, reply, MessageType.pauseAnswer);
}

function resume(request: ControlMessage, reply: Reply, target: ControlTarget): void {
  const { cookie: minor } = request;
  const { path } = request.parameters;
  const type = MessageType.resumeAnswer;
  if (path === undefined) {
    respond(request, reply, type, errno.EINVAL, PATH_RULE);
    return;
  }
  const what = path === '' ? 'resume' : `resume with ${path}`;
  const change = logged(target.registry.resume(minor, path), `vbd ${minor}: cannot ${what}`, target);
  respondWhen(change, request, reply, type);
}

function resize(request: ControlMessage, reply: Reply, { registry }: ControlTarget): void {
  runOrRefuse(request, reply, async () => {
    const info = await registry.resize(request.cookie);
    finish(reply, answerTo(request, MessageType.resizeAnswer).setImage(info));
  });
}

function close(request: ControlMessage, reply: Reply, target: ControlTarget): void {
  const { cookie: minor } = request;
  const change = logged(target.registry.close(minor), `vbd ${minor}: close failed`, target);
  respondWhen(change, request, reply, MessageType.closeAnswer);
}

function detach(request: ControlMessage, reply: Reply, { registry }: ControlTarget): void {
  respond(request, reply, MessageType.detachAnswer, registry.detach(request.cookie));
}

function listMinors(request: ControlMessage, reply: Reply, { registry }: ControlTarget): void {
  const minors = registry.list().map(({ minor }) => minor);
  if (minors.length > MAX_LISTED_MINORS) {
    const text = `there are ${minors.length} minors, and an answer has room for ${MAX_LISTED_MINORS}`;
    return refuse(request, reply, errno.ERANGE, text);
  }
  return finish(reply, answerTo(request, MessageType.listMinorsAnswer).setMinors(minors));
}

/** One message a VBD, counting down to 1, and one more that ends the list: all as it is now, however slow the client. */
function list(request: ControlMessage, reply: Reply, { registry }: ControlTarget): void {
  const vbds = registry.list();
  for (const [index, { minor, state, name }] of vbds.entries()) {
    const entry = { count: vbds.length - index, minor, state, path: name };
    reply.send(answerTo(request, MessageType.listAnswer).setList(entry).bytes);
  }
  const end = { count: 0, minor: -1, state: 0, path: '' };
  finish(reply, answerTo(request, MessageType.listAnswer).setList(end));
}

/** Does a command for replicated disks, and replies with its outcome as JSON. */
function replicate(request: ControlMessage, reply: Reply, { replication }: ControlTarget): void {
  const minor = request.cookie === NO_COOKIE ? undefined : request.cookie;
  runOrRefuse(request, reply, async () => {
    if (!replication) throw new SystemError(errno.EOPNOTSUPP, 'this daemon replicates no disks');
    const outcome = await replication(minor, parseReplicationRequest(request.parameters.path));
    sendText(request, reply, JSON.stringify(outcome));
  });
}

/** Replies with a text in as many messages as it takes, each of the request's reply type. */
function sendText(request: ControlMessage, reply: Reply, text: string): void {
  let rest = new TextEncoder().encode(text);
  do {
    const bytes = rest.subarray(0, REPORT_BYTES);
    rest = rest.subarray(bytes.length);
    const piece = answerTo(request, request.type + 1).setReport({
      remaining: rest.length,
      bytes,
    });
    reply.send(piece.bytes);
  } while (rest.length > 0);
  reply.end();
}

const PATH_RULE = 'a path must be UTF-8 of at most 255 bytes with a NUL behind it';

/** @throws SystemError EINVAL for what cannot be opened so */
function requireOpenable(flags: number, path: string): void {
  if (!path.includes(':'))
    throw new SystemError(errno.EINVAL, `${path} has no driver: a name is TYPE:ARGUMENT, as in aio:/path`);
  const unsupported = flags & ~(FLAG_SHARED | FLAG_READ_ONLY);
  // To go on without them would let the caller believe in a cache or a log that is not there.
  if (unsupported !== 0)
    throw new SystemError(errno.EINVAL, `the flags 0x${unsupported.toString(16)} are not supported`);
}

function answerTo(request: ControlMessage, type: number): ControlMessage {
  return ControlMessage.create(type, request.cookie);
}

function finish(reply: Reply, answer: ControlMessage): void {
  reply.send(answer.bytes);
  reply.end();
}

/** @param result 0 or an errno, whatever its sign */
function respond(request: ControlMessage, reply: Reply, type: number, result: number, text = ''): void {
  finish(reply, answerTo(request, type).setResponse(Math.abs(result), text));
}

/** Responds once a change of a VBD has ended, with what was wrong if it failed. */
function respondWhen(change: Promise<void>, request: ControlMessage, reply: Reply, type: number): void {
  void orElse(
    async () => {
      await change;
      respond(request, reply, type, 0);
    },
    (error, text) => respond(request, reply, type, error, text),
  );
}

/**
 * Logs why a change of a VBD failed. The client gets the reason too, but may be a script whose output nobody reads. EAGAIN is
 * not logged: clients try again by themselves.
 */
async function logged(change: Promise<void>, what: string, { logger }: ControlTarget): Promise<void> {
  try {
    await change;
  } catch (error) {
    if (error instanceof SystemError && error.errno !== -errno.EAGAIN)
      logger?.log(error.errno === -errno.ECANCELED ? LOG_INFO : LOG_ERR, `${what}: ${error.message}`);
    throw error;
  }
}

/** Does what a request asks, which answers it; answers with ERROR when that fails. */
function runOrRefuse(request: ControlMessage, reply: Reply, run: () => Promise<void>): void {
  void orElse(run, (error, text) => refuse(request, reply, error, text));
}

/**
 * Does something, and something else if that fails. A fault of ours is thrown on.
 *
 * @param failed gets a positive errno, and what was wrong
 */
async function orElse(
  run: () => Promise<void>,
  failed: (error: number, text: string) => void,
): Promise<void> {
  try {
    await run();
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    failed(Math.abs(error.errno ?? errno.EIO), error.message);
  }
}

/**
 * Replies with ERROR.
 *
 * @param error a positive errno
 */
export function refuse(request: ControlMessage, reply: Reply, error: number, text = ''): void {
  finish(reply, answerTo(request, MessageType.error).setResponse(error, text));
}
