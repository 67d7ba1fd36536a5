// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { isUtf8 } from 'node:buffer';
import { existsSync, readFileSync } from 'node:fs';

/** Variables that name files: see {@link lostBytes}. */
const PATH_VARIABLES = ['XDG_RUNTIME_DIR', 'TMPDIR', 'NOTIFY_SOCKET', 'TAPDISK_TS_CONTROL_DIRECTORY'];

/**
 * What of the command line or the environment reached this process altered: Node replaces each byte that is not UTF-8, so
 * that two names would become one file. Undefined when nothing did, or without /proc.
 *
 * @param directory of the process in /proc
 */
export function lostBytes(directory = '/proc/self'): string | undefined {
  if (!existsSync(`${directory}/cmdline`)) return undefined;
  const argument = words(`${directory}/cmdline`).find((word) => !isUtf8(word));
  if (argument !== undefined)
    return `argument ${shown(argument)} is not UTF-8: rename the file, or use a link`;
  const variable = words(`${directory}/environ`).find((word) => {
    const name = word.subarray(0, word.indexOf('=')).toString('latin1');
    return PATH_VARIABLES.includes(name) && !isUtf8(word);
  });
  return variable === undefined ? undefined : `environment variable ${shown(variable)} is not UTF-8`;
}

/** Words that end with a NUL each. */
function words(file: string): Buffer[] {
  const found: Buffer[] = [];
  let rest = readFileSync(file);
  for (let end = rest.indexOf(0); end >= 0; end = rest.indexOf(0)) {
    found.push(rest.subarray(0, end));
    rest = rest.subarray(end + 1);
  }
  return found;
}

/** Bytes outside of ASCII as `\xff`, in quotes. */
function shown(word: Buffer): string {
  const text = [...word].map((byte) =>
    byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`,
  );
  return `'${text.join('')}'`;
}
