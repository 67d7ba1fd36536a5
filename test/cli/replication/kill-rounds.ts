// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../../scripts/free-port.js';
import { decodeMetadata, METADATA_BYTES } from '../../../src/replication/disk/format/metadata-record.js';
import { Random } from '../../../src/testing/index.js';
import { nbdClient, type TearsDown } from '../../daemon/daemon-child.js';
import { BlockLoad } from './block-load.js';
import { FileSystemLoad, makeFileSystem, whyNoFileSystems } from './file-system-load.js';
import { Side } from './side.js';

const FILE_SYSTEM_BYTES = 32 << 20;
const BLOCKS_BYTES = 4 << 20;
/** A kill comes so long after the load has begun, at most, in milliseconds. */
const MAX_LOAD_MS = 1500;
const KILLED = ['primary', 'primary', 'backup', 'both'] as const;
const JOURNAL_MODES = ['delete', 'truncate', 'wal'];
/** How long a round may take before it is said to hang. */
const ROUND_MS = 150_000;

export interface KillRound {
  readonly round: number;
  /** Which of the two were killed, and when. */
  readonly what: string;
  readonly flushes: number;
  readonly rows: number;
  readonly faults: readonly string[];
}

/** Ends what a round began, the last first. */
class Ends implements TearsDown {
  readonly #ends: (() => unknown)[] = [];

  teardown(end: () => unknown): void {
    this.#ends.unshift(end);
  }
  async all(): Promise<void> {
    for (const end of this.#ends.splice(0)) await end();
  }
}

/**
 * Two daemons protect a disk with `commit-on-flush=require`; clients of other processes use it until what the seed says is
 * killed. The backup is promoted, and has to have all that was answered; the killed side comes back as its backup.
 */
export class KillRounds {
  readonly #random: Random;
  readonly #ends = new Ends();
  readonly #workspace = mkdtempSync(join(tmpdir(), 'kill-rounds-'));
  /** Why there is no file system on the disk; undefined: there is one. */
  readonly whyNoFiles = whyNoFileSystems();
  #port = 0;
  #round = 0;
  /** What is being done. */
  #where = '';
  /** Directories of the side that is the primary, and of its backup. */
  #homes: [primary: string, backup: string];
  #primary!: Side;
  #backup!: Side;

  constructor(seed: number) {
    this.#random = new Random(seed);
    this.#homes = [join(this.#workspace, 'a'), join(this.#workspace, 'b')];
  }

  /** Starts both sides on new images, and waits until the disk is protected. */
  async begin(): Promise<void> {
    this.#port = await freePort();
    for (const home of this.#homes) {
      mkdirSync(home);
      writeFileSync(join(home, 'disk.img'), '');
      truncateSync(join(home, 'disk.img'), FILE_SYSTEM_BYTES + BLOCKS_BYTES);
    }
    const [home, away] = this.#homes;
    if (this.whyNoFiles === undefined) makeFileSystem(join(home, 'disk.img'), FILE_SYSTEM_BYTES);
    this.#backup = await this.#start(away, 'backup');
    this.#primary = await this.#start(home, 'primary');
    await this.#primary.until('protected');
  }

  #start(home: string, role: 'auto' | 'primary' | 'backup'): Promise<Side> {
    const disk = ['commit-on-flush=require', 'interval=100ms'];
    return Side.start(this.#ends, home, { port: this.#port, role, disk });
  }

