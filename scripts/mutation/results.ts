// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { repositoryFile } from '../repository-files.js';
import type { Mutation } from './mutations.js';
import type { Verdict } from './trial.js';

export type Result = Verdict & Pick<Mutation, 'id' | 'file' | 'line' | 'kind' | 'before' | 'after'>;

/** The verdicts of a seed, a line of JSON each, so that a run that was stopped goes on where it was. */
export class Results {
  readonly #path: string;
  readonly #byId = new Map<string, Result>();

  constructor(seed: number) {
    this.#path = repositoryFile(`.tap/mutants/${seed}.jsonl`);
    if (!existsSync(this.#path)) return;
    for (const line of readFileSync(this.#path, 'utf8').trimEnd().split('\n')) {
      const result = JSON.parse(line) as Result;
      this.#byId.set(result.id, result);
    }
  }

  of(mutation: Mutation): Result | undefined {
    return this.#byId.get(mutation.id);
  }

  add(mutation: Mutation, verdict: Verdict): Result {
    const { id, file, line, kind, before, after } = mutation;
    const result = { id, file, line, kind, before, after, ...verdict };
    this.#byId.set(id, result);
    mkdirSync(path.dirname(this.#path), { recursive: true });
    appendFileSync(this.#path, `${JSON.stringify(result)}\n`);
    return result;
  }
}

/** Whether a verdict says that the tests noticed. */
export const isNoticed = ({ outcome }: Verdict): boolean => outcome === 'killed' || outcome === 'hung';
