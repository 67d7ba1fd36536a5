// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { isIPv4, isIPv6 } from 'node:net';
import { scriptedErrno } from './error-names.js';
import type { Member } from './member.js';

/** Calls whose outcome is an errno name or 0. */
const PLAIN_CALLS = ['socket', 'accept', 'setsockopt', 'bind', 'listen', 'connect', 'register'] as const;
const CALLS = [...PLAIN_CALLS, 'fcntl', 'getsockopt', 'getaddrinfo'];

/** Checks a vector's member `syscalls`. */
export function checkOutcomes(syscalls: Member): void {
  syscalls.only(CALLS);
  for (const [call, list] of syscalls.entries()) {
    for (const outcome of list.array()) checkOutcome(call, outcome);
  }
}

function checkOutcome(call: string, outcome: Member): void {
  if (call === 'getaddrinfo') checkAddresses(outcome);
  else if (call === 'getsockopt') checkSocketOption(outcome);
  else if (call === 'fcntl' && typeof outcome.value === 'number') outcome.integer(0);
  else checkErrnoOrZero(outcome);
}

/** Checks an outcome that is an errno name or 0. */
export function checkErrnoOrZero(outcome: Member): void {
  if (outcome.value !== 0) checkErrno(outcome, 'an errno name or 0');
}

/** Checks an outcome that is an errno name; `expected` describes the valid ones. */
export function checkErrno(outcome: Member, expected: string): void {
  if (scriptedErrno(outcome.string(expected)) === undefined) outcome.fail(expected);
}

function checkSocketOption(outcome: Member): void {
  if (typeof outcome.value === 'string') {
    checkErrno(outcome, 'an errno name or {"so_error": an errno name or 0}');
    return;
  }
  checkErrnoOrZero(outcome.only(['so_error']).get('so_error'));
}

function checkAddresses(outcome: Member): void {
  if (typeof outcome.value === 'string') {
    if (!/^EAI_[A-Z]+$/.test(outcome.value)) outcome.fail('a name like "EAI_NONAME"');
    return;
  }
  for (const pair of outcome.array()) {
    const [family, address] = pair.tuple(2, 'a pair of family and address');
    if (family === undefined || address === undefined) continue;
    const isAddress = family.oneOf(['AF_INET', 'AF_INET6']) === 'AF_INET' ? isIPv4 : isIPv6;
    if (!isAddress(address.string())) address.fail(`an address of family ${String(family.value)}`);
  }
}
