// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { getEventListeners } from 'node:events';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import t, { type Test } from 'tap';
import {
  receiveImage,
  sendImage,
  type TransferEvent,
  type TransferStatus,
} from '../../src/transfer/index.js';
import type { StatusDone } from '../../src/posix/files.js';
import { errno, NodeFileCalls } from '../../src/posix/index.js';
import { TIMEOUT } from '../../src/scheduler/index.js';
import { TapdiskServer } from '../../src/server/index.js';
import { Random } from '../../src/testing/index.js';
import { randomBytes, randomSeed } from '../random.js';
import { sha256 } from './world.js';

/** The address that is listened on, what takes it from the events, and what ends the backup, at the end of the test too. */
function listening(t: Test) {
  let found!: (address: string) => void;
  const address = new Promise<string>((resolve) => (found = resolve));
  const onEvent = (event: TransferEvent): void => {
    if (event.event === 'listening') found(event.address);
  };
  const controller = new AbortController();
  t.teardown(() => controller.abort());
  return { address, onEvent, controller, signal: controller.signal };
}

t.test('an image is sent and received from code, and both sides report the same hash', async (t) => {
  const directory = t.testdir();
  const image = randomBytes(new Random(randomSeed(t)), 3_000_001);
  const [source, file] = [join(directory, 'source'), join(directory, 'copy')];
  writeFileSync(source, image);
  for (const from of [source, Readable.from([image])]) {
    const { address, onEvent, signal } = listening(t);
    const received = receiveImage({ address: '127.0.0.1:0', file, onEvent, signal });
    const events: string[] = [];
    const sent = await sendImage({
      address: await address,
      image: from,
      onEvent: ({ event }) => events.push(event),
    });
    t.match(sent, { bytes: image.length, sha256: sha256(image), confirmed: true });
    t.match(await received, { bytes: image.length, sha256: sha256(image), confirmed: true });
    t.ok(readFileSync(file).equals(image));
    t.same(events, ['connecting', 'established', 'complete']);
  }
  t.same(
    readdirSync(directory).toSorted(),
    ['copy', 'source'],
    'the copy before is kept only where asked for',
  );
});

t.test('progress is reported while waiting for the backup, and a signal ends it', async (t) => {
  const taken = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => taken.once('listening', resolve));
  const { port } = taken.address() as { port: number };
  await new Promise((resolve) => taken.close(resolve));
  const controller = new AbortController();
  const reported: TransferStatus[] = [];
  const sending = sendImage({
    address: `127.0.0.1:${port}`,
    image: Readable.from([Buffer.from('x')]),
    signal: controller.signal,
    onProgress: (status) => {
      reported.push(status);
      controller.abort(new Error('enough'));
    },
  });
  await t.rejects(sending, { message: 'enough' });
  t.match(reported, [{ role: 'primary', state: 'in_progress', bytes: 0 }]);
});

t.test('a peer that is not allowed is rejected, in code as on the command line', async (t) => {
  const directory = t.testdir();
  const file = join(directory, 'copy');
  const image = Readable.from([Buffer.from('x')]);
  const turnedAway: string[] = [];
  const { address, onEvent, controller } = listening(t);
  const receiving = receiveImage({
    address: '127.0.0.1:0',
    file,
    allow: ['10.0.0.0/8', '127.0.0.2'],
    signal: controller.signal,
    onEvent: (event) => {
      onEvent(event);
      if (event.event === 'refused') turnedAway.push(event.peer);
      if (event.event === 'refused') controller.abort(new Error('enough'));
    },
  });
  const sending = sendImage({ address: await address, image, signal: controller.signal });
  await t.rejects(sending, { message: 'enough' });
  await t.rejects(receiving, { message: 'enough' });
  t.match(turnedAway, [/^127\.0\.0\.1:/]);
  t.throws(() => readFileSync(file), { code: 'ENOENT' });
  const other = { address: await address, image: Readable.from([]), allow: ['10.0.0.0/8'] };
  await t.rejects(sendImage(other), { name: 'TransferError', code: 'EACCES' });
});

t.test('allow takes addresses and ranges, and nothing else', async (t) => {
  const file = join(t.testdir(), 'copy');
  for (const allow of [['10.0.0.1/8'], ['::1'], ['localhost'], ['']]) {
    const wrong = { name: 'TransferError', code: 'EINVAL', message: /expected an IPv4 address/ };
    await t.rejects(receiveImage({ address: '127.0.0.1:0', file, allow }), wrong);
    await t.rejects(sendImage({ address: '127.0.0.1:1', image: Readable.from([]), allow }), wrong);
  }
});

t.test('a copy has the requested mode, and the previous one is kept', async (t) => {
  const directory = t.testdir({ copy: 'before' });
  const file = join(directory, 'copy');
  const { address, onEvent, signal } = listening(t);
  const options = { file, onEvent, signal, mode: 0o640, keepsPrevious: true };
  const received = receiveImage({ address: '127.0.0.1:0', ...options });
  await sendImage({ address: await address, image: Readable.from([Buffer.from('after')]) });
  await received;
  t.equal(readFileSync(file, 'utf8'), 'after');
  t.equal(statSync(file).mode & 0o777, 0o640);
  t.equal(readFileSync(`${file}.previous`, 'utf8'), 'before');
});

