// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { exactText } from '../posix/exact-text.js';
import { parseJson } from '../posix/json-text.js';
import { readWholeFile } from '../server/own-file.js';
import { ShapeError } from './member.js';
import { parseVector, unknownMembers } from './vector-shape.js';
import { type Vector, vectorName } from './vector.js';

/** The largest vector file, in bytes. A text cannot have many more characters. */
export const MAX_VECTOR_FILE_BYTES = 256 << 20;

/** One item of a vector file: a vector, or what is wrong with it. */
export type VectorFileItem =
  | { readonly kind: 'vector'; readonly vector: Vector; readonly warnings: readonly string[] }
  | { readonly kind: 'fault'; readonly fault: VectorFault };

/** Something that is not a vector: a whole file (then without a vector), or one vector's member. */
export interface VectorFault {
  readonly file: string;
  /** `scheduler/its-name` as far as they can be read, or `vector 3` by its place from 0. */
  readonly vector?: string;
  readonly member?: string;
  readonly message: string;
}

/** What a file is read for: vectors have their trace; a script may lack it, and stand alone in its file without an array. */
export type Purpose = 'vector' | 'script';

/** Vectors and faults of a file, in its order. Never throws for what the file holds, or for its absence. */
export function readVectorFile(file: string, purpose: Purpose = 'vector'): VectorFileItem[] {
  let text: string | undefined;
  try {
    text = exactText(readWholeFile(file, MAX_VECTOR_FILE_BYTES));
  } catch (error) {
    return [fault({ file, message: `cannot be read: ${(error as Error).message}` })];
  }
  if (text === undefined) return [fault({ file, message: 'not UTF-8' })];
  return parseVectorFile(file, text, purpose);
}

/** As {@link readVectorFile}, of a text at hand. */
export function parseVectorFile(file: string, text: string, purpose: Purpose = 'vector'): VectorFileItem[] {
  let content: unknown;
  try {
    content = parseJson(text);
  } catch (error) {
    return [fault({ file, message: `not JSON: ${(error as Error).message}` })];
  }
  if (purpose === 'script' && !Array.isArray(content)) content = [content];
  if (!Array.isArray(content)) return [fault({ file, message: 'not an array of vectors' })];
  const names = new Set<string>();
  return content.map((value: unknown, index) => {
    const vector = nameOf(value, index);
    const item = parseItem(file, vector, value, purpose);
    if (item.kind === 'vector' && names.size === names.add(vector).size) {
      return fault({
        file,
        vector,
        member: 'name',
        message: 'name: expected a name that no other vector of its suite has',
      });
    }
    return item;
  });
}

function parseItem(file: string, name: string, value: unknown, purpose: Purpose): VectorFileItem {
  try {
    const vector = parseVector(value, purpose === 'vector' ? 'required' : 'optional');
    const warnings = unknownMembers(vector).map(
      (member) => `${file}: ${name}: unknown member ${member} is passed over`,
    );
    return { kind: 'vector', vector, warnings };
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error;
    return fault({ file, vector: name, member: error.member, message: error.message });
  }
}

function fault(what: VectorFault): VectorFileItem {
  return { kind: 'fault', fault: what };
}

function nameOf(value: unknown, index: number): string {
  if (typeof value === 'object' && value !== null && 'name' in value && typeof value.name === 'string') {
    const suite = 'suite' in value && typeof value.suite === 'string' ? value.suite : '?';
    return vectorName({ suite, name: value.name, dialect: 'dialect' in value ? value.dialect : undefined });
  }
  return `vector ${index}`;
}
