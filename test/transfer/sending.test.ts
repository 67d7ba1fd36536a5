// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { setImmediate } from 'node:timers/promises';
import type { Test } from 'tap';
import { NodePosix, errno } from '../../src/posix/index.js';
import type { TapdiskServer } from '../../src/server/index.js';
import type { Input } from '../../src/transfer/input.js';
import { Meter } from '../../src/transfer/meter.js';
import { Sending } from '../../src/transfer/sending.js';
import { TransferError } from '../../src/transfer/transfer-error.js';
import { GREETING, HEADER, trailer, verdictLine } from '../../src/transfer/wire.js';
import { ManualClock } from '../disks/bench.js';
import { everything, foreignBackup } from './foreign.js';
import { inputOf, NotedResets, openInput, primaryOn, serverTest, sha256 } from './world.js';

const image = Buffer.from('an image');
const digest = { bytes: image.length, sha256: sha256(image) };
const framed = Buffer.concat([HEADER, image, trailer(digest)]);

const clock = new ManualClock();
serverTest(
  'the status of a primary names its phase, and how long a backup that takes nothing has been quiet',
  async (t, server) => {
    let greet!: () => void;
    let confirm!: () => void;
    const ended = new Promise<void>((resolve) => {
      confirm = resolve;
    });
    const name = await foreignBackup(t, (socket) => {
      greet = () => void socket.write(GREETING);
      socket.resume().on('end', () => {
        confirm();
        confirm = () => void socket.end(verdictLine({ kind: 'ok', ...digest }));
      });
    });
    const { input, stream } = openInput();
    const { primary, log } = primaryOn(server, { name, input, silenceSeconds: 0 });
    await primary.start();
    await log.event('established');
    const phases: [string, number][] = [];
    const note = (): void => {
      clock.seconds += 1;
      const { phase, quietSeconds } = primary.status();
      phases.push([phase, quietSeconds]);
    };
    note();
    greet();
    stream.write(image);
    await log.bytesMoved();
    note();
    stream.end();
    await ended;
    note();
    confirm();
    t.match(await log.event('complete'), { ...digest, confirmed: true, seconds: 3, rate: 3, file: 'feed' });
    note();
    t.same(phases, [
      ['greeting', 0],
      ['sending', 1],
      ['awaiting', 0],
      ['ended', 0],
    ]);
    t.match(primary.status(), { seconds: 3, uptimeSeconds: 4, transfers: 1 });
    t.equal(primary.status().totalBytes, null);
    await primary.ended;
  },
  new NodePosix({ clock }),
);

/** A kernel that gives a byte at a time, and each second time nothing. */
class Trickle extends NodePosix {
  #turn = 0;

  override read(fd: number, buffer: Uint8Array): number {
    this.#turn += 1;
    return this.#turn % 2 === 0 ? super.read(fd, buffer.subarray(0, 1)) : -errno.EAGAIN;
  }
}

serverTest(
  'a greeting, a refusal and a verdict are understood in whatever pieces they come',
  async (t, server) => {
    let got: Promise<Buffer> | undefined;
    const polite = await foreignBackup(t, (socket) => {
      socket.write(GREETING);
      got = everything(socket);
      socket.on('end', () => socket.end(verdictLine({ kind: 'ok', ...digest })));
    });
    const { primary, log } = primaryOn(server, { name: polite, input: inputOf(image) });
    await primary.start();
    t.match(await log.event('complete'), { confirmed: true, ...digest });
    t.same(await got, framed);
    await primary.ended;
    const busy = await foreignBackup(t, (socket) => socket.end('error EBUSY busy with another\n'));
    const refused = primaryOn(server, { name: busy });
    await refused.primary.start();
    t.match(await refused.log.event('turned-away'), { message: 'the backup is busy with another' });
    t.match(refused.primary.status(), {
      state: 'closed',
      phase: 'waiting to try again',
      peer: null,
      bytes: 0,
      seconds: 0,
    });
    refused.primary.stop('SIGTERM');
  },
  new Trickle(),
);

serverTest(
  'a program whose words only begin like a refusal or a greeting gets the image alone',
  async (t, server) => {
    for (const words of ['error of mine\n', 'errors\n', 'tapdisk-ts backup 2\n', 'ok 0 none\n']) {
      let got: Promise<Buffer> | undefined;
      const name = await foreignBackup(t, (socket) => {
        socket.write(words);
        got = everything(socket);
        socket.on('end', () => socket.end());
      });
      const { primary, log } = primaryOn(server, { name, input: inputOf(image) });
      await primary.start();
      t.match(await log.event('complete'), { confirmed: false, ...digest }, words);
      t.same(await got, image);
    }
  },
);

serverTest('an input that cannot be read fails before anything is sent', async (t, server) => {
  const name = await foreignBackup(t, (socket) => void socket.resume().write(GREETING));
  const { input, stream } = openInput();
  stream.destroy();
  const { primary, log } = primaryOn(server, { name, input });
  await primary.start();
  t.same(await primary.ended, { kind: 'failed' });
  t.match(await log.event('failed'), { code: 'EBADF', message: /^cannot read feed: /, bytes: 0 });
});

serverTest('a greeting and an error that arrive together are both understood', async (t, server) => {
  const name = await foreignBackup(t, (socket) => {
    socket.end(Buffer.concat([GREETING, Buffer.from('error ETIMEDOUT the primary sent nothing\n')]));
  });
  const { input } = openInput();
  const { primary, log } = primaryOn(server, { name, input });
  await primary.start();
  t.same(await primary.ended, { kind: 'failed' });
  t.match(await log.event('failed'), {
    code: 'ETIMEDOUT',
    message: 'the backup failed: the primary sent nothing',
  });
});

