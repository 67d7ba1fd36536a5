// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// A primary while its backup, whose frames are written by hand, is slow, silent or full.

import t from 'tap';
import { errno } from '../../../../src/posix/index.js';
import { BitSet } from '../../../../src/replication/disk/bit-set.js';
import { encodeReason } from '../../../../src/replication/disk/own/reason.js';
import type { BackupPeer } from '../../../../src/replication/disk/sessions.js';
import { numbersBody, readExtents } from '../../../../src/replication/disk/wire/frame.js';
import { SimulatedWorld } from '../../../../src/testing/index.js';
import { CSide } from '../c/c-side.js';
import { HandPeer, standing } from '../own/hand-peer.js';
import { reasonOf } from '../own/one-side.js';
import { DIRECTORY, IMAGE, type NodeOptions, SideNode } from '../world.js';

const SECTOR = 512;
const GRAIN = 128;
const GRAINS = 100;
const SECTORS = GRAINS * GRAIN;

/** A primary whose disk has something everywhere, and its first backup. */
async function met(options: NodeOptions = {}, before?: (a: SideNode) => void) {
  const world = new SimulatedWorld({ seed: 1, traceLines: 0 });
  world.host('10.0.0.2');
  const a = new SideNode(
    world,
    '10.0.0.1',
    { verifyBytesPerSecond: 0, ...options },
    { sectors: SECTORS, fill: 5 },
  );
  await world.complete(a.opened);
  before?.(a);
  const accept = async (more = {}): Promise<HandPeer> => {
    const peer = await HandPeer.accept(world);
    peer.raw(Buffer.from('rp01'));
    peer.hello(standing('backup', { sectors: SECTORS, ...more }));
    await peer.next('hello');
    return peer;
  };
  const backup = await accept();
  const named = (name: string, peer = backup) => peer.frames.filter((frame) => frame.name === name);
  const sectorsOf = (name: 'write' | 'syncData', peer = backup): number[] =>
    named(name, peer).flatMap(({ body }) => readExtents(body, SECTORS).map(({ sector }) => sector));
  return { world, a, backup, accept, named, sectorsOf };
}

async function protectedBy(options: NodeOptions = {}) {
  const both = await met(options);
  await both.backup.next('commit');
  both.backup.numbers('done', 1);
  await both.a.until('protected');
  both.backup.frames.splice(0);
  return both;
}

t.test(
  'while much is to be copied, a write is copied with its grain; near the end it is sent by itself',
  async (t) => {
    const { world, a, backup, sectorsOf } = await met({}, (side) => side.held.hold('read', IMAGE));
    await world.run(0.1);
    t.equal(await a.write(90 * GRAIN, 8, 9), 0);
    await world.run(0.1);
    t.same(sectorsOf('write'), []);
    a.held.release('read', IMAGE);
    await backup.next('commit');
    const grains = new Set(
      backup.frames.flatMap(({ name, body }) =>
        name === 'syncData'
          ? readExtents(body, SECTORS).flatMap(({ sector, sectors }) =>
              Array.from({ length: sectors / GRAIN }, (_, index) => sector / GRAIN + index),
            )
          : [],
      ),
    );
    t.equal(grains.size, GRAINS);
    t.same(sectorsOf('write'), []);
    backup.numbers('done', 1);
    await a.until('protected');
    t.equal(await a.write(90 * GRAIN, 8, 9), 0);
    await world.run(0.1);
    t.same(sectorsOf('write'), [90 * GRAIN]);
  },
);

t.test('a resync of few grains does not keep writes from being sent', async (t) => {
  const { world, a, backup, accept, sectorsOf } = await protectedBy();
  const { diskId, generation } = a.engine.status();
  for (let grain = 0; grain < 10; grain++) await a.write(grain * GRAIN, 8, 7);
  backup.close();
  await a.until('unprotected');
  a.held.hold('read', IMAGE);
  const line = [{ generation: generation ?? '', low: 1, high: 1 }];
  const again = await accept({ diskId, hasState: true, takesFirstSync: false, line });
  await world.run(0.2);
  t.equal(a.engine.status().state, 'catching-up');
  t.match(a.engine.status().resync, { totalBytes: 10 * GRAIN * SECTOR });
  t.equal(await a.write(50 * GRAIN, 8, 9), 0);
  await world.run(0.1);
  t.same(sectorsOf('write', again), [50 * GRAIN]);
  a.held.release('read', IMAGE);
  again.numbers('done', Number((await again.next('commit')).body.readBigUInt64LE(0)));
  await a.until('protected');
});

