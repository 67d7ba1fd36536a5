// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Test } from 'tap';
import type { Random } from '../../src/testing/index.js';
import { type DaemonChild, nbdClient } from '../daemon/daemon-child.js';

const CONNECTIONS = 4;
const REQUESTS_AT_ONCE = 8;
/** What a daemon is killed after, at least. */
const MIN_ANSWERS = 200;

interface Write {
  /** What each word of its sectors is. */
  readonly word: number;
  readonly connection: number;
  /** Counts everything that happens. */
  readonly askedAt: number;
  answeredAt: number;
}

/** What a recorder outside of the daemon knows of each sector: the writes of it, in the order in which they were asked for. */
class Recorder {
  readonly #bySector: Write[][];
  #time = 0;

  constructor(sectors: number) {
    this.#bySector = Array.from({ length: sectors }, () => []);
  }

  ask(word: number, connection: number, sector: number, sectors: number): Write {
    const write = { word, connection, askedAt: ++this.#time, answeredAt: Infinity };
    for (let index = sector; index < sector + sectors; index++) this.#bySector[index]?.push(write);
    return write;
  }

  answer(write: Write): void {
    write.answeredAt = ++this.#time;
  }

  /** What a sector may hold: no write that an answered one came after, by its answer or by the order of a connection. */
  allowed(sector: number, before: number): Set<number> {
    const writes = this.#bySector[sector] ?? [];
    const last = writes.filter(
      (write) =>
        !writes.some(
          (later) =>
            later.answeredAt < Infinity &&
            (later.askedAt > write.answeredAt ||
              (later.connection === write.connection && later.askedAt > write.askedAt)),
        ),
    );
    const words = last.map(({ word }) => word);
    return new Set(writes.some(({ answeredAt }) => answeredAt < Infinity) ? words : [before, ...words]);
  }
}

/** A disk that is written to until its daemon is killed. */
export interface KilledDisk {
  readonly daemon: DaemonChild;
  readonly socket: string;
  readonly sectors: number;
  /** No word of an earlier write is above this. */
  readonly lastWord: number;
  /** How many requests are asked for at most. */
  readonly requests: number;
  /** Whether there are zeroes and flushes among them. */
  readonly isMixed: boolean;
}

/**
 * Writes to a disk over several connections, in pieces that overlap, and kills its daemon in the middle. Returns what is
 * wrong with the disk's bytes after that, given what each sector was before.
 */
export async function loadUntilKilled(
  t: Test,
  random: Random,
  { daemon, socket, sectors, lastWord, requests, isMixed }: KilledDisk,
): Promise<(bytes: Buffer, before: Buffer) => string[]> {
  const recorder = new Recorder(sectors);
  const killAfter = random.integer(MIN_ANSWERS, requests - CONNECTIONS * REQUESTS_AT_ONCE);
  let answered = 0;
  let asked = 0;
  const lane = async (connection: number): Promise<void> => {
    const client = await nbdClient(t, socket);
    const one = async (): Promise<void> => {
      while (asked < requests) {
        asked++;
        const count = random.integer(1, 16);
        const sector = random.integer(0, sectors - count);
        const kind = isMixed ? random.pick(['write', 'write', 'write', 'write', 'zero', 'flush']) : 'write';
        const word = kind === 'zero' ? 0 : lastWord + asked;
        const write = kind === 'flush' ? undefined : recorder.ask(word, connection, sector, count);
        try {
          if (kind === 'flush') await client.flush();
          else if (kind === 'zero') await client.writeZeroes(sector * 512, count * 512);
          else await client.write(sector * 512, wordsOf(word, count));
        } catch {
          // The daemon was killed: whether this was done nobody knows.
          return;
        }
        if (write) recorder.answer(write);
        if (++answered === killAfter) daemon.kill('SIGKILL');
      }
    };
    await Promise.all(Array.from({ length: REQUESTS_AT_ONCE }, one));
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, (_, connection) => lane(connection)));
  t.equal(await daemon.exit(), 'SIGKILL');
  t.ok(answered >= killAfter);
  return (bytes, before) => faultsOf(recorder, bytes, before);
}

function wordsOf(word: number, sectors: number): Buffer {
  const data = Buffer.alloc(sectors * 512);
  for (let at = 0; at < data.length; at += 4) data.writeUInt32LE(word, at);
  return data;
}

function faultsOf(recorder: Recorder, bytes: Buffer, before: Buffer): string[] {
  const wrong: string[] = [];
  for (let at = 0; at < bytes.length; at += 512) {
    const word = bytes.readUInt32LE(at);
    const allowed = recorder.allowed(at / 512, before.readUInt32LE(at));
    if (!bytes.subarray(at, at + 512).equals(wordsOf(word, 1))) wrong.push(`sector ${at / 512} is a mixture`);
    if (!allowed.has(word)) wrong.push(`sector ${at / 512} has ${word}, not ${[...allowed].join(' or ')}`);
  }
  return wrong;
}
