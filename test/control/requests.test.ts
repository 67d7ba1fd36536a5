// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { connect } from 'node:net';
import t from 'tap';
import { errno } from '../../src/posix/errno.js';
import { SystemError } from '../../src/posix/system-error.js';
import { ControlMessage, type ResponseBody } from '../../src/control/message.js';
import { MessageType } from '../../src/control/message-type.js';
import { LOG_ERR, LOG_INFO, type Priority } from '../../src/server/logger.js';
import { type ControlWorld, controlWorld, PID, request } from './world.js';

const EBUSY = 16;
const EEXIST = 17;
const EINVAL = 22;
const EAGAIN = 11;
const ERANGE = 34;
const EALREADY = 114;

const ask = (world: ControlWorld, message: ControlMessage) => request(world.control.path, message);
const simple = (type: number, minor: number) => ControlMessage.create(type, minor);
const openOf = (minor: number, path: string, flags = 0) =>
  simple(MessageType.open, minor).setParameters(flags, path);

async function answers(
  world: ControlWorld,
  message: ControlMessage,
): Promise<{ type: number; cookie: number } & ResponseBody> {
  const [answer, ...rest] = await ask(world, message);
  if (!answer || rest.length > 0) throw new Error(`${rest.length + (answer ? 1 : 0)} answers`);
  return { type: answer.type, cookie: answer.cookie, ...answer.response };
}

async function attachAndOpen(world: ControlWorld, minor: number, path: string): Promise<void> {
  await answers(world, simple(MessageType.attach, minor));
  await answers(world, openOf(minor, path));
}

t.test('PID returns the pid', async (t) => {
  const [answer] = await ask(controlWorld(t), simple(MessageType.pid, 0));
  t.equal(answer?.type, 4);
  t.equal(answer?.pid, PID);
});

t.test('ATTACH adds a minor once', async (t) => {
  const world = controlWorld(t);
  t.match(await answers(world, simple(MessageType.attach, 7)), { type: 6, cookie: 7, error: 0 });
  t.match(await answers(world, simple(MessageType.attach, 7)), { type: 6, cookie: 7, error: EEXIST });
  t.match(await answers(world, simple(MessageType.attach, 65535)), { type: 6, error: EINVAL });
});

t.test('OPEN returns the image', async (t) => {
  const world = controlWorld(t);
  await answers(world, simple(MessageType.attach, 7));
  const [answer] = await ask(world, openOf(7, 'ram:3'));
  t.equal(answer?.type, 8);
  t.equal(answer?.cookie, 7);
  t.strictSame(answer?.image, { sectors: 3 * 2048, sectorSize: 512, info: 0 });
});

t.test('OPEN that fails is ERROR with the reason', async (t) => {
  const world = controlWorld(t);
  t.match(await answers(world, openOf(7, 'ram:1')), { type: 1, cookie: 7, error: EINVAL }, 'no such minor');
  await answers(world, simple(MessageType.attach, 7));
  t.match(await answers(world, openOf(7, 'ram:zero')), { type: 1, error: EINVAL }, "the driver's errno");
  t.match(await answers(world, openOf(7, 'nosuch:1')), { type: 1, error: EINVAL }, 'no such driver');
  t.match(await answers(world, openOf(7, 'nocolon')), {
    type: 1,
    error: EINVAL,
    text: /nocolon has no driver/,
  });
  t.match(await answers(world, openOf(7, 'ram:1', 16)), {
    type: 1,
    error: EINVAL,
    text: /0x10 are not supported/,
  });
  await answers(world, openOf(7, 'ram:1'));
  t.match(await answers(world, openOf(7, 'ram:1')), { type: 1, error: EALREADY }, 'open already');
});

t.test('after a failed OPEN another one may succeed', async (t) => {
  const world = controlWorld(t);
  await answers(world, simple(MessageType.attach, 7));
  await answers(world, openOf(7, 'ram:0'));
  t.match(await answers(world, openOf(7, 'ram:1')), { type: 8 });
});

