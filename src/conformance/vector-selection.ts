// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { matchesName } from './name-pattern.js';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DEFAULT_DIALECT, type Dialect } from '../scheduler/dialect.js';
import { packageFile } from '../server/package-file.js';
import type { Assignment } from './suite-run.js';
import { readVectorFile } from './vector-file.js';
import { type SuiteName, type Vector, vectorName } from './vector.js';

/** Selects vectors of the files. */
export interface VectorFilter {
  readonly suite?: SuiteName | undefined;
  /** Of the suite `scheduler` only. */
  readonly dialect?: Dialect | undefined;
  /** Has to fit `suite/name`, as `vectorName` makes it: see `matchesName`. */
  readonly pattern?: string | undefined;
}

/** The project's own vector files; none where the package was installed without them. */
export function ownVectorFiles(directory = packageFile('test/vectors')): string[] {
  try {
    return readdirSync(directory)
      .filter((name) => name.endsWith('.json'))
      .toSorted()
      .map((name) => join(directory, name));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** The files' vectors that pass the filter, in order, and all that is wrong in the files, whatever the filter. */
export function selectVectors(files: readonly string[], filter: VectorFilter = {}): Assignment[] {
  const { suite, dialect, pattern } = filter;
  const isSelected = ({ item }: Assignment): boolean =>
    item.kind === 'fault' ||
    ((suite === undefined || item.vector.suite === suite) &&
      (dialect === undefined || dialectOf(item.vector) === dialect) &&
      (pattern === undefined || matchesName(pattern, vectorName(item.vector))));
  return files.flatMap((file) => readVectorFile(file).map((item) => ({ file, item }))).filter(isSelected);
}

/** The dialect of a vector of the suite `scheduler`; undefined for the others. */
function dialectOf(vector: Vector): Dialect | undefined {
  return vector.suite === 'scheduler' ? (vector.dialect ?? DEFAULT_DIALECT) : undefined;
}
