// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// What the tests did not run, from the coverage that V8 itself counted in each process of the last `tap run`.
//
// The usual reports are not exact enough to demand 100 % of: they take a line for run unless one uncovered block spans
// all of it, and leave out functions without a name. V8's own ranges are exact to the character.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { SourceMap, type SourceMapPayload, type SourceMapping } from 'node:module';
import path from 'node:path';

/** Code that no process ran: where it starts in the source, and the last line of it. Both count from 1. */
export interface UncoveredCode {
  readonly line: number;
  readonly column: number;
  readonly lastLine: number;
}

interface FunctionCoverage {
  readonly ranges: readonly {
    readonly startOffset: number;
    readonly endOffset: number;
    readonly count: number;
  }[];
}

interface ScriptCoverage {
  readonly url: string;
  readonly functions: readonly FunctionCoverage[];
}

interface SourceMapOfScript {
  /** Of the code that ran, without the line breaks. */
  readonly lineLengths: readonly number[];
  readonly data: SourceMapPayload;
}

interface ProcessCoverage {
  readonly result: readonly ScriptCoverage[];
  readonly 'source-map-cache'?: Readonly<Record<string, SourceMapOfScript>>;
}

/** A file as one compiler run made it, and the characters of it that any process ran. */
interface CompiledFile {
  readonly map: SourceMapOfScript;
  readonly ran: Uint8Array;
}

/** At most so many characters that lead to no place in the source are a closing brace or two, not code. */
const PUNCTUATION_LENGTH = 2;

/** Marks what one process ran. V8 lists a function's ranges from the outside in; the innermost one counts. */
function markRun(script: ScriptCoverage, ran: Uint8Array): void {
  const inThisProcess = new Uint8Array(ran.length);
  for (const { ranges } of script.functions) {
    for (const { startOffset, endOffset, count } of ranges) {
      inThisProcess.fill(count > 0 ? 1 : 0, startOffset, endOffset);
    }
  }
  inThisProcess.forEach((run, offset) => {
    if (run === 1) ran[offset] = 1;
  });
}

/** The first place of the source that `[start, end)` of a compiled file leads to, and the last; undefined if none. */
function placeOf(file: CompiledFile, map: SourceMap, start: number, end: number): UncoveredCode | undefined {
  const begun: SourceMapping[] = [];
  let around: SourceMapping | undefined;
  let lineStart = 0;
  file.map.lineLengths.forEach((length, line) => {
    for (let offset = Math.max(start, lineStart); offset < Math.min(end, lineStart + length); offset += 1) {
      const entry = map.findEntry(line, offset - lineStart);
      if (!('originalLine' in entry)) continue;
      around ??= entry;
      if (entry.generatedLine === line && entry.generatedColumn === offset - lineStart) begun.push(entry);
    }
    lineStart += length + 1;
  });
  // The constant in `a ?? 3` is mapped as a part of what stands before it.
  const first = begun[0] ?? (end - start > PUNCTUATION_LENGTH ? around : undefined);
  if (first === undefined) return undefined;
  const lastLine = Math.max(first.originalLine, ...begun.map(({ originalLine }) => originalLine));
  return { line: first.originalLine + 1, column: first.originalColumn + 1, lastLine: lastLine + 1 };
}

function uncoveredIn(file: CompiledFile): UncoveredCode[] {
  const map = new SourceMap(file.map.data);
  const source = file.map.data.sourcesContent?.[0]?.split('\n') ?? [];
  const found: UncoveredCode[] = [];
  for (let start = file.ran.indexOf(0); start !== -1;) {
    const next = file.ran.indexOf(1, start);
    const end = next === -1 ? file.ran.length : next;
    const place = placeOf(file, map, start, end);
    // Behind a return V8 counts the brace that closes its block as a block of its own.
    const onlyABrace =
      place !== undefined &&
      end - start <= PUNCTUATION_LENGTH &&
      source[place.line - 1]?.[place.column - 1] === '}';
    // What the compiler adds for `using` has no place of its own: it leads to the end of the licence above it.
    const isAdded = place !== undefined && (source[place.line - 1]?.length ?? 0) < place.column;
    if (place !== undefined && !onlyABrace && !isAdded) found.push(place);
    start = next === -1 ? -1 : file.ran.indexOf(0, next);
  }
  return found;
}

/**
 * Reads the coverage in `directory`, a JSON file for each process, and answers for every file that was loaded and for
 * which `wanted` is true, by its URL, what no process ran. Throws when the directory or a source map is missing.
 */
export function uncoveredCode(
  directory: string,
  wanted: (url: string) => boolean,
): Map<string, UncoveredCode[]> {
  if (!existsSync(directory))
    throw new Error(`${directory}: no such directory; run the tests with coverage first`);
  const compiled = new Map<string, Map<string, CompiledFile>>();
  for (const name of readdirSync(directory)) {
    const coverage = JSON.parse(readFileSync(path.join(directory, name), 'utf8')) as ProcessCoverage;
    for (const script of coverage.result.filter(({ url }) => wanted(url))) {
      const map = coverage['source-map-cache']?.[script.url];
      if (map === undefined)
        throw new Error(`${script.url}: no source map; the tests must be compiled with theirs`);
      const versions = compiled.get(script.url) ?? new Map<string, CompiledFile>();
      compiled.set(script.url, versions);
      const key = JSON.stringify([map.lineLengths, map.data.mappings]);
      const length = map.lineLengths.reduce((sum, line) => sum + line + 1, -1);
      const file = versions.get(key) ?? { map, ran: new Uint8Array(length) };
      versions.set(key, file);
      markRun(script, file.ran);
    }
  }
  return new Map([...compiled].map(([url, versions]) => [url, notRunInAny([...versions.values()])]));
}

/** A file may have been compiled in more than one way: what one of them ran was run. */
function notRunInAny(versions: readonly CompiledFile[]): UncoveredCode[] {
  const [first = [], ...others] = versions.map(uncoveredIn);
  return first.filter((code) =>
    others.every((other) => other.some(({ line, column }) => line === code.line && column === code.column)),
  );
}