t.test('what cannot be kept of the previous file is reported', async (t) => {
  const file = join(t.testdir({ copy: 'before' }), 'copy');
  const { uid, gid } = statSync(file);
  const { value: fstat } = Object.getOwnPropertyDescriptor(NodeFileCalls.prototype, 'fstat') as {
    value: NodeFileCalls['fstat'];
  };
  t.intercept(NodeFileCalls.prototype, 'fstat', {
    value(this: NodeFileCalls, fd: number, done: StatusDone): void {
      fstat.call(this, fd, (result, status) => done(result, status && { ...status, uid: uid + 1 }));
    },
  });
  t.intercept(NodeFileCalls.prototype, 'fchown', {
    value: (...[, , , done]: Parameters<NodeFileCalls['fchown']>) => done(-errno.EPERM),
  });
  const { address, onEvent, signal } = listening(t);
  const warnings: string[] = [];
  const options = { file, onEvent, signal, mode: 0o600 };
  const onWarning = (message: string): void => void warnings.push(message);
  const received = receiveImage({ address: '127.0.0.1:0', ...options, onWarning });
  await sendImage({ address: await address, image: Readable.from([Buffer.from('after')]) });
  await received;
  t.same(warnings, [`${file}: the owner ${uid}:${gid} cannot be kept, it is ${uid + 1}:${gid} from now on`]);
});

t.test('a failure rejects with its reason', async (t) => {
  const directory = t.testdir();
  const image = join(directory, 'missing');
  await t.rejects(sendImage({ address: '127.0.0.1:1', image }), { name: 'TransferError', code: 'ENOENT' });
  const file = join(directory, 'copy');
  await t.rejects(receiveImage({ address: '192.0.2.1:0', file }), {
    code: 'EADDRNOTAVAIL',
    message: 'this host does not have the address to listen on',
  });
  const signal = AbortSignal.abort(new Error('never'));
  await t.rejects(receiveImage({ address: '127.0.0.1:0', file, signal }), { message: 'never' });
});

t.test(
  'an image without a frame is received only where that is asked for, and is not confirmed',
  async (t) => {
    const file = join(t.testdir(), 'copy');
    const image = Buffer.from('an image');
    for (const acceptsRaw of [undefined, false, true]) {
      const { address, onEvent, controller } = listening(t);
      const received = receiveImage({
        address: '127.0.0.1:0',
        file,
        onEvent,
        signal: controller.signal,
        ...(acceptsRaw !== undefined && { acceptsRaw }),
      });
      const sent = sendImage({ address: await address, image: Readable.from([image]), raw: true });
      if (acceptsRaw === true) {
        t.match(await sent, { confirmed: true, bytes: image.length });
        t.match(await received, { confirmed: false, bytes: image.length });
        continue;
      }
      await t.rejects(sent, { name: 'TransferError', code: 'EPROTO' });
      controller.abort(new Error('enough'));
      await t.rejects(received, { message: 'enough' });
      t.throws(() => readFileSync(file), { code: 'ENOENT' });
    }
  },
);

t.test('an image that is too large is refused, and one that cannot be read fails both sides', async (t) => {
  const file = join(t.testdir(), 'copy');
  const { address, onEvent, controller } = listening(t);
  const broken: string[] = [];
  const received = receiveImage({
    address: '127.0.0.1:0',
    file,
    maxBytes: 4,
    signal: controller.signal,
    onEvent: (event) => {
      onEvent(event);
      if (event.event === 'broken') broken.push(event.code);
    },
  });
  const to = await address;
  await t.rejects(sendImage({ address: to, image: Readable.from([Buffer.from('large')]) }), {
    code: 'EFBIG',
  });
  const failing = new Readable({
    read() {
      this.destroy(Object.assign(new Error('bad sector'), { code: 'EIO', errno: -5 }));
    },
  });
  await t.rejects(sendImage({ address: to, image: failing }), {
    code: 'EIO',
    message: 'cannot read a stream: input/output error',
  });
  t.match(await sendImage({ address: to, image: Readable.from([Buffer.from('four')]) }), { confirmed: true });
  t.match(await received, { bytes: 4 });
  t.equal(broken[0], 'EFBIG');
});

t.test('unless asked to, neither side gives the other up for the time that it takes', async (t) => {
  const modes: number[] = [];
  const { value: registerEvent } = Object.getOwnPropertyDescriptor(
    TapdiskServer.prototype,
    'registerEvent',
  ) as { value: TapdiskServer['registerEvent'] };
  t.intercept(TapdiskServer.prototype, 'registerEvent', {
    value(this: TapdiskServer, ...event: Parameters<TapdiskServer['registerEvent']>): number {
      modes.push(event[0]);
      return registerEvent.apply(this, event);
    },
  });
  const file = join(t.testdir(), 'copy');
  for (const idleSeconds of [undefined, 60]) {
    modes.length = 0;
    const { address, onEvent, signal } = listening(t);
    const idle = idleSeconds !== undefined && { idleSeconds };
    const to = { address: '127.0.0.1:0', file, acceptsRaw: true };
    const received = receiveImage({ ...to, onEvent, signal, ...idle });
    await sendImage({ address: await address, image: Readable.from([Buffer.from('x')]), raw: true, ...idle });
    await received;
    const limited = modes.filter((mode) => (mode & TIMEOUT) !== 0 && mode !== TIMEOUT);
    t.equal(limited.length > 0, idleSeconds !== undefined);
  }
});

t.test('a signal is listened to while a transfer lasts, and not after it', async (t) => {
  const file = join(t.testdir(), 'copy');
  const { address, onEvent, signal } = listening(t);
  const received = receiveImage({ address: '127.0.0.1:0', file, onEvent, signal });
  const to = await address;
  t.equal(getEventListeners(signal, 'abort').length, 1);
  const { seconds, bytes } = await sendImage({
    address: to,
    image: Readable.from([Buffer.from('x')]),
    signal,
  });
  t.ok(seconds >= 0);
  t.equal(bytes, 1);
  await received;
  t.same(getEventListeners(signal, 'abort'), []);
});
