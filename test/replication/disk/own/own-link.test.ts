// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { OwnLink } from '../../../../src/replication/disk/own/own-link.js';
import {
  extentsBody,
  type FrameName,
  frameHeader,
  numbersBody,
  ProtocolError,
} from '../../../../src/replication/disk/wire/frame.js';
import { PeerStream } from '../../../../src/replication/disk/wire/peer-stream.js';
import { connection, type End } from '../connection.js';

const HEADER_BYTES = 24;
const NOBODY = { bytes: () => {}, drained: () => {}, ended: () => {} };

/** A link at one end that writes down what comes. */
function linkAt({ timers, fd }: End, periods: { pingSeconds?: number; peerTimeoutSeconds?: number } = {}) {
  const log: string[] = [];
  const link = new OwnLink(
    {
      host: timers,
      stream: new PeerStream(timers, fd, NOBODY),
      pingSeconds: 1,
      peerTimeoutSeconds: 5,
      ...periods,
    },
    {
      frame: (name, body, sequence) => log.push(`${name} ${sequence} "${Buffer.from(body).toString()}"`),
      drained: () => log.push('drained'),
      lost: (reason) => log.push(`lost: ${reason}`),
    },
  );
  return { link, log };
}

function frames(...names: FrameName[]): Buffer {
  return Buffer.concat(names.map((name, sequence) => Buffer.from(frameHeader(name, sequence, []))));
}

/** The types of the frames in bytes without bodies. */
const typesIn = (bytes: Buffer): number[] =>
  Array.from({ length: bytes.length / HEADER_BYTES }, (_, index) =>
    bytes.readUInt32LE(index * HEADER_BYTES + 4),
  );
const [PING, PONG] = [7, 8];

/** Two links, each with what it has received. */
async function startedLinks() {
  const { world, near, far } = await connection();
  const [one, other] = [linkAt(near), linkAt(far)];
  one.link.start(new Uint8Array(0));
  other.link.start(new Uint8Array(0));
  return { world, one, other };
}

t.test('frames arrive in their order, with their parts joined, from the start on', async (t) => {
  const { world, near, far } = await connection();
  const [one, other] = [linkAt(near), linkAt(far)];
  one.link.start(new Uint8Array(0));
  t.equal(one.link.send('map', [Buffer.from('ta'), Buffer.from('b'), Buffer.from('le')]), 0);
  t.equal(one.link.send('abort'), 1);
  one.link.sendJson('hello', { a: 1 });
  await world.run(0.1);
  t.same(other.log, []);
  other.link.start(new Uint8Array(0));
  await world.run(0.1);
  t.same(other.log, ['map 0 "table"', 'abort 1 ""', 'hello 2 "{"a":1}"']);
  t.ok(one.link.sentBytes > 3 * HEADER_BYTES);
  t.equal(one.link.queuedBytes, 0);
});

t.test('what has come before the start is taken first', async (t) => {
  const { world, near, far } = await connection();
  const { link, log } = linkAt(near);
  const bytes = frames('abort', 'done');
  far.host.posix.write(far.fd, bytes.subarray(HEADER_BYTES + 5));
  link.start(bytes.subarray(0, HEADER_BYTES + 5));
  t.same(log, ['abort 0 ""']);
  await world.run(0.1);
  t.same(log, ['abort 0 ""', 'done 1 ""']);
});

t.test('a ping goes out after a second without a frame, and gets its reply at once', async (t) => {
  const { world, near, far, come } = await connection();
  const { link, log } = linkAt(near);
  link.start(new Uint8Array(0));
  await world.run(0.95);
  t.same(typesIn(come(far)), []);
  await world.run(0.1);
  t.same(typesIn(come(far)), [PING]);
  link.send('abort');
  await world.run(1);
  t.same(typesIn(come(far)), [5], 'a frame takes the place of a ping');
  await world.run(1);
  t.same(typesIn(come(far)), [PING]);
  far.host.posix.write(far.fd, frames('ping', 'pong', 'ping'));
  await world.run(0.1);
  t.same(typesIn(come(far)), [PONG, PONG]);
  t.same(log, [], 'none of which is anybody else’s');
});

