// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { judge } from '../../../src/replication/disk/judge.js';
import { MAX_ANCESTORS, type Reach, type Standing } from '../../../src/replication/disk/standing.js';
import type { Random } from '../../../src/testing/index.js';

const SECTORS = 3;

/** One of two sides, as the protocol's rules keep it, and what is really on its disk. */
interface Side {
  role: 'primary' | 'backup';
  promoted: boolean;
  rejoining: boolean;
  /** It may not write, until a command. */
  halted: 'no' | 'stale' | 'split-brain';
  line: Reach[];
  data: number[];
  /** What its disk would have after a loss of power, where that differs. */
  unsynced: Map<number, number>;
  /** Sectors that its map says may differ. */
  map: Set<number>;
  /** What it wrote without the other side, and nobody has given up. */
  wroteAlone: Set<number>;
}

/** A random history of two sides, by the rules of docs/replication-protocol.md, in which the decisions are the engine's. */
export class HistoryWalk {
  readonly #random: Random;
  readonly #sides: [Side, Side];
  /** An old copy of a side, disk and metadata, which may be put back. */
  /** An older copy was put back: then not everything can be known. */
  #wasPutBack = false;
  readonly #copies: [Side | undefined, Side | undefined] = [undefined, undefined];
  /** What was written alone and is in a checkpoint that the other side has, or had. */
  readonly #shared = new Set<number>();
  #isConnected = false;
  #lastValue = 0;
  #lastGeneration = 0;
  /** What was done, in words. */
  readonly steps: string[] = [];
  readonly wrong: string[] = [];
  readonly verdicts = new Set<string>();

  constructor(random: Random) {
    this.#random = random;
    const line = [{ generation: this.#newGeneration(), low: 1, high: 1 }];
    const side = (role: Side['role']): Side => ({
      role,
      promoted: false,
      rejoining: false,
      halted: 'no',
      line: [...line],
      data: Array.from({ length: SECTORS }, () => 0),
      unsynced: new Map(),
      map: new Set(),
      wroteAlone: new Set(),
    });
    this.#sides = [side('primary'), side('backup')];
  }

  step(): void {
    const side = this.#random.integer(0, 1);
    const action = this.#random.pick([
      () => this.#write(side),
      () => this.#checkpoint(side),
      () => this.#meet(),
      () => this.#meet(),
      () => this.#disconnect(),
      () => this.#losePower(side),
      () => this.#promote(side),
      () => this.#giveUp(side),
      () => this.#copy(side),
      () => this.#putBack(side),
    ]);
    action();
  }

  #write(index: number): void {
    const side = this.#sides[index] as Side;
    if (side.role !== 'primary' || side.halted !== 'no') return;
    if (!this.#isConnected) {
      side.wroteAlone.add(this.#lastValue + 1);
      const { high = 0 } = side.line[0] ?? {};
      if (high > (side.line[1]?.high ?? 0)) this.#fork(side);
    }
    const sector = this.#random.integer(0, SECTORS - 1);
    side.map.add(sector);
    if (!side.unsynced.has(sector)) side.unsynced.set(sector, side.data[sector] as number);
    side.data[sector] = ++this.#lastValue;
    this.steps.push(
      `${index} writes ${this.#lastValue} to ${sector} ${this.#isConnected ? 'connected' : 'alone'}`,
    );
  }

  #fork(side: Side): void {
    const { high = 0 } = side.line[0] ?? {};
    const present = { generation: this.#newGeneration(), low: high, high };
    side.line = [present, ...side.line].slice(0, MAX_ANCESTORS + 1);
    side.promoted = false;
  }

  #checkpoint(index: number): void {
    const primary = this.#sides[index] as Side;
    if (this.#isConnected && primary.role === 'primary')
      this.#commit(primary, this.#other(index), new Set(primary.map));
  }

