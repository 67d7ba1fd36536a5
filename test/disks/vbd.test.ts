// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { errno } from '../../src/posix/index.js';
import { ESHUTDOWN, type FilterDriverType } from '../../src/disks/index.js';
import { bench, READ_WRITE, Results } from './bench.js';

const sector = (): Buffer => Buffer.alloc(512);

t.test('an attached VBD is closed; open makes it run, with the image it found', async (t) => {
  const { registry, disks } = bench(t);
  registry.attach(3);
  const vbd = registry.get(3)!;
  t.strictSame(registry.list(), [{ minor: 3, state: 2, name: '' }]);
  const results = new Results();
  results.follow(vbd.open('scripted:a', { readOnly: true, shared: true }));
  t.equal(vbd.phase, 'opening');
  t.strictSame(disks.log, ['open a read-only shared']);
  disks.calls[0]!.answer(0);
  t.strictSame(await results.settled(), [0]);
  t.strictSame(registry.list(), [{ minor: 3, state: 0, name: 'scripted:a' }]);
  t.strictSame(vbd.info, { sectors: 2048, sectorSize: 512, info: 0 });
  t.equal(vbd.isOpen, true);
  t.equal(vbd.readOnly, true);
});

t.test('a failed open leaves the VBD closed and unnamed, and it can be opened again', async (t) => {
  const { registry, disks } = bench(t);
  registry.attach(0);
  const vbd = registry.get(0)!;
  const results = new Results();
  results.follow(vbd.open('scripted:a', READ_WRITE));
  disks.calls.shift()!.answer(-errno.ENOENT);
  t.strictSame(registry.list(), [{ minor: 0, state: 2, name: '' }]);
  results.follow(vbd.open('nonsense', READ_WRITE));
  results.follow(vbd.open('scripted:b', READ_WRITE));
  disks.calls.shift()!.answer(0);
  t.strictSame(await results.settled(), [-errno.ENOENT, -errno.EINVAL, 0]);
});

t.test('an opening is aborted where the drivers can, and only while it is under way', async (t) => {
  const aborted: string[] = [];
  const over: FilterDriverType = {
    name: 'over',
    createFilter: (_context, _argument, below) => ({
      open: (_flags, done) => {
        aborted.push('opened over it');
        done(0);
      },
      abortOpen: () => aborted.push('over'),
      info: () => below.info(),
      close: (done) => done(0),
      queueRead() {},
      queueWrite() {},
      flush: (done) => done(0),
    }),
  };
  const { registry, disks } = bench(t, { types: [over] });
  registry.attach(0);
  const vbd = registry.get(0)!;
  const results = new Results();
  vbd.abortOpen();
  results.follow(vbd.open('over:|scripted:a', READ_WRITE));
  vbd.abortOpen();
  t.same(aborted, ['over']);
  disks.take('open a').answer(0);
  disks.take('close').answer(0);
  t.strictSame(await results.settled(), [-errno.ECANCELED]);
  t.equal(vbd.phase, 'closed');
  results.follow(vbd.open('over:|scripted:b', READ_WRITE));
  disks.take('open b').answer(0);
  vbd.abortOpen();
  t.strictSame(await results.settled(), [-errno.ECANCELED, 0]);
  t.same(aborted, ['over', 'opened over it']);
  t.equal(vbd.phase, 'running');
});

t.test('open fails with EALREADY while opening and while open', async (t) => {
  const { registry, disks } = bench(t);
  registry.attach(0);
  const vbd = registry.get(0)!;
  const results = new Results();
  void vbd.open('scripted:a', READ_WRITE);
  results.follow(vbd.open('scripted:a', READ_WRITE));
  disks.calls.shift()!.answer(0);
  results.follow(vbd.open('scripted:a', READ_WRITE));
  t.strictSame(await results.settled(), [-errno.EALREADY, -errno.EALREADY]);
});

t.test('close closes an idle VBD, and returns 0 for a closed one', async (t) => {
  const { opened, disks } = bench(t);
  const vbd = opened();
  const results = new Results();
  let heard = 0;
  vbd.onClosed(() => heard++);
  results.follow(vbd.close());
  results.follow(vbd.close());
  t.equal(vbd.phase, 'closing');
  t.strictSame(disks.log, ['preClose', 'close']);
  disks.answer('close');
  t.strictSame(await results.settled(), [0, 0], 'a second close waits for the same');
  t.equal(heard, 1);
  results.follow(vbd.close());
  t.strictSame(await results.settled(), [0, 0, 0]);
  t.equal(vbd.state, 2);
});

t.test('close returns the error of closing the image, and the VBD is closed all the same', async (t) => {
  const { opened, disks } = bench(t);
  const vbd = opened();
  const results = new Results();
  results.follow(vbd.close());
  disks.answer('close', -errno.EIO);
  t.strictSame(await results.settled(), [-errno.EIO]);
  t.equal(vbd.phase, 'closed');
});

