// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { chmodSync } from 'node:fs';
import t from 'tap';
import { errno, NodePosix } from '../../src/posix/index.js';
import type { SelectSets } from '../../src/posix/posix.js';
import { ControlClient, ControlError } from '../../src/control/control-client.js';
import { ControlMessage } from '../../src/control/message.js';
import { MessageType } from '../../src/control/message-type.js';
import { parseReplicationRequest, REPLICATION_COMMANDS } from '../../src/control/replication-request.js';
import { VBD_CLOSED, VBD_PAUSED } from '../../src/disks/state.js';
import { UnansweredPosix } from '../posix/unanswered-posix.js';
import { controlWorld, PID } from './world.js';

t.test('a disk is attached, opened, paused, resumed, closed and detached', async (t) => {
  const { client } = controlWorld(t);
  const state = async (): Promise<number> => (await client.list(PID))[0]?.state ?? NaN;
  t.same(await client.list(PID), []);
  await client.attach(PID, 7);
  t.same(await client.open(PID, 7, 'held:a', 0), { sectors: 2048, sectorSize: 512, info: 0 });
  t.equal((await state()) & VBD_PAUSED, 0);
  await client.pause(PID, 7);
  t.equal((await state()) & VBD_PAUSED, VBD_PAUSED);
  await client.resume(PID, 7);
  t.equal((await state()) & VBD_PAUSED, 0);
  await client.close(PID, 7);
  t.equal((await state()) & VBD_CLOSED, VBD_CLOSED);
  await client.detach(PID, 7);
  t.same(await client.list(PID), []);
});

t.test('a close that fails with EAGAIN is repeated after a pause, up to a limit', async (t) => {
  const { directory, registry, client, held } = controlWorld(t);
  await client.attach(PID, 7);
  await client.open(PID, 7, 'held:a', 0);
  registry.get(7)?.queueRead(0, new Uint8Array(512), () => {});
  await held.somethingHeld();
  const pauses: number[] = [];
  class CountingPosix extends NodePosix {
    override select(sets: SelectSets, seconds: number): Promise<Required<SelectSets> | number> {
      if (Object.keys(sets).length === 0) pauses.push(seconds);
      return super.select(sets, seconds);
    }
  }
  const patient = new ControlClient(new CountingPosix(), directory);
  await t.rejects(patient.close(PID, 7), { code: 'EAGAIN' });
  t.same(
    pauses,
    Array.from({ length: 20 }, () => 0.001),
  );
  held.finishRequests();
  await client.close(PID, 7);
});

t.test('a replication request without text is not JSON', async (t) => {
  t.throws(() => parseReplicationRequest(undefined), { message: /is JSON/ });
});

t.test('a replication request has a known command, and of the rest what has the right type', async (t) => {
  const parse = (request: unknown) => parseReplicationRequest(JSON.stringify(request));
  for (const command of REPLICATION_COMMANDS)
    t.same(parse({ command }), { command, dryRun: false, full: false });
  t.same(parse({ command: 'discard', dryRun: true, full: true, keep: '/k', after: 3 }), {
    command: 'discard',
    dryRun: true,
    full: true,
    keep: '/k',
    after: 3,
  });
  t.same(parse({ command: 'events', dryRun: 1, full: 'yes', keep: 7, after: '3', other: 1 }), {
    command: 'events',
    dryRun: false,
    full: false,
  });
  for (const [text, message] of [
    ['{', /is JSON/],
    ['7', /is an object/],
    ['null', /is an object/],
    ['{}', /has one of the commands status, events/],
    ['{"command":"toString"}', /has one of the commands status, events/],
  ] as const)
    t.throws(() => parseReplicationRequest(text), { code: 'EINVAL', message }, text);
});

t.test('a socket that others could have put there is not asked', async (t) => {
  const { directory, client, control } = controlWorld(t);
  chmodSync(directory, 0o777);
  await t.rejects(client.pid(PID), { name: 'ControlError', code: 'EPERM' });
  t.equal(control.accepted, 0);
  chmodSync(directory, 0o700);
  t.equal(await client.pid(PID), PID);
});

t.test('a socket that cannot be looked at is reported with the reason', async (t) => {
  const directory = t.testdir({ file: '' });
  const posix = new NodePosix();
  await t.rejects(new ControlClient(posix, `${directory}/file`).pid(PID), {
    name: 'ControlError',
    code: 'ENOTDIR',
    number: errno.ENOTDIR,
    detail: /not a directory/,
  });
  await t.rejects(new ControlClient(posix, '/nonexistent').pid(PID), {
    code: 'ENOENT',
    number: errno.ENOENT,
    message: 'ENOENT (No such file or directory)',
  });
});

