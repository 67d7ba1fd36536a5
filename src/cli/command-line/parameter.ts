// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { quoted, UsageError } from '../usage-error.js';
import type { ValueType } from './value-type.js';

/** How an option or an argument is described; `Result` is what the command gets. */
export interface Parameter<Result> {
  /** Sentences for `--help` and the man page. Range, default, environment and the like are added. */
  readonly help: string;
  /** Of an option: a single letter. */
  readonly short?: string;
  /** Undefined for a flag, which takes no value. */
  readonly type?: ValueType<unknown>;
  readonly required: boolean;
  readonly repeatable: boolean;
  /** The default, as help shows it. */
  readonly defaultText?: string;
  /** An environment variable that gives the value where the command line does not. */
  readonly environment?: string;
  /** The keys of options without which this one makes no sense. */
  readonly requires?: readonly string[];
  /** The keys of options that cannot be given beside this one. One of the two says so. */
  readonly excludes?: readonly string[];
  /** Makes the result of the texts that were given; `label` names the parameter. @throws UsageError */
  read(label: string, texts: readonly string[]): Result;
}

/** A parameter with a value: every argument, and an option that is no flag. */
export type ValueParameter<Result> = Parameter<Result> & { readonly type: ValueType<unknown> };

type Details = Pick<Parameter<unknown>, 'help'> &
  Partial<Pick<Parameter<unknown>, 'short' | 'environment' | 'requires' | 'excludes' | 'defaultText'>>;

/** An option without a value: true when it is given. */
export function flag(details: Details): Parameter<boolean> {
  return { ...details, required: false, repeatable: false, read: (_, texts) => texts.length > 0 };
}

/** Undefined unless given. `defaultText` describes a default that the command works out itself. */
export function optional<Value>(type: ValueType<Value>, details: Details): ValueParameter<Value | undefined> {
  const read = (label: string, [given]: readonly string[]): Value | undefined =>
    given === undefined ? undefined : parse(type, label, given);
  return { ...details, type, required: false, repeatable: false, read };
}

/** The default unless given. */
export function withDefault<Value extends string | number>(
  type: ValueType<Value>,
  byDefault: Value,
  details: Details,
): ValueParameter<Value> {
  const read = (label: string, [given]: readonly string[]): Value =>
    given === undefined ? byDefault : parse(type, label, given);
  return { defaultText: String(byDefault), ...details, type, required: false, repeatable: false, read };
}

/** Has to be given. */
export function required<Value>(type: ValueType<Value>, details: Details): ValueParameter<Value> {
  const read = (label: string, [given]: readonly string[]): Value => {
    if (given === undefined) throw new UsageError(`missing ${label}`);
    return parse(type, label, given);
  };
  return { ...details, type, required: true, repeatable: false, read };
}

/** Any number of values, in the order in which they are given. As an argument, it is the last one. */
export function repeated<Value>(type: ValueType<Value>, details: Details): ValueParameter<readonly Value[]> {
  const read = (label: string, texts: readonly string[]): readonly Value[] =>
    texts.map((given) => parse(type, label, given));
  return { ...details, type, required: false, repeatable: true, read };
}

function parse<Value>(type: ValueType<Value>, label: string, given: string): Value {
  try {
    return type.parse(given);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new UsageError(`invalid ${label} ${quoted(given)}: ${error.message}`);
  }
}
