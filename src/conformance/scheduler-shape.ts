// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { DEFAULT_DIALECT, DIALECTS, type Dialect } from '../scheduler/dialect.js';
import { Member } from './member.js';
import { checkSelectScript } from './select-shape.js';
import { checkLimit } from './timed-shape.js';
import { MODE_NAMES } from './vector.js';

const ACTIONS = ['register', 'unregister', 'setMaxTimeout', 'elapse', 'uuid'] as const;
const TAPDISK3_ACTIONS = [...ACTIONS, 'mask', 'setTimeout', 'wait'] as const;
type SchedulerActionName = (typeof TAPDISK3_ACTIONS)[number];

/** What a script of one dialect may hold. */
interface SchedulerShape {
  /** Times: whole microseconds, or whole seconds where they enter the scheduler. */
  time(member: Member): void;
  clock(member: Member): void;
  uuid(member: Member): void;
  /** What may stand in a callback; a step may be a wait, too. */
  readonly actions: readonly SchedulerActionName[];
  /** The maximum number of results of a wait. */
  readonly answers: number;
}

const microseconds = (member: Member): void => {
  member.integer(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
};

const SHAPES: Readonly<Record<Dialect, SchedulerShape>> = {
  tapdisk2: {
    time: (member) => member.integer(),
    clock: (member) => member.number(),
    uuid: (member) => member.integer(0),
    actions: ACTIONS,
    answers: 1,
  },
  tapdisk3: {
    time: microseconds,
    clock: microseconds,
    uuid: (member) => member.integer(),
    actions: TAPDISK3_ACTIONS,
    answers: Number.MAX_SAFE_INTEGER,
  },
};

/** The dialect of a vector of the scheduler suite. */
export function dialectOf(vector: Member): Dialect {
  return vector.get('dialect').present ? vector.get('dialect').oneOf(DIALECTS) : DEFAULT_DIALECT;
}

/** Checks the members that only the scheduler suite has. */
export function checkScheduler(vector: Member): void {
  const shape = SHAPES[dialectOf(vector)];
  checkLimit(vector);
  shape.clock(vector.get('clock'));
  if (vector.get('uuid').present) shape.uuid(vector.get('uuid'));
  if (vector.get('bug').present) vector.get('bug').string();
  const labels = Object.keys(vector.get('events').object());
  for (const [, event] of vector.get('events').entries()) checkEvent(event, labels, shape);
  for (const step of vector.get('steps').array()) checkStep(step, labels, shape, [...shape.actions, 'wait']);
}

function checkEvent(event: Member, labels: readonly string[], shape: SchedulerShape): void {
  event.only(['mode', 'fd', 'timeout', 'cb', 'on']);
  for (const name of event.get('mode').array()) name.oneOf(MODE_NAMES);
  event.get('fd').integer();
  shape.time(event.get('timeout'));
  if (event.get('cb').present && typeof event.get('cb').value !== 'boolean')
    event.get('cb').fail('true or false');
  if (!event.get('on').present) return;
  for (const actions of event.get('on').array()) {
    for (const action of actions.array()) checkStep(action, labels, shape, shape.actions);
  }
}

function checkStep(
  step: Member,
  labels: readonly string[],
  shape: SchedulerShape,
  names: SchedulerShape['actions'],
): void {
  const [kind] = step.array();
  const name = new Member(kind?.value, `${step.path}[0]`).oneOf([...new Set(names)]);
  if (name === 'wait') return checkWait(step, shape.answers);
  const length = name === 'mask' || name === 'setTimeout' ? 3 : 2;
  const [, argument, second] = step.tuple(length, `${name} and its argument${length === 3 ? 's' : ''}`);
  if (argument !== undefined) ARGUMENTS[name](argument, labels, shape);
  if (second !== undefined) SECOND_ARGUMENTS[name]?.(second, labels, shape);
}

type CheckArgument = (argument: Member, labels: readonly string[], shape: SchedulerShape) => void;

const ARGUMENTS: Readonly<Record<Exclude<SchedulerActionName, 'wait'>, CheckArgument>> = {
  register: (argument, labels) => argument.oneOf(labels),
  unregister: checkIdOrLabel,
  mask: checkIdOrLabel,
  setTimeout: checkIdOrLabel,
  setMaxTimeout: (argument, _, shape) => shape.time(argument),
  elapse: (argument, _, shape) => shape.clock(argument),
  uuid: (argument, _, shape) => shape.uuid(argument),
};

const SECOND_ARGUMENTS: Partial<Record<SchedulerActionName, CheckArgument>> = {
  mask(argument) {
    if (typeof argument.value !== 'boolean') argument.integer();
  },
  setTimeout: (argument, _, shape) => shape.time(argument),
};

function checkWait(step: Member, most: number): void {
  const [, ...answers] = step.array();
  if (answers.length < 1 || answers.length > most)
    step.fail(most === 1 ? 'wait and its argument' : 'wait and at least one answer');
  for (const answer of answers) checkSelectScript(answer);
}

function checkIdOrLabel(argument: Member, labels: readonly string[]): void {
  if (typeof argument.value === 'number') argument.integer();
  else argument.oneOf(labels);
}
