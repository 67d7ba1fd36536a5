// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

/** How many extents of a file are looked at. */
export const MAX_EXTENTS = 65_536;
/** A line of filefrag is shorter, but for the file's name. */
const MAX_LINE_CHARACTERS = 8192;

/** A part of a file, in bytes, without its end. */
export interface FileRange {
  readonly start: number;
  readonly end: number;
}

const EXTENT = /^ *(?<index>\d+): *(?<first>\d+)\.\. *(?<last>\d+): *\d+\.\. *\d+: *\d+:(?<rest>.*)$/;
const HEADER = /^(?:Filesystem type is: |File size of | ext: )/;
const SUMMARY = /: (?<count>\d+) extents? found$/;

/**
 * Reads what `filefrag -v -b1` says of a file, and takes the parts between its extents for holes. What it does not
 * understand to the last character makes the whole worthless.
 */
export class ExtentLines {
  readonly #holes: FileRange[] = [];
  #unread = '';
  #extents = 0;
  /** Where the last extent ends. */
  #end = 0;
  #hadLast = false;
  #summary: number | undefined;
  #fault: string | undefined;

  /** No more extents are looked at. */
  get isFull(): boolean {
    return this.#extents === MAX_EXTENTS && !this.#hadLast;
  }

  /** Takes a piece of the output. @returns whether more is expected */
  take(text: string): boolean {
    const lines = (this.#unread + text).split('\n');
    this.#unread = lines.pop() ?? '';
    if (this.#unread.length > MAX_LINE_CHARACTERS) this.#fault ??= 'a line without end';
    for (const line of lines) {
      if (this.#fault !== undefined || this.isFull) return false;
      this.#line(line);
    }
    return this.#fault === undefined && !this.isFull;
  }

  /** The holes, or why they are not known. */
  holes(): readonly FileRange[] | string {
    if (this.#fault !== undefined) return `filefrag says what is not understood: ${this.#fault}`;
    if (this.isFull) return this.#holes;
    // An empty map has no last extent, but says that it is empty.
    const isWhole = this.#summary !== undefined && this.#unread === '' && this.#hadLast === this.#extents > 0;
    if (!isWhole || (this.#extents === 0 && this.#summary !== 0)) return 'filefrag did not say all';
    return [...this.#holes, { start: this.#end, end: Number.POSITIVE_INFINITY }];
  }

  #line(line: string): void {
    const extent = EXTENT.exec(line)?.groups;
    if (extent) {
      this.#extent(Number(extent['index']), Number(extent['first']), Number(extent['last']) + 1);
      this.#hadLast = /[ ,]last(?:,|$)/.test(extent['rest'] ?? '');
      return;
    }
    const count = SUMMARY.exec(line)?.groups?.['count'];
    if (count !== undefined) this.#summary = Number(count);
    else if (!HEADER.test(line)) this.#fault ??= JSON.stringify(line.slice(0, 80));
  }

  #extent(index: number, start: number, end: number): void {
    const isNext = index === this.#extents && !this.#hadLast && start >= this.#end && end > start;
    if (!isNext || !Number.isSafeInteger(end)) {
      this.#fault ??= `extent ${index} from ${start} to ${end}`;
      return;
    }
    if (start > this.#end) this.#holes.push({ start: this.#end, end: start });
    this.#end = end;
    this.#extents++;
  }
}