t.test(
  'what is copied is read in runs of 256 KiB at most, four at a time, and no further ahead than 1 MiB',
  async (t) => {
    const { world, a, backup } = await met({}, (side) => side.held.hold('read', IMAGE));
    await world.run(0.5);
    t.equal(a.held.waiting('read', IMAGE), 4);
    backup.pause();
    a.held.release('read', IMAGE);
    await world.run(2);
    const { queuedBytes } = a.engine.status();
    t.ok(queuedBytes >= (1 << 20) - (256 << 10) && queuedBytes < 2 << 20, `${queuedBytes} bytes`);
    backup.goOn();
    await backup.next('commit');
    const sizes = backup.frames
      .filter(({ name }) => name === 'syncData')
      .map(({ body }) => readExtents(body, SECTORS).reduce((sum, { sectors }) => sum + sectors, 0));
    t.equal(Math.max(...sizes), 512);
    t.equal(
      sizes.reduce((sum, sectors) => sum + sectors, 0),
      SECTORS,
    );
  },
);

t.test('progress is counted as it is reported, and all of it with the checkpoint', async (t) => {
  const { world, a, backup } = await met();
  await backup.next('commit');
  const [first, second] = backup.frames.filter(({ name }) => name === 'syncData');
  const bytesOf = (frame: typeof first): number =>
    readExtents(frame?.body ?? Buffer.alloc(8), SECTORS).reduce(
      (sum, { sectors }) => sum + sectors * SECTOR,
      0,
    );
  t.ok(bytesOf(first) > 0 && bytesOf(second) > 0);
  t.match(a.engine.status().resync, { bytes: SECTORS * SECTOR, totalBytes: SECTORS * SECTOR });
  backup.numbers('done', 1);
  await a.until('protected');
  const resyncs = a.events.flatMap((event) =>
    event.kind === 'resync' ? [`${event.what} ${event.bytes}`] : [],
  );
  t.same(resyncs, [`begun ${SECTORS * SECTOR}`, `ended ${SECTORS * SECTOR}`]);
  await world.run(0.1);
});

t.test('16 checkpoints may be on their way; those who ask for another one share it', async (t) => {
  const { world, a, backup, named } = await protectedBy();
  const results: number[] = [];
  for (let count = 0; count < 20; count++) {
    a.engine.checkpoint((result) => results.push(result));
    await world.run(0.05);
  }
  t.equal(named('commit').length, 16);
  t.same(results, []);
  backup.numbers('done', 2);
  await world.run(0.1);
  t.same([named('commit').length, results], [17, [2]]);
  backup.numbers('done', 18);
  await world.run(0.1);
  t.equal(results.length, 20);
  t.same(results.slice(-5), [17, 18, 18, 18, 18]);
});

t.test('a checkpoint without a backup is refused, and one whose backup is lost is given up', async (t) => {
  const { world, a, backup } = await protectedBy();
  const results: number[] = [];
  a.engine.checkpoint((result) => results.push(result));
  await backup.next('commit');
  backup.close();
  await a.until('unprotected');
  a.engine.checkpoint((result) => results.push(result));
  t.same(results, [-errno.ECONNABORTED, -errno.ENOTCONN]);
  t.match(a.engine.status(), { failedCheckpoints: 1, epochSent: 2, epochCommitted: 1 });
  await world.run(0.1);
});

t.test('when more waits to be sent than may, writes wait, until the backup takes it', async (t) => {
  const { world, a, backup, sectorsOf } = await protectedBy({ queueBytes: 1 << 20 });
  backup.pause();
  const ended: number[] = [];
  for (let count = 0; count < 40; count++)
    a.engine.write(count * 256, new Uint8Array(256 * SECTOR).fill(count + 1), () => ended.push(count));
  await world.run(0.2);
  t.ok(ended.length >= 8 && ended.length < 20, `${ended.length} writes`);
  const { queuedBytes } = a.engine.status();
  t.ok(queuedBytes >= 1 << 20 && queuedBytes < 2 << 20, `${queuedBytes} bytes wait`);
  backup.goOn();
  await world.run(() => ended.length === 40);
  await world.run(0.5);
  t.same(
    sectorsOf('write'),
    Array.from({ length: 40 }, (_, count) => count * 256),
    'in their order',
  );
});

