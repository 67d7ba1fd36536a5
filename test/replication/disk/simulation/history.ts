// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

/** A write, or zeroes, as the user of a disk asked for it. */
export interface Write {
  /** What each word of its sectors is; 0 for zeroes. */
  readonly tag: number;
  readonly sector: number;
  readonly sectors: number;
  /** The moment at which it was asked for. */
  readonly issued: number;
  /** The moment at which it was answered with success; Infinity until then. */
  completed: number;
  /** It failed, or its process died: any of its sectors may be written, and others not. */
  mayTear: boolean;
}

/** What each sector of a disk is: the tag of its words. */
export type DiskContent = Uint32Array;

/**
 * What was written to a disk by one run of its primary, from a known content on. Moments are numbers that grow with each
 * request and each answer, over all segments.
 */
export class Segment {
  readonly base: DiskContent;
  readonly writes: Write[] = [];
  /** The writes of each sector, in the order in which they were asked for. */
  readonly #bySector = new Map<number, Write[]>();

  constructor(base: DiskContent) {
    this.base = base;
  }

  add(write: Write): void {
    this.writes.push(write);
    for (let at = write.sector; at < write.sector + write.sectors; at++) {
      const writes = this.#bySector.get(at);
      if (writes) writes.push(write);
      else this.#bySector.set(at, [write]);
    }
  }

  /** Whether no write was answered with success. */
  get isUnanswered(): boolean {
    return this.writes.every(({ completed }) => completed === Infinity);
  }

  /** What a sector may read as, for a read that was asked for and answered at two moments. */
  mayRead(sector: number, tag: number, asked: number, answered: number): boolean {
    const versions = this.writesOf(sector);
    const sure = versions.findLastIndex((write) => write.completed <= asked);
    if (sure < 0 && this.base[sector] === tag) return true;
    const possible = versions.filter((write, index) => index >= sure && write.issued <= answered);
    if (possible.some((write) => write.tag === tag)) return true;
    // A read that comes in two parts may see a write in the second one only, from within a sector on.
    const isBeingWritten = possible.some(({ completed }) => completed > asked);
    const tags = possible.map((write) => write.tag);
    if (sure < 0) tags.push(this.base[sector] ?? 0);
    return isBeingWritten && isMixture(tag, tags);
  }

  writesOf(sector: number): readonly Write[] {
    return this.#bySector.get(sector) ?? [];
  }

  /** What was written to a sector last, in words. */
  describe(sector: number): string {
    const writes = this.writesOf(sector).slice(-4);
    return writes.map(({ tag, issued, completed }) => `${tag} (${issued} to ${completed})`).join(', ');
  }