  /** A checkpoint that has the sectors of a set, to which as much happens as chance has it. */
  #commit(primary: Side, backup: Side, sectors: ReadonlySet<number>): void {
    if (primary.promoted) this.#fork(primary);
    const [present, ...ancestors] = primary.line as [Reach, ...Reach[]];
    const epoch = present.high + 1;
    primary.line = [{ ...present, high: epoch }, ...ancestors];
    const how = this.#random.pick([
      'never arrives',
      'is committed',
      'is done',
      'is done',
      'is done',
    ] as const);
    this.steps.push(`checkpoint ${present.generation}/${epoch} of ${[...sectors].join()} ${how}`);
    if (how === 'never arrives') {
      this.#isConnected = false;
      return;
    }
    for (const sector of sectors) backup.data[sector] = primary.data[sector] as number;
    // Whether a backup knows its primary's ancestors is all the same.
    const kept = this.#random.chance(0.5) ? ancestors : [];
    backup.line = [{ generation: present.generation, low: epoch, high: epoch }, ...kept];
    backup.rejoining = false;
    backup.map.clear();
    backup.unsynced.clear();
    backup.wroteAlone.clear();
    for (const value of primary.wroteAlone) this.#shared.add(value);
    if (String(backup.data) !== String(primary.data))
      this.wrong.push(`checkpoint ${epoch} has ${String(backup.data)}, the primary ${String(primary.data)}`);
    if (how === 'is committed') {
      this.#isConnected = false;
      return;
    }
    primary.line = [{ ...present, low: epoch, high: epoch }, ...ancestors];
    // The local disk was synced before the bits fell.
    primary.unsynced.clear();
    primary.map.clear();
  }

  #meet(): void {
    if (this.#isConnected) return;
    const [one, other] = this.#sides;
    const verdict = judge(standing(one), standing(other));
    this.steps.push(`they meet: ${JSON.stringify(verdict)}`);
    this.verdicts.add(verdict.kind);
    switch (verdict.kind) {
      case 'resync':
      case 'compare': {
        const [primary, backup] = one.role === 'primary' ? [one, other] : [other, one];
        if (primary.halted !== 'no') return;
        if (this.#hasOwn(backup))
          this.wrong.push('what the backup wrote alone is overwritten without a command');
        const differing = [...primary.data.keys()].filter(
          (sector) => primary.data[sector] !== backup.data[sector],
        );
        const mapped = backup.rejoining ? [...primary.map, ...backup.map] : [...primary.map];
        this.#isConnected = true;
        this.#commit(primary, backup, new Set(verdict.kind === 'compare' ? differing : mapped));
        break;
      }
      case 'stale': {
        const stale = verdict.stale === 'mine' ? one : other;
        if (this.#hasOwn(stale)) this.wrong.push('a side that wrote alone is called stale');
        stale.halted = 'stale';
        break;
      }
      case 'split-brain':
        if (!this.#wasPutBack && !(this.#hasOwn(one) && this.#hasOwn(other)))
          this.wrong.push('a split brain, though one side has nothing that the other one lacks');
        for (const side of this.#sides) side.halted = 'split-brain';
        break;
      default:
    }
  }

  #disconnect(): void {
    this.#isConnected = false;
  }

  #losePower(index: number): void {
    const side = this.#sides[index] as Side;
    this.#isConnected = false;
    for (const [sector, old] of side.unsynced) if (this.#random.chance(0.5)) side.data[sector] = old;
    side.unsynced.clear();
    this.steps.push(`${index} loses its power: ${String(side.data)}`);
  }

  #promote(index: number): void {
    const side = this.#sides[index] as Side;
    if (this.#isConnected || side.role !== 'backup' || side.rejoining) return;
    side.role = 'primary';
    side.promoted = true;
    this.steps.push(`${index} is promoted`);
  }

  /** rejoin, or discard. */
  #giveUp(index: number): void {
    const side = this.#sides[index] as Side;
    if (side.halted === 'no' || (side.halted === 'split-brain' && this.#random.chance(0.5))) return;
    side.halted = 'no';
    side.role = 'backup';
    side.promoted = false;
    side.rejoining = true;
    side.wroteAlone.clear();
    const other = this.#other(index);
    if (other.halted === 'split-brain') other.halted = 'no';
    this.steps.push(`${index} gives up`);
  }

  #copy(index: number): void {
    if (this.#random.chance(0.5)) this.#copies[index] = structuredClone(this.#sides[index] as Side);
  }

  /** An image is restored together with its metadata. */
  #putBack(index: number): void {
    const copy = this.#copies[index];
    if (copy === undefined || this.#random.chance(0.7)) return;
    this.#isConnected = false;
    this.#wasPutBack = true;
    this.#sides[index] = structuredClone(copy);
    this.steps.push(`${index} is as it was: ${JSON.stringify(copy.line)} ${String(copy.data)}`);
  }

  #other(index: number): Side {
    return this.#sides[1 - index] as Side;
  }

  /** Whether a side has what the other never had. */
  #hasOwn(side: Side): boolean {
    return [...side.wroteAlone].some((value) => !this.#shared.has(value));
  }

  #newGeneration(): string {
    return `g${(this.#lastGeneration += 1)}`;
  }
}

function standing(side: Side): Standing {
  return {
    role: side.role,
    diskId: 'one',
    sectors: SECTORS,
    grainSectors: 1,
    hasState: true,
    takesFirstSync: false,
    promoted: side.promoted,
    rejoining: side.rejoining,
    full: false,
    line: side.line,
    resyncId: null,
  };
}