t.test('OPEN with the read-only flag opens read-only', async (t) => {
  const world = controlWorld(t);
  await answers(world, simple(MessageType.attach, 7));
  await answers(world, openOf(7, 'ram:1', 2));
  t.equal(world.registry.get(7)?.readOnly, true);
});

t.test('OPEN has a flag for shared, and one for read-only', async (t) => {
  const world = controlWorld(t);
  for (const flags of [0, 1, 2, 3]) {
    await answers(world, simple(MessageType.attach, flags));
    await answers(world, openOf(flags, 'held:a', flags));
  }
  t.same(
    world.held.openFlags.map(({ shared, readOnly }) => [shared, readOnly]),
    [
      [false, false],
      [true, false],
      [false, true],
      [true, true],
    ],
  );
});

t.test('OPEN and RESUME refuse a path that fills all its 256 bytes, or is not UTF-8', async (t) => {
  const world = controlWorld(t);
  await attachAndOpen(world, 7, 'ram:1');
  await answers(world, simple(MessageType.pause, 7));
  await answers(world, simple(MessageType.attach, 8));
  for (const bad of [Buffer.alloc(256, 'a:'), Buffer.from([0x61, 0x3a, 0xff, 0])]) {
    for (const [type, minor, answer] of [
      [7, 8, 1],
      [11, 7, 12],
    ] as const) {
      const message = simple(type, minor);
      message.bytes.set(bad, 22);
      t.match(await answers(world, message), { type: answer, error: EINVAL, text: /255 bytes/ });
    }
  }
  t.match(
    await world.client.list(PID),
    [
      { minor: 7, state: 0x2a },
      { minor: 8, state: 2 },
    ],
    'and do nothing',
  );
});

t.test('a path of 255 bytes is taken and listed whole', async (t) => {
  const world = controlWorld(t);
  const path = `held:${'x'.repeat(250)}`;
  await attachAndOpen(world, 7, path);
  t.strictSame(await world.client.list(PID), [{ minor: 7, state: 0, path }]);
});

t.test('PAUSE is answered when the VBD is quiet, and others are served meanwhile', async (t) => {
  const world = controlWorld(t);
  await attachAndOpen(world, 7, 'held:a');
  let written: number | undefined;
  world.registry.get(7)?.queueWrite(0, new Uint8Array(512), (result) => {
    written = result;
  });
  await world.held.somethingHeld();
  let paused = false;
  const pause = answers(world, simple(MessageType.pause, 7)).then((answer) => {
    paused = true;
    return answer;
  });
  // The pause has arrived once the state shows it; each look is a whole exchange with the daemon.
  let state = 0;
  while (state === 0) state = (await world.client.list(PID))[0]?.state ?? -1;
  t.equal(state, 16 | 4, 'pause and quiesce are requested');
  t.equal(paused, false);
  world.held.finishRequests();
  t.match(await pause, { type: 10, error: 0 });
  t.equal(written, 0, 'the write ended first');
  t.match(await world.client.list(PID), [{ state: 0x2a }]);
});

t.test('PAUSE continues after its client has disconnected', async (t) => {
  const world = controlWorld(t);
  await attachAndOpen(world, 7, 'held:a');
  world.registry.get(7)?.queueRead(0, new Uint8Array(512), () => {});
  await world.held.somethingHeld();
  const socket = connect(world.control.path);
  socket.end(simple(MessageType.pause, 7).bytes);
  while ((await world.client.list(PID))[0]?.state === 0);
  socket.destroy();
  world.held.finishRequests();
  t.match(await world.client.list(PID), [{ state: 0x2a }]);
});

t.test('PAUSE and CLOSE of a minor that is not open or does not exist', async (t) => {
  const world = controlWorld(t);
  t.match(await answers(world, simple(MessageType.pause, 7)), { type: 10, error: EINVAL });
  t.match(await answers(world, simple(MessageType.close, 7)), { type: 14, error: EINVAL });
  await answers(world, simple(MessageType.attach, 7));
  t.match(await answers(world, simple(MessageType.pause, 7)), { type: 10, error: EINVAL });
});

