// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import path from 'node:path';
import { pathToFileURL } from 'node:url';

/** What this file runs from: the repository itself, or `build` with what was compiled of it. */
const tree = path.dirname(import.meta.dirname);
const isCompiled = import.meta.filename.endsWith('.js');

/** What Node needs to run sources, and nothing when they are compiled. */
export const loader: readonly string[] = isCompiled ? [] : ['--import', import.meta.resolve('tsx')];

/** A source, such as `src/index.ts`, or what was compiled of it when this file is compiled too. */
export function moduleFile(source: string): string {
  return path.join(tree, isCompiled ? source.replace(/\.ts$/, '.js') : source);
}

/** The same as a URL, for an import. */
export function moduleUrl(source: string): string {
  return pathToFileURL(moduleFile(source)).href;
}

/** The variable that has the files of programs that were bundled for tests, by their sources, in JSON. */
export const BUNDLED_PROGRAMS = 'TAPDISK_TS_BUNDLED_PROGRAMS';

/** Node's arguments to run a source, or what was bundled of it, as a program; those of the program are left to be added. */
export function programArguments(source: string): string[] {
  const bundled = JSON.parse(process.env[BUNDLED_PROGRAMS] ?? '{}') as Readonly<Record<string, string>>;
  return bundled[source] === undefined ? [...loader, moduleFile(source)] : [bundled[source]];
}
