// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { FileRange } from '../file-holes.js';

/** How many extents of a file are looked at. */
export const MAX_EXTENTS = 65_536;
/** A line of a map is shorter, even with the file's name in it. */
const MAX_LINE_CHARACTERS = 8192;

/**
 * Reads line by line what a program prints about the extents of a file, and takes the parts between them for holes. What it
 * does not understand to the last character makes the whole worthless.
 */
export abstract class MapLines {
  readonly #program: string;
  readonly #holes: FileRange[] = [];
  #unread = '';
  #extents = 0;
  /** Where the last extent ends. */
  #end = 0;
  #fault: string | undefined;

  /** @param program what the lines come from, for people */
  constructor(program: string) {
    this.#program = program;
  }

  protected get extents(): number {
    return this.#extents;
  }

  /** No more extents are looked at. */
  get isFull(): boolean {
    return this.#extents === MAX_EXTENTS && !this.isEnded;
  }

  /** Takes a piece of the output. @returns whether more is expected */
  take(text: string): boolean {
    const lines = (this.#unread + text).split('\n');
    this.#unread = lines.pop() ?? '';
    if (this.#unread.length > MAX_LINE_CHARACTERS) this.#fault ??= 'a line without end';
    for (const line of lines) {
      if (this.#fault !== undefined || this.isFull) return false;
      this.line(line);
    }
    return this.#fault === undefined && !this.isFull;
  }

  /** The holes, of which the last has no end unless there were too many extents; or why they are not known. */
  holes(): readonly FileRange[] | string {
    if (this.#fault !== undefined) return `output of ${this.#program} not understood: ${this.#fault}`;
    if (this.isFull) return this.#holes;
    if (this.#unread !== '' || !this.isWhole) return `output of ${this.#program} is incomplete`;
    return [...this.#holes, { start: this.#end, end: Number.POSITIVE_INFINITY }];
  }

  /** The last extent has been seen. */
  protected abstract get isEnded(): boolean;
  /** Everything has been seen, and nothing is missing. */
  protected abstract get isWhole(): boolean;
  protected abstract line(line: string): void;

  /** Takes the next extent, which must come after the one before it. */
  protected extent(start: number, end: number): void {
    if (this.isEnded || start < this.#end || end <= start || !Number.isSafeInteger(end)) {
      this.fail(`extent ${this.#extents} from ${start} to ${end}`);
      return;
    }
    if (start > this.#end) this.#holes.push({ start: this.#end, end: start });
    this.#end = end;
    this.#extents++;
  }

  protected fail(fault: string): void {
    this.#fault = fault;
  }

  protected failLine(line: string): void {
    this.fail(JSON.stringify(line.slice(0, 80)));
  }
}
