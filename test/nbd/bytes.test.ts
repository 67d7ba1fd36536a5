// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import t from 'tap';
import { driverTypes } from '../../src/disks/drivers/index.js';
import type { NbdClient } from '../../src/nbd/index.js';
import { Random } from '../../src/testing/index.js';
import { pattern, writeSectors } from '../disks/drivers/disk-world.js';
import { ScriptedDisks } from '../disks/scripted-disks.js';
import { randomSeed } from '../random.js';
import { PROGRAMS_TIMEOUT_MS, succeeds } from './image-world.js';
import { nbdWorld, until } from './nbd-world.js';
import { hasPrograms } from '../programs.js';
import { exportRequest, option, request } from './raw-client.js';

t.setTimeout(PROGRAMS_TIMEOUT_MS);

const ODD_BYTES = 40_961;
const WHOLE_BYTES = 40_960;

/** A change of some bytes; `value` undefined: they read as they did, or as zeroes. */
interface Change {
  readonly offset: number;
  readonly length: number;
  readonly value: number | undefined;
  readonly ended: Promise<void>;
}

function writeFileOf(path: string, length: number): void {
  const fd = openSync(path, 'w');
  writeSync(fd, Buffer.alloc(length, 'x'));
  closeSync(fd);
}

/** What a byte may be after changes that went on at once. */
function mayBe(changes: readonly Change[], at: number, before: number): Set<number> {
  const values = new Set<number>();
  let isWritten = false;
  for (const { offset, length, value } of changes) {
    if (at < offset || at >= offset + length) continue;
    values.add(value ?? 0);
    isWritten ||= value !== undefined;
  }
  if (!isWritten) values.add(before);
  return values;
}

for (const [driver, size, isAligned] of [
  ['aio', ODD_BYTES, false],
  ['aio', WHOLE_BYTES, true],
  ['ram', WHOLE_BYTES, false],
] as const) {
  const what = `${isAligned ? 'whole sectors' : 'bytes'}, ${driver}, ${size}`;
  t.test(`500 overlapping changes over four connections leave what one of them wrote: ${what}`, async (t) => {
    const random = new Random(randomSeed(t));
    const world = nbdWorld(t);
    const path = world.path('disk.img');
    writeFileOf(path, size);
    await world.open(driver === 'aio' ? `aio:${path}` : 'ram:1');
    const clients: NbdClient[] = [];
    for (let count = 0; count < 4; count++) clients.push(await world.client());
    const [reader] = clients as [NbdClient];
    let model = await reader.read(0, size);
    const change = (value: number): Change => {
      const client = clients[random.integer(0, 3)]!;
      // Many in the same few sectors.
      const unit = isAligned ? 512 : 1;
      const longest = random.chance(0.2) ? 20_000 : 1200;
      const first = random.chance(0.1)
        ? size - random.integer(1, 700)
        : random.integer(0, 9) * 512 + random.integer(0, 511);
      const offset = Math.max(0, Math.floor(first / unit) * unit);
      const length = Math.max(
        unit,
        Math.floor(random.integer(1, Math.max(1, Math.min(longest, size - offset))) / unit) * unit,
      );
      const kind = random.integer(0, 5);
      const range = { offset, length };
      if (kind === 0)
        return { ...range, value: 0, ended: client.writeZeroes(offset, length, random.integer(0, 1) * 2) };
      if (kind === 1) return { ...range, value: undefined, ended: client.trim(offset, length) };
      const forceUnitAccess = random.chance(0.1);
      return {
        ...range,
        value,
        ended: client.write(offset, Buffer.alloc(length, value), { forceUnitAccess }),
      };
    };
    for (let done = 0; done < 500;) {
      const changes = Array.from({ length: random.integer(1, 8) }, (_, index) =>
        change(1 + ((done + index) % 250)),
      );
      const meanwhile = reader.read(0, size);
      await Promise.all(changes.map(({ ended }) => ended));
      done += changes.length;
      const [now, seen] = [await reader.read(0, size), await meanwhile];
      for (let at = 0; at < size; at++) {
        const [before, after, saw] = [model[at]!, now[at]!, seen[at]!];
        if (after === before && saw === before && (at & 7) !== 0) continue;
        const allowed = mayBe(changes, at, before);
        if (allowed.size === 0 ? after !== before : !allowed.has(after)) {
          t.fail(`byte ${at} was ${before}, is ${after}: expected ${[...allowed].join(' or ')}`);
          return;
        }
        if (saw !== before && !allowed.has(saw)) t.fail(`byte ${at} was seen as ${saw}`);
      }
      model = now;
    }
    t.ok((await reader.read(0, size)).equals(model));
    if (driver !== 'aio') return;
    await reader.flush();
    t.ok(readFileSync(path).equals(model), 'the file is the disk, and has not grown');
  });
}

