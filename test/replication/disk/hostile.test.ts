// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t, { type Test } from 'tap';
import { AF_INET, errno, type Posix, SOCK_STREAM } from '../../../src/posix/index.js';
import { encodeHello } from '../../../src/replication/disk/own/hello.js';
import type { Standing } from '../../../src/replication/disk/standing.js';
import {
  extentsBody,
  FRAME_HEADER_BYTES,
  FRAME_TYPES,
  type FrameName,
  frameHeader,
} from '../../../src/replication/disk/wire/frame.js';
import { PROBE } from '../../../src/replication/disk/wire/probe.js';
import type { Random } from '../../../src/testing/index.js';
import { randomBytes, randomSeed } from '../../random.js';
import { type Pair, pair, SECTORS, type SideNode } from './world.js';

const STREAMS = 120;
/** Without commit: whoever is let in as the primary may make a checkpoint. */
const NAMES = (Object.keys(FRAME_TYPES) as FrameName[]).filter((name) => name !== 'commit');

/** Frames of a session that looks like a primary's, each sound in itself, some of them with nonsense inside. */
function stream(random: Random, standing: Standing): Buffer {
  const parts: Uint8Array[] = [PROBE];
  let sequence = 0;
  const frame = (name: FrameName, body: readonly Uint8Array[]): void => {
    parts.push(frameHeader(name, sequence, body), ...body);
    sequence += 1;
  };
  frame('hello', [encodeHello({ version: 'hostile', standing })]);
  for (let count = random.integer(1, 8); count > 0; count--) {
    if (random.chance(0.5)) {
      frame(random.pick(NAMES), [randomBytes(random, random.integer(0, 64))]);
    } else {
      const data = randomBytes(random, 512);
      const sector = random.integer(0, random.chance(0.2) ? 2 ** 40 : SECTORS - 1);
      frame(
        random.pick(['write', 'syncData', 'compare'] as const),
        extentsBody([{ sector, sectors: 1, data }]),
      );
    }
  }
  const bytes = Buffer.concat(parts);
  if (random.chance(0.3)) bytes[random.integer(0, bytes.length - 1)] = random.integer(0, 255);
  return random.chance(0.3) ? bytes.subarray(0, random.integer(1, bytes.length)) : bytes;
}

/** The standing of a primary that the backup would agree with. */
function standingFor(b: SideNode): Standing {
  const mine = b.engine.standing();
  const [present] = mine.line;
  return { ...mine, role: 'primary', line: present ? [{ ...present, high: present.high + 10 }] : [] };
}

t.test(
  'Q11: streams of nonsense change nothing of a backup, and its primary is let in after them',
  async (t) => {
    const seed = randomSeed(t);
    const { world, a, b } = pair(t, { seed });
    await a.until('protected');
    await a.write(100, 8, 1);
    await a.checkpoint();
    await world.run(1);
    const committed = await b.read();
    a.host.crash('end of file');
    const x = world.host('10.0.0.66');
    for (let count = 0; count < STREAMS; count++) {
      const bytes = stream(world.random, standingFor(b));
      const fd = x.posix.socket(AF_INET, SOCK_STREAM);
      x.posix.connect(fd, { family: AF_INET, address: '10.0.0.2', port: 9000 });
      await world.run(0.01);
      x.posix.write(fd, bytes);
      await world.run(world.random.chance(0.1) ? 7 : 0.02);
      x.posix.close(fd);
      await world.run(0.02);
      if (b.engine.status().state !== 'backup') t.fail(`stream ${count}: ${b.engine.status().reason}`);
    }
    t.ok((await b.read()).equals(committed), 'the backup is at its last checkpoint');
    a.host.restart();
    await a.until('protected');
    t.ok((await a.checkpoint()) > 0);
    t.ok((await a.read()).equals(await b.read()));
  },
);

/** Bytes that the other side sends to a connection until it sends nothing for half a second. */
async function received(world: Pair['world'], posix: Posix, fd: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for (let quiet = 0; quiet < 5; quiet++) {
    const buffer = Buffer.alloc(65_536);
    for (let count = posix.read(fd, buffer); count > 0; count = posix.read(fd, buffer)) {
      chunks.push(Buffer.from(buffer.subarray(0, count)));
      quiet = 0;
    }
    await world.run(0.1);
  }
  return Buffer.concat(chunks);
}

