// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { AF_INET, errno, SOCK_STREAM } from '../../src/posix/index.js';
import { EXTENT_BYTES } from '../../src/replication/disk/format/extent-entry.js';
import {
  FRAME_HEADER_BYTES,
  FRAME_TYPES,
  type FrameName,
  frameHeader,
  numbersBody,
  readFrameHeader,
} from '../../src/replication/disk/wire/frame.js';
import type { Random, SimulatedHost, SimulatedWorld } from '../../src/testing/index.js';
import { randomBytes } from '../random.js';
import { mutated } from './mutated.js';

/** Bytes before the first frame: what the primary probes with, and the backup's answer. */
const PROBE_BYTES = { primary: 12, backup: 4 } as const;
const WITH_TABLE: readonly FrameName[] = ['write', 'syncData', 'compare'];
const TABLE_HEAD_BYTES = 8;
const NAMES = Object.keys(FRAME_TYPES) as FrameName[];

export interface MeddlerParts {
  readonly world: SimulatedWorld;
  /** Where the primary looks for its backup. */
  readonly address: string;
  /** Where the backup is. */
  readonly backup: string;
  /** Whose frames are changed. */
  readonly liar: 'primary' | 'backup';
  readonly random: Random;
}

/**
 * Somebody between a primary, who takes him for its backup, and the backup: what one of them says is changed on the way, frame
 * by frame, so that nonsense comes as late as it can and with the right checksums.
 */
export class Meddler {
  readonly #world: SimulatedWorld;
  readonly #host: SimulatedHost;
  readonly #random: Random;
  readonly #backup: string;
  readonly #liar: 'primary' | 'backup';
  readonly #listener: number;
  #primary = -1;
  #true = -1;
  #toBackup: Buffer = Buffer.alloc(0);
  #toPrimary: Buffer = Buffer.alloc(0);
  /** What came of a frame of the one that is made a liar. */
  #partial = Buffer.alloc(0);
  #hasProbed = false;
  #sequence = 0;
  /** How likely a frame is to be changed. */
  chance = 0;

