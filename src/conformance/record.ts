// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Implementation } from './implementation.js';
import type { VectorFileItem } from './vector-file.js';
import { isTapdisk3, type Vector } from './vector.js';

/** The vector with the trace that the implementation gives now, in place of any it had. */
export async function recordVector(script: Vector, implementation: Implementation): Promise<Vector> {
  const trace = await implementation.run(script);
  // A bug is where a trace ends in the process's death. One that goes on has none.
  if (!isTapdisk3(script) || trace.at(-1)?.[0] === 'panic') return { ...script, trace };
  const { bug: _bug, ...alive } = script;
  return { ...alive, trace };
}

/** A vector file's text: an array, a vector a line. */
export function vectorFileText(vectors: readonly Vector[]): string {
  return `[\n${vectors.map((vector) => JSON.stringify(vector)).join(',\n')}\n]\n`;
}

/** The scripts of a file, or what is wrong in it. */
export function scriptsOf(items: readonly VectorFileItem[]): { scripts: Vector[]; faults: string[] } {
  const scripts: Vector[] = [];
  const faults: string[] = [];
  for (const item of items) {
    if (item.kind === 'vector') scripts.push(item.vector);
    else faults.push([item.fault.file, item.fault.vector, item.fault.message].filter(Boolean).join(': '));
  }
  return { scripts, faults };
}
