// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { errno, errnoCode, strerror } from '../posix/errno.js';
import type { Posix } from '../posix/posix.js';
import { SystemError } from '../posix/system-error.js';
import { requireTrustedSocket } from '../server/trusted-directory.js';
import { ControlConnection, WHOLE_SECONDS } from './control-connection.js';
import { controlSocketPath } from './control-directory.js';
import { ControlMessage, type ImageBody, type ListBody, NO_COOKIE, textFits } from './message.js';
import type { ReplicationCommand, ReplicationRequest } from './replication-request.js';
import { MessageType } from './message-type.js';

/** How long each step of a request may take, in seconds. */
export const QUERY_TIMEOUT_SECONDS = 2;
export const REQUEST_TIMEOUT_SECONDS = 5;
export const RESUME_TIMEOUT_SECONDS = 15;
/** A command for a replicated disk may bring all that waits to its image first. */
export const REPLICATION_TIMEOUT_SECONDS = 600;
/** Commands that only ask: their answer waits for no disk. */
const QUESTIONS: ReadonlySet<ReplicationCommand> = new Set(['status', 'events']);
/** How often CLOSE is repeated while requests are pending, and how long apart. */
export const CLOSE_REPEATS = 20;
export const CLOSE_INTERVAL_SECONDS = 0.001;
/** The maximum length of a list or report, in messages. */
export const MAX_ANSWERS = 65_536;

/** A daemon's refusal, or what kept a request from being answered. */
export class ControlError extends SystemError {
  override readonly name = 'ControlError';
  readonly number: number;
  readonly detail: string;

  /**
   * @param error an errno, whatever its sign
   * @param detail what was wrong, in words; may be empty
   */
  constructor(error: number, detail: string) {
    const number = Math.abs(error);
    const text = strerror(number);
    const meaning = `${errnoCode(number)} (${text})`;
    // A daemon that has nothing to add may repeat what the errno means.
    const isRepeated = ['', text, meaning].some((known) => known.toLowerCase() === detail.toLowerCase());
    super(number, isRepeated ? meaning : `${meaning}: ${detail}`);
    this.number = number;
    this.detail = detail;
  }
}

/** A VBD as a daemon lists it. */
export type ListedVbd = Omit<ListBody, 'count'>;

/**
 * What tap-ctl asks of the daemons of one control directory, ours or C's. Each request is a connection of its own.
 *
 * A call throws (rejects with) a {@link ControlError}: with the daemon's errno; ENOENT or ECONNREFUSED without a daemon of
 * that pid; ETIMEDOUT; EPROTO for an invalid reply; EPERM when others than the user and root could have put the socket there.
 */
export class ControlClient {
  readonly #posix: Posix;
  readonly #directory: string;

  constructor(posix: Posix, directory: string) {
    this.#posix = posix;
    this.#directory = directory;
  }

  /** The pid that the daemon reports. */
  async pid(pid: number): Promise<number> {
    const request = ControlMessage.create(MessageType.pid, NO_COOKIE);
    const answer = await this.#ask(pid, request, MessageType.pidAnswer, QUERY_TIMEOUT_SECONDS);
    return shaped(answer.pid, answer.pid > 0, `pid ${answer.pid}`);
  }

  async attach(pid: number, minor: number): Promise<void> {
    await this.#order(pid, ControlMessage.create(MessageType.attach, minor), MessageType.attachAnswer);
  }

  /** @param flags FLAG_… bits */
  async open(pid: number, minor: number, path: string, flags: number): Promise<ImageBody> {
    const request = ControlMessage.create(MessageType.open, minor).setParameters(flags, path);
    return this.#askForImage(pid, request, MessageType.openAnswer);
  }

  /**
   * Asks one of our daemons to take an open disk's size from its image; a C tapdisk cannot: EINVAL.
   *
   * @returns the measures that it has then
   */
  resize(pid: number, minor: number): Promise<ImageBody> {
    return this.#askForImage(pid, ControlMessage.create(MessageType.resize, minor), MessageType.resizeAnswer);
  }

