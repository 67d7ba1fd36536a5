// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { parseJson } from '../posix/json-text.js';
import { DEFAULT_DIALECT } from '../scheduler/dialect.js';
import { AdapterFailure, AdapterProcess } from './adapter-process.js';
import { type Implementation, ScriptUnsupported } from './implementation.js';
import { shorten } from './member.js';
import { DEFAULT_LIMIT, DEFAULT_UUID, type Trace, type TraceEntry, type Vector } from './vector.js';

/** How an adapter is started, and how long it may take over one script, in seconds. */
export interface AdapterOptions {
  readonly program: string;
  readonly args: readonly string[];
  readonly timeoutSeconds: number;
}

/**
 * Another implementation behind the adapter protocol of docs/conformance.md: a script a line in, a trace a line out.
 *
 * As many processes run as there are runs at a time. One that replies to what it was not asked, or does not reply, is not
 * used again: the next script gets a fresh one.
 */
export class Adapter implements Implementation, AsyncDisposable {
  readonly #options: AdapterOptions;
  readonly #idle: AdapterProcess[] = [];
  #lastId = 0;

  constructor(options: AdapterOptions) {
    this.#options = options;
  }

  async run(vector: Vector): Promise<Trace> {
    const process = this.#take();
    const id = ++this.#lastId;
    const line = await process.ask(requestLine(id, vector), this.#options.timeoutSeconds);
    try {
      const trace = traceFrom(line, id);
      this.#keep(process);
      return trace;
    } catch (error) {
      // A refusal is an answer like any other; after anything else the process cannot be trusted.
      if (error instanceof ScriptUnsupported || error instanceof AdapterError) this.#keep(process);
      else process.kill('it answered what it was not asked');
      throw error;
    }
  }

  /** Ends the processes that are left. */
  async stop(): Promise<void> {
    await Promise.all(this.#idle.splice(0).map((process) => process.stop(this.#options.timeoutSeconds)));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  #take(): AdapterProcess {
    for (let process = this.#idle.pop(); process !== undefined; process = this.#idle.pop()) {
      if (!process.ended) return process;
    }
    return new AdapterProcess(this.#options.program, this.#options.args);
  }

  #keep(process: AdapterProcess): void {
    if (!process.ended) this.#idle.push(process);
  }
}

/** The adapter says itself that it has no trace. */
class AdapterError extends Error {
  override readonly name = 'AdapterError';
}

/** The script of a vector, its defaults filled in and without what only concerns the comparison. */
function requestLine(id: number, vector: Vector): string {
  const { trace: _trace, about: _about, fault: _fault, ...script } = vector;
  const defaults = { uuid: DEFAULT_UUID, limit: DEFAULT_LIMIT };
  if (script.suite !== 'scheduler') return JSON.stringify({ id, ...defaults, ...script });
  return JSON.stringify({ id, ...defaults, dialect: DEFAULT_DIALECT, ...script, bug: undefined });
}

function traceFrom(line: string, id: number): Trace {
  let answer: unknown;
  try {
    answer = parseJson(line);
  } catch {
    throw new AdapterFailure(`the answer is not JSON: ${shorten(line)}`);
  }
  if (typeof answer !== 'object' || answer === null || !('id' in answer)) {
    throw new AdapterFailure(`the answer is no object with an id: ${shorten(answer)}`);
  }
  if (answer.id !== id)
    throw new AdapterFailure(`the answer's id is ${shorten(answer.id)}, the script's is ${id}`);
  if ('skip' in answer) throw new ScriptUnsupported(textOf(answer.skip));
  if ('error' in answer) throw new AdapterError(`the adapter says: ${textOf(answer.error)}`);
  if ('trace' in answer && isTrace(answer.trace)) return answer.trace;
  throw new AdapterFailure(`the answer has no trace that is an array of arrays: ${shorten(answer)}`);
}

function isTrace(value: unknown): value is Trace {
  return Array.isArray(value) && value.every((entry): entry is TraceEntry => Array.isArray(entry));
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : shorten(value);
}
