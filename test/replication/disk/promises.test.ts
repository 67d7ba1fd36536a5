// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { BlockList } from 'node:net';
import t from 'tap';
import { errno } from '../../../src/posix/index.js';
import { MIN_JOURNAL_BYTES } from '../../../src/replication/disk/options.js';
import { pair, SideNode } from './world.js';

const GRAIN = 65_536;

t.test('Q7: with require, a flush waits for the backup, and is EIO at its limit without one', async (t) => {
  const { world, a, b } = pair(t, { a: { commitOnFlush: 'require', flushLimitSeconds: 10 } });
  await a.until('protected');
  await a.write(8, 8, 5);
  t.equal(await a.call((done) => a.engine.flush(done)), 0);
  t.equal((await b.read(8, 1))[0], 5, 'the backup has it');
  b.host.crash('silence');
  await a.write(16, 8, 6);
  const before = world.nowSeconds;
  t.equal(await a.call((done) => a.engine.flush(done)), -errno.EIO);
  t.ok(world.nowSeconds - before >= 9.5);
  const late = a.call((done) => a.engine.flush(done));
  b.host.restart();
  t.equal(await late, 0, 'one that finds the backup in time is answered');
  t.equal((await b.read(16, 1))[0], 6);
});

t.test('Q7: with prefer, a flush is local only once the loss of the backup is noticed', async (t) => {
  const { world, a, b } = pair(t, { a: { commitOnFlush: 'prefer' } });
  await a.until('protected');
  await a.write(8, 8, 5);
  t.equal(await a.call((done) => a.engine.flush(done)), 0);
  t.equal((await b.read(8, 1))[0], 5);
  b.host.crash('silence');
  await a.write(8, 8, 6);
  const before = world.nowSeconds;
  t.equal(await a.call((done) => a.engine.flush(done)), 0);
  t.equal(a.engine.status().state, 'unprotected');
  t.ok(world.nowSeconds - before <= 7, 'within the heartbeat');
});

t.test('simultaneous flushes share a checkpoint', async (t) => {
  const { world, a } = pair(t, { a: { commitOnFlush: 'require' } });
  await a.until('protected');
  const before = a.engine.status().checkpoints;
  await a.write(8, 8, 5);
  const flushes = Array.from({ length: 20 }, () => new Promise<number>((resolve) => a.engine.flush(resolve)));
  t.same(await world.complete(Promise.all(flushes)), Array(20).fill(0));
  t.ok(a.engine.status().checkpoints - before <= 2);
});

t.test('Q15: a silent backup is noticed within the heartbeat, once', async (t) => {
  const { world, a, b } = pair(t);
  await a.until('protected');
  const before = world.nowSeconds;
  b.host.crash('silence');
  await a.until('unprotected');
  t.ok(world.nowSeconds - before <= 7);
  await world.run(30);
  const losses = a.events.filter((event) => event.kind === 'state' && event.to === 'unprotected');
  t.equal(losses.length, 1);
});

t.test(
  'Q12: every checkpoint that was asked for has one answer, whatever becomes of the backup',
  async (t) => {
    const { world, a, b } = pair(t);
    await a.until('protected');
    const answers: number[] = [];
    for (let asked = 0; asked < 5; asked++) {
      a.engine.write(asked * 8, new Uint8Array(4096).fill(1), () => {});
      a.engine.checkpoint((result) => answers.push(result));
    }
    b.host.crash('reset');
    await world.run(10);
    t.equal(answers.length, 5);
    t.equal(await a.checkpoint(), -errno.ENOTCONN);
  },
);

t.test(
  'Q11: a checkpoint that outgrows the journal is given up; local writes and the last state stay',
  async (t) => {
    const { world, a, b } = pair(t, { b: { journalBytes: 1_500_000, memoryBytes: 600_000 } });
    await a.until('protected');
    await a.write(0, 8, 1);
    await a.checkpoint();
    for (let round = 0; round < 3; round++) {
      for (let sector = 0; sector < 4096; sector += 256) {
        const noise = Buffer.alloc(256 * 512, 2 + round).fill(sector / 256, 0, 512);
        t.equal(await a.call((done) => a.engine.write(sector, noise, done)), 0);
      }
    }
    await world.run(() =>
      a.events.some(
        (event) => event.kind === 'state' && event.to === 'catching-up' && /journal/.test(event.reason),
      ),
    );
    t.equal((await b.read(0, 1))[0], 1, 'the backup is at its last checkpoint meanwhile');
    await a.until('protected');
    while ((await a.checkpoint()) < 0) await a.until('protected');
    t.ok((await a.read()).equals(await b.read()));
  },
);