for (const stallSeconds of [1, 5]) {
  t.test(
    `writes do not wait for a backup that takes nothing for ${stallSeconds} s, whatever they write`,
    async (t) => {
      const { world, a, backup } = await protectedBy({
        queueBytes: 1 << 20,
        peerTimeoutSeconds: 60,
        stallSeconds,
      });
      backup.pause();
      let ended = 0;
      // A few grains again and again: there is little to be sent once the checkpoint was given up.
      for (let count = 0; count < 40; count++)
        a.engine.write((count % 4) * 256, new Uint8Array(256 * SECTOR).fill(1), () => (ended += 1));
      await world.run(stallSeconds - 0.1);
      t.ok(ended < 20, `${ended} writes before`);
      await world.run(2.1);
      t.equal(ended, 40);
      t.match(a.engine.status(), { state: 'catching-up', reason: 'the backup takes nothing' });
      t.equal(a.engine.status().resync?.waitingFor, null);
      backup.goOn();
      await backup.next('abort');
      const epoch = Number((await backup.next('commit')).body.readBigUInt64LE(0));
      backup.numbers('done', epoch);
      await a.until('protected');
      t.notOk(
        backup.frames.some(({ name }) => name === 'abort'),
        'it was given up once',
      );
    },
  );
}

t.test('writes that wait for a backup continue without it when it is lost', async (t) => {
  const { world, a, backup } = await protectedBy({ queueBytes: 1 << 20, stallSeconds: 60 });
  backup.pause();
  const results: number[] = [];
  for (let count = 0; count < 40; count++)
    a.engine.write(count * 256, new Uint8Array(256 * SECTOR).fill(1), (result) => results.push(result));
  await world.run(0.5);
  t.ok(results.length < 20);
  backup.close();
  await a.until('unprotected');
  await world.run(0.5);
  t.same(
    results,
    Array.from({ length: 40 }, () => 0),
  );
});

t.test('one that is only slow is waited for', async (t) => {
  const { world, a, backup } = await protectedBy({ queueBytes: 1 << 20 });
  const { host } = a;
  const other = world.hosts.find(({ name }) => name === '10.0.0.2');
  if (other) world.link(host, other).shape({ bytesPerSecond: 300_000 });
  let ended = 0;
  for (let count = 0; count < 12; count++)
    a.engine.write(count * 256, new Uint8Array(256 * SECTOR).fill(1), () => (ended += 1));
  await world.run(() => ended === 12);
  t.notOk(a.events.some((event) => event.kind === 'state' && /takes nothing/.test(event.reason)));
  t.equal(backup.end, undefined);
});

t.test('the rate of the continuous verification is what was set', async (t) => {
  const { world, backup, named } = await protectedBy({ verifyBytesPerSecond: 2 * GRAIN * SECTOR });
  const answered = new Set<number>();
  for (let tick = 0; tick < 100; tick++) {
    for (const { sequence } of named('compare')) {
      if (!answered.has(sequence)) backup.send('compared', numbersBody(sequence), Buffer.of(0));
      answered.add(sequence);
    }
    await world.run(0.1);
  }
  t.ok(answered.size >= 18 && answered.size <= 22, `${answered.size} grains in ten seconds`);
});

t.test('a map that cannot be written, or an image that cannot be synced, ends it all', async (t) => {
  for (const what of ['map', 'image', 'metadata'] as const) {
    const { world, a, backup } = await protectedBy({ hotGrains: 0 });
    let result: number | undefined;
    const path = what === 'image' ? IMAGE : `${DIRECTORY}/${what}`;
    t.ok(a.host.files.contents(path).length > 0);
    a.host.files.failCalls({ calls: ['fdatasync'], nth: 1, error: errno.EIO });
    if (what === 'map')
      a.engine.write(70 * GRAIN, new Uint8Array(SECTOR).fill(1), (ended) => (result = ended));
    else if (what === 'image') a.engine.flush((ended) => (result = ended));
    else a.engine.checkpoint((ended) => (result = ended));
    await world.run(1);
    t.match(a.engine.status(), { state: 'failed', lastError: /EIO/ }, what);
    if (what !== 'metadata') t.equal(result, -errno.EIO);
    await backup.over();
    t.equal(await a.write(0, 1, 1), -errno.EIO, 'no write is taken');
    t.equal(await a.call((done) => a.engine.flush(done)), -errno.EIO);
    t.equal(await a.call((done) => a.engine.read(0, new Uint8Array(SECTOR), done)), -errno.EIO);
    t.equal(a.engine.status().connection, 'none');
  }
});

