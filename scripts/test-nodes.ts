// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// Runs the suite on several versions of Node.js and prints a line for each; ends with 1 when one of them failed.
// The versions are taken from the npm package `node`, into a temporary directory that is gone afterwards.
// Other versions can be named on the command line, and folders or files of the suite that are to run:
// `npm run test:nodes -- 20 22.12.0 --only test/nbd --only test/disks`.
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { root } from './repository-files.js';
import { scriptOptions } from './script-options.js';

const VERSIONS = ['20', '22', '24', '26'];
/** What a failing version prints of its output: each failure with what follows it, and the end. */
const LINES_OF_A_FAILURE = 30;
const LINES_OF_THE_END = 20;
/** The suite may take so long here, where nobody waits for it: on a busy machine that is more than `npm test` has. */
const TIMEOUT_SECONDS = 3600;

interface Outcome {
  readonly code: number | null;
  readonly output: string;
}

/** Runs a command to its end; its output, both streams in one, is collected. */
async function run(
  command: string,
  args: readonly string[],
  cwd: string,
  env = process.env,
): Promise<Outcome> {
  return await new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const collect = (chunk: string): void => {
      output += chunk;
    };
    child.stdout.setEncoding('utf8').on('data', collect);
    child.stderr.setEncoding('utf8').on('data', collect);
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, output }));
  });
}

/** Puts one version of Node.js into `directory` and returns the path of its binary. */
async function install(version: string, directory: string): Promise<string> {
  await mkdir(directory);
  // A package.json of its own, or npm would look for one in the directories above.
  await writeFile(path.join(directory, 'package.json'), '{ "private": true }\n');
  // Said outright, or settings of an npm that runs this script would reach this one.
  const options = ['--prefix', directory, '--loglevel=error', '--no-audit', '--no-fund'];
  const { code, output } = await run('npm', ['install', ...options, `node@${version}`], directory);
  if (code !== 0) throw new Error(`npm install node@${version} ended with ${code}:\n${output}`);
  return path.join(directory, 'node_modules', 'node', 'bin', 'node');
}

/** The numbers of tap's last line, `# { total: 12, pass: 12 }`; undefined when the suite did not come that far. */
function summaryOf(output: string): { pass: number; fail: number; skip: number } | undefined {
  const line = [...output.matchAll(/^# \{ total: .*\}$/gm)].at(-1)?.[0];
  if (line === undefined) return undefined;
  const count = (name: string): number => Number(new RegExp(`\\b${name}: (\\d+)`).exec(line)?.[1] ?? 0);
  return { pass: count('pass'), fail: count('fail'), skip: count('skip') + count('todo') };
}

/** The lines of a run that tell what failed in it. */
function failuresIn(output: string): string {
  const lines = output.trimEnd().split('\n');
  let shownUntil = 0;
  return lines
    .filter((line, index) => {
      if (/^ *not ok /.test(line)) shownUntil = index + LINES_OF_A_FAILURE;
      return index < shownUntil || index >= lines.length - LINES_OF_THE_END;
    })
    .join('\n');
}

/** Runs the suite, or what of it starts with one of `only`, on one version; returns whether it passed. */
async function testOn(version: string, directory: string, only: readonly string[]): Promise<boolean> {
  const node = await install(version, directory);
  const { output: asked } = await run(node, ['--version'], directory);
  const started = performance.now();
  // Tests that start a `node` of their own are to get this one, whether they look it up or not.
  const env = {
    ...process.env,
    PATH: `${path.dirname(node)}${path.delimiter}${process.env['PATH'] ?? ''}`,
    TAPDISK_TS_COVERAGE: 'none',
    ...(only.length > 0 ? { TAPDISK_TS_ONLY: only.join(',') } : {}),
  };
  const tap = path.join(root, 'node_modules', '.bin', 'tap');
  const args = [tap, 'run', '--disable-coverage', '--reporter=tap', `--timeout=${TIMEOUT_SECONDS}`];
  const { code, output } = await run(node, args, root, env);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const summary = summaryOf(output);
  const passed = code === 0 && summary !== undefined && summary.fail === 0 && summary.pass > 0;
  const counted =
    summary === undefined
      ? 'no summary'
      : `${summary.pass} passed, ${summary.fail} failed, ${summary.skip} skipped`;
  if (!passed) console.log(failuresIn(output));
  console.log(`node ${asked.trim()}: ${passed ? 'ok' : 'FAILED'}: ${counted} (exit ${code}, ${seconds} s)`);
  return passed;
}

const USAGE = `npm run test:nodes [-- VERSION...] [--only PATH]...

  VERSION      of Node.js (default: ${VERSIONS.join(', ')})
  --only PATH  only this folder or file of the suite, such as test/nbd; may be repeated`;

const { values, positionals } = scriptOptions(USAGE, {
  options: { only: { type: 'string', multiple: true, default: [] } },
  allowPositionals: true,
});
const versions = positionals.length > 0 ? positionals : VERSIONS;
const temporary = await mkdtemp(path.join(tmpdir(), 'tapdisk-ts-nodes-'));
let failed = 0;
try {
  for (const version of versions) {
    const directory = path.join(temporary, `node-${version}`);
    try {
      if (!(await testOn(version, directory, values.only))) failed += 1;
    } catch (error) {
      // One version that cannot be had must not hide what the others do.
      failed += 1;
      console.log(`node ${version}: FAILED: ${error instanceof Error ? error.message : String(error)}`);
    }
    await rm(directory, { recursive: true, force: true });
  }
} finally {
  await rm(temporary, { recursive: true, force: true });
}
process.exitCode = failed === 0 ? 0 : 1;
