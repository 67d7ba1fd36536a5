// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

/**
 * What a vector file holds, as checked by {@link parseVector}: the members and their meaning are in
 * test/vectors/README.md. The types are those of the JSON itself, so that a vector can be written back as it was read.
 */

export const MODE_NAMES = ['READ', 'WRITE', 'EXCEPT', 'TIMEOUT'] as const;
export type ModeName = (typeof MODE_NAMES)[number];

/** One observed entry: its kind, then its details. */
export type TraceEntry = readonly [kind: string, ...rest: unknown[]];
export type Trace = readonly TraceEntry[];

/** What select returns in one wait: descriptors by condition, after `elapse` seconds; or an error. */
export interface SelectScript {
  readonly read?: readonly number[];
  readonly write?: readonly number[];
  readonly except?: readonly number[];
  readonly elapse?: number;
  readonly errno?: string;
}

export type WaitStep = readonly ['wait', SelectScript];

/** What a callback of the scheduler suite may do. */
export type SchedulerAction =
  | readonly ['register', string]
  | readonly ['unregister', string | number]
  | readonly ['setMaxTimeout', number]
  | readonly ['elapse', number]
  | readonly ['uuid', number];

export type SchedulerStep = SchedulerAction | WaitStep;

/** What is registered under a label, and what its callback does at its k-th firing. */
export interface ScriptedEvent {
  readonly mode: readonly ModeName[];
  readonly fd: number;
  readonly timeout: number;
  /** false registers without a callback. */
  readonly cb?: boolean;
  readonly on?: readonly (readonly SchedulerAction[])[];
}

/** What the scheduler suite's scripts of tapdisk3 do beside. All times of a script are microseconds. */
export type Tapdisk3Step =
  | SchedulerAction
  | readonly ['mask', string | number, boolean | number]
  | readonly ['setTimeout', string | number, number]
  /** Its k-th select is answered by the k-th of these, and by `{}` past the end. */
  | readonly ['wait', SelectScript, ...SelectScript[]];

/** What is registered under a label, and what its callback does: all that a step can, a wait too. */
export interface Tapdisk3ScriptedEvent extends Omit<ScriptedEvent, 'on'> {
  readonly on?: readonly (readonly Tapdisk3Step[])[];
}

interface VectorBase {
  readonly name: string;
  readonly about?: string;
  /** A fault of the C shows in it: a port without that fault has another trace. */
  readonly fault?: boolean;
  /** Absent in a script that is yet to be recorded. */
  readonly trace?: Trace;
}

/** What a vector has that runs on a scheduler. */
export interface TimedVector extends VectorBase {
  /** Seconds on the scripted clock. */
  readonly clock: number;
  readonly uuid?: number;
  readonly limit?: number;
}

export interface SchedulerVector extends TimedVector {
  readonly suite: 'scheduler';
  readonly dialect?: 'tapdisk2';
  readonly events: Readonly<Record<string, ScriptedEvent>>;
  readonly steps: readonly SchedulerStep[];
}

export interface Tapdisk3Vector extends TimedVector {
  readonly suite: 'scheduler';
  readonly dialect: 'tapdisk3';
  /** The bug of the C that ends the trace in `["panic"]`. */
  readonly bug?: string;
  readonly events: Readonly<Record<string, Tapdisk3ScriptedEvent>>;
  readonly steps: readonly Tapdisk3Step[];
}

/** What the user's callback of the replication suite may do. */
export type ReplicationAction =
  | readonly ['init', string]
  | readonly ['server_start' | 'server_restart' | 'client_start' | 'kill' | 'status']
  | readonly ['setStatus', number]
  | readonly ['elapse', number]
  | readonly ['uuid', number];

export type ReplicationStep = ReplicationAction | WaitStep;

/** An errno name, or 0 for success. */
export type Outcome = string | 0;
export type AddressInfo = readonly [family: 'AF_INET' | 'AF_INET6', address: string];