t.test(
  'a resync that goes on asks for room for each grain once, though some are written again',
  async (t) => {
    const { world, a, backup, named } = await met({}, (side) => side.held.hold('read', IMAGE));
    await world.run(0.1);
    a.held.release('read', IMAGE);
    a.held.hold('read', IMAGE);
    await world.run(0.1);
    const brought = named('syncData').length;
    t.ok(brought > 0);
    backup.numbers('progress', named('syncData').at(-1)?.sequence ?? -1);
    await world.run(0.1);
    for (let grain = 0; grain < GRAINS; grain++) await a.write(grain * GRAIN, 8, 9);
    backup.send('fail', encodeReason('full', 'the journal is full', 1));
    await world.run(0.1);
    const grains = named('syncBegin').map(({ body }) => Number(Buffer.from(body).readBigUInt64LE(8)));
    t.same(grains, [GRAINS, GRAINS]);
  },
);

t.test(
  'what is raised ahead of writes that go on where the last ones ended, ends with the disk',
  async (t) => {
    const { a } = await protectedBy();
    for (let grain = 0; grain < GRAINS; grain++) await a.write(grain * GRAIN, 8, 1);
    const raised = [...a.engine.state.map.bits];
    t.same([raised.at(-1), raised.length <= GRAINS], [GRAINS - 1, true]);
  },
);

t.test('what a disk completes at once follows the frames of its write all the same', async (t) => {
  const { world, a, backup } = await protectedBy();
  a.disk.completesAtOnce = true;
  const results: number[] = [];
  // The checkpoint that is asked for by the time the write ends has it.
  a.engine.write(0, new Uint8Array(4096).fill(9), () => a.engine.checkpoint((epoch) => results.push(epoch)));
  await world.run(() => backup.frames.length === 2);
  t.same(
    backup.frames.map(({ name }) => name),
    ['write', 'commit'],
  );
  backup.numbers('done', 2);
  await world.run(() => results.length > 0);
  t.same(results, [2]);
});

t.test('a disk that ends within a grain is sent, and compared, to its end', async (t) => {
  const world = new SimulatedWorld({ seed: 1, traceLines: 0 });
  world.host('10.0.0.2');
  const sectors = 3 * GRAIN + 8;
  const a = new SideNode(world, '10.0.0.1', { verifyBytesPerSecond: 0 }, { sectors, fill: 5 });
  await world.complete(a.opened);
  const backup = await HandPeer.accept(world);
  backup.raw(Buffer.from('rp01'));
  backup.hello(standing('backup', { sectors }));
  backup.numbers('done', Number((await backup.next('commit')).body.readBigUInt64LE(0)));
  await a.until('protected');
  const sent = backup.frames.flatMap(({ name, body }) =>
    name === 'syncData' ? readExtents(body, sectors).map((extent) => extent.sector + extent.sectors) : [],
  );
  t.equal(Math.max(...sent), sectors);
  a.engine.resync({ full: true }, () => {});
  const asked: number[] = [];
  for (let grain = 0; grain < 4; grain++) {
    const { body, sequence } = await backup.next('compare');
    asked.push(...readExtents(body, sectors, 32).map((extent) => extent.sectors));
    backup.send('compared', numbersBody(sequence), Buffer.of(0));
  }
  t.same(new Set(asked), new Set([GRAIN, 8]));
  t.equal(a.engine.status().resync?.totalBytes, 4 * GRAIN * SECTOR, 'counted in whole grains');
  backup.numbers('done', Number((await backup.next('commit')).body.readBigUInt64LE(0)));
  await a.until('protected');
  t.notOk(
    backup.frames.some(({ name }) => name === 'compare'),
    'nothing after it is asked about',
  );
  a.engine.verify(() => {});
  asked.splice(0);
  for (let grain = 0; grain < 4; grain++) {
    const { body } = await backup.next('compare');
    asked.push(...readExtents(body, sectors, 32).map((extent) => extent.sectors));
  }
  t.same(new Set(asked), new Set([GRAIN, 8]));
});

