// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

/** What follows `vhd:` in a name: `[OPTION,...]/path`, the options left out as a rule. */
export interface VhdName {
  readonly path: string;
  readonly parents: readonly string[] | undefined;
  readonly answersEarly: boolean;
}

export const VHD_NAME_FORM =
  'vhd:/path or vhd:[OPTION,...]/path with the options parents=DIRECTORY and answer=early';

/** Splits a name, or returns what is wrong with it. */
export function parseVhdName(argument: string): VhdName | string {
  const close = argument.startsWith('[') ? argument.indexOf(']') : -1;
  if (argument.startsWith('[') && close < 0) return `'${argument}' has no ']' after its options`;
  const path = argument.slice(close + 1);
  if (path === '' || path.includes('\0')) return 'the name has no path';
  const parents: string[] = [];
  let answersEarly = false;
  const options = close > 1 ? argument.slice(1, close).split(',') : [];
  for (const option of options) {
    if (option === 'answer=early') answersEarly = true;
    else if (/^parents=./.test(option)) parents.push(option.slice('parents='.length));
    else return `unknown option '${option}'`;
  }
  return { path, parents: parents.length > 0 ? parents : undefined, answersEarly };
}

/** The name of the image at another path, with the same drivers above it and the same options; undefined for a name of no VHD. */
export function withVhdPath(
  name: string,
  path: string,
): { readonly name: string; readonly path: string } | undefined {
  const match = /^((?:[^|:]*:(?:[^|:]*\|)?)*?vhd:)(.*)$/s.exec(name);
  if (!match) return undefined;
  const [, drivers = '', argument = ''] = match;
  const parsed = parseVhdName(argument);
  if (typeof parsed === 'string') return undefined;
  const options = argument.slice(0, argument.length - parsed.path.length);
  return { name: `${drivers}${options}${path}`, path: parsed.path };
}