t.test('a peer is given up after five seconds without a byte', async (t) => {
  const { world, near, far } = await connection();
  const { link, log } = linkAt(near);
  link.start(new Uint8Array(0));
  far.host.posix.write(far.fd, frames('ping').subarray(0, 1));
  await world.run(5.5);
  t.same(log, [], 'any byte counts');
  await world.run(1);
  t.same(log, ['lost: nothing came from the peer for 5 s']);
  t.ok(link.isOver);
  await world.run(10);
  t.equal(log.length, 1);
});

t.test('a silence that is not longer than that is nothing', async (t) => {
  const { world, near, far } = await connection();
  const { link, log } = linkAt(near, { pingSeconds: 0.5, peerTimeoutSeconds: 2 });
  link.start(new Uint8Array(0));
  for (let count = 0; count < 6; count++) {
    await world.run(1.4);
    far.host.posix.write(
      far.fd,
      frames(...Array<FrameName>(count + 1).fill('pong')).subarray(count * HEADER_BYTES),
    );
  }
  t.same([log, link.isOver], [[], false]);
});

t.test('the silence of a peer that nobody reads is not held against it', async (t) => {
  const { world, near, far } = await connection();
  const { link, log } = linkAt(near);
  link.start(new Uint8Array(0));
  link.pause('room');
  await world.run(20);
  t.same(log, []);
  far.host.posix.write(far.fd, frames('abort'));
  link.resume('room');
  await world.run(0.1);
  t.same(log, ['abort 0 ""']);
});

t.test('no frame is taken while there is a reason for that', async (t) => {
  const { world, near, far } = await connection();
  const { link, log } = linkAt(near);
  link.start(new Uint8Array(0));
  link.pause('room');
  link.pause('commits');
  far.host.posix.write(far.fd, frames('abort', 'done'));
  await world.run(0.1);
  link.resume('room');
  link.resume('sync');
  await world.run(0.1);
  t.same(log, [], 'one is left');
  link.resume('commits');
  await world.run(0.1);
  t.same(log, ['abort 0 ""', 'done 1 ""']);
});

t.test('one that is paused by a frame takes those after it once it is resumed', async (t) => {
  const { world, near, far } = await connection();
  const { link } = linkAt(near);
  const log: string[] = [];
  link.events = {
    frame: (name) => {
      log.push(name);
      if (name === 'abort') link.pause('x');
    },
    drained: () => {},
    lost: (reason) => log.push(reason),
  };
  link.start(frames('abort', 'done'));
  far.host.posix.write(far.fd, frameHeader('commit', 2, []));
  await world.run(0.1);
  t.same(log, ['abort']);
  link.resume('x');
  await world.run(0.1);
  t.same(log, ['abort', 'done', 'commit']);
});

t.test('a peer that breaks the protocol is lost, with what it did', async (t) => {
  const { world, near, far } = await connection();
  const { link, log } = linkAt(near);
  link.start(new Uint8Array(0));
  far.host.posix.write(far.fd, frameHeader('abort', 5, []));
  await world.run(0.1);
  t.same(log, ['lost: the peer broke the protocol: received frame 5, expected 0']);
  const { link: second, log: its } = linkAt((await connection()).near);
  second.events = {
    frame: () => {
      throw new ProtocolError('no such frame');
    },
    drained: () => {},
    lost: (reason) => its.push(reason),
  };
  second.start(frames('abort', 'abort'));
  t.same(its, ['the peer broke the protocol: no such frame']);
  const { link: closing, log: nothing } = linkAt((await connection()).near);
  closing.events = {
    frame: () => {
      closing.close();
      throw new ProtocolError('no such frame');
    },
    drained: () => {},
    lost: (reason) => nothing.push(reason),
  };
  closing.start(frames('abort'));
  t.same(nothing, [], 'one that is closed already is not lost');
  const { link: third } = linkAt((await connection()).near);
  third.events = {
    frame: () => {
      throw new TypeError('our own bug');
    },
    drained: () => {},
    lost: () => t.fail('it is none of the peer'),
  };
  t.throws(() => third.start(frames('abort')), /our own bug/);
});

