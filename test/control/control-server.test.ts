// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { NodePosix } from '../../src/posix/index.js';
import {
  ControlServer,
  controlProtocol,
  MAX_CONTROL_CONNECTIONS,
  MAX_PENDING_REQUESTS,
} from '../../src/control/control-server.js';
import { ControlMessage } from '../../src/control/message.js';
import { MessageType } from '../../src/control/message-type.js';
import { type Logger, nullLogger } from '../../src/server/logger.js';
import { TapdiskServer } from '../../src/server/tapdisk-server.js';
import { VbdRegistry } from '../../src/disks/index.js';
import {
  bytesOf,
  connectTo,
  controlWorld,
  ended,
  ManualClock,
  PID,
  request,
  type ControlWorld,
} from './world.js';

const pidRequest = ControlMessage.create(MessageType.pid, 65535);

/** A client that is connected and has sent so many bytes of a request, as far as the daemon knows. */
async function started(world: ControlWorld, bytes: number): Promise<Socket> {
  const socket = connectTo(world.control.path);
  await new Promise((resolve) => socket.once('connect', resolve));
  if (bytes > 0)
    await new Promise<void>((resolve) => socket.write(pidRequest.bytes.subarray(0, bytes), () => resolve()));
  // The daemon accepts in order: once a later client has been answered, this one has been accepted.
  await world.client.pid(PID);
  return socket;
}

/** Fulfilled once the daemon has no connection. */
async function connectionsGone(world: ControlWorld): Promise<void> {
  while (world.control.connections > 0) await new Promise(setImmediate);
}

t.test(
  'a client that sends nothing, or half a message, costs nobody anything and is dropped after 2 s',
  async (t) => {
    const clock = new ManualClock();
    const world = controlWorld(t, { clock });
    const silent = await started(world, 0);
    const half = await started(world, 140);
    t.equal(await world.client.pid(PID), PID, 'others are served');
    t.equal(world.control.connections, 2);
    clock.seconds += 1.9;
    await world.client.pid(PID);
    t.equal(world.control.connections, 2, 'they have 2 s');
    clock.seconds += 1.1;
    await world.client.pid(PID);
    await Promise.all([ended(silent), ended(half)]);
    t.equal(world.control.connections, 0);
    silent.destroy();
    half.destroy();
  },
);

t.test('a client that sends a few bytes now and then gets its reply', async (t) => {
  const clock = new ManualClock();
  const world = controlWorld(t, { clock });
  const socket = await started(world, 1);
  const answer = bytesOf(socket);
  for (let sent = 1; sent < 280; sent += 9) {
    socket.write(pidRequest.bytes.subarray(sent, sent + 9));
    clock.seconds += 1.5;
    await world.client.pid(PID);
  }
  t.equal(new ControlMessage(await answer).pid, PID);
});

t.test(
  'a client that takes nothing of a long answer is dropped after 2 s, and the daemon goes on',
  async (t) => {
    const clock = new ManualClock();
    const world = controlWorld(t, { clock, report: () => 'x'.repeat(8 << 20) });
    const socket = connectTo(world.control.path).pause();
    socket.write(ControlMessage.create(MessageType.statistics, 0).bytes);
    while (world.control.connections === 0) await new Promise(setImmediate);
    t.equal(await world.client.pid(PID), PID);
    clock.seconds += 3;
    await world.client.pid(PID);
    t.equal(world.control.connections, 0);
    socket.destroy();
  },
);

t.test('a client that disconnects in the middle of its request leaves nothing open', async (t) => {
  const world = controlWorld(t);
  const [closing, resetting] = [await started(world, 279), await started(world, 1)];
  closing.end();
  resetting.destroy();
  await connectionsGone(world);
  t.equal(world.server.posix.openDescriptors().length, world.descriptors);
  await bytesOf(closing);
});

t.test('bytes after a request are ignored', async (t) => {
  const world = controlWorld(t);
  const socket = connectTo(world.control.path);
  socket.write(Buffer.concat([pidRequest.bytes, Buffer.alloc(1000, 1)]));
  t.equal(new ControlMessage(await bytesOf(socket)).pid, PID);
});

t.test('a client that half-closes still gets its answer', async (t) => {
  const world = controlWorld(t);
  const socket = connectTo(world.control.path);
  socket.end(pidRequest.bytes);
  t.equal(new ControlMessage(await bytesOf(socket)).pid, PID);
});

