// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { type ChildProcessWithoutNullStreams, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { transformSync } from 'esbuild';
import { loader, moduleUrl } from '../../scripts/program.js';
import { manifest, root } from '../../scripts/repository-files.js';

/** The longest that a program of the documentation may take, in seconds. */
const LIMIT_SECONDS = 60;

/** What the package exports: the source behind each of its entries, by the name under which it is imported. */
export const sourcesOfEntries: ReadonlyMap<string, string> = new Map(
  Object.entries(manifest.exports).flatMap(([entry, target]): [string, string][] =>
    typeof target === 'string'
      ? []
      : [
          [
            path.posix.join('tapdisk-ts', entry),
            target.default.replace('./dist/', 'src/').replace(/js$/, 'ts'),
          ],
        ],
  ),
);

/** The program as JavaScript, with its imports from this package leading to the sources or what was compiled of them. */
function overSources(program: string): string {
  const imports = /(\bfrom ')(tapdisk-ts(?:\/[\w-]+)?)'/g;
  const located = program.replace(imports, (_, before: string, entry: string) => {
    const source = sourcesOfEntries.get(entry);
    if (source === undefined) throw new Error(`the package has no entry ${entry}`);
    return `${before}${moduleUrl(source)}'`;
  });
  return transformSync(located, { loader: 'ts', format: 'esm', target: 'es2022' }).code;
}

export interface Outcome {
  readonly stdout: string;
  readonly stderr: string;
  /** 0, the exit code, or the signal that ended it. */
  readonly exit: number | string;
}

/** Runs a program as a process of its own, over the sources. */
export async function runProgram(code: string): Promise<Outcome> {
  return inDirectory(async (directory) => {
    await writeFile(path.join(directory, 'program.mjs'), overSources(code));
    return run(path.join(directory, 'program.mjs'));
  });
}

/** Runs programs one after the other in one process, and returns what each has printed, and the outcome of all. */
export async function runPrograms(
  codes: readonly string[],
): Promise<{ printed: string[]; outcome: Outcome }> {
  const mark = '--- the next program';
  return inDirectory(async (directory) => {
    const names = codes.map((_, index) => `program-${index}.mjs`);
    const imports = names.map((name) => `console.log('${mark}');\nawait import('./${name}');\n`);
    await writeFile(path.join(directory, 'all.mjs'), imports.join(''));
    for (const [index, code] of codes.entries()) {
      await writeFile(path.join(directory, `program-${index}.mjs`), overSources(code));
    }
    const outcome = await run(path.join(directory, 'all.mjs'));
    return { printed: outcome.stdout.split(`${mark}\n`).slice(1), outcome };
  });
}

/** Starts a program with arguments, for a test that talks with it; `ended` is its exit code or the signal that ended it. */
export async function startProgram(
  code: string,
  args: readonly string[],
): Promise<{ child: ChildProcessWithoutNullStreams; ended: Promise<number | string> }> {
  const directory = await mkdtemp(path.join(os.tmpdir(), 'program-'));
  const file = path.join(directory, 'program.mjs');
  await writeFile(file, overSources(code));
  const child = spawn(process.execPath, [...loader, file, ...args], processOptions());
  const ended = once(child, 'close').then(async ([exit, signal]) => {
    await rm(directory, { recursive: true });
    return (exit ?? signal) as number | string;
  });
  return { child, ended };
}

async function inDirectory<Result>(use: (directory: string) => Promise<Result>): Promise<Result> {
  const directory = await mkdtemp(path.join(os.tmpdir(), 'program-'));
  try {
    return await use(directory);
  } finally {
    await rm(directory, { recursive: true });
  }
}

function run(file: string): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(process.execPath, [...loader, file], processOptions(), (error, stdout, stderr) => {
      resolve({ stdout, stderr, exit: error === null ? 0 : (error.code ?? error.signal ?? error.message) });
    });
  });
}

function processOptions(): { cwd: string; env: NodeJS.ProcessEnv; timeout: number } {
  // What the programs cover is no part of the suite's coverage.
  const { NODE_V8_COVERAGE: _, ...env } = process.env;
  return { cwd: root, env, timeout: LIMIT_SECONDS * 1000 };
}
