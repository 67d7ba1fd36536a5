// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { transform } from 'esbuild';
import { repositoryFiles, repositoryFile, root } from '../repository-files.js';
import { mutated, type Mutation } from './mutations.js';

/** How a run of some test files ended. */
export interface TestRun {
  readonly ending: 'passed' | 'failed' | 'hung';
  readonly milliseconds: number;
  /** The first thing that failed; empty if nothing did. */
  readonly failure: string;
}

export interface TestRunOptions {
  readonly deadlineMilliseconds: number;
  /** Where each process writes what it ran; not counted when it is missing. */
  readonly coverageDirectory?: string;
}

/** A mutant that asks for memory without end must not take that of the machine: kilobytes. */
const MEMORY_KILOBYTES = 3_000_000;

/** What was compiled of a source. */
export const compiledFile = (source: string): string => path.join('build', source.replace(/\.ts$/, '.js'));

/** A copy of the repository and of what was compiled of it, in which one source at a time is broken and tests are run. */
export class TrialTree {
  readonly directory = mkdtempSync(path.join(tmpdir(), 'tapdisk-ts-mutants-'));

  readonly #gitDirectory = execFileSync('git', ['rev-parse', '--absolute-git-dir'], {
    cwd: root,
    encoding: 'utf8',
  }).trimEnd();

  /** Copies the repository; it must have been compiled. */
  constructor() {
    // The page for browsers is built into dist, if it is.
    const built = ['build', 'dist'].filter((name) => existsSync(repositoryFile(name)));
    for (const file of [...repositoryFiles(), ...built]) {
      cpSync(repositoryFile(file), path.join(this.directory, file), { recursive: true });
    }
    symlinkSync(repositoryFile('node_modules'), path.join(this.directory, 'node_modules'));
  }

  /** A file of it. */
  read(file: string): string {
    return readFileSync(path.join(this.directory, file), 'utf8');
  }

  /** Whether a source was there when the repository was compiled. */
  has(source: string): boolean {
    return existsSync(path.join(this.directory, compiledFile(source)));
  }

  /** The same as long as what was compiled of a source is. */
  hash(source: string): string {
    return createHash('sha256')
      .update(this.read(compiledFile(source)))
      .digest('hex')
      .slice(0, 16);
  }

  /** Runs a task with one mutation in the compiled code. */
  async withMutation<T>(mutation: Mutation, task: () => Promise<T>): Promise<T> {
    const file = path.join(this.directory, compiledFile(mutation.file));
    const text = readFileSync(file, 'utf8');
    const source = this.read(mutation.file);
    const { code } = await transform(mutated(mutation, source), {
      loader: 'ts',
      target: 'node20',
      sourcefile: mutation.file,
      sourcemap: 'inline',
      tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: true } },
      logLevel: 'silent',
    });
    writeFileSync(file, code);
    try {
      return await task();
    } finally {
      writeFileSync(file, text);
    }
  }

  /** Runs test files one after the other in one process that ends at the first failure. */
  async run(tests: readonly string[], options: TestRunOptions): Promise<TestRun> {
    const { deadlineMilliseconds, coverageDirectory } = options;
    const inTree = (file: string): string => path.join(this.directory, file);
    const plain = pathToFileURL(inTree('scripts/plain-promises.mjs')).href;
    const node = [process.execPath, '--enable-source-maps', '--import', plain];
    const started = performance.now();
    const limited = `ulimit -d ${MEMORY_KILOBYTES}; exec "$0" "$@"`;
    const child = spawn('sh', ['-c', limited, ...node, inTree('build/test/run-files.js'), 'mutants'], {
      cwd: this.directory,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        // What the copy has is what git lists.
        GIT_DIR: this.#gitDirectory,
        GIT_WORK_TREE: this.directory,
        TAP_BAIL: '1',
        // Random tests play the same for each mutant.
        TEST_SEED: '1',
        TAP_TIMEOUT: String(Math.ceil(deadlineMilliseconds / 1000)),
        TEST_FILES: JSON.stringify(tests.map((test) => pathToFileURL(inTree(compiledFile(test))).href)),
        ...(coverageDirectory === undefined ? {} : { NODE_V8_COVERAGE: coverageDirectory }),
      },
    });
    let isHung = false;
    const endGroup = (): void => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
      }
    };
    const timer = setTimeout(() => {
      isHung = true;
      endGroup();
    }, deadlineMilliseconds);
    let failure = '';
    let rest = '';
    const watch = (text: string): void => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      if (failure === '') failure = lines.find((line) => /^ *not ok /.test(line))?.trim() ?? '';
    };
    let errors = '';
    child.stdout.setEncoding('utf8').on('data', watch);
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      if (errors.length < 2000) errors += text;
    });
    const status = await new Promise<number | null>((resolve, reject) => {
      child.on('error', reject);
      // What the tests started and left may hold the streams open: that is ended as well.
      child.on('exit', (code) => {
        endGroup();
        resolve(code);
      });
    });
    clearTimeout(timer);
    const milliseconds = performance.now() - started;
    if (status === 0 && failure === '') return { ending: 'passed', milliseconds, failure: '' };
    const said = failure || errors.split('\n').find((line) => /Error/.test(line)) || `exit status ${status}`;
    return { ending: isHung ? 'hung' : 'failed', milliseconds, failure: said.slice(0, 200) };
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}