t.test(
  'when all places are taken, a newcomer gets that of the slowest client that has had a second',
  async (t) => {
    const clock = new ManualClock();
    const world = controlWorld(t, { clock });
    const slow: Socket[] = [];
    for (let count = 0; count < MAX_CONTROL_CONNECTIONS; count++) slow.push(connectTo(world.control.path));
    while (world.control.connections < MAX_CONTROL_CONNECTIONS) await new Promise(setImmediate);
    const newcomer = request(world.control.path, pidRequest);
    clock.seconds += 1;
    const [answer] = await newcomer;
    t.equal(answer?.pid, PID);
    await ended(slow[0] as Socket);
    t.equal(world.control.connections, MAX_CONTROL_CONNECTIONS - 1, 'no more than one was dropped');
    for (const socket of slow) socket.destroy();
    await connectionsGone(world);
  },
);

async function pauseOfHeldDisk(world: ControlWorld): Promise<ControlMessage> {
  world.registry.attach(7);
  void world.registry.open(7, 'held:a', { readOnly: false, shared: false });
  world.registry.get(7)?.queueRead(0, new Uint8Array(512), () => {});
  await world.held.somethingHeld();
  return ControlMessage.create(MessageType.pause, 7);
}

t.test('clients that leave during their request free their places', async (t) => {
  const world = controlWorld(t);
  const pause = await pauseOfHeldDisk(world);
  const gone = Array.from({ length: MAX_CONTROL_CONNECTIONS }, () => connectTo(world.control.path));
  for (const socket of gone) socket.write(pause.bytes);
  while (world.control.connections < MAX_CONTROL_CONNECTIONS) await new Promise(setImmediate);
  for (const socket of gone) socket.destroy();
  t.equal((await request(world.control.path, pidRequest))[0]?.pid, PID);
  world.held.finishRequests();
  await connectionsGone(world);
});

t.test(
  'clients that wait for their answer keep their places; a newcomer waits until one is free',
  async (t) => {
    const clock = new ManualClock();
    const world = controlWorld(t, { clock });
    const pause = await pauseOfHeldDisk(world);
    const waiting = Array.from({ length: MAX_CONTROL_CONNECTIONS }, () => request(world.control.path, pause));
    while (world.control.connections < MAX_CONTROL_CONNECTIONS) await new Promise(setImmediate);
    const newcomer = request(world.control.path, pidRequest);
    clock.seconds += 100;
    await new Promise(setImmediate);
    world.held.finishRequests();
    for (const [answer] of await Promise.all(waiting)) t.match(answer, { type: 10, response: { error: 0 } });
    t.equal((await newcomer)[0]?.pid, PID);
  },
);

t.test('1024 requests may be in progress, including those without a client', async (t) => {
  const world = controlWorld(t);
  const pause = await pauseOfHeldDisk(world);
  const protocol = controlProtocol({ registry: world.registry, pid: PID, report: () => '' });
  const answers: ControlMessage[] = [];
  const reply = {
    send: (piece: Uint8Array) => answers.push(new ControlMessage(piece)),
    end() {},
    takeOver: () => -1,
  };
  t.equal(MAX_PENDING_REQUESTS, 1024);
  for (let count = 0; count < MAX_PENDING_REQUESTS; count++) protocol.answer(pause.bytes, reply);
  t.equal(answers.length, 0);
  protocol.answer(pause.bytes, reply);
  t.match(answers.pop(), { type: 1, response: { error: 11 } });
  world.held.finishRequests();
  await new Promise(setImmediate);
  t.equal(answers.length, MAX_PENDING_REQUESTS);
  protocol.answer(pidRequest.bytes, reply);
  t.equal(answers.pop()?.pid, PID);
});

t.test('a request is not begun for a client that has gone', async (t) => {
  const { registry } = controlWorld(t);
  t.equal(controlProtocol({ registry, pid: PID, report: () => '' }).needsClient, true);
});