  async round(): Promise<KillRound> {
    this.#round += 1;
    const late = new AbortController();
    const hangs = sleep(ROUND_MS, undefined, { signal: late.signal }).then(async () => {
      const sides = [this.#primary, this.#backup];
      const states = await Promise.all(
        sides.map(async (side) => (await side.run('status', '--json')).stdout),
      );
      const logs = sides.map(({ daemon }) => daemon.stderr.slice(-2000));
      throw new Error([`round ${this.#round} hangs ${this.#where}`, ...states, ...logs].join('\n'));
    });
    // It is cancelled when the round ends in time.
    hangs.catch(() => {});
    try {
      return await Promise.race([this.#live(), hangs]);
    } finally {
      late.abort();
    }
  }

  async #live(): Promise<KillRound> {
    const random = this.#random;
    const killed = random.pick(KILLED);
    const after = Math.round(random.between(0, MAX_LOAD_MS));
    const ends = new Ends();
    this.#where = `before it kills ${killed}`;
    const load = await nbdClient(ends, this.#primary.nbd);
    const blocks = await BlockLoad.begin(load, random.fork(), FILE_SYSTEM_BYTES, BLOCKS_BYTES);
    const mounts = mkdtempSync(join(this.#workspace, 'mounts-'));
    const files =
      this.whyNoFiles === undefined
        ? new FileSystemLoad(`nbd://${this.#primary.nbd}/3`, mounts, random.pick(JOURNAL_MODES))
        : undefined;
    const writing = blocks.run();
    // Mostly when the file system is in use, sometimes while it is being mounted.
    if (files && random.chance(0.8)) await Promise.race([files.used, writing]);
    await sleep(after);
    this.#where = `killing ${killed}`;
    await this.#kill(killed);
    this.#where = 'ending the load';
    await writing;
    await files?.end();
    await ends.all();
    this.#where = 'promoting';
    await this.#backup.promote();
    this.#where = 'looking at the survivor';
    const faults = await this.#faults(blocks, files);
    this.#where = 'coming back';
    faults.push(...(await this.#comeBack()));
    return {
      round: this.#round,
      what: `${killed} after ${after} ms`,
      flushes: blocks.flushes,
      rows: files?.rows ?? 0,
      faults,
    };
  }

  /** In the end the primary is dead, and the backup alive. */
  async #kill(killed: (typeof KILLED)[number]): Promise<void> {
    const random = this.#random;
    const [, away] = this.#homes;
    switch (killed) {
      case 'primary':
        await this.#primary.kill();
        break;
      case 'both':
        await Promise.all([this.#primary.kill(), this.#backup.kill()]);
        this.#backup = await this.#start(away, 'auto');
        break;
      case 'backup':
        // The primary goes on, alone and then in the resync, until it is killed too.
        await this.#backup.kill();
        await sleep(random.between(0, 300));
        this.#backup = await this.#start(away, 'auto');
        await sleep(random.between(0, MAX_LOAD_MS));
        await this.#primary.kill();
        break;
    }
  }

  /** What the survivor lacks, as a reader over NBD finds it. */
  async #faults(blocks: BlockLoad, files: FileSystemLoad | undefined): Promise<string[]> {
    const ends = new Ends();
    const client = await nbdClient(ends, this.#backup.nbd);
    const image = join(this.#workspace, 'survivor.img');
    const content: Buffer[] = [];
    for (let at = 0; at < FILE_SYSTEM_BYTES + BLOCKS_BYTES; at += 4 << 20)
      content.push(await client.read(at, 4 << 20));
    await ends.all();
    const whole = Buffer.concat(content);
    writeFileSync(image, whole);
    return [...blocks.faults(whole), ...(files?.faults(image, this.#workspace) ?? [])];
  }

  /** The killed side comes back, and one of the two becomes the other one's backup. */
  async #comeBack(): Promise<string[]> {
    const [home, away] = this.#homes;
    const survivor = this.#backup;
    const old = await this.#start(home, 'auto');
    const [loser, state] = await this.#loser(survivor, old);
    const isStale = state === 'stale';
    // Nobody has written to the survivor: so one of the two has gone on from where the other one is.
    const faults = isStale ? [] : [`both sides are ${state}: ${this.#homes.map(metadataOf).join(' and ')}`];
    const kept = join(this.#workspace, 'kept');
    if (isStale) await loser.replication('rejoin');
    else await loser.replication('discard', '--keep', kept);
    for (const file of [kept, `${kept}.json`]) rmSync(file, { force: true });
    [this.#primary, this.#backup] = loser === old ? [survivor, old] : [old, survivor];
    this.#homes = loser === old ? [away, home] : [home, away];
    await this.#primary.until('protected');
    return faults;
  }

  /** Which of the two has to give way. A survivor that wrote nothing does so to a primary that did while it was alone. */
  async #loser(...sides: readonly Side[]): Promise<[Side, string]> {
    for (;;) {
      for (const side of sides.toReversed()) {
        const state = await side.state();
        if (state === 'stale' || state === 'split-brain') return [side, state];
      }
      await sleep(50);
    }
  }

  async end(): Promise<void> {
    await this.#ends.all();
    rmSync(this.#workspace, { recursive: true, force: true });
  }
}

/** What the metadata of a side say, for somebody who looks for a fault. */
function metadataOf(home: string): string {
  const bytes = readFileSync(join(home, 'disk.img.remus', 'metadata'));
  return JSON.stringify(decodeMetadata(bytes.subarray(0, METADATA_BYTES)));
}

export interface KillRoundsOptions {
  readonly count: number;
  /** Takes a line for each round, and for each fault found. */
  readonly told: (line: string) => void;
}

/** Runs rounds one after the other; returns them, and the faults found. */
export async function killRounds(
  seed: number,
  { count, told }: KillRoundsOptions,
): Promise<{ readonly rounds: readonly KillRound[]; readonly failures: readonly string[] }> {
  const rounds: KillRound[] = [];
  const failures: string[] = [];
  const pair = new KillRounds(seed);
  if (pair.whyNoFiles !== undefined) told(`without a file system: ${pair.whyNoFiles}`);
  try {
    await pair.begin();
    while (rounds.length < count) {
      const begin = performance.now();
      const round = await pair.round();
      const seconds = ((performance.now() - begin) / 1000).toFixed(1);
      const { what, flushes, rows, faults } = round;
      told(`round ${round.round} of seed ${seed}: ${what}; ${flushes} flushes, row ${rows}; ${seconds} s`);
      rounds.push(round);
      failures.push(...faults.map((fault) => `round ${round.round} of seed ${seed}: ${fault}`));
      for (const fault of faults) told(`  ${fault}`);
    }
  } finally {
    await pair.end();
  }
  return { rounds, failures };
}
