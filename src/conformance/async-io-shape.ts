// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { Member } from './member.js';
import { checkErrno, checkErrnoOrZero } from './outcome-shape.js';
import { checkSelectScript } from './select-shape.js';
import type { TransferAction } from './vector.js';

const STRUCT_MEMBERS = ['fd', 'timeout', 'mode', 'size'] as const;
const CALLS = ['init', 'start', 'kill', 'status'] as const;

/** Checks what a vector of the suite `async-io` has of its own. */
export function checkTransfers(vector: Member): void {
  const labels = Object.keys(vector.get('ios').object());
  for (const [, io] of vector.get('ios').entries()) {
    io.only([...STRUCT_MEMBERS, 'on']);
    for (const member of STRUCT_MEMBERS) checkStructMember(member, io.get(member));
    if (!io.get('on').present) continue;
    for (const actions of io.get('on').array()) {
      for (const action of actions.array()) checkStep(action, labels, false);
    }
  }
  checkTransferOutcomes(vector.get('syscalls'));
  for (const step of vector.get('steps').array()) checkStep(step, labels, true);
}

function checkStructMember(name: (typeof STRUCT_MEMBERS)[number], member: Member): void {
  if (name === 'mode' && typeof member.value !== 'number') member.oneOf(['read', 'write']);
  else member.integer();
}

function checkTransferOutcomes(syscalls: Member): void {
  syscalls.only(['read', 'write', 'register']);
  for (const [call, list] of syscalls.entries()) {
    for (const outcome of list.array()) {
      if (call === 'register') checkErrnoOrZero(outcome);
      else if (typeof outcome.value === 'number') outcome.integer(0);
      else checkErrno(outcome, 'a count of bytes or an errno name');
    }
  }
}

function checkStep(step: Member, labels: readonly string[], mayWait: boolean): void {
  const [kind] = step.array();
  const names = [...CALLS, 'set', 'elapse', 'uuid'] as const;
  const name: TransferAction[0] | 'wait' = new Member(kind?.value, `${step.path}[0]`).oneOf(
    mayWait ? [...names, 'wait'] : names,
  );
  const [, argument, values] = step.tuple(name === 'set' ? 3 : 2, `${name} and what it takes`);
  if (argument === undefined) return;
  if (name === 'wait') checkSelectScript(argument);
  else if (name === 'elapse') argument.number();
  else if (name === 'uuid') argument.integer(0);
  else argument.oneOf(labels);
  if (values === undefined) return;
  values.only(STRUCT_MEMBERS);
  for (const member of STRUCT_MEMBERS) {
    if (values.get(member).present) checkStructMember(member, values.get(member));
  }
}
