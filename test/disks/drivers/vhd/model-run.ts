// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { VhdDisk } from '../../../../src/disks/drivers/vhd/disk.js';
import { SECTOR_SIZE } from '../../../../src/disks/index.js';
import { Random } from '../../../../src/testing/index.js';
import { FileWorld } from '../../../testing/files/fixture.js';
import { chainFiles, type NewLink } from './new-chain.js';
import { openSimulated, simulated, simulatedResult, tagged } from './sim-disk.js';

const REQUESTS = 40;

/** Random requests on a chain of 1 to 5 images, each layer written and held against an array. Returns what was wrong, or undefined. */
export async function modelSeed(seed: number): Promise<string | undefined> {
  const random = new Random(seed);
  const world = new FileWorld({ seed, traceLines: 0, shortTransfers: random.pick([0, 0.05]) });
  const links = drawnLinks(random);
  for (const [name, bytes] of chainFiles(links, random)) world.files.put(`/d/${name}`, bytes);
  let model: number[] = [];
  let tag = 0;
  for (const { name, sectors } of links) {
    while (model.length < sectors) model.push(0);
    model = model.slice(0, sectors);
    const run = new ModelRun(world, random, model, tag);
    const wrong = await run.image(`/d/${name}`);
    if (wrong !== undefined) return `seed ${seed}, ${name} of ${JSON.stringify(links)}: ${wrong}`;
    tag = run.tag;
  }
  return undefined;
}

function drawnLinks(random: Random): readonly NewLink[] {
  let sectors = random.integer(8, 200);
  return Array.from({ length: random.integer(1, 5) }, (_, index) => {
    if (random.chance(0.4)) sectors += random.integer(1, 100);
    return { name: `image${index}.vhd`, sectors, blockSectors: random.pick([1, 2, 8, 64, 1024, 4096]) };
  });
}

/** The requests on one image of a chain. */
class ModelRun {
  tag: number;
  readonly #world: FileWorld;
  readonly #random: Random;
  readonly #model: number[];

  constructor(world: FileWorld, random: Random, model: number[], tag: number) {
    this.#world = world;
    this.#random = random;
    this.#model = model;
    this.tag = tag;
  }

  async image(path: string): Promise<string | undefined> {
    for (let opening = 0; opening < 2; opening++) {
      const answersEarly = this.#random.chance(0.5);
      const disk = await openSimulated(this.#world, path, { readOnly: false, answersEarly });
      if (disk.sectors !== this.#model.length)
        return `${disk.sectors} sectors, expected ${this.#model.length}`;
      for (let request = 0; request < REQUESTS / 2; request++) {
        const wrong = await this.#requests(disk);
        if (wrong !== undefined) return `request ${request}: ${wrong}`;
      }
      await simulated(this.#world, disk.close());
    }
    const disk = await openSimulated(this.#world, path, { readOnly: true });
    const [leaf] = disk.chain;
    if (leaf?.kind !== 'vhd' || !leaf.image.endFooter) return 'no footer is at the end';
    const wrong = await this.#check(disk, 0, this.#model.length);
    await simulated(this.#world, disk.close());
    return wrong;
  }

  /** A few requests at once; those of the same sectors keep their order. */
  async #requests(disk: VhdDisk): Promise<string | undefined> {
    const count = this.#random.integer(1, 4);
    const results = await this.#world.world.complete(
      Promise.all(Array.from({ length: count }, () => this.#change(disk))),
    );
    const failed = results.find((result) => result !== 0);
    if (failed !== undefined) return `a request ends with ${failed}`;
    const [sector, sectors] = this.#range();
    return (await this.#check(disk, sector, sectors)) ?? this.#checkExtents(disk, sector, sectors);
  }

  #change(disk: VhdDisk): Promise<number> {
    const random = this.#random;
    const [sector, sectors] = this.#range();
    const range = { sector, sectors, complete: () => {} };
    return new Promise((done) => {
      const kind = random.pick(['write', 'write', 'zeroes', 'flush'] as const);
      if (kind === 'flush') {
        disk.flush(done);
        return;
      }
      const content = kind === 'zeroes' ? 0 : ++this.tag;
      this.#model.fill(content, sector, sector + sectors);
      if (kind === 'zeroes') disk.writeZeroes({ ...range, noHole: random.chance(0.3) }, done);
      else disk.write({ ...range, buffer: tagged(sectors, content) }, done);
    });
  }

  #range(): [sector: number, sectors: number] {
    const size = this.#model.length;
    const sectors = Math.min(size, this.#random.pick([1, 1, 3, 8, 20, 150]));
    return [this.#random.integer(0, size - sectors), sectors];
  }

  async #check(disk: VhdDisk, sector: number, sectors: number): Promise<string | undefined> {
    const buffer = Buffer.alloc(sectors * SECTOR_SIZE, 0xee);
    const result = await simulatedResult(this.#world, (done) =>
      disk.read({ sector, sectors, buffer, complete: done }, done),
    );
    if (result !== 0) return `a read ends with ${result}`;
    for (let at = 0; at < buffer.length; at += 4) {
      const where = sector + Math.floor(at / SECTOR_SIZE);
      const found = buffer.readUInt32LE(at);
      if (found !== this.#model[where]) return `sector ${where} is ${found}, expected ${this.#model[where]}`;
    }
    return undefined;
  }

  /** A hole reads as zeroes; extents cover their range. */
  async #checkExtents(disk: VhdDisk, sector: number, sectors: number): Promise<string | undefined> {
    let wrong: string | undefined;
    let at = sector;
    const result = await simulatedResult(this.#world, (done) =>
      disk.extents({ sector, sectors }, (code, extents) => {
        for (const extent of extents) {
          if (extent.sector !== at) wrong = `an extent begins at ${extent.sector}, expected ${at}`;
          at = extent.sector + extent.sectors;
          const isZero = this.#model.slice(extent.sector, at).every((tag) => tag === 0);
          if (!extent.isAllocated && !isZero) wrong = `a hole at ${extent.sector} has data`;
        }
        done(code);
      }),
    );
    if (result !== 0) return `extents end with ${result}`;
    return wrong ?? (at === sector + sectors ? undefined : `extents end at ${at}`);
  }
}
