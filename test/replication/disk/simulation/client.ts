// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { errno } from '../../../../src/posix/errno.js';
import { tagged } from './content.js';
import type { Segment, Write } from './history.js';
import type { Node } from './node.js';
import { type Scene, SECTORS } from './scene.js';

/** Requests of one client that are under way at once, at most. */
const MAX_UNDER_WAY = 12;
/** Where most writes go, so that they overlap: in sectors. */
const HOT_SECTORS = 200;

/** Who uses the disk of a primary: writes, zeroes, reads, flushes and checkpoints at random, until its process dies. */
export class Client {
  readonly #scene: Scene;
  readonly #node: Node;
  readonly #segment: Segment;
  #underWay = 0;
  isStopped = false;

  constructor(scene: Scene, node: Node) {
    this.#scene = scene;
    this.#node = node;
    this.#segment = scene.oracle.segment(node.name);
  }

  get underWay(): number {
    return this.#underWay;
  }

  async run(): Promise<void> {
    const { random } = this.#scene;
    while (!this.isStopped && this.#node.isUp) {
      for (let burst = random.integer(1, 8); burst > 0 && this.#underWay < MAX_UNDER_WAY; burst--)
        this.#request();
      await this.#scene.sleep(random.chance(0.1) ? random.between(0, 1) : random.between(0, 0.02));
    }
  }

  #request(): void {
    const { random } = this.#scene;
    const kind = random.pick([
      'write',
      'write',
      'write',
      'write',
      'write',
      'zero',
      'read',
      'flush',
      'checkpoint',
    ] as const);
    const sectors = random.pick([1, 1, 8, 8, 33, 128, 300]);
    const last = random.chance(0.7) ? HOT_SECTORS : SECTORS;
    const sector = random.integer(0, Math.max(0, last - sectors));
    switch (kind) {
      case 'write':
      case 'zero':
        this.write(sector, sectors, kind === 'zero');
        break;
      case 'read':
        this.#track(this.#read(sector, sectors));
        break;
      case 'flush':
        this.#track(this.flush());
        break;
      case 'checkpoint':
        this.#track(this.checkpoint());
        break;
    }
  }

  write(sector: number, sectors: number, isZero: boolean): void {
    const { oracle } = this.#scene;
    const write = oracle.write(this.#node.name, sector, sectors, isZero);
    this.#note(`${isZero ? 'zeroes' : `writes ${write.tag} to`} ${sector}+${sectors} at ${write.issued}`);
    const isAlone = this.#isAlone;
    const asked = this.#node.ask((done) => {
      if (isZero) this.#node.engine.zero(sector, sectors, done);
      else this.#node.engine.write(sector, tagged(write.tag, sectors), done);
    });
    this.#track(this.#answered(write, asked, isAlone));
  }

  /** Whether no backup can have what is written now. */
  get #isAlone(): boolean {
    return this.#node.isUp && this.#node.engine.status().state === 'unprotected';
  }

  async #answered(write: Write, asked: Promise<number>, wasAlone: boolean): Promise<void> {
    const result = await asked;
    if (result === 0 && wasAlone && this.#isAlone) this.#scene.oracle.wroteAlone(this.#node.name);
    this.#scene.oracle.written(write, result);
    this.#note(`${write.sector}+${write.sectors}, tag ${write.tag}: ${result} at ${write.completed}`);
  }

  async #read(sector: number, sectors: number): Promise<void> {
    const { oracle } = this.#scene;
    const asked = oracle.next();
    const bytes = new Uint8Array(sectors * 512);
    const result = await this.#node.ask((done) => this.#node.engine.read(sector, bytes, done));
    if (result < 0) return;
    const words = new Uint32Array(bytes.buffer);
    for (let at = 0; at < sectors; at++) {
      if (!oracle.read(this.#node.name, this.#segment, sector + at, words[at * 128] as number, asked)) return;
    }
  }

  async flush(): Promise<void> {
    const { oracle, options } = this.#scene;
    const asked = oracle.next();
    const result = await this.#node.ask((done) => this.#node.engine.flush(done));
    if (result < 0) return;
    oracle.flushed(this.#node.name, asked);
    if (options.commitOnFlush === 'require') oracle.acked(this.#node.name, this.#segment, asked);
  }

  /** A checkpoint, and whether the backup has it. */
  async checkpoint(): Promise<boolean> {
    const { oracle } = this.#scene;
    const asked = oracle.next();
    const result = await this.#node.ask((done) => this.#node.engine.checkpoint(done));
    this.#note(`checkpoint asked for at ${asked}: ${result}`);
    if (result >= 0) oracle.acked(this.#node.name, this.#segment, asked);
    else if (![errno.ENOTCONN, errno.ECONNABORTED, errno.EINVAL, errno.EIO].includes(-result))
      this.#scene.violations.add(this.#node.name, `a checkpoint ends with ${result}`);
    return result >= 0;
  }

  #note(what: string): void {
    this.#scene.world.note(this.#node.name, `client ${what}`);
  }

  #track(request: Promise<unknown>): void {
    this.#underWay += 1;
    request.then(
      () => (this.#underWay -= 1),
      (error: unknown) => this.#scene.violations.caught(this.#node.name, error),
    );
  }
}