/** The outcomes of each call, in order; past the end of a list the call succeeds. */
export interface ScriptedOutcomes {
  readonly socket?: readonly Outcome[];
  readonly accept?: readonly Outcome[];
  readonly setsockopt?: readonly Outcome[];
  readonly bind?: readonly Outcome[];
  readonly listen?: readonly Outcome[];
  readonly connect?: readonly Outcome[];
  /** A positive number is the flags that F_GETFL returns. */
  readonly fcntl?: readonly (Outcome | number)[];
  readonly getsockopt?: readonly (string | { readonly so_error: Outcome })[];
  readonly getaddrinfo?: readonly (string | readonly AddressInfo[])[];
  readonly register?: readonly Outcome[];
}

export interface ReplicationVector extends TimedVector {
  readonly suite: 'replication';
  /** Seconds, the backlog, and the descriptor that the caller left in the struct. */
  readonly connect: { readonly retryTimeout: number; readonly maxConnections: number; readonly fd: number };
  readonly callback?: { readonly on?: readonly (readonly ReplicationAction[])[] };
  readonly syscalls: ScriptedOutcomes;
  readonly steps: readonly ReplicationStep[];
}

/** What the caller fills in of a transfer's struct. */
export interface ScriptedTransfer {
  readonly fd: number;
  /** Whole seconds. */
  readonly timeout: number;
  readonly mode: 'read' | 'write' | number;
  /** Bytes. */
  readonly size: number;
}

/** What the callback of a transfer may do. */
export type TransferAction =
  | readonly ['init' | 'start' | 'kill' | 'status', string]
  | readonly ['set', string, Partial<ScriptedTransfer>]
  | readonly ['elapse', number]
  | readonly ['uuid', number];

/** The outcomes of each call, in order over all transfers; past the end of a list all that was asked for is moved. */
export interface TransferOutcomes {
  /** A count of bytes, cut to what is asked for; or an errno name. */
  readonly read?: readonly (string | number)[];
  readonly write?: readonly (string | number)[];
  readonly register?: readonly Outcome[];
}

export interface AsyncIoVector extends TimedVector {
  readonly suite: 'async-io';
  /** By label; `on` is what the callback does at its k-th call. */
  readonly ios: Readonly<
    Record<string, ScriptedTransfer & { readonly on?: readonly (readonly TransferAction[])[] }>
  >;
  readonly syscalls: TransferOutcomes;
  readonly steps: readonly (TransferAction | WaitStep)[];
}

export type CacheName = 'primary' | 'secondary';

/** Sectors are exact as doubles; the data of a sector is one number. */
export type RamdiskStep =
  | readonly ['cacheWrite', CacheName, number, readonly number[]]
  | readonly ['readFromCache', CacheName, number, number]
  | readonly ['clearCache' | 'startFlush', CacheName]
  | readonly ['flushPended' | 'writesInflight' | 'destroy']
  | readonly ['complete', number, Outcome]
  | readonly ['read', number, number];

export interface RamdiskVector extends VectorBase {
  /** `ramdisk` was recorded from the C as it is, in which the guard (rule K7) is dead: `fault` says where that shows. */
  readonly suite: 'ramdisk' | 'ramdisk-guarded';
  readonly steps: readonly RamdiskStep[];
}

/** A script, and the trace that it must leave: one conformance vector. */
export type Vector = SchedulerVector | Tapdisk3Vector | ReplicationVector | AsyncIoVector | RamdiskVector;
/** The suites of vectors, by the module that they are about. */
export type SuiteName = Vector['suite'];
export const SUITE_NAMES: readonly SuiteName[] = [
  'scheduler',
  'replication',
  'async-io',
  'ramdisk',
  'ramdisk-guarded',
];

/** How many `fire` entries a run has at most when its vector does not say. */
export const DEFAULT_LIMIT = 200;
/** The id that is tried first when a vector does not say. */
export const DEFAULT_UUID = 1;

/** `suite/name`; of tapdisk3's dialect `scheduler/tapdisk3/name`, as both have some names. */
export function vectorName({ suite, name, dialect }: NamedVector): string {
  return `${suite}/${dialect === 'tapdisk3' ? 'tapdisk3/' : ''}${name}`;
}

/** A vector, or what may be one. */
interface NamedVector {
  readonly suite: string;
  readonly name: string;
  readonly dialect?: unknown;
}

export function isTapdisk3(vector: Vector): vector is Tapdisk3Vector {
  return vector.suite === 'scheduler' && vector.dialect === 'tapdisk3';
}
