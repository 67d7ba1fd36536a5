// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { AF_INET, SOCK_STREAM } from '../../../../src/posix/index.js';
import { encodeHello } from '../../../../src/replication/disk/own/hello.js';
import { decodeReason, type Reason } from '../../../../src/replication/disk/own/reason.js';
import type { Standing } from '../../../../src/replication/disk/standing.js';
import {
  extentsBody,
  type FrameExtent,
  type FrameName,
  frameHeader,
  numbersBody,
  readNumbers,
} from '../../../../src/replication/disk/wire/frame.js';
import { FrameReader } from '../../../../src/replication/disk/wire/frame-reader.js';
import { PeerStream } from '../../../../src/replication/disk/wire/peer-stream.js';
import type { SimulatedHost, SimulatedWorld } from '../../../../src/testing/index.js';
import { SECTORS } from '../world.js';

export const PEER_ADDRESS = '10.0.0.2';
const PORT = 9000;
const TAG_BYTES = 4;

export interface Frame {
  readonly name: FrameName;
  readonly body: Buffer;
  readonly sequence: number;
}

/** A new disk's primary, or a new backup, as it reports itself. */
export function standing(role: 'primary' | 'backup', more: Partial<Standing> = {}): Standing {
  const isPrimary = role === 'primary';
  return {
    role,
    diskId: isPrimary ? 'd'.repeat(32) : null,
    sectors: SECTORS,
    grainSectors: 128,
    hasState: isPrimary,
    takesFirstSync: !isPrimary,
    promoted: false,
    rejoining: false,
    full: false,
    line: isPrimary ? [{ generation: 'a'.repeat(16), low: 0, high: 0 }] : [],
    resyncId: null,
    ...more,
  };
}

/** A peer whose every frame a test writes, and reads. It replies to pings of its own accord. */
export class HandPeer {
  /** What has come and was not asked for yet, pings and pongs left out. */
  readonly frames: Frame[] = [];
  /** Why the connection is over. */
  end: string | undefined;
  readonly #world: SimulatedWorld;
  readonly #stream: PeerStream;
  #sequence = 0;
  /** What came before the first frame. */
  tag = '';
  pings = 0;
  pongs = 0;
  repliesToPings = true;
  /** What it has of each resync that begins, in ranges of grains: the first, and how many. undefined: a test replies. */
  received: readonly number[] | undefined = [];

  constructor(world: SimulatedWorld, host: SimulatedHost, fd: number, tagBytes: number) {
    this.#world = world;
    const reader = new FrameReader(
      (name, body, sequence) => this.#take({ name, body: Buffer.from(body), sequence }),
      () => false,
    );
    this.#stream = new PeerStream({ registrar: host.serve(), posix: host.posix }, fd, {
      bytes: (chunk) => {
        const taken = Math.min(tagBytes - this.tag.length, chunk.length);
        this.tag += Buffer.from(chunk.subarray(0, taken)).toString('latin1');
        reader.push(chunk.subarray(taken));
      },
      drained: () => {},
      ended: (reason) => (this.end = reason),
    });
    this.#stream.resume();
  }

  /** Connects to the backup's address from a host of its own. */
  static async connect(world: SimulatedWorld, address = '10.0.0.66'): Promise<HandPeer> {
    const host = world.hosts.find(({ name }) => name === address) ?? world.host(address);
    const fd = host.posix.socket(AF_INET, SOCK_STREAM);
    host.posix.connect(fd, { family: AF_INET, address: PEER_ADDRESS, port: PORT });
    await world.run(0.01);
    return new HandPeer(world, host, fd, TAG_BYTES);
  }

  /** Waits at the backup's address, on a host of its own, for the connection of a primary, and its probe. */
  static async accept(world: SimulatedWorld): Promise<HandPeer> {
    const host = world.hosts.find(({ name }) => name === PEER_ADDRESS) ?? world.host(PEER_ADDRESS);
    const listener = host.posix.socket(AF_INET, SOCK_STREAM);
    host.posix.bind(listener, { family: AF_INET, address: PEER_ADDRESS, port: PORT });
    host.posix.listen(listener, 1);
    await world.complete(host.posix.select({ read: [listener] }, 120), { limitSeconds: 120 });
    const fd = host.posix.accept(listener);
    host.posix.close(listener);
    const peer = new HandPeer(world, host, fd, 3 * TAG_BYTES);
    await world.run(() => peer.tag.length === 3 * TAG_BYTES);
    return peer;
  }

  raw(bytes: Uint8Array): void {
    this.#stream.send(bytes);
  }

  /** Sends a frame; its sequence. */
  send(name: FrameName, ...parts: readonly Uint8Array[]): number {
    const sequence = this.#sequence;
    this.#stream.send(Buffer.concat([frameHeader(name, sequence, parts), ...parts]));
    this.#sequence += 1;
    return sequence;
  }
  extents(name: FrameName, ...extents: Omit<FrameExtent, 'crc'>[]): number {
    return this.send(name, ...extentsBody(extents));
  }
  numbers(name: FrameName, ...numbers: number[]): number {
    return this.send(name, numbersBody(...numbers));
  }
  hello(its: Standing): void {
    this.send('hello', encodeHello({ version: 'by hand', standing: its }));
  }

  /** Waits for the next frame of a name; those of others before it stay. */
  async next(name: FrameName, limitSeconds = 20): Promise<Frame> {
    const found = (): number => this.frames.findIndex((frame) => frame.name === name);
    await this.#world.run(() => found() >= 0 || this.end !== undefined, { limitSeconds });
    const [frame] = found() < 0 ? [] : this.frames.splice(found(), 1);
    if (frame === undefined) throw new Error(`no ${name} came before the end: ${this.end}`);
    return frame;
  }
  async number(name: FrameName): Promise<number> {
    return readNumbers((await this.next(name)).body, 1)[0] as number;
  }
  async reason(name: 'busy' | 'refused' | 'fail'): Promise<Reason> {
    return decodeReason((await this.next(name)).body);
  }
  /** Waits until the other side has ended the connection. */
  async over(limitSeconds = 20): Promise<void> {
    await this.#world.run(() => this.end !== undefined, { limitSeconds });
  }

  /** Reads nothing until {@link HandPeer.goOn}. */
  pause(): void {
    this.#stream.pause();
  }
  goOn(): void {
    this.#stream.resume();
  }

  close(): void {
    this.#stream.close();
  }

  #take(frame: Frame): void {
    if (frame.name === 'ping') {
      this.pings += 1;
      if (this.repliesToPings) this.send('pong');
    } else if (frame.name === 'pong') this.pongs += 1;
    else this.frames.push(frame);
    if (frame.name === 'syncBegin') this.#replyToBegin();
  }

  #replyToBegin(): void {
    if (this.received === undefined) return;
    if (this.received.length > 0) this.numbers('map', ...this.received);
    this.numbers('map');
  }
}