t.test('Q5: the crash of a protected primary costs the resync of what may differ', async (t) => {
  const { a, b } = pair(t);
  await a.until('protected');
  await a.write(0, 8, 1);
  await a.write(2000, 8, 2);
  await a.checkpoint();
  a.host.crash('silence');
  a.host.restart();
  await a.until('protected');
  t.ok(a.engine.status().resyncBytesTotal <= 2 * GRAIN, `${a.engine.status().resyncBytesTotal} bytes`);
  t.ok((await a.read()).equals(await b.read()));
});

t.test('an interrupted resync resumes where it stopped', async (t) => {
  const { world, a, b } = pair(t);
  await a.until('protected');
  world.partition(a.host);
  await a.until('unprotected');
  for (let sector = 0; sector < 4096; sector += 256) {
    await a.call((done) => a.engine.write(sector, Buffer.alloc(256 * 512, 3), done));
  }
  world.link(a.host, b.host).shape({ bytesPerSecond: 200_000 });
  world.heal();
  await a.until('catching-up');
  await world.run(() => (a.engine.status().resync?.bytes ?? 0) > 250_000);
  world.partition(a.host);
  await a.until('unprotected');
  const sent = a.engine.status().resyncBytesTotal;
  world.heal();
  await a.until('protected');
  const again = a.engine.status().resyncBytesTotal - sent;
  t.ok(again > 0 && again <= 4096 * 512 - 250_000, `${again} bytes`);
  t.ok((await a.read()).equals(await b.read()));
});

t.test('zeroes cost nothing on the wire', async (t) => {
  const { a, b } = pair(t);
  await a.until('protected');
  await a.write(0, 512, 9);
  await a.checkpoint();
  const { peer } = (a.engine as unknown as { primary: { peer: { sentBytes: number } } }).primary;
  const before = peer.sentBytes;
  await a.call((done) => a.engine.zero(0, 4096, done));
  await a.call((done) => a.engine.write(512, new Uint8Array(512 * 512), done));
  await a.checkpoint();
  t.ok(peer.sentBytes - before < 300, `${peer.sentBytes - before} bytes`);
  t.ok((await b.read()).equals(Buffer.alloc(4096 * 512)));
});

t.test('a second primary is told that the backup is busy, and the first continues', async (t) => {
  const { world, a } = pair(t);
  await a.until('protected');
  const c = new SideNode(world, '10.0.0.3', {});
  await world.run(3);
  t.equal(c.engine.status().state, 'unprotected');
  t.ok(c.events.some((event) => event.kind === 'disconnected' && /a connection already/.test(event.reason)));
  t.equal(a.engine.status().state, 'protected');
  t.ok((await a.checkpoint()) > 0);
});

t.test('a peer whose address is not allowed is rejected', async (t) => {
  const deny = new BlockList();
  deny.addAddress('10.0.0.1');
  const { world, a, b } = pair(t, { b: { peers: { deny } } });
  await world.run(3);
  t.equal(a.engine.status().state, 'unprotected');
  t.equal(b.engine.status().connection, 'listening');
});

t.test('checkpoints are taken by interval, 40 a second if configured', async (t) => {
  const { world, a, b } = pair(t, { a: { checkpointIntervalSeconds: 0.025 } });
  await a.until('protected');
  const before = a.engine.status().checkpoints;
  for (let count = 0; count < 80; count++) {
    await a.write(count * 8, 8, 1 + (count % 200));
    await world.run(0.0125);
  }
  const made = a.engine.status().checkpoints - before;
  t.ok(made >= 30, `${made} checkpoints in a second`);
  await world.run(0.1);
  t.equal(a.engine.status().rpoSeconds, 0);
  t.ok((await a.read()).equals(await b.read()));
});

t.test('Q9: a journal without its metadata is refused, not recreated', async (t) => {
  const { world, a, b } = pair(t);
  await a.until('protected');
  await a.write(0, 8, 1);
  await a.checkpoint();
  b.host.crash('end of file');
  const journal = b.host.files.contents('/srv/disk.img.remus/journal-0');
  t.equal(b.host.files.system.unlink('/srv/disk.img.remus/metadata'), 0);
  b.host.restart();
  t.equal(await world.complete(b.opened), -errno.EBADMSG);
  t.ok(Buffer.from(b.host.files.contents('/srv/disk.img.remus/journal-0')).equals(Buffer.from(journal)));
});

t.test('writes that do not fit into the journal within an interval do not end the protection', async (t) => {
  const small = { journalBytes: MIN_JOURNAL_BYTES, checkpointIntervalSeconds: 3600 };
  const { world, a, b } = pair(t, { a: small, b: small });
  await a.until('protected');
  const before = a.events.length;
  for (let count = 0; count < 24; count++) {
    const bytes = Buffer.alloc(512 * 512, count + 1);
    await a.call((done) => a.engine.write((count % 8) * 512, bytes, done));
    await world.run(0.05);
  }
  await a.checkpoint();
  t.same(
    a.events.slice(before).filter(({ kind }) => kind === 'state'),
    [],
  );
  t.ok((await a.read()).equals(await b.read()));
});
