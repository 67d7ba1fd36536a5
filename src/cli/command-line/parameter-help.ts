// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Parameter } from './parameter.js';
import { optionName, optionWithValue } from './parameter-names.js';
import type { Parameters } from './command-table.js';

/** An option or argument and its description, as help and man pages list them. */
export type Row = readonly [label: string, text: string];

/** What every command takes. */
const helpRow: Row = ['-h, --help', 'Print this help.'];

/** The options by name, with `--help` as the last one. */
export function optionRows(options: Parameters): Row[] {
  const rows = Object.entries(options).map(([key, option]): Row => {
    const short = option.short === undefined ? '    ' : `-${option.short}, `;
    return [`${short}${optionWithValue(key, option)}`, parameterHelp(option)];
  });
  return [...rows, helpRow];
}

/** A parameter's help text, with its range, default and the like in parentheses. */
export function parameterHelp(parameter: Parameter<unknown>): string {
  const facts = [
    parameter.type?.range,
    parameter.defaultText === undefined ? undefined : `default ${parameter.defaultText}`,
    parameter.repeatable ? 'may be repeated' : undefined,
    parameter.requires && `requires ${parameter.requires.map(optionName).join(' and ')}`,
    parameter.excludes && `not with ${parameter.excludes.map(optionName).join(' or ')}`,
    parameter.environment && `environment ${parameter.environment}`,
  ].filter((fact) => fact !== undefined);
  if (facts.length === 0) return parameter.help;
  return `${parameter.help.replace(/\.$/, '')} (${facts.join('; ')}).`;
}