t.test(
  'a resync goes on under the id that the backup has of it; one that has none gets another',
  async (t) => {
    const { a, backup, accept } = await met({}, (side) => side.held.hold('read', IMAGE));
    const idOf = async (peer: HandPeer): Promise<string> =>
      (await peer.next('syncBegin')).body.toString('hex', 0, 8);
    const resyncId = await idOf(backup);
    backup.close();
    await a.until('unprotected');
    const { diskId } = a.engine.status();
    const second = await accept({ diskId, resyncId });
    t.equal(await idOf(second), resyncId);
    second.close();
    await a.until('unprotected');
    const third = await accept({ diskId });
    t.not(await idOf(third), resyncId);
    a.held.release('read', IMAGE);
    await third.next('commit');
  },
);

t.test('a resync whose checkpoint was given up ends with the next one', async (t) => {
  const { a, backup } = await met();
  await backup.next('commit');
  backup.send('fail', encodeReason('full', 'the journal is full', 1));
  await backup.next('abort');
  const epoch = Number((await backup.next('commit')).body.readBigUInt64LE(0));
  t.equal(epoch, 2, 'which nobody has asked for');
  backup.numbers('done', epoch);
  await a.until('protected');
  t.match(
    a.events.flatMap((event) => (event.kind === 'resync' ? [event.what] : [])),
    ['begun', 'begun', 'ended'],
  );
});

t.test('an answer to no commit is no word of what the backup has; that to the first one is', async (t) => {
  const { a, backup, accept } = await protectedBy();
  const { diskId, generation } = a.engine.status();
  backup.close();
  await a.until('unprotected');
  await a.write(0, 8, 7);
  const ancestors = (): number => a.engine.state.metadata.current.ancestors.length;
  t.equal(ancestors(), 1, 'a write alone begins a generation');
  a.held.hold('read', IMAGE);
  const line = [{ generation: generation ?? '', low: 1, high: 1 }];
  const again = await accept({ diskId, hasState: true, takesFirstSync: false, line });
  again.numbers('done', 9);
  await a.until('unprotected');
  t.match(reasonOf(a), /done names epoch 9, expected none$/);
  t.equal(ancestors(), 1);
  const third = await accept({ diskId, hasState: true, takesFirstSync: false, line });
  await a.until('catching-up');
  a.held.release('read', IMAGE);
  third.numbers('done', Number((await third.next('commit')).body.readBigUInt64LE(0)));
  await a.until('protected');
  t.equal(ancestors(), 0, 'where it was before is past');
});

t.test(
  'a grain that is being written when a resync comes to it is sent once that write has ended',
  async (t) => {
    const { world, a, backup, sectorsOf } = await met({}, (side) => side.held.hold('read', IMAGE));
    a.held.hold('write', IMAGE);
    const results: number[] = [];
    a.engine.write(90 * GRAIN, new Uint8Array(8 * SECTOR).fill(9), (result) => results.push(result));
    await world.run(0.1);
    a.held.release('read', IMAGE);
    await world.run(3);
    t.notOk(
      backup.frames.some(({ name }) => name === 'commit'),
      'it is not the end of the resync',
    );
    a.held.release('write', IMAGE);
    await backup.next('commit');
    t.same(results, [0]);
    t.ok(sectorsOf('syncData').includes(90 * GRAIN));
  },
);

t.test('up to 64 grains are copied beside the writes, which are sent; with more, writes wait', async (t) => {
  for (const [count, sent] of [
    [64, [90 * GRAIN]],
    [65, []],
  ] as const) {
    const { world, a, backup, accept, sectorsOf } = await protectedBy();
    const { diskId, generation } = a.engine.status();
    backup.close();
    await a.until('unprotected');
    for (let grain = 0; grain < count; grain++) await a.write(grain * GRAIN, 8, 7);
    a.held.hold('read', IMAGE);
    const line = [{ generation: generation ?? '', low: 1, high: 1 }];
    const again = await accept({ diskId, hasState: true, takesFirstSync: false, line });
    await world.run(0.2);
    t.equal(await a.write(90 * GRAIN, 8, 9), 0);
    await world.run(0.1);
    t.same(sectorsOf('write', again), sent, `${count} grains`);
  }
});

t.test('a single write does not wait for a backup that takes nothing, either', async (t) => {
  const { world, a, backup } = await protectedBy({ queueBytes: 1 << 20, peerTimeoutSeconds: 60 });
  backup.pause();
  let ended = 0;
  for (let begun = 0; begun === ended && begun < 40; begun++) {
    a.engine.write((begun % 4) * 256, new Uint8Array(256 * SECTOR).fill(1), () => (ended += 1));
    await world.run(0.02);
  }
  const before = ended;
  await world.run(a.engine.options.stallSeconds + 3);
  t.equal(ended, before + 1);
});

