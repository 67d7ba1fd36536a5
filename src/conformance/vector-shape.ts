// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Dialect } from '../scheduler/dialect.js';
import { Member } from './member.js';
import { checkTimed } from './timed-shape.js';
import { checkTransfers } from './async-io-shape.js';
import { checkOutcomes } from './outcome-shape.js';
import { checkRamdisk } from './ramdisk-shape.js';
import { checkScheduler, dialectOf } from './scheduler-shape.js';
import { checkSelectScript } from './select-shape.js';
import { type ReplicationStep, SUITE_NAMES, type SuiteName, type TraceEntry, type Vector } from './vector.js';

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

const TAPDISK2_ENTRIES = ['register', 'unregister', 'select', 'fire', 'wait', 'limit'] as const;
const SCHEDULER_ENTRIES: Readonly<Record<Dialect, readonly TraceEntry[0][]>> = {
  tapdisk2: TAPDISK2_ENTRIES,
  tapdisk3: [...TAPDISK2_ENTRIES, 'mask', 'setTimeout', 'panic'],
};

/** What the vectors of a suite have beside what all have. */
interface SuiteShape {
  readonly members: readonly string[];
  /** The kinds of entries of a trace. */
  entries(vector: Member): readonly TraceEntry[0][];
  check(vector: Member): void;
}

const ramdiskShape: SuiteShape = {
  members: ['fault'],
  entries: () => ['write', 'log', 'exit', 'return', 'state'],
  check: checkRamdisk,
};
const SHAPES: Readonly<Record<SuiteName, SuiteShape>> = {
  scheduler: {
    members: [...TIMED_MEMBERS, 'dialect', 'events', 'bug'],
    entries: (vector) => SCHEDULER_ENTRIES[dialectOf(vector)],
    check: checkScheduler,
  },
  replication: {
    members: [...TIMED_MEMBERS, 'connect', 'callback', 'syscalls'],
    entries: () => MODULE_ENTRIES,
    check: checkReplication,
  },
  'async-io': {
    members: [...TIMED_MEMBERS, 'ios', 'syscalls'],
    entries: () => MODULE_ENTRIES.filter((kind) => kind !== 'log'),
    check(vector) {
      checkTimed(vector);
      checkTransfers(vector);
    },
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
  shape.check(vector);
  if (trace === 'required' || vector.get('trace').present) {
    const entries = shape.entries(vector);
    for (const entry of vector.get('trace').array()) checkTraceEntry(entry, entries);
  }
  // Every member that is looked at later has just been checked, which is what the types say.
  return value as Vector;
}

/** The members of a vector that the format does not know, and that are passed over (a comment, or a slip of the pen). */
export function unknownMembers(vector: Vector): string[] {
  const known: readonly string[] = [...COMMON_MEMBERS, ...SHAPES[vector.suite].members];
  return Object.keys(vector).filter((member) => !known.includes(member));
}

function checkTraceEntry(entry: Member, kinds: readonly TraceEntry[0][]): void {
  const [kind] = entry.array();
  if (kind === undefined) return entry.fail('an entry with its kind first');
  kind.oneOf(kinds);
}

function checkReplication(vector: Member): void {
  checkTimed(vector);
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
  else if (name === 'uuid') argument.integer(0);
  else if (name === 'elapse') argument.number();
  else checkSelectScript(argument);
}