t.test(
  'close with requests pending returns EAGAIN; they end, new ones are refused, and it closes by itself',
  async (t) => {
    const { opened, disks } = bench(t, { maxInFlight: 1 });
    const vbd = opened();
    const closes = new Results();
    const requests = new Results();
    vbd.queueWrite(0, sector(), requests.done);
    vbd.queueWrite(1, sector(), requests.done);
    closes.follow(vbd.close());
    t.strictSame(await closes.settled(), [-errno.EAGAIN]);
    t.equal(vbd.state, 64, 'shutdown requested');
    vbd.queueRead(0, sector(), requests.done);
    t.strictSame(await requests.settled(), [-ESHUTDOWN]);
    closes.follow(vbd.close());
    t.strictSame(await closes.settled(), [-errno.EAGAIN, -errno.EAGAIN]);
    disks.answer('write');
    t.strictSame(disks.log, ['write 0+1', 'preClose', 'write 1+1'], 'one that waited still goes to the disk');
    disks.answer('write');
    t.strictSame(await requests.settled(), [-ESHUTDOWN, 0, 0]);
    disks.answer('close');
    t.equal(vbd.phase, 'closed');
    closes.follow(vbd.close());
    t.strictSame((await closes.settled()).slice(2), [0]);
  },
);

t.test('close returns EAGAIN while the VBD opens, pauses or resumes', async (t) => {
  const { registry, disks } = bench(t);
  registry.attach(0);
  const vbd = registry.get(0)!;
  const results = new Results();
  void vbd.open('scripted:a', READ_WRITE);
  results.follow(vbd.close());
  disks.answer('open a');
  void vbd.pause();
  results.follow(vbd.close());
  disks.answer('close');
  void vbd.resume(undefined);
  results.follow(vbd.close());
  t.strictSame(await results.settled(), [-errno.EAGAIN, -errno.EAGAIN, -errno.EAGAIN]);
  disks.answer('open a');
  t.equal(vbd.phase, 'running', 'and nothing else came of it');
});

t.test('pause completes once requests in flight have ended and the image is closed', async (t) => {
  const { opened, disks } = bench(t);
  const vbd = opened();
  const pauses = new Results();
  const requests = new Results();
  vbd.queueWrite(5, sector(), requests.done);
  pauses.follow(vbd.pause());
  pauses.follow(vbd.pause());
  t.equal(vbd.state, 16 | 4, 'pause and quiesce requested');
  vbd.queueRead(6, sector(), requests.done);
  t.strictSame(disks.log, ['write 5+1', 'preClose'], 'what comes now waits');
  disks.answer('write');
  t.strictSame(await pauses.settled(), [], 'the image is still open');
  disks.answer('close');
  t.strictSame(await pauses.settled(), [0, 0]);
  t.equal(vbd.state, 0x2a);
  t.equal(vbd.isOpen, true, 'requests are taken, to wait');
  pauses.follow(vbd.pause());
  t.strictSame(await pauses.settled(), [0, 0, 0], 'paused is what was asked for');
  t.strictSame(await requests.settled(), [0]);
});

t.test('resume reopens the image and starts waiting requests', async (t) => {
  const { opened, disks } = bench(t);
  const vbd = opened();
  const results = new Results();
  void vbd.pause();
  disks.answer('close');
  vbd.queueRead(6, sector(), () => {});
  disks.log.length = 0;
  results.follow(vbd.resume(undefined));
  t.equal(vbd.phase, 'resuming');
  disks.answer('open disk');
  t.strictSame(await results.settled(), [0]);
  t.strictSame(disks.log, ['open disk', 'read 6+1']);
  t.equal(vbd.state, 0);
});

t.test('resume under another name replaces the name and the sizes', async (t) => {
  const { opened, disks, registry } = bench(t);
  const vbd = opened();
  void vbd.pause();
  disks.answer('close');
  disks.sectors = 4096;
  void vbd.resume('scripted:other');
  disks.answer('open other');
  t.strictSame(registry.list(), [{ minor: 0, state: 0, name: 'scripted:other' }]);
  t.equal(vbd.info.sectors, 4096);
});

t.test('a resume that fails leaves the VBD paused under its old name, to be resumed again', async (t) => {
  const { opened, disks, registry } = bench(t);
  const vbd = opened();
  const results = new Results();
  void vbd.pause();
  disks.answer('close');
  results.follow(vbd.resume('scripted:gone'));
  disks.answer('open gone', -errno.ENOENT);
  results.follow(vbd.resume('nonsense:'));
  t.strictSame(registry.list(), [{ minor: 0, state: 0x2a, name: 'scripted:disk' }]);
  results.follow(vbd.resume(undefined));
  disks.answer('open disk');
  t.strictSame(await results.settled(), [-errno.ENOENT, -errno.EINVAL, 0]);
});

