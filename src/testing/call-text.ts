// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import {
  AF_INET,
  AF_INET6,
  AF_UNIX,
  formatAddress,
  SOCK_STREAM,
  type SocketAddress,
} from '../posix/address.js';
import { errnoCode, errnoName } from '../posix/errno.js';
import { gaiName } from '../posix/gai.js';
import { READABLE, WRITABLE, type ReadyDescriptor } from '../posix/poller.js';
import {
  F_GETFL,
  F_SETFL,
  SO_ERROR,
  SO_KEEPALIVE,
  SO_REUSEADDR,
  SOL_SOCKET,
  TCP_KEEPIDLE,
  TCP_NODELAY,
} from '../posix/posix.js';
import type { CallName } from './call-faults.js';

type Argument = number | string | Uint8Array | SocketAddress;

const domains = new Map([
  [AF_UNIX, 'AF_UNIX'],
  [AF_INET, 'AF_INET'],
  [AF_INET6, 'AF_INET6'],
]);

/** A call and its answer, as a trace has them: `connect(3, 10.0.0.2:9000) = -EINPROGRESS`. */
export function callText(call: CallName, args: readonly Argument[], answer: unknown): string {
  return `${call}(${argumentTexts(call, args).join(', ')}) = ${answerText(call, answer)}`;
}

function argumentTexts(call: CallName, args: readonly Argument[]): string[] {
  const [first, second, third] = args as number[];
  switch (call) {
    case 'socket':
      return [
        domains.get(first as number) ?? String(first),
        second === SOCK_STREAM ? 'SOCK_STREAM' : String(second),
      ];
    case 'getsockopt':
    case 'setsockopt':
      return [String(first), optionName(second as number, third as number), ...args.slice(3).map(String)];
    case 'fcntl':
      return [
        String(first),
        fcntlName(second as number),
        ...(second === F_SETFL ? [`0o${third?.toString(8)}`] : []),
      ];
    default:
      return args.map(argumentText);
  }
}

function argumentText(argument: Argument): string {
  if (typeof argument === 'number') return String(argument);
  if (typeof argument === 'string') return JSON.stringify(argument);
  if (argument instanceof Uint8Array) return String(argument.length);
  // Any argument is written down; for one that is no address the call itself returns the error.
  return domains.has((argument as SocketAddress | null)?.family as number)
    ? formatAddress(argument)
    : 'garbage';
}

function answerText(call: CallName, answer: unknown): string {
  if (typeof answer === 'number') {
    // One call returns a positive errno: getsockopt with SO_ERROR. Its options are 0 or 1 otherwise.
    if (call === 'getsockopt' && answer > 1) return errnoCode(answer);
    if (answer >= 0) return String(answer);
    const name = call === 'getaddrinfo' || call === 'resolve' ? gaiName(answer) : errnoName(answer);
    return name === undefined ? String(answer) : `-${name}`;
  }
  if (Array.isArray(answer))
    return `[${answer.map((address) => formatAddress(address as SocketAddress)).join(', ')}]`;
  return formatAddress(answer as SocketAddress);
}

/** What a select was asked, in a line. */
export function selectText(asked: readonly ReadyDescriptor[], timeoutSeconds: number): string {
  return `select([${readyText(asked)}], ${timeoutSeconds} s)`;
}

/** What a select returned. */
export function selectAnswerText(answer: readonly ReadyDescriptor[] | number): string {
  return `select = ${typeof answer === 'number' ? answerText('select', answer) : `[${readyText(answer)}]`}`;
}

function readyText(descriptors: readonly ReadyDescriptor[]): string {
  return descriptors
    .map(
      ({ fd, conditions }) => `${fd}${conditions & READABLE ? 'r' : ''}${conditions & WRITABLE ? 'w' : ''}`,
    )
    .join(' ');
}

function optionName(level: number, option: number): string {
  if (level !== SOL_SOCKET) {
    const names = new Map([
      [TCP_NODELAY, 'TCP_NODELAY'],
      [TCP_KEEPIDLE, 'TCP_KEEPIDLE'],
    ]);
    return names.get(option) ?? `${level}:${option}`;
  }
  switch (option) {
    case SO_ERROR:
      return 'SO_ERROR';
    case SO_REUSEADDR:
      return 'SO_REUSEADDR';
    case SO_KEEPALIVE:
      return 'SO_KEEPALIVE';
    default:
      return String(option);
  }
}

function fcntlName(command: number): string {
  if (command === F_GETFL) return 'F_GETFL';
  return command === F_SETFL ? 'F_SETFL' : String(command);
}
