// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Violations } from '../../../../src/testing/index.js';
import { type DiskContent, Segment, type Write } from './history.js';

/** What a host's backup is sure to show: a segment of its primary's, and a moment of it. */
export interface Floor {
  readonly segment: number;
  readonly moment: number;
}

/** What the oracle knows of one host. */
interface Side {
  /** While it is the primary, and after that until it gives its changes up: its runs, each with another segment. */
  tenure: Segment[];
  /** Writes that were answered before this moment are on its own medium. */
  flushed: number;
  /** As a backup. */
  floor: Floor;
  /** It has answered writes that the other side never had, and cannot have had. */
  wroteAlone: boolean;
  /** What it showed when it was promoted. */
  fork: DiskContent | undefined;
  /** Whose backup it was then: the runs of that host. */
  forkedFrom: readonly Segment[];
}

/**
 * Knows what was written to the two sides of a replicated disk, and what each may show. Hosts are named by their addresses.
 */
export class Oracle {
  readonly #violations: Violations;
  readonly #sides: ReadonlyMap<string, Side>;
  /** Is told of each promise: what was answered before the moment is at the backup, or on the primary's own medium. */
  onPromise: (kind: 'acked' | 'flushed', moment: number) => void = () => {};
  #moment = 0;
  #tag = 0;

  constructor(violations: Violations, names: readonly [string, string]) {
    this.#violations = violations;
    this.#sides = new Map(names.map((name) => [name, newSide()]));
  }

  /** The moment of a request or an answer: one that was not before. */
  next(): number {
    return ++this.#moment;
  }

  /** Whether a host is a primary, or was one and did not give its changes up. */
  hasTenure(name: string): boolean {
    return this.#side(name).tenure.length > 0;
  }

  /**
   * A primary has started again, or is one from now on, with this content on its disk. Without a loss of power its run goes
   * on: what is in the page cache is there, but may still be lost.
   */
  primaryStarts(name: string, content: DiskContent, keptPower: boolean): void {
    const side = this.#side(name);
    const last = side.tenure.at(-1);
    last?.end();
    const from = keptPower ? this.#moment : side.flushed;
    for (const [sector, tag] of content.entries()) {
      if (!last || last.mayRead(sector, tag, from, this.#moment)) continue;
      this.#violations.add(
        name,
        `sector ${sector} is ${tag} after a restart: a write that was answered is lost`,
      );
    }
    if (last && keptPower) return;
    side.tenure.push(new Segment(Uint32Array.from(content)));
    side.flushed = this.next();
  }

  /** A write with a tag of its own, or zeroes. */
  write(name: string, sector: number, sectors: number, isZero: boolean): Write {
    const tag = isZero ? 0 : ++this.#tag;
    const write: Write = { tag, sector, sectors, issued: this.next(), completed: Infinity, mayTear: false };
    this.#current(name).add(write);
    return write;
  }

  /** A write was answered. */
  written(write: Write, result: number): void {
    const moment = this.next();
    if (result === 0) write.completed = moment;
    else write.mayTear = true;
  }

  /** A primary answered a write that it began and ended without a backup. */
  wroteAlone(name: string): void {
    this.#side(name).wroteAlone = true;
  }

  /** A primary's backup has all that it wrote without it. */
  isProtected(name: string): void {
    this.#side(name).wroteAlone = false;
  }

  /** A side was called stale: it has nothing of its own to lose but what no backup was promised to have. */
  isStale(name: string): void {
    if (this.#side(name).wroteAlone) this.#violations.add(name, 'is called stale, but has written alone');
  }

  /** A flush that was asked for at a moment was answered with success. */
  flushed(name: string, asked: number): void {
    const side = this.#side(name);
    side.flushed = Math.max(side.flushed, asked);
    this.onPromise('flushed', side.flushed);
  }

  /** A primary read a sector; whether that is well. */
  read(name: string, segment: Segment, sector: number, tag: number, asked: number): boolean {
    const now = this.next();
    if (segment.mayRead(sector, tag, asked, now)) return true;
    const expected = segment.describe(sector);
    this.#violations.add(
      name,
      `from ${asked} to ${now}, sector ${sector} reads as ${tag}: it was ${expected}`,
    );
    return false;
  }

  /** The segment that a primary writes to now. */
  segment(name: string): Segment {
    return this.#current(name);
  }

  /** A primary was told that its backup has all that had been answered at a moment. */
  acked(name: string, segment: Segment, asked: number): void {
    const { tenure } = this.#side(name);
    const peer = this.#peerOf(name);
    const index = tenure.indexOf(segment);
    if (peer.fork !== undefined) {
      // The answer was on its way while the backup was promoted.
      const wrong = peer.forkedFrom.includes(segment) ? segment.momentOf(peer.fork, asked) : 0;
      if (typeof wrong === 'string')
        this.#violations.add(
          name,
          `was told that a checkpoint is at its backup, which was promoted without it: ${wrong}`,
        );
      return;
    }
    raise(peer, { segment: index, moment: asked });
    this.onPromise('acked', asked);
  }