t.test('a resume with a smaller image is refused, since the disk is in use', async (t) => {
  const { opened, disks, registry } = bench(t);
  const vbd = opened();
  void vbd.pause();
  disks.answer('close');
  for (const name of ['scripted:small', undefined]) {
    disks.sectors = 2047;
    const refused = t.rejects(vbd.resume(name), {
      code: 'EINVAL',
      message: 'it has 1048064 bytes, fewer than the 1048576 of the disk: a disk in use cannot shrink',
    });
    disks.take(name ? 'open small' : 'open disk').answer(0);
    t.equal(vbd.phase, 'resuming', 'until the image is closed');
    disks.answer('close');
    await refused;
    t.strictSame(registry.list(), [{ minor: 0, state: 0x2a, name: 'scripted:disk' }]);
  }
  disks.sectors = 2049;
  const resumed = vbd.resume(undefined);
  disks.answer('open disk');
  await resumed;
  t.equal(vbd.info.sectors, 2049);
});

t.test(
  'what keeps an image from being closed that a resume refuses is logged, as it is not the result',
  async (t) => {
    const { opened, disks, lines } = bench(t);
    const vbd = opened();
    void vbd.pause();
    disks.answer('close');
    disks.sectors = 2047;
    const refused = t.rejects(vbd.resume('scripted:small'), { code: 'EINVAL' });
    disks.answer('open small');
    lines.length = 0;
    disks.take('close').answer(-errno.EIO);
    await refused;
    t.same(lines, ['vbd 0: closing scripted:small failed: EIO']);
    t.equal(vbd.phase, 'paused');
  },
);

t.test('pause and resume out of turn are refused', async (t) => {
  const { registry, disks } = bench(t);
  registry.attach(0);
  const vbd = registry.get(0)!;
  const results = new Results();
  results.follow(vbd.pause());
  results.follow(vbd.resume(undefined));
  void vbd.open('scripted:a', READ_WRITE);
  results.follow(vbd.pause());
  disks.answer('open a');
  results.follow(vbd.resume(undefined));
  void vbd.pause();
  disks.answer('close');
  void vbd.resume(undefined);
  results.follow(vbd.pause());
  t.strictSame(await results.settled(), [
    -errno.EINVAL,
    -errno.EINVAL,
    -errno.EINVAL,
    -errno.EINVAL,
    -errno.EAGAIN,
  ]);
});

t.test('a paused VBD closes at once, and its waiting requests fail', async (t) => {
  const { opened, disks } = bench(t);
  const vbd = opened();
  const requests = new Results();
  const closes = new Results();
  void vbd.pause();
  disks.answer('close');
  vbd.queueWrite(0, sector(), requests.done);
  closes.follow(vbd.close());
  t.strictSame(await requests.settled(), [-ESHUTDOWN]);
  t.strictSame(await closes.settled(), [0]);
  t.equal(vbd.state, 2);
});

t.test('a closed VBD can be opened anew, with other flags', async (t) => {
  const { opened, disks } = bench(t);
  const vbd = opened();
  void vbd.close();
  disks.answer('close');
  void vbd.open('scripted:b', { readOnly: true, shared: false });
  disks.answer('open b read-only');
  t.equal(vbd.readOnly, true);
  t.equal(vbd.name, 'scripted:b');
});

t.test('a listener that was removed is not called when the VBD closes', async (t) => {
  const { opened, disks } = bench(t);
  const vbd = opened();
  let heard = 0;
  vbd.onClosed(() => heard++)();
  void vbd.close();
  disks.answer('close');
  t.equal(heard, 0);
});

t.test('describe returns phase, name, requests and drivers', async (t) => {
  const { opened } = bench(t);
  const vbd = opened();
  vbd.flush(() => {});
  t.equal(vbd.describe(), "vbd 0 running 'scripted:disk' 1 in flight, 0 waiting [scripted disk]");
});

t.test('a VBD that was never open has no sectors, and neither has a stack', async (t) => {
  const { registry, disks } = bench(t);
  registry.attach(3);
  const vbd = registry.get(3)!;
  const nothing = { sectors: 0, sectorSize: 512, info: 0 };
  t.strictSame([vbd.info, vbd.sizeBytes, vbd.readOnly, vbd.isOpen], [nothing, 0, false, false]);
  t.strictSame([vbd.drivers, vbd.canDiscard], [[], false]);
  t.equal(vbd.describe(), "vbd 3 closed '' 0 in flight, 0 waiting");
  const { context } = disks;
  t.equal(context, undefined, 'and no driver');
});