t.test('a step of a request may take as long as its kind takes', async (t) => {
  const steps: Record<number, ((client: ControlClient) => Promise<unknown>)[]> = {
    2: [(client) => client.pid(PID), (client) => client.list(PID), (client) => client.statistics(PID)],
    5: [
      (client) => client.attach(PID, 0),
      (client) => client.open(PID, 0, 'ram:1', 0),
      (client) => client.resize(PID, 0),
      (client) => client.pause(PID, 0),
      (client) => client.close(PID, 0),
      (client) => client.detach(PID, 0),
      (client) => client.replication(PID, 0, { command: 'status' }),
      (client) => client.replication(PID, 0, { command: 'events' }),
    ],
    15: [(client) => client.resume(PID, 0)],
    600: [(client) => client.replication(PID, 0, { command: 'flush' })],
  };
  for (const [seconds, requests] of Object.entries(steps)) {
    for (const request of requests) {
      const posix = new UnansweredPosix();
      await t.rejects(request(new ControlClient(posix, t.testdirName)), { code: 'ETIMEDOUT' });
      t.same(posix.waits.map(Math.round), [Number(seconds)]);
      t.same(posix.openDescriptors(), []);
    }
  }
});

t.test('a command for a replicated disk that is too long is not sent', async (t) => {
  const { client, control } = controlWorld(t, { replication: async (_, { keep }) => keep?.length });
  const withKeep = (bytes: number) =>
    client.replication(PID, 0, { command: 'discard', keep: 'k'.repeat(bytes) });
  const most = 255 - '{"command":"discard","keep":""}'.length;
  t.equal(await withKeep(most), String(most));
  await t.rejects(withKeep(most + 1), { code: 'ENAMETOOLONG', message: /more than 255 bytes/ });
  t.equal(control.accepted, 1);
});

/** Sockets on which each request gets these replies, one message to a read, and each connection takes so many seconds. */
class ScriptedPosix extends NodePosix {
  readonly passed: { seconds: number };
  readonly written: Uint8Array[] = [];
  connections = 0;
  readonly #replyAt: (index: number) => ControlMessage;
  readonly #seconds: number;
  #read = 0;

  constructor(replyAt: (index: number) => ControlMessage, seconds = 0) {
    const passed = { seconds: 0 };
    super({ clock: { now: () => passed.seconds } });
    this.passed = passed;
    this.#replyAt = replyAt;
    this.#seconds = seconds;
  }

