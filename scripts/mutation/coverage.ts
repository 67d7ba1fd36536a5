// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { SourceMap, type SourceMapPayload } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { repositoryFile, repositoryFiles } from '../repository-files.js';
import type { Mutation } from './mutations.js';
import { compiledFile, type TrialTree } from './trial-tree.js';

/** What one test file ran, all its processes together. */
interface TestCoverage {
  /** Of the compiled test. */
  readonly hash: string;
  readonly passed: boolean;
  readonly milliseconds: number;
  /** By source: the hash of what was compiled of it, and where what was run starts and ends, by turns. */
  readonly ran: Readonly<Record<string, { readonly hash: string; readonly places: readonly number[] }>>;
}

/** Not about what src does, or about all of it for a long time. */
const NOT_FOR_MUTANTS = /^test\/(?:scripts|fuzz|docs\/(?:embedding|examples|testing))\b/;
const STARTS_PROGRAMS = /^test\/(?:cli|daemon)\//;
const DEADLINE_MILLISECONDS = 300_000;
const STORE = repositoryFile('.tap/mutants/coverage.json');

interface ScriptCoverage {
  readonly url: string;
  readonly functions: readonly {
    readonly ranges: readonly {
      readonly startOffset: number;
      readonly endOffset: number;
      readonly count: number;
    }[];
  }[];
}

function markRun(script: ScriptCoverage, ran: Uint8Array): void {
  const here = new Uint8Array(ran.length);
  // V8 lists the ranges of a function from the outside in; the innermost one counts.
  for (const { ranges } of script.functions) {
    for (const { startOffset, endOffset, count } of ranges)
      here.fill(count > 0 ? 1 : 0, startOffset, endOffset);
  }
  here.forEach((run, offset) => {
    if (run === 1) ran[offset] = 1;
  });
}

function placesIn(ran: Uint8Array): number[] {
  const places: number[] = [];
  for (let start = ran.indexOf(1); start !== -1;) {
    const next = ran.indexOf(0, start);
    const end = next === -1 ? ran.length : next;
    places.push(start, end);
    start = next === -1 ? -1 : ran.indexOf(1, next);
  }
  return places;
}

/** What one or more processes ran, from what they wrote into `directory`. */
function readRun(directory: string, tree: TrialTree): TestCoverage['ran'] {
  const marks = new Map<string, Uint8Array>();
  for (const name of readdirSync(directory)) {
    const { result } = JSON.parse(readFileSync(path.join(directory, name), 'utf8')) as {
      result: ScriptCoverage[];
    };
    for (const script of result) {
      if (!script.url.startsWith('file:')) continue;
      const source = path
        .relative(path.join(tree.directory, 'build'), fileURLToPath(script.url))
        .replace(/\.js$/, '.ts');
      if (!source.startsWith('src/')) continue;
      const text = readFileSync(path.join(tree.directory, compiledFile(source)));
      const ran = marks.get(source) ?? new Uint8Array(text.length);
      marks.set(source, ran);
      markRun(script, ran);
    }
  }
  return Object.fromEntries(
    [...marks].map(([source, ran]) => [source, { hash: tree.hash(source), places: placesIn(ran) }]),
  );
}

/** Which tests run which code. */
export class Coverage {
  readonly #tests = new Map<string, TestCoverage>();
  readonly #maps = new Map<string, Map<string, number>>();

  readonly #tree: TrialTree;

  private constructor(tree: TrialTree) {
    this.#tree = tree;
    if (!existsSync(STORE)) return;
    const stored = JSON.parse(readFileSync(STORE, 'utf8')) as Record<string, TestCoverage>;
    for (const [test, coverage] of Object.entries(stored)) this.#tests.set(test, coverage);
  }