/** A backup with a checkpoint, and a connection of somebody who is taken for its primary. */
async function impersonated(t: Test) {
  const { world, a, b } = pair(t, { seed: 5 });
  await a.until('protected');
  await a.write(0, 64, 1);
  await a.checkpoint();
  await world.run(1);
  const standing = standingFor(b);
  a.host.crash('end of file');
  const { posix } = world.host('10.0.0.66');
  const fd = posix.socket(AF_INET, SOCK_STREAM);
  posix.connect(fd, { family: AF_INET, address: '10.0.0.2', port: 9000 });
  await world.run(0.1);
  const frames = [PROBE];
  let sequence = 0;
  const frame = (name: FrameName, body: readonly Uint8Array[] = []): void => {
    frames.push(Buffer.concat([frameHeader(name, sequence, body), ...body]));
    sequence += 1;
  };
  frame('hello', [encodeHello({ version: 'hostile', standing })]);
  const flood = async (limitSeconds: number): Promise<number> => {
    const bytes = Buffer.concat(frames);
    let sent = 0;
    for (let waited = 0; waited < limitSeconds && sent < bytes.length; waited += 0.01) {
      const taken = posix.write(fd, bytes.subarray(sent));
      if (taken > 0) sent += taken;
      await world.run(0.01);
    }
    return sent / bytes.length;
  };
  return { world, b, posix, fd, frame, flood };
}

t.test('replies to a peer that keeps asking and never reads are bounded', async (t) => {
  const { world, posix, fd, frame, flood } = await impersonated(t);
  for (let count = 0; count < 100_000; count++) frame('ping');
  t.equal(await flood(60), 1, 'all of it is read');
  const pongs = (await received(world, posix, fd)).length / FRAME_HEADER_BYTES;
  t.ok(pongs < 20_000, `${pongs} pongs`);
});

t.test('compares are accepted no faster than their answers are read', async (t) => {
  const { world, b, posix, fd, frame, flood } = await impersonated(t);
  for (let count = 0; count < 16_000; count++) {
    frame('compare', extentsBody([{ sector: 0, sectors: 1, data: Buffer.alloc(32) }]));
  }
  t.ok((await flood(20)) < 1, 'what is not answered is not read');
  const answers = await received(world, posix, fd);
  t.ok(answers.length > 0);
  posix.close(fd);
  await world.run(10);
  t.equal(b.engine.status().state, 'backup');
});

t.test('a peer that never identifies itself loses its place in time', async (t) => {
  const { world, b, posix, fd } = await impersonated(t);
  posix.write(fd, PROBE);
  await world.run(0.1);
  let sequence = 0;
  for (let seconds = 0; seconds < 60; seconds++) {
    posix.write(fd, frameHeader('ping', sequence++, []));
    await world.run(1);
  }
  t.equal(b.engine.status().peerAddress, null);
});

t.test('a peer that leaves before its reply costs a backup nothing', async (t) => {
  const { world, a, b } = pair(t, { seed: 6 });
  await a.until('protected');
  a.host.crash('end of file');
  await world.run(1);
  const had = b.host.leftovers().length;
  // The first is met, the second is rejected since there is one already.
  for (const peers of [1, 2]) {
    const { posix } = world.host('10.0.0.66');
    const fds = Array.from({ length: peers }, () => posix.socket(AF_INET, SOCK_STREAM));
    for (const fd of fds) posix.connect(fd, { family: AF_INET, address: '10.0.0.2', port: 9000 });
    await world.run(0.1);
    const fault = b.host.failCalls({ calls: ['write'], error: errno.EPIPE });
    const last = fds.at(-1) as number;
    posix.write(last, PROBE);
    await world.run(0.1);
    t.equal(fault.failed, 1, 'the reply could not be sent');
    for (const fd of fds) posix.close(fd);
    await world.run(10);
    t.equal(b.host.leftovers().length, had, 'nothing is left of it');
    t.equal(b.engine.status().state, 'backup');
  }
});

t.test('a disk that is closed ends the connections that are being rejected', async (t) => {
  const { world, a, b } = pair(t, { seed: 7 });
  await a.until('protected');
  const { posix } = world.host('10.0.0.66');
  const fd = posix.socket(AF_INET, SOCK_STREAM);
  posix.connect(fd, { family: AF_INET, address: '10.0.0.2', port: 9000 });
  await world.run(0.1);
  await b.call((done) => b.engine.close(() => done(0)));
  const left = b.host.leftovers().filter((line) => /tcp|timerfd/.test(line));
  t.same(left, []);
});

t.test('a disk that fails to open keeps no connection that arrived meanwhile', async (t) => {
  const { world, b } = pair(t, { seed: 8 });
  // Those of the directories come before it listens, that of the map after.
  b.host.files.shape({ syncSeconds: 3 });
  b.host.files.failCalls({ calls: ['fdatasync', 'fsync', 'syncDirectory'], nth: 3, error: errno.EIO });
  await world.run(() => b.host.leftovers().some((line) => /tcp connected/.test(line)));
  await world.run(5);
  t.equal(await b.opened, -errno.EIO);
  const left = b.host.leftovers().filter((line) => /tcp|timerfd/.test(line));
  t.same(left, []);
});