  /** The content after all writes. */
  final(): DiskContent {
    const content = Uint32Array.from(this.base);
    for (const [sector, writes] of this.#bySector) content[sector] = writes.at(-1)?.tag ?? 0;
    return content;
  }

  /** No write is answered any more: those that were not may have been done in part. */
  end(): void {
    for (const write of this.writes) if (write.completed === Infinity) write.mayTear = true;
  }

  /**
   * Whether a content is this disk at one moment not before `earliest`: then that moment, else why not. At a moment every
   * write that was answered before is there, none that was asked for after, and of those between each whole or not at all.
   */
  momentOf(content: DiskContent, earliest: number): number | string {
    const edges: [moment: number, change: 1 | -1][] = [];
    let sectors = 0;
    for (const [sector, writes] of this.#bySector) {
      const tag = content[sector] as number;
      const spans = this.#spans(sector, writes, tag);
      if (spans.length === 0) return `sector ${sector} is ${tag}, which was never there`;
      for (const [from, to] of merged(spans)) edges.push([from, 1], [to, -1]);
      sectors += 1;
    }
    for (let sector = 0; sector < content.length; sector++) {
      if (!this.#bySector.has(sector) && content[sector] !== this.base[sector])
        return `sector ${sector} is ${content[sector]}, expected ${this.base[sector]}, as nobody wrote to it`;
    }
    const moment = this.#common(edges, sectors, earliest);
    if (moment === undefined) return this.#explain(content, earliest);
    return this.#halfWritten(content) ?? moment;
  }

  /** The times in which a sector may have had a tag. */
  #spans(sector: number, writes: readonly Write[], tag: number): [from: number, to: number][] {
    const spans: [number, number][] = [];
    for (let index = -1; index < writes.length; index++) {
      const write = writes[index];
      if ((write ? write.tag : this.base[sector]) !== tag) continue;
      let to = Infinity;
      for (const later of writes.slice(index + 1)) to = Math.min(to, later.completed);
      spans.push([write?.issued ?? -Infinity, to]);
    }
    return spans.filter(([from, to]) => from <= to);
  }

  /** The first moment, not before `earliest`, that lies in a span of every sector. */
  #common(edges: readonly [number, 1 | -1][], sectors: number, earliest: number): number | undefined {
    if (sectors === 0) return earliest;
    const sorted = edges.toSorted(([a, one], [b, other]) => a - b || other - one);
    let open = 0;
    let since = -Infinity;
    for (const [moment, change] of sorted) {
      // A span's end is still in it.
      if (open === sectors && moment >= earliest) return Math.max(since, earliest);
      open += change;
      if (open === sectors) since = moment;
    }
    return undefined;
  }

  /** A write that is there in one sector and not in another. */
  #halfWritten(content: DiskContent): string | undefined {
    for (const write of this.writes) {
      if (write.mayTear) continue;
      const there: number[] = [];
      const missing: number[] = [];
      for (let sector = write.sector; sector < write.sector + write.sectors; sector++) {
        const writes = this.writesOf(sector);
        const later = writes.slice(writes.indexOf(write));
        const isThere = later.some(({ tag }) => tag === content[sector]);
        const earlier = writes.slice(0, writes.indexOf(write)).some(({ tag }) => tag === content[sector]);
        const isMissing = earlier || this.base[sector] === content[sector];
        if (isThere && !isMissing) there.push(sector);
        if (isMissing && !isThere) missing.push(sector);
      }
      if (there.length > 0 && missing.length > 0)
        return `write ${write.tag} is in sector ${there[0]} and not in sector ${missing[0]}`;
    }
    return undefined;
  }

  #explain(content: DiskContent, earliest: number): string {
    let latestFrom = earliest;
    let fromSector = -1;
    let earliestTo = Infinity;
    let toSector = -1;
    for (const [sector, writes] of this.#bySector) {
      const spans = this.#spans(sector, writes, content[sector] as number);
      const from = Math.min(...spans.map(([one]) => one));
      const to = Math.max(...spans.map(([, one]) => one));
      if (from > latestFrom) [latestFrom, fromSector] = [from, sector];
      if (to < earliestTo) [earliestTo, toSector] = [to, sector];
    }
    const older = `sector ${toSector} is ${content[toSector]}, which was over at ${earliestTo}`;
    if (fromSector < 0) return `${older}, but the content at ${earliest} or later was promised`;
    return `${older}, but sector ${fromSector} is ${content[fromSector]}, which came at ${latestFrom}`;
  }
}

function merged(spans: readonly (readonly [number, number])[]): [number, number][] {
  const found: [number, number][] = [];
  for (const [from, to] of spans.toSorted(([a], [b]) => a - b)) {
    const last = found.at(-1);
    if (last && from <= last[1]) last[1] = Math.max(last[1], to);
    else found.push([from, to]);
  }
  return found;
}

/** Whether each byte of a tag is that of one of several. */
function isMixture(tag: number, tags: readonly number[]): boolean {
  return [0, 8, 16, 24].every((shift) => tags.some((one) => ((one ^ tag) & (0xff << shift)) === 0));
}