t.test('no write alone goes before the new generation is durable; several begin one', async (t) => {
  const { world, a, backup } = await protectedBy();
  backup.close();
  await a.until('unprotected');
  await a.call((done) => a.engine.state.metadata.settle(done));
  a.held.hold('fdatasync', `${DIRECTORY}/metadata`);
  const results: number[] = [];
  for (const sector of [0, 8, 16])
    a.engine.write(sector, new Uint8Array(8 * SECTOR).fill(9), (result) => results.push(result));
  await world.run(1);
  t.same([results, a.image()[8 * SECTOR]], [[], 5]);
  a.held.release('fdatasync', `${DIRECTORY}/metadata`);
  await world.run(1);
  t.same([results, a.image()[8 * SECTOR]], [[0, 0, 0], 9]);
  t.equal(a.engine.state.metadata.current.ancestors.length, 1);
});

t.test('a resync ends with its own checkpoint, whatever is asked for after that', async (t) => {
  const { world, a, backup } = await met();
  await backup.next('commit');
  a.engine.checkpoint(() => {});
  await backup.next('commit');
  t.equal(a.engine.status().state, 'catching-up');
  backup.numbers('done', 1);
  await world.run(0.1);
  t.equal(a.engine.status().state, 'protected');
});

t.test(
  'checkpoints that are asked for while a commit waits for the metadata share the next one',
  async (t) => {
    const { world, a, backup, named } = await protectedBy();
    a.held.hold('fdatasync', `${DIRECTORY}/metadata`);
    const results: number[] = [];
    for (let count = 0; count < 3; count++) a.engine.checkpoint((result) => results.push(result));
    await world.run(0.5);
    t.same(named('commit'), []);
    a.held.release('fdatasync', `${DIRECTORY}/metadata`);
    await world.run(0.5);
    t.equal(named('commit').length, 2);
    backup.numbers('done', 3);
    await world.run(0.1);
    t.same(results, [2, 3, 3]);
  },
);

t.test('what a first C backup gets is read from the disk where a write of that had failed', async (t) => {
  const world = new SimulatedWorld({ seed: 1, traceLines: 0 });
  const backup = new CSide(world, world.host('10.0.0.2'));
  const a = new SideNode(world, '10.0.0.1', { peer: 'c' });
  await world.complete(a.opened);
  const write = a.disk.write.bind(a.disk);
  a.disk.write = (_sector, _bytes, done) => done(-errno.EIO);
  t.equal(await a.write(8, 8, 9), -errno.EIO);
  a.disk.write = write;
  backup.listen();
  await a.until('catching-up');
  t.match(
    a.events.filter(({ kind }) => kind === 'resync'),
    [{ what: 'begun', bytes: GRAIN * SECTOR }],
  );
  t.match(a.engine.status().resync, { totalBytes: GRAIN * SECTOR });
});

/** A backup that a test plays itself, as a C driver's: it takes everything, and its calls are logged. */
function played(more: Partial<BackupPeer> = {}) {
  const calls: string[] = [];
  const peer: BackupPeer = {
    kind: 'c',
    sync: undefined,
    canAbort: true,
    queuedBytes: 0,
    sentBytes: 0,
    write: (sector) => calls.push(`write ${sector}`),
    zero: (sector) => calls.push(`zero ${sector}`),
    commit: (epoch) => {
      calls.push(`commit ${epoch}`);
      return () => calls.push('let go');
    },
    abort: () => calls.push('abort'),
    close: () => calls.push('close'),
    ...more,
  };
  return { peer, calls };
}

/** The same, attached to a primary that was protected by another one before. */
async function attached(options: NodeOptions = {}) {
  const { world, a, backup } = await protectedBy(options);
  backup.close();
  await a.until('unprotected');
  const primary = a.engine.primary as NonNullable<typeof a.engine.primary>;
  const attach = (more: Partial<BackupPeer> = {}) => {
    const its = played(more);
    const events = primary.eventsOf(() => its.peer);
    primary.attach(its.peer, { kind: 'maps', known: null });
    return { ...its, events };
  };
  return { world, a, primary, attach };
}

