// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { Member } from './member.js';
import { checkTransfers } from './async-io-shape.js';
import { checkOutcomes } from './outcome-shape.js';
import { checkRamdisk } from './ramdisk-shape.js';
import { checkSelectScript } from './select-shape.js';
import type { ReplicationStep, SchedulerStep, SuiteName, TraceEntry, Vector } from './vector.js';
import { MODE_NAMES, SUITE_NAMES } from './vector.js';

const INT_MAX = 2 ** 31 - 1;
const COMMON_MEMBERS = ['suite', 'name', 'about', 'steps', 'trace'];
/** Members of the suites that run on a scheduler. */
const TIMED_MEMBERS = ['clock', 'uuid', 'limit'];
const MODULE_ENTRIES = [
  'sys',
  'register',
  'unregister',
  'select',
  'fire',
  'callback',
  'log',
  'return',
  'state',
  'wait',
  'limit',
] as const;

/** What the vectors of a suite have beside what all have. */
interface SuiteShape {
  readonly members: readonly string[];
  /** The kinds of entries of a trace. */
  readonly entries: readonly TraceEntry[0][];
  check(vector: Member): void;
}

const ramdiskShape: SuiteShape = {
  members: ['fault'],
  entries: ['write', 'log', 'exit', 'return', 'state'],
  check: checkRamdisk,
};
const SHAPES: Readonly<Record<SuiteName, SuiteShape>> = {
  scheduler: {
    members: [...TIMED_MEMBERS, 'events'],
    entries: ['register', 'unregister', 'select', 'fire', 'wait', 'limit'],
    check: checkScheduler,
  },
  replication: {
    members: [...TIMED_MEMBERS, 'connect', 'callback', 'syscalls'],
    entries: MODULE_ENTRIES,
    check: checkReplication,
  },
  'async-io': {
    members: [...TIMED_MEMBERS, 'ios', 'syscalls'],
    entries: MODULE_ENTRIES.filter((kind) => kind !== 'log'),
    check: checkTransfers,
  },
  ramdisk: ramdiskShape,
  'ramdisk-guarded': ramdiskShape,
};

/**
 * The vector that a JSON value is.
 *
 * @param trace whether a trace has to be there: `required` in a vector, `optional` in a script to be recorded
 * @throws ShapeError naming the member that is wrong
 */
export function parseVector(value: unknown, trace: 'required' | 'optional' = 'required'): Vector {
  const vector = new Member(value);
  const suite = vector.get('suite').oneOf(SUITE_NAMES);
  if (vector.get('name').string() === '') vector.get('name').fail('a name');
  if (vector.get('about').present) vector.get('about').string();
  const shape = SHAPES[suite];
  if (shape.members.includes('clock')) checkTimed(vector);
  shape.check(vector);
  if (trace === 'required' || vector.get('trace').present) {
    for (const entry of vector.get('trace').array()) checkTraceEntry(entry, shape.entries);
  }
  // Every member that is looked at later has just been checked, which is what the types say.
  return value as Vector;
}

/** The members of a vector that the format does not know, and that are passed over (a comment, or a slip of the pen). */
export function unknownMembers(vector: Vector): string[] {
  const known: readonly string[] = [...COMMON_MEMBERS, ...SHAPES[vector.suite].members];
  return Object.keys(vector).filter((member) => !known.includes(member));
}

function checkTimed(vector: Member): void {
  vector.get('clock').number();
  if (vector.get('uuid').present) vector.get('uuid').integer(0, INT_MAX);
  if (vector.get('limit').present) vector.get('limit').integer(1, INT_MAX);
}

function checkTraceEntry(entry: Member, kinds: readonly TraceEntry[0][]): void {
  const [kind] = entry.array();
  if (kind === undefined) return entry.fail('an entry with its kind first');
  kind.oneOf(kinds);
}

function checkScheduler(vector: Member): void {
  const labels = Object.keys(vector.get('events').object());
  for (const [, event] of vector.get('events').entries()) checkEvent(event, labels);
  for (const step of vector.get('steps').array()) checkSchedulerStep(step, labels, true);
}

function checkEvent(event: Member, labels: readonly string[]): void {
  event.only(['mode', 'fd', 'timeout', 'cb', 'on']);
  for (const name of event.get('mode').array()) name.oneOf(MODE_NAMES);
  event.get('fd').integer();
  event.get('timeout').integer();
  if (event.get('cb').present && typeof event.get('cb').value !== 'boolean')
    event.get('cb').fail('true or false');
  if (!event.get('on').present) return;
  for (const actions of event.get('on').array()) {
    for (const action of actions.array()) checkSchedulerStep(action, labels, false);
  }
}

function checkSchedulerStep(step: Member, labels: readonly string[], mayWait: boolean): void {
  const [kind] = step.array();
  const names = ['register', 'unregister', 'setMaxTimeout', 'elapse', 'uuid'] as const;
  const name: SchedulerStep[0] = new Member(kind?.value, `${step.path}[0]`).oneOf(
    mayWait ? [...names, 'wait'] : names,
  );
  const [, argument] = step.tuple(2, `${name} and its argument`);
  if (argument === undefined) return;
  switch (name) {
    case 'register':
      argument.oneOf(labels);
      break;
    case 'unregister':
      if (typeof argument.value === 'number') argument.integer();
      else argument.oneOf(labels);
      break;
    case 'setMaxTimeout':
      argument.integer();
      break;
    case 'uuid':
      argument.integer(0, INT_MAX);
      break;
    case 'elapse':
      argument.number();
      break;
    case 'wait':
      checkSelectScript(argument);
      break;
  }
}

function checkReplication(vector: Member): void {
  const connect = vector.get('connect').only(['retryTimeout', 'maxConnections', 'fd']);
  for (const member of ['retryTimeout', 'maxConnections', 'fd']) connect.get(member).integer();
  const callback = vector.get('callback');
  if (callback.present && callback.only(['on']).get('on').present) {
    for (const actions of callback.get('on').array()) {
      for (const action of actions.array()) checkReplicationStep(action, false);
    }
  }
  checkOutcomes(vector.get('syscalls'));
  for (const step of vector.get('steps').array()) checkReplicationStep(step, true);
}

function checkReplicationStep(step: Member, mayWait: boolean): void {
  const [kind] = step.array();
  const calls = ['server_start', 'server_restart', 'client_start', 'kill', 'status'] as const;
  const names = [...calls, 'init', 'setStatus', 'elapse', 'uuid'] as const;
  const name: ReplicationStep[0] = new Member(kind?.value, `${step.path}[0]`).oneOf(
    mayWait ? [...names, 'wait'] : names,
  );
  if (calls.some((call) => call === name)) {
    step.tuple(1, `${name} without an argument`);
    return;
  }
  const [, argument] = step.tuple(2, `${name} and its argument`);
  if (argument === undefined) return;
  if (name === 'init') argument.string('"host:port"');
  else if (name === 'setStatus') argument.integer();
  else if (name === 'uuid') argument.integer(0, INT_MAX);
  else if (name === 'elapse') argument.number();
  else checkSelectScript(argument);
}
