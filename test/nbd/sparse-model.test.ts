// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { closeSync, openSync, readFileSync, truncateSync } from 'node:fs';
import t from 'tap';
import { Random } from '../../src/testing/index.js';
import { randomSeed } from '../random.js';
import { PROGRAMS_TIMEOUT_MS } from './image-world.js';
import { nbdWorld } from './nbd-world.js';
import {
  BLOCK_STATUS,
  DF,
  FAST_ZERO,
  FUA,
  NO_HOLE,
  READ,
  StructuredClient,
  TRIM,
  WRITE,
  WRITE_ZEROES,
} from './structured-client.js';

t.setTimeout(PROGRAMS_TIMEOUT_MS);

const MIB = 1 << 20;
const EOPNOTSUPP = 95;
const CONNECTIONS = 4;
const OPERATIONS = 200;

interface Range {
  readonly offset: number;
  readonly length: number;
}

/** A change of some bytes that was made; with no value they read as they did, or as zeroes. */
interface Change extends Range {
  readonly value: number | undefined;
  readonly noHole: boolean;
}

/** The places where a change begins or ends, in order. */
function edges(changes: readonly Range[], first: number, end: number): number[] {
  const inside = changes.flatMap(({ offset, length }) => [offset, offset + length]);
  return [...new Set([first, end, ...inside.filter((at) => at > first && at < end)])].toSorted(
    (a, b) => a - b,
  );
}

const overlaps = (one: Range, other: Range): boolean =>
  one.offset < other.offset + other.length && other.offset < one.offset + one.length;

/** Whether every byte is the same one of the values. */
const isAll = (bytes: Buffer, values: readonly number[]): boolean =>
  values.some((value) => bytes.equals(Buffer.alloc(bytes.length, value)));

/** What a disk should have. */
class Model {
  bytes: Buffer;
  /** 1 for each byte that was trimmed and not written since: it may become zero at any time. */
  readonly #trimmed: Uint8Array;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
    this.#trimmed = new Uint8Array(bytes.length);
  }

  /**
   * What is wrong with bytes read from `first` on, after changes that went on at once; undefined if nothing is.
   *
   * @param isEarly they were read while the changes went on
   */
  fault(read: Buffer, first: number, changes: readonly Change[], isEarly: boolean): string | undefined {
    const places = edges(changes, first, first + read.length);
    for (const [index, start] of places.slice(0, -1).entries()) {
      const end = places[index + 1] as number;
      const over = changes.filter((change) => overlaps(change, { offset: start, length: end - start }));
      const values = over.map(({ value = 0 }) => value);
      const mayBeBefore = isEarly || over.every(({ value }) => value === undefined);
      const found = read.subarray(start - first, end - first);
      if (mayBeBefore && found.equals(this.bytes.subarray(start, end))) continue;
      if (isAll(found, values)) continue;
      const wrong = found.findIndex((byte, at) => {
        if (values.includes(byte)) return false;
        const isBefore = byte === this.bytes[start + at] || (byte === 0 && this.#trimmed[start + at] === 1);
        return !(mayBeBefore && isBefore);
      });
      if (wrong < 0) continue;
      const at = start + wrong;
      const before = mayBeBefore ? `, or what it was, ${this.bytes[at]}` : '';
      return `byte ${at} is ${found[wrong]}: expected ${values.join(' or ')}${before}`;
    }
    return undefined;
  }

  /** Takes what was read after changes. */
  update(read: Buffer, changes: readonly Change[]): void {
    this.bytes = read;
    for (const isTrim of [false, true]) {
      for (const { offset, length, value } of changes) {
        if ((value === undefined) === isTrim) this.#trimmed.fill(isTrim ? 1 : 0, offset, offset + length);
      }
    }
  }
}