t.test('nothing more is sent to a first C backup that is lost while it gets what was written', async (t) => {
  const world = new SimulatedWorld({ seed: 1, traceLines: 0 });
  const a = new SideNode(world, '10.0.0.1', { peer: 'c' });
  await world.complete(a.opened);
  t.equal(await a.write(8, 8, 9), 0);
  const primary = a.engine.primary as NonNullable<typeof a.engine.primary>;
  const { peer, calls } = played({ write: () => events.lost('the stream ended') });
  const events = primary.eventsOf(() => peer);
  primary.attach(peer, { kind: 'maps', known: null });
  t.same([primary.phase, primary.peer, calls], ['alone', undefined, []]);
  t.notOk(
    a.events.some(({ kind, ...event }) => kind === 'resync' && 'what' in event && event.what === 'begun'),
  );
});

t.test('a backup that was given up says nothing any more', async (t) => {
  const { a, primary, attach } = await attached();
  const first = attach();
  primary.detach('another one comes');
  t.same(first.calls, ['close']);
  const second = attach();
  t.equal(primary.phase, 'protected');
  a.events.length = 0;
  a.engine.checkpoint(() => {});
  const { events } = first;
  events.acked(9);
  events.failed(1, 'the journal is full');
  events.drained();
  events.begun(new BitSet(GRAINS));
  events.progress(9);
  events.compared(9, 'different');
  events.unsolicited();
  events.lost('it is gone');
  t.same([primary.peer, primary.phase, primary.checkpoints.committing], [second.peer, 'protected', 1]);
  t.same([second.calls[0], a.events], ['commit 2', []]);
});

t.test('what is copied after a second congestion begins as a resync, though nothing was open', async (t) => {
  const { a, world, backup } = await protectedBy();
  for (const epoch of [2, 3]) {
    backup.send('fail', encodeReason('full', 'the journal is full', epoch));
    await backup.next('abort');
    if (epoch === 2) backup.numbers('done', Number((await backup.next('commit')).body.readBigUInt64LE(0)));
    await world.run(0.1);
  }
  t.equal(a.engine.status().state, 'catching-up');
  await a.write(0, 8, 9);
  const { sequence } = await backup.next('syncData');
  t.ok((await backup.next('syncBegin')).sequence < sequence);
});

t.test('what the backup has does not go back with a late answer', async (t) => {
  const { world, a, primary, attach } = await attached();
  const { events, calls } = attach();
  for (let count = 0; count < 3; count++) {
    a.engine.checkpoint(() => {});
    await world.run(0.1);
  }
  t.same(
    calls.filter((call) => call !== 'let go'),
    ['commit 2', 'commit 3', 'commit 4'],
  );
  const { metadata } = a.engine.state;
  const acked: number[] = [];
  for (const epoch of [3, 2, 9]) {
    events.acked(epoch);
    acked.push(metadata.current.acked);
  }
  t.same(acked, [3, 3, 4], 'nor beyond what was sent');
  t.equal(primary.checkpoints.committing, 0);
});

t.test('an order to compare all of a disk forgets what was found to differ', async (t) => {
  const { world, a, backup } = await protectedBy({ verifyBytesPerSecond: 4 * GRAIN * SECTOR });
  const { sequence } = await backup.next('compare');
  backup.send('compared', numbersBody(sequence), Buffer.of(1));
  await world.run(0.1);
  t.match(a.engine.status(), { state: 'inconsistent', verifyDifferences: GRAIN });
  a.engine.resync({ full: true }, () => {});
  t.match(a.engine.status(), { state: 'catching-up', verifyDifferences: 0 });
});

t.test('what is written after a checkpoint was sent is sent again without a question', async (t) => {
  const { world, a, backup, accept, named } = await protectedBy();
  const { diskId, generation } = a.engine.status();
  for (const grain of [3, 4]) await a.write(grain * GRAIN, 8, 7);
  a.engine.checkpoint(() => {});
  await backup.next('commit');
  backup.close();
  await a.until('unprotected');
  await a.write(4 * GRAIN, 8, 9);
  const line = [{ generation: generation ?? '', low: 1, high: 1 }];
  const again = await accept({ diskId, hasState: true, takesFirstSync: false, line });
  await world.run(0.5);
  const asked = named('compare', again).flatMap(({ body }) => readExtents(body, SECTORS, 32));
  t.same(
    asked.map(({ sector }) => sector),
    [3 * GRAIN],
    'the backup may have the other one',
  );
  t.ok(named('syncData', again).some(({ body }) => readExtents(body, SECTORS)[0]?.sector === 4 * GRAIN));
});

