// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { ValueParameters } from './command-table.js';
import type { Parameter, ValueParameter } from './parameter.js';

/** An option as it is written: `--idle-timeout` for the key `idleTimeout`. */
export function optionName(key: string): string {
  return `--${key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** An argument as help and messages show it: `FILE`. */
export function argumentName({ type }: ValueParameter<unknown>): string {
  return type.placeholder;
}

/** An option with its value: `--idle-timeout SECONDS`. */
export function optionWithValue(key: string, { type }: Parameter<unknown>): string {
  return type === undefined ? optionName(key) : `${optionName(key)} ${type.placeholder}`;
}

/** `HOST:PORT [FILE]...`, as in a usage line. */
export function argumentsUsage(parameters: ValueParameters): string[] {
  return Object.values(parameters).map((parameter) => {
    const name = argumentName(parameter);
    if (parameter.repeatable) return `[${name}]...`;
    return parameter.required ? name : `[${name}]`;
  });
}