const patient = new ManualClock();
serverTest(
  'a backup that has not greeted after two seconds is another program, which gets the image alone',
  async (t, server) => {
    let got: Promise<Buffer> | undefined;
    const name = await foreignBackup(t, (socket) => {
      got = everything(socket);
      socket.on('end', () => socket.end());
    });
    const { primary, log } = primaryOn(server, { name, input: inputOf(image), silenceSeconds: 0 });
    await primary.start();
    await log.event('established');
    for (const phase of ['greeting', 'ended']) {
      patient.seconds += 1;
      for (let pass = 0; pass < 3; pass += 1) await server.sleep(0);
      if (phase === 'ended') await primary.ended;
      t.equal(primary.status().phase, phase);
    }
    t.match(await log.event('complete'), { confirmed: false });
    t.same(await got, image);
  },
  new NodePosix({ clock: patient }),
);

const inOrder = new NotedResets();
serverTest(
  'a connection over which an image went is closed in order, and one that breaks off is reset',
  async (t, server) => {
    // A program that ends its side early may have much to read yet when the primary is done.
    const name = await foreignBackup(t, (socket) => void socket.end().resume());
    const whole = primaryOn(server, { name, input: inputOf(image), raw: true });
    await whole.primary.start();
    t.same(await whole.primary.ended, { kind: 'complete' });
    t.same(inOrder.resets, []);
    const { input } = openInput();
    const broken = primaryOn(server, { name, input, raw: true });
    await broken.primary.start();
    await broken.log.event('established');
    broken.primary.stop('SIGTERM');
    t.same(await broken.primary.ended, { kind: 'stopped', signal: 'SIGTERM' });
    t.equal(inOrder.resets.length, 1);
  },
  inOrder,
);

serverTest('a conversation that is stopped twice closes its input once', async (t, server) => {
  const { posix } = server;
  const { input } = openInput();
  const listener = posix.eventfd();
  const sending = new Sending({
    registrar: server,
    posix,
    fd: listener,
    input,
    meter: new Meter(posix.clock),
    raw: true,
    idleSeconds: 0,
    onEnd: () => t.fail('it was stopped'),
  });
  sending.start();
  const before = posix.openDescriptors().length;
  sending.stop();
  t.equal(posix.openDescriptors().length, before - 1);
  const other = posix.eventfd();
  sending.stop();
  t.equal(posix.openDescriptors().length, before, 'another descriptor of its number stays open');
  posix.close(other);
  posix.close(listener);
});

/** A system that notes how much was read in pieces that no counter has. */
class NotedReads extends NodePosix {
  heard = 0;

  override read(fd: number, buffer: Uint8Array): number {
    const count = super.read(fd, buffer);
    if (buffer.length > 8 && count > 0) this.heard += count;
    return count;
  }
}

/** A backup that says something at once, and refuses what it is sent after the primary has waited for its greeting. */
function refusingBackup(t: Test, words: string, code: string): Promise<string> {
  const verdict = verdictLine({ kind: 'error', code, message: 'no' });
  return foreignBackup(t, (socket) => {
    socket.write(words);
    socket.once('data', () => socket.resume().end(verdict));
  });
}

const late = new ManualClock();
const notedReads = new NotedReads({ clock: late });

/** Lets a primary wait for a greeting until it has waited enough. */
async function waitTooLong(server: TapdiskServer): Promise<void> {
  for (let second = 0; second < 2; second += 1) {
    late.seconds += 1;
    for (let pass = 0; pass < 3; pass += 1) await server.sleep(0);
  }
}

serverTest(
  'what is not a refusal of the image alone, or comes of who has begun to greet, is a failure, and nothing is sent again',
  async (t, server) => {
    for (const [words, code] of [
      ['', 'ENOSPC'],
      ['tapdisk', 'EPROTO'],
    ] as const) {
      notedReads.heard = 0;
      const name = await refusingBackup(t, words, code);
      const again = (): never => t.fail('it is opened again') as never;
      const input = { ...inputOf(image), again };
      const { primary, log } = primaryOn(server, { name, input, silenceSeconds: 0 });
      await primary.start();
      await log.event('established');
      while (notedReads.heard < words.length) await server.sleep(0);
      await waitTooLong(server);
      t.match(await log.event('failed'), { code, message: 'the backup failed: no' });
      t.same(await primary.ended, { kind: 'failed' });
    }
  },
  notedReads,
);

serverTest(
  'a primary that is stopped while its input is opened again neither sends nor fails, and closes the input',
  async (t, server) => {
    const { input: fresh, stream } = openInput();
    for (const outcome of [fresh, new TransferError('ENOENT', 'it is gone')]) {
      const name = await refusingBackup(t, '', 'EPROTO');
      let end!: () => void;
      const opened = new Promise<Input>((resolve, reject) => {
        end = () => (outcome instanceof TransferError ? reject(outcome) : resolve(outcome));
      });
      const input = { ...inputOf(image), again: () => opened };
      const { primary, log } = primaryOn(server, { name, input, silenceSeconds: 0 });
      await primary.start();
      await log.event('established');
      await waitTooLong(server);
      await log.event('turned-away');
      primary.stop('SIGTERM');
      t.same(await primary.ended, { kind: 'stopped', signal: 'SIGTERM' });
      end();
      await setImmediate();
      t.same(log.names(), ['connecting', 'established', 'turned-away', 'stopped']);
    }
    t.ok(stream.destroyed);
  },
  notedReads,
);