t.test('RESUME reopens the image, under another name if one is given', async (t) => {
  const world = controlWorld(t);
  await attachAndOpen(world, 7, 'held:a');
  const resume = (path: string) => answers(world, simple(MessageType.resume, 7).setParameters(0, path));
  t.match(await resume(''), { type: 12, error: EINVAL }, 'it is not paused');
  await answers(world, simple(MessageType.pause, 7));
  t.match(await resume(''), { type: 12, error: 0 });
  t.match(await world.client.list(PID), [{ state: 0, path: 'held:a' }]);
  await answers(world, simple(MessageType.pause, 7));
  t.match(await resume('held:b'), { type: 12, error: 0 });
  t.match(await world.client.list(PID), [{ state: 0, path: 'held:b' }]);
});

t.test('CLOSE returns EAGAIN while requests are pending', async (t) => {
  const world = controlWorld(t);
  await attachAndOpen(world, 7, 'held:a');
  world.registry.get(7)?.queueRead(0, new Uint8Array(512), () => {});
  await world.held.somethingHeld();
  t.match(await answers(world, simple(MessageType.close, 7)), { type: 14, error: EAGAIN });
  world.held.finishRequests();
  t.match(await answers(world, simple(MessageType.close, 7)), { type: 14, error: 0 });
  t.match(await world.client.list(PID), [{ state: 2, path: '' }]);
});

t.test('DETACH refuses an open VBD and removes a closed one', async (t) => {
  const world = controlWorld(t);
  t.match(await answers(world, simple(MessageType.detach, 7)), { type: 16, error: EINVAL });
  await attachAndOpen(world, 7, 'ram:1');
  t.match(await answers(world, simple(MessageType.detach, 7)), { type: 16, error: EBUSY });
  await answers(world, simple(MessageType.close, 7));
  t.match(await answers(world, simple(MessageType.detach, 7)), { type: 16, error: 0 });
  t.strictSame(await world.client.list(PID), []);
});

t.test('LIST_MINORS returns the minors, or ERANGE if they do not fit', async (t) => {
  const world = controlWorld(t);
  const minors = Array.from({ length: 63 }, (_, index) => 3 * index);
  for (const minor of minors) world.registry.attach(minor);
  const [answer] = await ask(world, simple(MessageType.listMinors, 65535));
  t.equal(answer?.type, 18);
  t.strictSame(answer?.minors, minors);
  world.registry.attach(1);
  t.match(await answers(world, simple(MessageType.listMinors, 65535)), { type: 1, error: ERANGE });
});

t.test('LIST returns one message per VBD, counting down, and one that ends it', async (t) => {
  const world = controlWorld(t);
  await attachAndOpen(world, 5, 'ram:1');
  await attachAndOpen(world, 2, 'held:a');
  await answers(world, simple(MessageType.attach, 9));
  const messages = await ask(world, simple(MessageType.list, 65535));
  t.strictSame(
    messages.map(({ type, cookie }) => [type, cookie]),
    Array.from({ length: 4 }, () => [20, 65535]),
  );
  t.strictSame(
    messages.map((message) => message.list),
    [
      { count: 3, minor: 5, state: 0, path: 'ram:1' },
      { count: 2, minor: 2, state: 0, path: 'held:a' },
      { count: 1, minor: 9, state: 2, path: '' },
      { count: 0, minor: -1, state: 0, path: '' },
    ],
  );
});

t.test('FORCE_SHUTDOWN and unknown messages get ERROR with EINVAL', async (t) => {
  const world = controlWorld(t);
  for (const type of [0, 1, 2, 4, 21, 22, 65535]) {
    t.match(await answers(world, simple(type, 3)), { type: 1, cookie: 3, error: EINVAL }, `type ${type}`);
  }
});