t.test('listeners hear of every closing, that of a paused VBD too, with its name gone', async (t) => {
  const { opened, disks } = bench(t);
  const vbd = opened();
  const heard: string[] = [];
  vbd.onClosed(() => heard.push(`${vbd.phase} '${vbd.name}' ${vbd.drivers.length}`));
  void vbd.pause();
  disks.answer('close');
  t.same(heard, []);
  void vbd.close();
  t.same(heard, ["closed '' 0"]);
});

t.test('the reason of each refusal names the minor and its phase', async (t) => {
  const { registry, disks, opened } = bench(t, { maxInFlight: 1 });
  registry.attach(5);
  const closed = registry.get(5)!;
  await t.rejects(closed.pause(), { message: /minor 5 is closed: only an open one can be paused/ });
  await t.rejects(closed.resume(), { message: /minor 5 is closed: only a paused one can be resumed/ });
  const vbd = opened();
  const { minor } = vbd;
  await t.rejects(vbd.open('scripted:b', READ_WRITE), {
    message: new RegExp(`minor ${minor} is running already, with scripted:disk`),
  });
  vbd.queueRead(0, sector(), () => {});
  await t.rejects(vbd.close(), { message: /busy with its last requests: try again/ });
  await t.rejects(vbd.pause(), { message: /is draining: only an open one can be paused/ });
  disks.answer('read');
  disks.answer('close');
  t.equal(registry.detach(minor), 0);
  await t.rejects(vbd.open('scripted:b', READ_WRITE), { message: /is detached/ });
  await t.rejects(vbd.close(), { message: /is detached/ });
});

t.test('pause returns the error of closing the image and its reason, and the VBD is paused', async (t) => {
  const { opened, disks } = bench(t);
  const vbd = opened();
  const pauses = new Results();
  pauses.follow(vbd.pause());
  pauses.follow(vbd.pause());
  disks.answer('close', -errno.EIO);
  t.strictSame(await pauses.settled(), [-errno.EIO, -errno.EIO]);
  t.equal(vbd.phase, 'paused');
  pauses.follow(vbd.resume());
  disks.answer('open disk');
  t.strictSame((await pauses.settled()).slice(2), [0]);
});

t.test(
  'the first flush after a pause whose closing failed fails too, since writes may be lost',
  async (t) => {
    const { opened, disks } = bench(t);
    const vbd = opened();
    const pauseBadly = async (): Promise<void> => {
      const paused = t.rejects(vbd.pause(), { code: 'EIO' });
      disks.answer('close', -errno.EIO);
      await paused;
      void vbd.resume();
      disks.answer('open disk');
    };
    const results: number[] = [];
    const ended = (result: number): void => void results.push(result);

    await pauseBadly();
    vbd.queueWrite(0, sector(), ended);
    disks.answer('write');
    t.strictSame(results.splice(0), [0], 'what is written now is not lost');
    vbd.flush(ended);
    t.strictSame(results.splice(0), [-errno.EIO]);
    vbd.flush(ended);
    disks.answer('flush');
    t.strictSame(results.splice(0), [0]);

    await pauseBadly();
    vbd.queueWrite(0, sector(), ended, { forceUnitAccess: true });
    disks.answer('write');
    t.strictSame(results.splice(0), [-errno.EIO], 'a write that is to be on the disk ends with a flush');

    await pauseBadly();
    void vbd.pause();
    disks.answer('close');
    void vbd.resume();
    disks.answer('open disk');
    vbd.flush(ended);
    t.strictSame(results.splice(0), [-errno.EIO], 'a later pause does not hide it');
  },
);

for (const isResumed of [false, true]) {
  t.test(
    `a VBD that was closed ${isResumed ? 'after its resume' : 'while paused'} and opened again does not fail a flush for it`,
    async (t) => {
      const { opened, disks } = bench(t);
      const vbd = opened();
      const paused = t.rejects(vbd.pause(), { code: 'EIO' });
      disks.answer('close', -errno.EIO);
      await paused;
      if (isResumed) {
        void vbd.resume();
        disks.answer('open disk');
      }
      const closed = vbd.close();
      if (isResumed) disks.answer('close');
      await closed;
      void vbd.open('scripted:disk', READ_WRITE);
      disks.answer('open disk');
      const results: number[] = [];
      vbd.flush((result) => void results.push(result));
      disks.answer('flush');
      t.strictSame(results, [0]);
    },
  );
}

t.test('a VBD is resumed with the flags that it was opened with', async (t) => {
  const { opened, disks } = bench(t);
  const vbd = opened({ readOnly: true, shared: true });
  void vbd.pause();
  disks.answer('close');
  void vbd.resume('scripted:other');
  disks.answer('open other read-only shared');
  t.equal(vbd.readOnly, true);
});