  /** Runs each test file that was not run as it is now, and writes down what it ran. */
  static async measure(trees: readonly [TrialTree, ...TrialTree[]]): Promise<Coverage> {
    const [tree] = trees;
    const coverage = new Coverage(tree);
    const tests = repositoryFiles().filter(
      (file) => /^test\/.*\.test\.ts$/.test(file) && !NOT_FOR_MUTANTS.test(file) && tree.has(file),
    );
    for (const test of coverage.#tests.keys()) if (!tests.includes(test)) coverage.#tests.delete(test);
    // One that failed may have failed for want of time.
    const isKnown = (test: string): boolean => {
      const known = coverage.#tests.get(test);
      return known?.passed === true && known.hash === tree.hash(test);
    };
    const waiting = tests.filter((test) => !isKnown(test));
    await Promise.all(
      trees.map(async (own) => {
        for (let test = waiting.shift(); test !== undefined; test = waiting.shift()) {
          await coverage.#run(test, own);
        }
      }),
    );
    return coverage;
  }

  async #run(test: string, tree: TrialTree): Promise<void> {
    const coverageDirectory = mkdtempSync(path.join(tmpdir(), 'tapdisk-ts-mutants-v8-'));
    try {
      const { ending, milliseconds, failure } = await tree.run([test], {
        deadlineMilliseconds: DEADLINE_MILLISECONDS,
        coverageDirectory,
      });
      if (ending !== 'passed') console.log(`left out: ${test} ${ending} on the tree as it is: ${failure}`);
      this.#tests.set(test, {
        hash: tree.hash(test),
        passed: ending === 'passed',
        milliseconds: Math.round(milliseconds),
        ran: readRun(coverageDirectory, tree),
      });
      mkdirSync(path.dirname(STORE), { recursive: true });
      writeFileSync(STORE, JSON.stringify(Object.fromEntries(this.#tests)));
    } finally {
      rmSync(coverageDirectory, { recursive: true, force: true });
    }
  }

  /** How long a test file took on the tree as it is, with counting: milliseconds. */
  milliseconds(test: string): number {
    return this.#tests.get(test)?.milliseconds ?? 0;
  }

  /** How much of a source a test runs, in characters of what was compiled of it. */
  charactersRun(test: string, source: string): number {
    const { places = [] } = this.#tests.get(test)?.ran[source] ?? {};
    return places.reduce((sum, place, index) => sum + (index % 2 === 0 ? -place : place), 0);
  }

  /**
   * The tests that pass on the tree as it is and run what a mutation changes; of a file that changed since, all that run it.
   * A process that is killed does not say what it ran: where none says so, those that start programs may.
   */
  testsOf(mutation: Mutation): string[] {
    const hash = this.#tree.hash(mutation.file);
    const place = this.#placeOf(mutation);
    const passing = [...this.#tests].filter(([, { passed }]) => passed);
    const known = passing.filter(([, { ran }]) => {
      const file = ran[mutation.file];
      if (file === undefined) return false;
      return file.hash !== hash || place === undefined || isIn(file.places, place);
    });
    const tests = known.length > 0 ? known : passing.filter(([test]) => STARTS_PROGRAMS.test(test));
    return tests.map(([test]) => test);
  }

  /** Where the code of a mutation is in what was compiled; undefined if that cannot be said. */
  #placeOf({ file, line, column }: Mutation): number | undefined {
    const places = this.#maps.get(file) ?? compiledPlaces(file, this.#tree);
    this.#maps.set(file, places);
    for (let back = column; back >= 0; back -= 1) {
      const place = places.get(`${line}:${back}`);
      if (place !== undefined) return place;
    }
    return undefined;
  }
}

/** By line (from 1) and column (from 0) of the source, the offset of what was compiled of it. */
function compiledPlaces(source: string, tree: TrialTree): Map<string, number> {
  const text = tree.read(compiledFile(source));
  const map = new SourceMap(JSON.parse(tree.read(`${compiledFile(source)}.map`)) as SourceMapPayload);
  const places = new Map<string, number>();
  let lineStart = 0;
  for (const [line, content] of text.split('\n').entries()) {
    for (let column = 0; column < content.length; column += 1) {
      const entry = map.findEntry(line, column);
      if (!('originalLine' in entry)) continue;
      if (entry.generatedLine !== line || entry.generatedColumn !== column) continue;
      const key = `${entry.originalLine + 1}:${entry.originalColumn}`;
      if (!places.has(key)) places.set(key, lineStart + column);
    }
    lineStart += content.length + 1;
  }
  return places;
}

/** Whether a place is in one of the ranges, whose starts and ends come by turns. */
function isIn(ranges: readonly number[], place: number): boolean {
  const next = ranges.findIndex((border) => border > place);
  return next % 2 === 1;
}