  /** What a backup must show from now on, at least. */
  floorOf(name: string): Floor {
    return this.#side(name).floor;
  }

  /**
   * A backup shows a content: it must be one moment of its primary's disk, not before what it had to show when it was asked.
   */
  backupShows(name: string, content: DiskContent, floor = this.floorOf(name)): Floor | undefined {
    const side = this.#side(name);
    const { tenure } = this.#peerOf(name);
    const why: string[] = [];
    for (let index = tenure.length - 1; index >= floor.segment; index--) {
      const segment = tenure[index] as Segment;
      const moment = segment.momentOf(content, index === floor.segment ? floor.moment : -Infinity);
      if (typeof moment === 'number') {
        raise(side, { segment: index, moment });
        return { segment: index, moment };
      }
      why.push(`run ${index + 1}: ${moment}`);
    }
    this.#violations.add(
      name,
      `shows no checkpoint of its primary from ${floor.moment} on: ${why.join('; ')}`,
    );
    return undefined;
  }

  /** A backup was promoted, with this content. */
  promoted(name: string, content: DiskContent): void {
    this.backupShows(name, content);
    const side = this.#side(name);
    side.fork = Uint32Array.from(content);
    side.forkedFrom = this.#peerOf(name).tenure;
    this.primaryStarts(name, content, true);
  }

  /** A primary gave its changes up, to be the other one's backup. It shows nothing until the next checkpoint. */
  gaveUp(name: string): void {
    const side = this.#side(name);
    // A backup that was promoted and has taken no write is one again, with the checkpoint that it had.
    const wasBackup = side.fork !== undefined || side.tenure.length === 0;
    const isAsBefore = wasBackup && side.tenure.every((segment) => segment.isUnanswered);
    side.tenure = [];
    side.wroteAlone = false;
    side.fork = undefined;
    side.forkedFrom = [];
    if (isAsBefore) return;
    const { tenure } = this.#peerOf(name);
    side.floor = { segment: Math.max(0, tenure.length - 1), moment: this.next() };
  }

  /** What a primary's disk is when no write is under way. */
  finalContent(name: string): DiskContent {
    return this.#current(name).final();
  }

  #current(name: string): Segment {
    const segment = this.#side(name).tenure.at(-1);
    if (segment === undefined) throw new Error(`${name} is not a primary`);
    return segment;
  }

  #side(name: string): Side {
    return this.#sides.get(name) as Side;
  }

  #peerOf(name: string): Side {
    for (const [other, side] of this.#sides) if (other !== name) return side;
    throw new Error(`${name} has no peer`);
  }
}

function newSide(): Side {
  return {
    tenure: [],
    flushed: 0,
    floor: { segment: 0, moment: -Infinity },
    wroteAlone: false,
    fork: undefined,
    forkedFrom: [],
  };
}

function raise(side: Side, floor: Floor): void {
  const { segment, moment } = side.floor;
  if (floor.segment > segment || (floor.segment === segment && floor.moment > moment)) side.floor = floor;
}