for (const { driver, size, unit } of [
  { driver: 'aio', size: 2.5 * MIB + 1777, unit: 1 },
  { driver: 'aio', size: 2.5 * MIB, unit: 512 },
  { driver: 'ram', size: 3 * MIB, unit: 1 },
]) {
  const what = `${unit === 1 ? 'bytes' : 'sectors'} of ${driver}, ${size}`;
  t.test(
    `${OPERATIONS} writes, trims, zeroes of all kinds and reads in chunks follow a model: ${what}`,
    async (t) => {
      const random = new Random(randomSeed(t));
      const world = nbdWorld(t, { large: true });
      const path = world.path('disk.img');
      closeSync(openSync(path, 'w'));
      truncateSync(path, size);
      await world.open(driver === 'aio' ? `aio:${path}` : `ram:${size / MIB}`);
      const clients: StructuredClient[] = [];
      for (let count = 0; count < CONNECTIONS; count++)
        clients.push(await StructuredClient.connect(world.raw()));
      const any = (): StructuredClient => clients[random.integer(0, CONNECTIONS - 1)]!;
      const seen = { holeBytes: 0, fast: 0, notFast: 0, noHole: 0 };

      const range = (longest: number): Range => {
        const step = random.chance(0.5) ? 512 : unit;
        const offset = Math.floor(random.integer(0, size - 512) / step) * step;
        const most = Math.floor(Math.min(longest, size - offset) / step);
        return { offset, length: random.integer(1, most) * step };
      };
      const worthHole = (): Range => ({ offset: random.integer(0, 2000) * 512, length: 1.5 * MIB });
      const read = async (wanted: Range): Promise<Buffer> => {
        const flags = random.chance(0.2) ? DF : 0;
        const { error, data, holeBytes } = await any().request(READ, { flags, ...wanted });
        if (error !== 0 || (flags === DF && holeBytes > 0)) throw new Error(`a read: ${error}, ${holeBytes}`);
        seen.holeBytes += holeBytes;
        return data;
      };
      /** Completes with nothing when it was refused, and has changed nothing. */
      const change = async (value: number): Promise<Change | undefined> => {
        const kind = random.integer(0, 4);
        const wanted = range(random.chance(0.3) && kind > 1 ? 2 * MIB : 40_000);
        const fua = random.chance(0.1) ? FUA : 0;
        if (kind <= 1) {
          const data = Buffer.alloc(wanted.length, value);
          const { error } = await any().request(WRITE, { flags: fua, ...wanted, data });
          if (error !== 0) throw new Error(`a write: ${error}`);
          return { ...wanted, value, noHole: false };
        }
        if (kind === 2) {
          const { error } = await any().request(TRIM, { flags: fua, ...wanted });
          if (error !== 0) throw new Error(`a trim: ${error}`);
          return { ...wanted, value: undefined, noHole: false };
        }
        const isFast = random.chance(0.5);
        const noHole = random.chance(0.3);
        const flags = fua | (isFast ? FAST_ZERO : 0) | (noHole ? NO_HOLE : 0);
        const zeroed = isFast && random.chance(0.3) ? worthHole() : wanted;
        const { error } = await any().request(WRITE_ZEROES, { flags, ...zeroed });
        if (error !== 0 && !(isFast && error === EOPNOTSUPP)) throw new Error(`zeroes: ${error}`);
        if (isFast) seen[error === 0 ? 'fast' : 'notFast']++;
        return error === 0 ? { ...zeroed, value: 0, noHole } : undefined;
      };
      /** Holes read as zeroes, and what was to have none has none; in memory that is of no use. */
      const checkStatus = async (changes: readonly Change[], bytes: Buffer): Promise<string | undefined> => {
        const { extents } = await any().request(BLOCK_STATUS, { offset: 0, length: size });
        let at = 0;
        for (const { length, isHole, isZero } of extents) {
          const extent = { offset: at, length };
          if (isZero && !isAll(bytes.subarray(at, at + length), [0]))
            return `bytes ${at} to ${at + length} are zeroes as status, and not as data`;
          const over = changes.filter((one) => overlaps(one, extent));
          // Of a sector in part the rest may be a hole, of which this is cut out.
          if (driver === 'aio' && isHole && over.length === 1 && over[0]?.noHole && over[0].length > 8192)
            return `bytes ${at} to ${at + length} are a hole after NO_HOLE`;
          at += length;
        }
        return at === size ? undefined : `status ends at ${at}`;
      };

      const model = new Model(await read({ offset: 0, length: size }));
      let value = 0;
      for (let done = 0; done < OPERATIONS;) {
        const count = random.integer(1, 6);
        const pending = Array.from({ length: count }, () => change((value = (value % 200) + 1)));
        const early = range(300_000);
        const meanwhile = read(early);
        const changes = (await Promise.all(pending)).filter((made) => made !== undefined);
        done += count;
        const now = await read({ offset: 0, length: size });
        const wrong =
          model.fault(await meanwhile, early.offset, changes, true) ??
          model.fault(now, 0, changes, false) ??
          (await checkStatus(changes, now));
        if (wrong !== undefined) {
          t.fail(`after ${done} operations: ${wrong}`);
          return;
        }
        seen.noHole += changes.filter(({ noHole }) => noHole).length;
        model.update(now, changes);
      }
      t.ok(
        Object.values(seen).every((times) => times > 0),
        JSON.stringify(seen),
      );
      if (driver === 'aio')
        t.ok(readFileSync(path).equals(model.bytes), 'the file is the disk, and has not grown');
    },
  );
}