t.test('a request that has ended makes room for one more, and for no more than that', async (t) => {
  const { registry } = controlWorld(t);
  const end: (() => void)[] = [];
  const replication = () => new Promise<void>((resolve) => end.push(resolve));
  const protocol = controlProtocol({ registry, pid: PID, report: () => '', replication });
  const flush = ControlMessage.create(MessageType.replication, 0).setParameters(0, '{"command":"flush"}');
  const types: number[] = [];
  const reply = {
    send: (piece: Uint8Array) => types.push(new ControlMessage(piece).type),
    end() {},
    takeOver: () => -1,
  };
  for (let count = 0; count < MAX_PENDING_REQUESTS; count++) protocol.answer(flush.bytes, reply);
  end[0]?.();
  while (types.length === 0) await new Promise(setImmediate);
  for (let count = 0; count < 3; count++) protocol.answer(flush.bytes, reply);
  t.same(types, [MessageType.replicationAnswer, MessageType.error, MessageType.error]);
  t.equal(end.length, MAX_PENDING_REQUESTS + 1);
});

t.test('a daemon out of descriptors serves a waiting client once one is free', async (t) => {
  const lines: string[] = [];
  // The listener and the completions have two, so that three connections fit.
  const world = controlWorld(t, { maxDescriptors: 8, logger: { log: (_, message) => lines.push(message) } });
  const idle = [];
  for (let count = world.descriptors; count < 5; count++) idle.push(connectTo(world.control.path));
  while (world.server.posix.openDescriptors().length < 5) await new Promise(setImmediate);
  const newcomer = request(world.control.path, pidRequest);
  while (lines.length === 0) await new Promise(setImmediate);
  t.match(lines[0], /cannot accept: EMFILE/);
  idle[0]?.destroy();
  t.equal((await newcomer)[0]?.pid, PID);
  for (const socket of idle) socket.destroy();
  await connectionsGone(world);
});

/** A control server that is not run, in a directory of its own. */
function unserved(
  t: Test,
  logger: Logger = nullLogger,
): { directory: string; create: (directory: string) => ControlServer } {
  const directory = mkdtempSync(join(tmpdir(), 'ctl-'));
  const posix = new NodePosix();
  const server = new TapdiskServer({ logger: nullLogger, posix });
  const registry = new VbdRegistry({ registrar: server, posix, logger: nullLogger, types: new Map() });
  t.teardown(() => {
    registry[Symbol.dispose]();
    server.stop();
    rmSync(directory, { recursive: true });
    assert.deepEqual(posix.openDescriptors(), []);
  });
  const options = { registrar: server, posix, logger, registry, pid: PID, report: () => '' };
  return { directory, create: (path) => new ControlServer({ ...options, directory: path }) };
}

t.test('the directory has mode 0755; the socket is its owner’s alone, and is removed', async (t) => {
  const { directory, create } = unserved(t);
  const control = create(join(directory, 'a', 'b'));
  t.equal(statSync(join(directory, 'a', 'b')).mode & 0o777, 0o755);
  t.equal(control.path, join(directory, 'a', 'b', `ctl${PID}`));
  t.equal(statSync(control.path).mode & 0o777, 0o600);
  control[Symbol.dispose]();
  control[Symbol.dispose]();
  t.notOk(existsSync(control.path));
});

t.test('what has taken the name of its socket stays, which is logged once', async (t) => {
  const lines: string[] = [];
  const { directory, create } = unserved(t, { log: (_, line) => lines.push(line) });
  create(directory)[Symbol.dispose]();
  t.same(lines, [], 'its own is just removed');
  const control = create(directory);
  unlinkSync(control.path);
  writeFileSync(control.path, 'precious');
  control[Symbol.dispose]();
  control[Symbol.dispose]();
  t.same(lines, [`control: ${control.path} is not this daemon's any more, and stays`]);
  t.ok(existsSync(control.path));
});

t.test('an existing name is refused, above all a served socket', async (t) => {
  const { directory, create } = unserved(t);
  const first = create(directory);
  t.throws(() => create(directory), { code: 'EADDRINUSE' });
  t.ok(existsSync(first.path));
  first[Symbol.dispose]();
  writeFileSync(first.path, 'precious');
  t.throws(() => create(directory), { code: 'EADDRINUSE' });
  t.ok(existsSync(first.path));
});

t.test('an unusable directory is refused with the reason', async (t) => {
  const { directory, create } = unserved(t);
  t.throws(() => create(join(directory, 'x'.repeat(120))), { code: 'ENAMETOOLONG', message: /at most 107/ });
  writeFileSync(join(directory, 'file'), '');
  t.throws(() => create(join(directory, 'file')), { code: 'EEXIST' });
});
