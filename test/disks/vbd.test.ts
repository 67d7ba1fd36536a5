// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { errno } from '../../src/posix/index.js';
import { ESHUTDOWN } from '../../src/disks/index.js';
import { bench, READ_WRITE, Results } from './bench.js';

const sector = (): Buffer => Buffer.alloc(512);

t.test('an attached VBD is closed; open makes it run, with the image it found', (t) => {
  const { registry, disks } = bench(t);
  registry.attach(3);
  const vbd = registry.get(3)!;
  t.strictSame(registry.list(), [{ minor: 3, state: 2, name: '' }]);
  const results = new Results();
  vbd.open('scripted:a', { readOnly: true, shared: true }, results.done);
  t.equal(vbd.phase, 'opening');
  t.strictSame(disks.log, ['open a read-only shared']);
  disks.calls[0]!.answer(0);
  t.strictSame(results.told, [0]);
  t.strictSame(registry.list(), [{ minor: 3, state: 0, name: 'scripted:a' }]);
  t.strictSame(vbd.info, { sectors: 2048, sectorSize: 512, info: 0 });
  t.equal(vbd.isOpen, true);
  t.equal(vbd.readOnly, true);
  t.end();
});

t.test('an open that fails leaves the VBD closed, without a name, and it can be opened then', (t) => {
  const { registry, disks } = bench(t);
  registry.attach(0);
  const vbd = registry.get(0)!;
  const results = new Results();
  vbd.open('scripted:a', READ_WRITE, results.done);
  disks.calls.shift()!.answer(-errno.ENOENT);
  t.strictSame(registry.list(), [{ minor: 0, state: 2, name: '' }]);
  vbd.open('nonsense', READ_WRITE, results.done);
  vbd.open('scripted:b', READ_WRITE, results.done);
  disks.calls.shift()!.answer(0);
  t.strictSame(results.told, [-errno.ENOENT, -errno.EINVAL, 0]);
  t.end();
});

t.test('open answers EALREADY while opening and while open', (t) => {
  const { registry, disks } = bench(t);
  registry.attach(0);
  const vbd = registry.get(0)!;
  const results = new Results();
  vbd.open('scripted:a', READ_WRITE, () => {});
  vbd.open('scripted:a', READ_WRITE, results.done);
  disks.calls.shift()!.answer(0);
  vbd.open('scripted:a', READ_WRITE, results.done);
  t.strictSame(results.told, [-errno.EALREADY, -errno.EALREADY]);
  t.end();
});

t.test('close closes an idle VBD, and of a closed one answers 0', (t) => {
  const { opened, disks } = bench(t);
  const vbd = opened();
  const results = new Results();
  let heard = 0;
  vbd.onClosed(() => heard++);
  vbd.close(results.done);
  vbd.close(results.done);
  t.equal(vbd.phase, 'closing');
  t.strictSame(disks.log, ['preClose', 'close']);
  disks.answer('close');
  t.strictSame(results.told, [0, 0], 'a second close waits for the same');
  t.equal(heard, 1);
  vbd.close(results.done);
  t.strictSame(results.told, [0, 0, 0]);
  t.equal(vbd.state, 2);
  t.end();
});

t.test('close tells the error of closing the image, and the VBD is closed all the same', (t) => {
  const { opened, disks } = bench(t);
  const vbd = opened();
  const results = new Results();
  vbd.close(results.done);
  disks.answer('close', -errno.EIO);
  t.strictSame(results.told, [-errno.EIO]);
  t.equal(vbd.phase, 'closed');
  t.end();
});

t.test(
  'close with requests pending answers EAGAIN; they end, new ones are refused, and it closes by itself',
  (t) => {
    const { opened, disks } = bench(t, { maxInFlight: 1 });
    const vbd = opened();
    const closes = new Results();
    const requests = new Results();
    vbd.queueWrite(0, sector(), requests.done);
    vbd.queueWrite(1, sector(), requests.done);
    vbd.close(closes.done);
    t.strictSame(closes.told, [-errno.EAGAIN]);
    t.equal(vbd.state, 64, 'shutdown requested');
    vbd.queueRead(0, sector(), requests.done);
    t.strictSame(requests.told, [-ESHUTDOWN]);
    vbd.close(closes.done);
    t.strictSame(closes.told, [-errno.EAGAIN, -errno.EAGAIN]);
    disks.answer('write');
    t.strictSame(disks.log, ['write 0+1', 'preClose', 'write 1+1'], 'one that waited still goes to the disk');
    disks.answer('write');
    t.strictSame(requests.told, [-ESHUTDOWN, 0, 0]);
    disks.answer('close');
    t.equal(vbd.phase, 'closed');
    vbd.close(closes.done);
    t.strictSame(closes.told.slice(2), [0]);
    t.end();
  },
);

t.test('close answers EAGAIN while the VBD opens, pauses or resumes', (t) => {
  const { registry, disks } = bench(t);
  registry.attach(0);
  const vbd = registry.get(0)!;
  const results = new Results();
  vbd.open('scripted:a', READ_WRITE, () => {});
  vbd.close(results.done);
  disks.answer('open a');
  vbd.pause(() => {});
  vbd.close(results.done);
  disks.answer('close');
  vbd.resume(undefined, () => {});
  vbd.close(results.done);
  t.strictSame(results.told, [-errno.EAGAIN, -errno.EAGAIN, -errno.EAGAIN]);
  disks.answer('open a');
  t.equal(vbd.phase, 'running', 'and nothing else came of it');
  t.end();
});