  async #askForImage(pid: number, request: ControlMessage, answerType: number): Promise<ImageBody> {
    const { image } = await this.#ask(pid, request, answerType, REQUEST_TIMEOUT_SECONDS);
    const { sectors, sectorSize } = image;
    const isDisk = sectorSize > 0 && Number.isSafeInteger(sectors * sectorSize);
    return shaped(image, isDisk, `${sectors} sectors of ${sectorSize} bytes`);
  }

  /**
   * Repeated while the daemon replies EAGAIN: see `CLOSE_REPEATS`.
   *
   * @throws (rejects with) ControlError
   */
  async close(pid: number, minor: number): Promise<void> {
    const request = ControlMessage.create(MessageType.close, minor);
    const { clock } = this.#posix;
    const end = clock.now() + WHOLE_SECONDS;
    for (let repeats = 0; ; repeats++) {
      const { error, text } = await this.#response(pid, request, MessageType.closeAnswer);
      if (error === 0) return;
      if (error !== errno.EAGAIN || repeats === CLOSE_REPEATS || clock.now() > end)
        throw new ControlError(error, text);
      await this.#posix.select({}, CLOSE_INTERVAL_SECONDS);
    }
  }

  async detach(pid: number, minor: number): Promise<void> {
    await this.#order(pid, ControlMessage.create(MessageType.detach, minor), MessageType.detachAnswer);
  }

  /** Ends when the VBD is quiet. */
  async pause(pid: number, minor: number): Promise<void> {
    await this.#order(pid, ControlMessage.create(MessageType.pause, minor), MessageType.pauseAnswer);
  }

  /** @param path another image in the place of the old one; the old one when undefined */
  async resume(pid: number, minor: number, path?: string): Promise<void> {
    const request = ControlMessage.create(MessageType.resume, minor).setParameters(0, path ?? '');
    await this.#order(pid, request, MessageType.resumeAnswer, RESUME_TIMEOUT_SECONDS);
  }

  async list(pid: number): Promise<ListedVbd[]> {
    const vbds: ListedVbd[] = [];
    const request = ControlMessage.create(MessageType.list, NO_COOKIE);
    let left = Infinity;
    await this.#askForMany(pid, request, MessageType.listAnswer, ({ list: { count, ...vbd } }) => {
      left = shaped(count, count >= 0 && count < left, `a list of ${count} more after ${left}`);
      if (count > 0) vbds.push(vbd);
      return count > 0;
    });
    return vbds;
  }

  /** The daemon's statistics as JSON text. A C tapdisk has none: EOPNOTSUPP. */
  async statistics(pid: number): Promise<string> {
    const request = ControlMessage.create(MessageType.statistics, NO_COOKIE);
    return this.#askForText(pid, request, QUERY_TIMEOUT_SECONDS, 'statistics');
  }

  /**
   * Asks one of our daemons for a command on the replicated disk with a minor, or on all of them.
   *
   * @returns the outcome, as JSON text
   * @throws (rejects with) ControlError: ENAMETOOLONG when it does not fit into a message, EOPNOTSUPP of a C tapdisk,
   *   else the daemon's
   */
  async replication(pid: number, minor: number | undefined, command: ReplicationRequest): Promise<string> {
    const text = JSON.stringify(command);
    if (!textFits(text))
      throw new ControlError(errno.ENAMETOOLONG, `the request has more than 255 bytes: ${text}`);
    const request = ControlMessage.create(MessageType.replication, minor ?? NO_COOKIE);
    return this.#askForText(
      pid,
      request.setParameters(0, text),
      QUESTIONS.has(command.command) ? REQUEST_TIMEOUT_SECONDS : REPLICATION_TIMEOUT_SECONDS,
      'replicated disks',
    );
  }

  /** @param what what a daemon lacks that does not know the request */
  async #askForText(
    pid: number,
    request: ControlMessage,
    timeoutSeconds: number,
    what: string,
  ): Promise<string> {
    const pieces: Uint8Array[] = [];
    let left = Infinity;
    const take = ({ report }: ControlMessage): boolean => {
      const { remaining, bytes } = report;
      left = shaped(
        remaining,
        remaining >= 0 && remaining < left,
        `a report of ${remaining} bytes more after ${left}`,
      );
      pieces.push(bytes);
      return remaining > 0;
    };
    try {
      await this.#askForMany(pid, request, request.type + 1, take, timeoutSeconds);
    } catch (error) {
      // That is all that C says of a request that it does not know; our daemons say what was wrong.
      const isUnknown = error instanceof ControlError && error.number === errno.EINVAL && error.detail === '';
      if (!isUnknown) throw error;
      throw new ControlError(errno.EOPNOTSUPP, `it has no ${what}, like C's tapdisk2`);
    }
    return Buffer.concat(pieces).toString();
  }

  async #order(
    pid: number,
    request: ControlMessage,
    answerType: number,
    timeout = REQUEST_TIMEOUT_SECONDS,
  ): Promise<void> {
    const { error, text } = await this.#response(pid, request, answerType, timeout);
    if (error !== 0) throw new ControlError(error, text);
  }

  async #response(
    pid: number,
    request: ControlMessage,
    answerType: number,
    timeout = REQUEST_TIMEOUT_SECONDS,
  ) {
    const { response } = await this.#ask(pid, request, answerType, timeout);
    return shaped(response, isErrno(response.error), `error ${response.error}`);
  }

  async #ask(
    pid: number,
    request: ControlMessage,
    answerType: number,
    timeout: number,
  ): Promise<ControlMessage> {
    using connection = await this.#connect(pid, timeout);
    await must(connection.send(request));
    return checked(await must(connection.receive()), request, answerType);
  }

  /** @param take takes a reply, and returns whether another one follows */
  async #askForMany(
    pid: number,
    request: ControlMessage,
    answerType: number,
    take: (answer: ControlMessage) => boolean,
    timeoutSeconds = QUERY_TIMEOUT_SECONDS,
  ) {
    using connection = await this.#connect(pid, timeoutSeconds);
    await must(connection.send(request));
    for (let answers = 0; answers < MAX_ANSWERS; answers++) {
      if (!take(checked(await must(connection.receive()), request, answerType))) return;
    }
    throw new ControlError(errno.EPROTO, `the reply has no end after ${MAX_ANSWERS} messages`);
  }

  async #connect(pid: number, timeoutSeconds: number): Promise<ControlConnection> {
    const path = controlSocketPath(this.#directory, pid);
    try {
      requireTrustedSocket(path);
    } catch (error) {
      const { errno: number = errno.EIO, message } = error as NodeJS.ErrnoException;
      throw new ControlError(number, message);
    }
    return must(ControlConnection.open(this.#posix, path, timeoutSeconds));
  }
}

/** Turns a negative errno into a {@link ControlError}. */
async function must<Value>(result: Promise<Value | number>): Promise<Exclude<Value, number>> {
  const value = await result;
  if (typeof value === 'number' && value < 0) throw new ControlError(value, '');
  return value as Exclude<Value, number>;
}

/** The value, if it is one that a daemon can return. */
function shaped<Value>(value: Value, isRight: boolean, what: string): Value {
  if (isRight) return value;
  throw new ControlError(errno.EPROTO, `the daemon replied with ${what}`);
}

/** Linux's numbers end at 4095. */
function isErrno(error: number): boolean {
  return error >= 0 && error <= 4095;
}

/** The answer, if it is one to this request. An ERROR need not say which VBD it is about. */
function checked(answer: ControlMessage, request: ControlMessage, type: number): ControlMessage {
  const { cookie } = answer;
  const isError = answer.type === MessageType.error;
  if (answer.type === type || isError) {
    const isOurs = cookie === request.cookie || (isError && cookie === 0);
    shaped(cookie, isOurs, `the cookie ${cookie} instead of ${request.cookie}`);
  }
  if (answer.type === type) return answer;
  if (isError) {
    const { error, text } = answer.response;
    throw new ControlError(shaped(error, error > 0 && isErrno(error), `error ${error}`), text);
  }
  throw new ControlError(
    errno.EPROTO,
    `the daemon replied with a message of type ${answer.type} instead of ${type}`,
  );
}