  constructor({ world, address, backup, liar, random }: MeddlerParts) {
    this.#world = world;
    this.#host = world.host(address);
    this.#random = random;
    this.#backup = backup;
    this.#liar = liar;
    const { posix } = this.#host;
    this.#listener = posix.socket(AF_INET, SOCK_STREAM);
    posix.bind(this.#listener, { family: AF_INET, address, port: 9000 });
    posix.listen(this.#listener, 8);
  }

  /** Lets the world go on for so long, and carries what is said. */
  async run(seconds: number): Promise<void> {
    for (let passed = 0; passed < seconds; passed += 0.01) {
      this.#carry();
      await this.#world.run(0.01);
    }
  }

  /** Ends the connection, if there is one. */
  drop(): void {
    for (const fd of [this.#primary, this.#true]) if (fd >= 0) this.#host.posix.close(fd);
    this.#primary = -1;
    this.#true = -1;
    this.#toBackup = Buffer.alloc(0);
    this.#toPrimary = Buffer.alloc(0);
    this.#partial = Buffer.alloc(0);
    this.#hasProbed = false;
    this.#sequence = 0;
  }

  #carry(): void {
    const { posix } = this.#host;
    const accepted = posix.accept(this.#listener);
    if (accepted >= 0) {
      this.drop();
      this.#primary = accepted;
      this.#true = posix.socket(AF_INET, SOCK_STREAM);
      posix.connect(this.#true, { family: AF_INET, address: this.#backup, port: 9000 });
    }
    if (this.#primary < 0) return;
    const fromPrimary = this.#read(this.#primary);
    const fromBackup = this.#read(this.#true);
    if (fromPrimary === undefined || fromBackup === undefined) {
      this.drop();
      return;
    }
    const [honest, lies] = [
      this.#liar === 'primary' ? fromBackup : fromPrimary,
      this.#lies(this.#liar === 'primary' ? fromPrimary : fromBackup),
    ];
    const [toBackup, toPrimary] = this.#liar === 'primary' ? [lies, honest] : [honest, lies];
    this.#toBackup = this.#written(this.#true, Buffer.concat([this.#toBackup, toBackup]));
    this.#toPrimary = this.#written(this.#primary, Buffer.concat([this.#toPrimary, toPrimary]));
  }

  /** What has come, or undefined at the end. */
  #read(fd: number): Buffer | undefined {
    const buffer = Buffer.alloc(65_536);
    const chunks: Buffer[] = [];
    for (;;) {
      const count = this.#host.posix.read(fd, buffer);
      if (count > 0) chunks.push(Buffer.from(buffer.subarray(0, count)));
      else if (count === -errno.EAGAIN || count === -errno.ENOTCONN) return Buffer.concat(chunks);
      else return chunks.length > 0 ? Buffer.concat(chunks) : undefined;
    }
  }

  /** What could not be written. */
  #written(fd: number, bytes: Buffer): Buffer {
    const taken = bytes.length > 0 ? this.#host.posix.write(fd, bytes) : 0;
    return taken > 0 ? bytes.subarray(taken) : bytes;
  }

  /** What becomes of the whole messages that have come of the liar. */
  #lies(come: Buffer): Buffer {
    const parts: Buffer[] = [];
    this.#partial = Buffer.concat([this.#partial, come]);
    if (!this.#hasProbed) {
      const probe = PROBE_BYTES[this.#liar];
      if (this.#partial.length < probe) return Buffer.alloc(0);
      this.#hasProbed = true;
      parts.push(this.#partial.subarray(0, probe));
      this.#partial = this.#partial.subarray(probe);
    }
    while (this.#partial.length >= FRAME_HEADER_BYTES) {
      const { name, length } = readFrameHeader(this.#partial);
      const end = FRAME_HEADER_BYTES + length;
      if (this.#partial.length < end) break;
      const body = this.#partial.subarray(FRAME_HEADER_BYTES, end);
      this.#partial = this.#partial.subarray(end);
      parts.push(...this.#meddled(name, body));
    }
    const bytes = Buffer.concat(parts);
    return this.#random.chance(this.chance / 8) ? mutated(this.#random, bytes) : bytes;
  }

  /** A frame as it is, or with something wrong, or several, or none. */
  #meddled(name: FrameName, body: Buffer): Buffer[] {
    const random = this.#random;
    if (!random.chance(this.chance)) return [this.#frame(name, body)];
    switch (random.integer(0, 6)) {
      case 0:
        return [];
      case 1:
        return [this.#frame(name, body), this.#frame(name, body)];
      case 2:
        return [this.#frame(name, mutated(random, body))];
      case 3:
        return [this.#frame(random.pick(NAMES), body)];
      case 4:
        return [this.#frame(name, this.#otherNumber(body))];
      case 5:
        return [
          this.#frame(random.pick(NAMES), randomBytes(random, random.integer(0, 64))),
          this.#frame(name, body),
        ];
      default:
        return [this.#frame(name, this.#otherValue(body))];
    }
  }

  #frame(name: FrameName, body: Buffer): Buffer {
    const hasTable = WITH_TABLE.includes(name) && body.length >= TABLE_HEAD_BYTES;
    const table = hasTable ? TABLE_HEAD_BYTES + body.readUInt32LE(0) * EXTENT_BYTES : body.length;
    const header = frameHeader(name, this.#sequence, [body.subarray(0, table), body.subarray(table)]);
    this.#sequence += 1;
    return Buffer.concat([header, body]);
  }

  /** With another number of 64 bits at its start. */
  #otherNumber(body: Buffer): Buffer {
    const random = this.#random;
    const number = random.pick([0, 1, random.integer(0, 100), 2 ** 32, 2 ** 53 - 1]);
    return Buffer.concat([numbersBody(number), body.subarray(8)]);
  }

  /** With another value somewhere in its JSON, if it has any. */
  #otherValue(body: Buffer): Buffer {
    const random = this.#random;
    const text = body.toString('latin1');
    const values = ['true', 'false', 'null', '0', '9007199254740991', '"primary"', '"backup"', '[]', '{}'];
    const places = [...text.matchAll(/:("[^"]*"|true|false|null|[0-9]+)/g)];
    if (places.length === 0) return mutated(random, body);
    const { index, 0: found } = random.pick(places);
    return Buffer.from(
      `${text.slice(0, index + 1)}${random.pick(values)}${text.slice(index + found.length)}`,
      'latin1',
    );
  }
}
