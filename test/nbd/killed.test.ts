// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { Random } from '../../src/testing/index.js';
import { DaemonChild, nbdClient } from '../daemon/daemon-child.js';
import { randomSeed } from '../random.js';
import { shortDirectory } from '../short-directory.js';

const ROUNDS = 3;
const CONNECTIONS = 4;
const WRITES = 1500;
/** Few, so that writes overlap. */
const SECTORS = 512;

interface Write {
  readonly id: number;
  readonly connection: number;
  /** Counts everything that happens. */
  readonly askedAt: number;
  answeredAt: number;
}

/** What a recorder outside of the daemon knows of each sector: the writes of it, in the order in which they were asked for. */
class Recorder {
  readonly #bySector: Write[][] = Array.from({ length: SECTORS }, () => []);
  #time = 0;

  ask(id: number, connection: number, sector: number, sectors: number): Write {
    const write = { id, connection, askedAt: ++this.#time, answeredAt: Infinity };
    for (let index = sector; index < sector + sectors; index++) this.#bySector[index]?.push(write);
    return write;
  }

  answer(write: Write): void {
    write.answeredAt = ++this.#time;
  }

  /** What a sector may hold: no write that an answered one came after, by its answer or by the order of a connection. */
  allowed(sector: number): Set<number> {
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
    const ids = last.map(({ id }) => id);
    return new Set(writes.some(({ answeredAt }) => answeredAt < Infinity) ? ids : [0, ...ids]);
  }
}

t.test('after kill -9 the file has all that was answered, in the order of what overlaps', async (t) => {
  const directory = shortDirectory(t);
  const random = new Random(randomSeed(t));
  for (let round = 0; round < ROUNDS; round++) {
    const image = path.join(directory, `image-${round}`);
    writeFileSync(image, '');
    truncateSync(image, SECTORS * 512);
    const socket = path.join(directory, `n${round}`);
    const daemon = new DaemonChild(t, [
      ...['--control-directory', directory, '--disk', `0=aio:${image}`, '--nbd', socket],
    ]);
    await daemon.ready();
    const recorder = new Recorder();
    const killAfter = 200 + (random.word() % (WRITES - 200));
    let answered = 0;
    let asked = 0;
    const lane = async (connection: number): Promise<void> => {
      const client = await nbdClient(t, socket);
      const one = async (): Promise<void> => {
        while (asked < WRITES) {
          const id = ++asked;
          const sectors = 1 + (random.word() % 16);
          const sector = random.word() % (SECTORS - sectors);
          const data = Buffer.alloc(sectors * 512);
          for (let at = 0; at < data.length; at += 4) data.writeUInt32LE(id, at);
          const write = recorder.ask(id, connection, sector, sectors);
          try {
            await client.write(sector * 512, data);
          } catch {
            // The daemon was killed: whether this was done nobody knows.
            return;
          }
          recorder.answer(write);
          if (++answered === killAfter) daemon.kill('SIGKILL');
        }
      };
      await Promise.all(Array.from({ length: 8 }, one));
    };
    await Promise.all(Array.from({ length: CONNECTIONS }, (_, connection) => lane(connection)));
    t.equal(await daemon.exit(), 'SIGKILL');
    t.ok(answered >= killAfter);
    const bytes = readFileSync(image);
    for (let sector = 0; sector < SECTORS; sector++) {
      const id = bytes.readUInt32LE(sector * 512);
      const allowed = recorder.allowed(sector);
      const whole = bytes.subarray(sector * 512, (sector + 1) * 512);
      let isWhole = true;
      for (let at = 0; at < 512; at += 4) isWhole &&= whole.readUInt32LE(at) === id;
      if (!isWhole || !allowed.has(id)) {
        t.fail(`round ${round}: sector ${sector} has ${id}, not ${[...allowed].join(' or ')}`);
      }
    }
  }
});