t.test('partial changes of one sector wait for each other', async (t) => {
  const disks = new ScriptedDisks();
  disks.answerAtOnce = (what) => (/^(open|close)/.test(what) ? 0 : undefined);
  const world = nbdWorld(t, { types: driverTypes([disks.type]) });
  await world.open('scripted:disk');
  disks.log.length = 0;
  const one = await world.client();
  const first = one.write(0, Buffer.alloc(1024, 1));
  await until(() => disks.calls.length === 1);
  const second = one.write(500, Buffer.alloc(24, 2));
  const third = one.write(0, Buffer.alloc(512, 3));
  const other = one.write(4096, Buffer.alloc(512, 4));
  await until(() => disks.calls.length === 2);
  t.same(disks.log, ['write 0+2', 'write 8+1'], 'a part waits for a whole sector under way');
  disks.answer('write');
  disks.answer('write');
  t.same(disks.log.slice(2), ['read 0+1', 'read 1+1']);
  disks.calls[0]!.buffer!.fill(1);
  disks.answer('read');
  disks.answer('read');
  t.same(disks.log.slice(4), ['write 0+1', 'write 1+1'], 'a whole sector waits for a part under way');
  t.equal(disks.calls[0]!.buffer![499], 1);
  t.equal(disks.calls[0]!.buffer![500], 2);
  disks.answer('write');
  disks.answer('write');
  t.same(disks.log.slice(6), ['write 0+1']);
  disks.answer('write');
  await Promise.all([first, second, third, other]);
});

t.test('an error of a part fails the request, and blocks nobody', async (t) => {
  const disks = new ScriptedDisks();
  disks.answerAtOnce = (what) => (what === 'read' ? -5 : 0);
  const world = nbdWorld(t, { types: driverTypes([disks.type]) });
  await world.open('scripted:disk');
  const client = await world.client();
  await t.rejects(client.write(1, Buffer.alloc(3)), { code: 'EIO' });
  await client.write(0, Buffer.alloc(512));
});

t.test('a trim within a sector succeeds; a longer one discards its whole sectors', async (t) => {
  const world = nbdWorld(t);
  const path = world.path('odd.img');
  writeFileOf(path, 1300);
  const vbd = await world.open(`aio:${path}`);
  const client = await world.client();
  await client.trim(1, 600);
  await client.trim(1, 1023);
  await client.trim(1, 1299);
  t.equal(vbd.statistics().kinds.discard.completed, 2);
  t.equal(vbd.statistics().kinds.discard.bytes, 512 + 1024);
});

t.test('the minimum block size is a sector if the disk has only whole ones, else a byte', async (t) => {
  const world = nbdWorld(t);
  writeFileOf(world.path('odd.img'), 1300);
  await world.open(`aio:${world.path('odd.img')}`);
  await world.open('ram:1');
  const raw = await world.raw().greet();
  const smallest: [number, number][] = [];
  for (const name of ['0', '1']) {
    raw.send(option(6, exportRequest(name, 3)));
    const [info, sizes] = await raw.replies();
    smallest.push([Number(info!.data.readBigUInt64BE(2)), sizes!.data.readUInt32BE(2)]);
  }
  t.same(smallest, [
    [1300, 1],
    [1 << 20, 512],
  ]);
});

t.test('block status is limited to the request; FAST_ZERO of partial sectors is not fast', async (t) => {
  const world = nbdWorld(t);
  const vbd = await world.open('ram:2');
  await writeSectors(vbd, 0, pattern(1, 1));
  const raw = await world.raw().go('', { allocation: true });
  raw.send(request(7, { offset: 100n, length: 1 << 20 }));
  const { payload } = await raw.chunk();
  t.same(
    [4, 8, 12, 16].map((at) => payload.readUInt32BE(at)),
    [(1 << 20) - 100, 0, 100, 3],
  );
  raw.send(request(6, { flags: 16, offset: 100n, length: 1 << 20 }));
  t.match(await raw.simple(), { error: 95 });
  raw.send(request(5, { offset: 100n, length: 1000 }));
  t.match(await raw.simple(), { error: 0 });
});

t.test('programs copy an image of any size', async (t) => {
  if (!hasPrograms(t, 'nbdcopy', 'qemu-img', 'cmp')) return;
  const world = nbdWorld(t);
  const [source, copy] = [world.path('source'), world.path('copy')];
  writeFileOf(source, 70_001);
  writeFileOf(world.path('target'), 70_001);
  await world.open(`aio:${source}`);
  await world.open(`aio:${world.path('target')}`);
  await succeeds(t, 'nbdcopy', world.uri('0'), copy);
  await succeeds(t, 'cmp', source, copy);
  await succeeds(t, 'nbdcopy', '--flush', source, world.uri('1'));
  await succeeds(t, 'cmp', source, world.path('target'));
  await succeeds(t, 'qemu-img', 'compare', '-f', 'raw', '-F', 'raw', world.uri('0'), world.uri('1'));
});