t.test('a write that is refused as the disk is stale by then is under way no more', async (t) => {
  const { world, a, primary } = await attached();
  const map = `${DIRECTORY}/map`;
  a.held.hold('fdatasync', map);
  const results: number[] = [];
  a.engine.write(70 * GRAIN, new Uint8Array(8 * SECTOR), (result) => results.push(result));
  await world.run(0.1);
  t.ok(primary.grains.isUnderWay(70));
  a.engine.state.metadata.note({ stale: true });
  a.held.release('fdatasync', map);
  await world.run(0.1);
  t.same(results, [-errno.EROFS]);
  t.notOk(primary.grains.isUnderWay(70));
  t.equal(a.image()[70 * GRAIN * SECTOR], 5);
});

t.test('a commit whose epoch cannot be recorded is not sent', async (t) => {
  for (const fails of [false, true]) {
    const { world, a, attach } = await attached();
    const { calls } = attach();
    if (fails) a.host.files.failCalls({ calls: ['write'], error: errno.EIO });
    a.engine.checkpoint(() => {});
    await world.run(0.5);
    t.same([calls[0], calls.includes('let go')], ['commit 2', !fails]);
  }
});

t.test(
  'the first write of a checkpoint has its epoch recorded; what it writes is sent as it is',
  async (t) => {
    const { a, attach } = await attached();
    const { calls } = attach();
    const { metadata } = a.engine.state;
    t.equal(metadata.current.sent, 1);
    t.equal(await a.write(8, 8, 7), 0);
    t.equal(metadata.current.sent, 2);
    t.equal(await a.write(16, 8, 0), 0);
    t.equal(await a.call((done) => a.engine.zero(24, 8, done)), 0);
    t.same([calls, metadata.current.sent], [['write 8', 'zero 16', 'zero 24'], 2]);
  },
);

t.test('what a first C backup gets of what was written is part of the open checkpoint', async (t) => {
  const world = new SimulatedWorld({ seed: 1, traceLines: 0 });
  const a = new SideNode(world, '10.0.0.1', { peer: 'c' });
  await world.complete(a.opened);
  t.equal(await a.write(8, 8, 9), 0);
  t.equal(await a.call((done) => a.engine.zero(24, 4, done)), 0);
  const { peer, calls } = played();
  a.engine.primary?.attach(peer, { kind: 'maps', known: null });
  t.same(calls, ['write 8', 'zero 24']);
  t.equal(a.engine.status().openBytes, 12 * SECTOR);
});

t.test('a grain that the backup cannot read is sent to it by a resync', async (t) => {
  const { world, a, backup, sectorsOf } = await protectedBy();
  a.engine.resync({ full: true }, () => {});
  for (let grain = 0; grain < 40; grain++) {
    const { body, sequence } = await backup.next('compare');
    const [extent] = readExtents(body, SECTORS, 32);
    backup.send('compared', numbersBody(sequence), Buffer.of(extent?.sector === 7 * GRAIN ? 2 : 0));
  }
  await world.run(0.1);
  t.same(sectorsOf('syncData'), [7 * GRAIN]);
});

t.test('to a backup that stalls twice writes are not streamed again before 60 s have passed', async (t) => {
  const queueBytes = 1 << 20;
  const { world, a, primary, attach } = await attached({ queueBytes, stallSeconds: 1 });
  const sync = { begin: () => {}, send: () => 1, zero: () => 1, compare: () => 1 };
  const { peer, events } = attach({ sync });
  const phases: string[] = [primary.phase];
  for (const byte of [1, 2]) {
    Object.assign(peer, { queuedBytes: queueBytes });
    a.engine.write(0, new Uint8Array(8 * SECTOR).fill(byte), () => {});
    await world.run(0.1);
    primary.watch(1);
    primary.watch(1);
    phases.push(primary.phase);
    Object.assign(peer, { queuedBytes: 0 });
    events.begun(new BitSet(GRAINS));
    phases.push(primary.phase);
  }
  t.same(phases, ['streaming', 'copying', 'streaming', 'copying', 'copying']);
  primary.watch(50);
  t.equal(primary.phase, 'copying');
  primary.watch(10);
  t.equal(primary.phase, 'streaming');
});