  override connect(): number {
    this.connections += 1;
    this.passed.seconds += this.#seconds;
    return 0;
  }
  override write(_: number, bytes: Uint8Array): number {
    this.written.push(Uint8Array.from(bytes));
    this.#read = 0;
    return bytes.length;
  }
  override read(_: number, bytes: Uint8Array): number {
    bytes.set(this.#replyAt(this.#read++).bytes);
    return 280;
  }
  override select(): Promise<Required<SelectSets>> {
    return Promise.resolve({ read: [], write: [], except: [] });
  }
}

/** A client of a daemon that replies so, whatever is asked; each is about the minor 0. */
function clientOf(t: { testdirName: string }, ...replies: ControlMessage[]): ControlClient {
  return new ControlClient(new ScriptedPosix((index) => replies[index] as ControlMessage), t.testdirName);
}

t.test('a close is given up once half a minute is over', async (t) => {
  for (const [seconds, requests] of [
    [3, 11],
    [3.1, 10],
  ] as const) {
    const pending = ControlMessage.create(MessageType.closeAnswer, 0).setResponse(errno.EAGAIN);
    const posix = new ScriptedPosix(() => pending, seconds);
    await t.rejects(new ControlClient(posix, t.testdirName).close(PID, 0), { code: 'EAGAIN' });
    t.equal(posix.connections, requests);
  }
});

t.test('a resume has a path or none, and no flags', async (t) => {
  const resumed = ControlMessage.create(MessageType.resumeAnswer, 3).setResponse(0);
  const posix = new ScriptedPosix(() => resumed);
  const client = new ControlClient(posix, t.testdirName);
  await client.resume(PID, 3);
  await client.resume(PID, 3, 'aio:/a');
  const request = (path: string) => ControlMessage.create(MessageType.resume, 3).setParameters(0, path).bytes;
  t.same(posix.written, [request(''), request('aio:/a')]);
});

t.test('a reply is about the disk of its request; only an error may be about none', async (t) => {
  const attach = (type: number, cookie: number, error: number) =>
    clientOf(t, ControlMessage.create(type, cookie).setResponse(error)).attach(PID, 7);
  const { attachAnswer, error } = MessageType;
  await attach(attachAnswer, 7, 0);
  for (const [type, cookie] of [
    [attachAnswer, 0],
    [attachAnswer, 8],
    [error, 8],
  ] as const)
    await t.rejects(attach(type, cookie, errno.EIO), {
      code: 'EPROTO',
      detail: `the daemon replied with the cookie ${cookie} instead of 7`,
    });
  for (const cookie of [0, 7]) await t.rejects(attach(error, cookie, errno.EIO), { code: 'EIO' });
});

t.test('errors, pids and sizes in replies have their bounds', async (t) => {
  const attached = (error: number) => ControlMessage.create(MessageType.attachAnswer, 0).setResponse(error);
  const refused = (error: number) => ControlMessage.create(MessageType.error, 0).setResponse(error, 'why');
  const impossible = (detail: string) => ({
    code: 'EPROTO',
    detail: `the daemon replied with ${detail}`,
  });
  const attach = (reply: ControlMessage) => clientOf(t, reply).attach(PID, 0);
  await t.rejects(attach(attached(4095)), { code: 'errno 4095', number: 4095, detail: '' });
  await t.rejects(attach(attached(4096)), impossible('error 4096'));
  await t.rejects(attach(attached(-1)), impossible('error -1'));
  await t.rejects(attach(refused(1)), { code: 'EPERM', number: 1, detail: 'why' });
  await t.rejects(attach(refused(4095)), { code: 'errno 4095', detail: 'why' });
  await t.rejects(attach(refused(4096)), impossible('error 4096'));
  await t.rejects(attach(refused(0)), impossible('error 0'));
  const pid = (number: number) =>
    clientOf(t, ControlMessage.create(MessageType.pidAnswer, 0xffff).setPid(number)).pid(PID);
  t.equal(await pid(1), 1);
  await t.rejects(pid(0), impossible('pid 0'));
  const image = (sectors: number, sectorSize: number) =>
    clientOf(
      t,
      ControlMessage.create(MessageType.resizeAnswer, 0).setImage({ sectors, sectorSize, info: 0 }),
    ).resize(PID, 0);
  t.same(await image(2 ** 53 - 1, 1), { sectors: 2 ** 53 - 1, sectorSize: 1, info: 0 });
  await t.rejects(image(2 ** 52, 2), impossible(`${2 ** 52} sectors of 2 bytes`));
  await t.rejects(image(1, 0), impossible('1 sectors of 0 bytes'));
});

t.test('each part of a list or report is followed by fewer', async (t) => {
  const entry = (count: number) =>
    ControlMessage.create(MessageType.listAnswer, 0xffff).setList({
      count,
      minor: count,
      state: 0,
      path: '',
    });
  const part = (remaining: number) =>
    ControlMessage.create(MessageType.statisticsAnswer, 0xffff).setReport({
      remaining,
      bytes: Buffer.from(`${remaining},`),
    });
  const counts = async (...all: number[]) =>
    (await clientOf(t, ...all.map(entry)).list(PID)).map(({ minor }) => minor);
  t.same(await counts(9, 2, 1, 0), [9, 2, 1]);
  await t.rejects(counts(1, 1), { code: 'EPROTO', detail: /a list of 1 more after 1$/ });
  await t.rejects(counts(-1), { code: 'EPROTO', detail: /a list of -1 more after Infinity$/ });
  const report = (...all: number[]) => clientOf(t, ...all.map(part)).statistics(PID);
  t.equal(await report(9, 1, 0), '9,1,0,');
  await t.rejects(report(1, 1), { code: 'EPROTO', detail: /a report of 1 bytes more after 1$/ });
  await t.rejects(report(-1), { code: 'EPROTO', detail: /a report of -1 bytes more after Infinity$/ });
});

t.test('a reply has no more than 65,536 messages', async (t) => {
  const entry = ControlMessage.create(MessageType.listAnswer, 0xffff);
  const list = (most: number) => {
    const at = (index: number) => entry.setList({ count: most - index, minor: index, state: 0, path: '' });
    return new ControlClient(new ScriptedPosix(at), t.testdirName).list(PID);
  };
  await t.rejects(list(65_536), { code: 'EPROTO', detail: 'the reply has no end after 65536 messages' });
});

t.test('a request that cannot be sent is rejected with the reason, whatever is received', async (t) => {
  class BrokenPosix extends ScriptedPosix {
    override write(): number {
      return -errno.EPIPE;
    }
  }
  const own = new BrokenPosix(() => ControlMessage.create(MessageType.pidAnswer, 0xffff).setPid(1));
  await t.rejects(new ControlClient(own, t.testdirName).pid(PID), { code: 'EPIPE' });
  const ends = ControlMessage.create(MessageType.listAnswer, 0xffff);
  const listing = new BrokenPosix(() => ends.setList({ count: 0, minor: 0, state: 0, path: '' }));
  await t.rejects(new ControlClient(listing, t.testdirName).list(PID), { code: 'EPIPE' });
});

t.test('only an EINVAL without a reason means that a daemon does not know a report', async (t) => {
  const statistics = (error: number, text: string) =>
    clientOf(t, ControlMessage.create(MessageType.error, 0).setResponse(error, text)).statistics(PID);
  await t.rejects(statistics(errno.EINVAL, ''), { code: 'ENOTSUP', detail: /it has no statistics/ });
  await t.rejects(statistics(errno.EINVAL, 'why'), { code: 'EINVAL', detail: 'why' });
  await t.rejects(statistics(errno.EIO, ''), { code: 'EIO', detail: '' });
});

t.test('what an error means is not repeated as its reason', async (t) => {
  const { ENOLCK } = errno;
  const meaning = 'ENOLCK (No locks available)';
  for (const repeated of ['', 'no locks available', meaning]) {
    const { message, detail } = new ControlError(ENOLCK, repeated);
    t.same({ message, detail }, { message: meaning, detail: repeated });
  }
  t.equal(new ControlError(ENOLCK, 'flock is missing').message, `${meaning}: flock is missing`);
});