t.test('a report of any length arrives whole', async (t) => {
  for (const length of [0, 1, 264, 265, 100_000]) {
    const text = 'ä'.repeat(length / 2) + 'x'.repeat(length % 2);
    const world = controlWorld(t, { report: () => text });
    t.equal(await world.client.statistics(PID), text, `${length} bytes`);
  }
});

t.test('a daemon that replicates no disks refuses commands for them', async (t) => {
  const { client } = controlWorld(t);
  await t.rejects(client.replication(PID, 3, { command: 'flush' }), {
    code: 'ENOTSUP',
    detail: 'this daemon replicates no disks',
  });
});

t.test('a command that fails with no errno is an EIO', async (t) => {
  const { client } = controlWorld(t, {
    replication: () => Promise.reject(new SystemError('EAI_AGAIN', 'no name server')),
  });
  await t.rejects(client.replication(PID, 3, { command: 'flush' }), {
    code: 'EIO',
    detail: 'no name server',
  });
});

t.test('a change of a disk that fails is one line of the log, besides the reply', async (t) => {
  const lines: string[] = [];
  const world = controlWorld(t, { logger: { log: (_, line) => lines.push(line) } });
  await answers(world, simple(MessageType.attach, 1));
  await answers(world, openOf(1, 'aio:/nonexistent'));
  await answers(world, openOf(1, 'ram:1'));
  await answers(world, simple(MessageType.pause, 1));
  const resume = simple(MessageType.resume, 1);
  await answers(world, resume.setParameters(0, 'aio:/nonexistent'));
  await answers(world, simple(MessageType.close, 2));
  await answers(world, simple(MessageType.pause, 2));
  const noMinor = 'minor 2 is not attached; attached: 1';
  t.same(
    lines.filter((line) => !line.includes('opened')),
    [
      'vbd 1: cannot open aio:/nonexistent: no such file or directory',
      'vbd 1: cannot resume with aio:/nonexistent: no such file or directory',
      `vbd 2: close failed: ${noMinor}`,
      `vbd 2: cannot pause: ${noMinor}`,
    ],
  );
  world.held.failClosing(-errno.EIO);
  await attachAndOpen(world, 3, 'held:a');
  t.match(await answers(world, simple(MessageType.close, 3)), { error: errno.EIO });
  t.equal(lines.at(-1), 'vbd 3: close failed: EIO (Input/output error)');
  lines.length = 0;
  await answers(world, openOf(3, 'held:a'));
  const paused = answers(world, resume.setParameters(0, ''));
  t.match(await paused, { error: errno.ENOENT }, 'the image that it was to have is still the one');
});

t.test(
  'a change that is cancelled is no error in the log, and one that is to be repeated is not in it',
  async (t) => {
    const lines: [Priority, string][] = [];
    const logger = {
      log: (...line: [Priority, string]) => void (line[1].includes('vbd 7: c') && lines.push(line)),
    };
    const world = controlWorld(t, { logger });
    await attachAndOpen(world, 7, 'held:a');
    world.registry.get(7)?.queueRead(0, new Uint8Array(512), () => {});
    await world.held.somethingHeld();
    t.match(await answers(world, simple(MessageType.close, 7)), { error: EAGAIN });
    t.same(lines, []);
    world.held.finishRequests();
    await answers(world, simple(MessageType.close, 7));
    await answers(world, openOf(7, 'aio:/nonexistent'));
    world.held.holdOpening();
    const opening = answers(world, openOf(7, 'held:a'));
    await world.held.somethingHeld();
    world.held.finishOpening(-errno.ECANCELED);
    t.match(await opening, { type: 1, error: errno.ECANCELED });
    t.same(lines, [
      [LOG_ERR, 'vbd 7: cannot open aio:/nonexistent: no such file or directory'],
      [LOG_INFO, 'vbd 7: cannot open held:a: ECANCELED (Operation canceled)'],
    ]);
  },
);