t.test('pause is answered once what is in flight has ended and the image is closed', (t) => {
  const { opened, disks } = bench(t);
  const vbd = opened();
  const pauses = new Results();
  const requests = new Results();
  vbd.queueWrite(5, sector(), requests.done);
  vbd.pause(pauses.done);
  vbd.pause(pauses.done);
  t.equal(vbd.state, 16 | 4, 'pause and quiesce requested');
  vbd.queueRead(6, sector(), requests.done);
  t.strictSame(disks.log, ['write 5+1', 'preClose'], 'what comes now waits');
  disks.answer('write');
  t.strictSame(pauses.told, [], 'the image is still open');
  disks.answer('close');
  t.strictSame(pauses.told, [0, 0]);
  t.equal(vbd.state, 0x2a);
  t.equal(vbd.isOpen, true, 'requests are taken, to wait');
  vbd.pause(pauses.done);
  t.strictSame(pauses.told, [0, 0, 0], 'paused is what was asked for');
  t.strictSame(requests.told, [0]);
  t.end();
});

t.test('resume opens the image again and lets waiting requests go', (t) => {
  const { opened, disks } = bench(t);
  const vbd = opened();
  const results = new Results();
  vbd.pause(() => {});
  disks.answer('close');
  vbd.queueRead(6, sector(), () => {});
  disks.log.length = 0;
  vbd.resume(undefined, results.done);
  t.equal(vbd.phase, 'resuming');
  disks.answer('open disk');
  t.strictSame(results.told, [0]);
  t.strictSame(disks.log, ['open disk', 'read 6+1']);
  t.equal(vbd.state, 0);
  t.end();
});

t.test('resume under another name replaces the name and the measures', (t) => {
  const { opened, disks, registry } = bench(t);
  const vbd = opened();
  vbd.pause(() => {});
  disks.answer('close');
  disks.sectors = 16;
  vbd.resume('scripted:other', () => {});
  disks.answer('open other');
  t.strictSame(registry.list(), [{ minor: 0, state: 0, name: 'scripted:other' }]);
  t.equal(vbd.info.sectors, 16);
  t.end();
});

t.test('a resume that fails leaves the VBD paused under its old name, to be resumed again', (t) => {
  const { opened, disks, registry } = bench(t);
  const vbd = opened();
  const results = new Results();
  vbd.pause(() => {});
  disks.answer('close');
  vbd.resume('scripted:gone', results.done);
  disks.answer('open gone', -errno.ENOENT);
  vbd.resume('nonsense:', results.done);
  t.strictSame(registry.list(), [{ minor: 0, state: 0x2a, name: 'scripted:disk' }]);
  vbd.resume(undefined, results.done);
  disks.answer('open disk');
  t.strictSame(results.told, [-errno.ENOENT, -errno.EINVAL, 0]);
  t.end();
});

t.test('pause and resume out of turn are refused', (t) => {
  const { registry, disks } = bench(t);
  registry.attach(0);
  const vbd = registry.get(0)!;
  const results = new Results();
  vbd.pause(results.done);
  vbd.resume(undefined, results.done);
  vbd.open('scripted:a', READ_WRITE, () => {});
  vbd.pause(results.done);
  disks.answer('open a');
  vbd.resume(undefined, results.done);
  vbd.pause(() => {});
  disks.answer('close');
  vbd.resume(undefined, () => {});
  vbd.pause(results.done);
  t.strictSame(results.told, [-errno.EINVAL, -errno.EINVAL, -errno.EINVAL, -errno.EINVAL, -errno.EAGAIN]);
  t.end();
});

t.test('a paused VBD is closed at once, and what waited in it is refused', (t) => {
  const { opened, disks } = bench(t);
  const vbd = opened();
  const requests = new Results();
  const closes = new Results();
  vbd.pause(() => {});
  disks.answer('close');
  vbd.queueWrite(0, sector(), requests.done);
  vbd.close(closes.done);
  t.strictSame(requests.told, [-ESHUTDOWN]);
  t.strictSame(closes.told, [0]);
  t.equal(vbd.state, 2);
  t.end();
});

t.test('a closed VBD can be opened anew, with other flags', (t) => {
  const { opened, disks } = bench(t);
  const vbd = opened();
  vbd.close(() => {});
  disks.answer('close');
  vbd.open('scripted:b', { readOnly: true, shared: false }, () => {});
  disks.answer('open b read-only');
  t.equal(vbd.readOnly, true);
  t.equal(vbd.name, 'scripted:b');
  t.end();
});

t.test('a listener that has been taken off is not told of the closing', (t) => {
  const { opened, disks } = bench(t);
  const vbd = opened();
  let heard = 0;
  vbd.onClosed(() => heard++)();
  vbd.close(() => {});
  disks.answer('close');
  t.equal(heard, 0);
  t.end();
});

t.test('describe tells phase, name, requests and drivers', (t) => {
  const { opened } = bench(t);
  const vbd = opened();
  vbd.flush(() => {});
  t.equal(vbd.describe(), "vbd 0 running 'scripted:disk' 1 in flight, 0 waiting [scripted disk]");
  t.end();
});
