// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import path from 'node:path';
import { buildSync } from 'esbuild';
import { BUNDLED_PROGRAMS, moduleFile } from '../scripts/program.js';
import { repositoryFile } from '../scripts/repository-files.js';

/** What tests start often, each some hundred modules, and the thread that each looks for beside itself. */
const SOURCES = ['src/cli/main.ts', 'test/daemon/program.ts', 'src/posix/node/file-ring/thread.ts'];
/** Below the repository, so that a program finds its package.json. */
const DIRECTORY = repositoryFile('.tap/programs');

/**
 * Bundles the programs that tests start, as the package has its own: loading their modules one by one takes longer than most
 * of them run.
 *
 * @returns the variable by which `programArguments` finds them
 */
export function bundlePrograms(): string {
  buildSync({
    entryPoints: SOURCES.map(moduleFile),
    entryNames: '[name]',
    outdir: DIRECTORY,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    minifyWhitespace: true,
    minifySyntax: true,
    logLevel: 'warning',
  });
  const files = SOURCES.map((source) => [source, path.join(DIRECTORY, `${path.basename(source, '.ts')}.js`)]);
  return `${BUNDLED_PROGRAMS}=${JSON.stringify(Object.fromEntries(files))}`;
}