t.test('a link that was closed sends nothing, and reports nothing', async (t) => {
  const { world, near, far, come } = await connection();
  const { link, log } = linkAt(near);
  link.start(new Uint8Array(0));
  link.send('abort');
  link.close();
  link.close();
  t.equal(link.send('abort'), 1);
  t.equal(link.send('abort'), 1);
  link.pause('x');
  link.resume('x');
  await world.run(10);
  t.same([typesIn(come(far)), log, link.isOver], [[5], [], true]);
});

t.test('what waits to be sent is as good as a pong, and is reported as it goes', async (t) => {
  const { world, near, far, come } = await connection();
  const { link, log } = linkAt(near, { pingSeconds: 60 });
  link.start(new Uint8Array(0));
  const open = link.gate();
  link.send('map', [Buffer.alloc(100_000)]);
  far.host.posix.write(far.fd, frames('ping'));
  await world.run(0.5);
  t.ok(link.queuedBytes > 100_000);
  t.equal(come(far).length, 0);
  open();
  let sent = 0;
  for (let count = 0; count < 20; count++) {
    sent += come(far).length;
    await world.run(0.1);
  }
  t.same(new Set(log), new Set(['drained']));
  t.equal(link.queuedBytes, 0);
  t.equal(sent, HEADER_BYTES + 100_000, 'no pong follows');
});

t.test(
  'small writes wait for one another, for two milliseconds or until something else is sent',
  async (t) => {
    const { world, one, other } = await startedLinks();
    const extents = extentsBody([{ sector: 5, sectors: 1, data: Buffer.alloc(512, 3) }]);
    one.link.send('write', extents);
    one.link.send('write', extents);
    await world.run(0.0015);
    t.same([one.link.sentBytes, other.log.length], [0, 0]);
    await world.run(0.01);
    t.equal(one.link.queuedBytes, 0);
    t.equal(other.log.length, 2);
    one.link.send('write', extents);
    one.link.send('commit', [numbersBody(1)]);
    t.equal(one.link.queuedBytes, 0, 'a commit does not wait, nor what comes before it');
    await world.run(0.001);
    t.equal(other.log.length, 4);
    one.link.send('write', extents);
    t.ok(one.link.queuedBytes > 0, 'after a small checkpoint one waits only for the next pass');
    await world.run(0.001);
    t.equal(other.log.length, 5);
    for (let write = 1; write < 9; write++) one.link.send('write', extents);
    one.link.send('commit', [numbersBody(2)]);
    await world.run(0.01);
    t.equal(other.log.length, 14);
    one.link.send('write', extents);
    await world.run(0.0015);
    t.equal(other.log.length, 14, 'after one of nine they wait again');
    one.link.close();
    other.link.close();
    await world.run(0.01);
  },
);

t.test('a small write waits for two milliseconds, though others follow it', async (t) => {
  const { world, one, other } = await startedLinks();
  const extents = extentsBody([{ sector: 5, sectors: 1, data: Buffer.alloc(512, 3) }]);
  for (let write = 0; write < 4; write++) {
    one.link.send('write', extents);
    await world.run(0.0015);
  }
  t.ok(other.log.length >= 2, `${other.log.length} have come`);
  one.link.close();
  other.link.close();
  await world.run(0.01);
});

t.test('the writes of a checkpoint that was dropped do not keep those of the next one waiting', async (t) => {
  const { world, one, other } = await startedLinks();
  const extents = extentsBody([{ sector: 5, sectors: 1, data: Buffer.alloc(512, 3) }]);
  one.link.send('write', extents);
  one.link.send('commit', [numbersBody(1)]);
  for (let write = 0; write < 8; write++) one.link.send('write', extents);
  one.link.send('abort');
  await world.run(0.01);
  t.equal(other.log.length, 11);
  one.link.send('write', extents);
  await world.run(0.001);
  t.equal(other.log.length, 12);
  one.link.close();
  other.link.close();
  await world.run(0.01);
});

t.test('the frames of a resync wait for the next pass, so that they go together', async (t) => {
  const { world, one, other } = await startedLinks();
  one.link.send('syncData', extentsBody([{ sector: 5, sectors: 1, data: Buffer.alloc(512, 3) }]));
  one.link.send('compare');
  t.equal(one.link.sentBytes, 0);
  await world.run(0.001);
  t.equal(one.link.queuedBytes, 0);
  t.equal(other.log.length, 2);
  one.link.close();
  other.link.close();
  await world.run(0.01);
});
