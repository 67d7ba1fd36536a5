// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { setImmediate } from 'node:timers/promises';
import { PassThrough } from 'node:stream';
import { errno, NodePosix } from '../../src/posix/index.js';
import type { TapdiskServer } from '../../src/server/index.js';
import type { Backup } from '../../src/transfer/backup.js';
import type { Copy, Output } from '../../src/transfer/output.js';
import type { Primary } from '../../src/transfer/primary.js';
import type { TransferObserver } from '../../src/transfer/transfer-event.js';
import { TransferError } from '../../src/transfer/transfer-error.js';
import { GREETING, HEADER, QUIET_SECONDS, trailer, verdictLine } from '../../src/transfer/wire.js';
import { ManualClock } from '../disks/bench.js';
import { everything, foreignPrimary } from './foreign.js';
import {
  backupOn,
  listeningBackup,
  MemoryOutput,
  NotedResets,
  primaryOn,
  serverTest,
  sha256,
} from './world.js';

const image = Buffer.from('an image');
const digest = { bytes: image.length, sha256: sha256(image) };
const end = trailer(digest);

/** An output whose opening and commit the test ends. */
class HeldOutput implements Output {
  readonly name = 'held';
  readonly appends = false;
  begun = 0;
  readonly stream = new PassThrough().resume();
  readonly calls: string[] = [];
  open!: (error?: Error) => void;
  commit!: (error?: Error) => void;
  readonly committing: Promise<void>;
  #startCommit!: () => void;

  constructor() {
    this.committing = new Promise((resolve) => {
      this.#startCommit = resolve;
    });
  }

  async begin(): Promise<Copy> {
    this.begun += 1;
    await this.#held('open');
    return {
      stream: this.stream,
      commit: () => {
        this.#startCommit();
        return this.#held('commit');
      },
      // As with a file, others get their turn meanwhile.
      abandon: async () => {
        for (let turn = 0; turn < 5; turn++) await setImmediate();
        this.calls.push('abandoned');
      },
    };
  }

  async #held(name: 'open' | 'commit'): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this[name] = (error) => (error ? reject(error) : resolve());
    });
    this.calls.push(name);
  }
}

/** Passes of the scheduler, until something is so. */
async function until(server: TapdiskServer, isSo: () => boolean): Promise<void> {
  while (!isSo()) await server.sleep(0);
}

const clock = new ManualClock();
serverTest(
  'the status of a backup names its phase, and how long a primary that is sending has been quiet',
  async (t, server) => {
    const output = new HeldOutput();
    const { backup, log, address } = await listeningBackup(server, { output, silenceSeconds: 0 });
    clock.seconds += 4;
    t.match(backup.status(), { phase: 'listening', seconds: 0, uptimeSeconds: 4, file: 'held' });
    const socket = await foreignPrimary(address);
    await log.event('established');
    const phases: [string, number][] = [];
    const note = (): void => {
      clock.seconds += 3;
      const { phase, quietSeconds } = backup.status();
      phases.push([phase, quietSeconds]);
    };
    note();
    socket.write(Buffer.concat([HEADER, image, end]));
    await until(server, () => output.begun > 0);
    for (let pass = 0; pass < 3; pass += 1) await server.sleep(0);
    t.equal(output.begun, 1, 'what comes meanwhile opens it once');
    note();
    output.open();
    await log.bytesMoved();
    note();
    socket.end();
    await output.committing;
    note();
    output.commit();
    t.match(await log.event('complete'), { ...digest, confirmed: true, seconds: 12, rate: 1, file: 'held' });
    await log.event('listening', 2);
    note();
    t.same(phases, [
      ['waiting', 0],
      ['opening', 0],
      ['receiving', 3],
      ['storing', 0],
      ['listening', 0],
    ]);
    t.match(backup.status(), { seconds: 12, uptimeSeconds: 19, transfers: 1, bytes: image.length });
    t.same(output.calls, ['open', 'commit']);
    await backup.stop('SIGTERM');
  },
  new NodePosix({ clock }),
);

serverTest(
  'an output that fails at the end fails the image, and both sides report why',
  async (t, server) => {
    const output = new HeldOutput();
    const { backup, log, address } = await listeningBackup(server, { output });
    const socket = await foreignPrimary(address);
    socket.write(Buffer.concat([HEADER, image, end]));
    await until(server, () => output.begun > 0);
    output.open();
    await log.bytesMoved();
    socket.end();
    await output.committing;
    output.commit(new TransferError('ENOSPC', 'cannot write held: no space left on device'));
    t.equal(String(await everything(socket)), 'error ENOSPC cannot write held: no space left on device\n');
    t.match(await log.event('broken'), { code: 'ENOSPC', bytes: image.length });
    t.same(output.calls, ['open'], 'a commit that failed leaves nothing to abandon');
    await backup.stop('SIGTERM');
  },
);

serverTest(
  'a backup that is stopped waits for its output: what was being opened is dropped, what was being stored is kept',
  async (t, server) => {
    for (const [held, calls] of [
      ['open', ['open', 'abandoned']],
      ['commit', ['open', 'commit']],
    ] as const) {
      const output = new HeldOutput();
      const { backup, log, address } = await listeningBackup(server, { output });
      const socket = await foreignPrimary(address);
      socket.write(Buffer.concat([HEADER, image, end]));
      await until(server, () => output.begun > 0);
      if (held === 'commit') {
        output.open();
        await log.bytesMoved();
        socket.end();
        await output.committing;
      }
      const stopped = Promise.all([backup.stop('SIGTERM'), backup.stop('SIGINT')]).then(() => backup.ended);
      await setImmediate();
      t.equal(backup.status().phase, 'stopping');
      output[held]();
      t.same(await stopped, { kind: 'stopped', signal: 'SIGTERM' });
      t.same(output.calls, calls);
      t.same(
        log.names().filter((name) => name !== 'listening' && name !== 'established'),
        ['stopped'],
      );
      socket.destroy();
    }
  },
);

serverTest('a backup can be stopped while it refuses a primary', async (t, server) => {
  const output = new MemoryOutput();
  const { backup, log, address } = await listeningBackup(server, { output, acceptsRaw: false });
  const socket = await foreignPrimary(address);
  socket.write('raw');
  await new Promise((resolve) => {
    socket.once('data', resolve);
  });
  t.equal(backup.status().phase, 'refusing');
  await until(server, () => output.abandoned > 0);
  for (let pass = 0; pass < 3; pass += 1) await server.sleep(0);
  await backup.stop('SIGTERM');
  t.same(await backup.ended, { kind: 'stopped', signal: 'SIGTERM' });
  t.notOk(log.names().includes('broken'));
  t.equal(output.abandoned, 1);
  socket.destroy();
});

serverTest('a stream that cannot be written is a failure of the output', async (t, server) => {
  const output = new HeldOutput();
  const { backup, log, address } = await listeningBackup(server, { output });
  const socket = await foreignPrimary(address);
  socket.end(Buffer.concat([HEADER, image, end]));
  await until(server, () => output.begun > 0);
  output.stream.destroy();
  output.open();
  const message = 'cannot write held: bad file descriptor';
  t.match(await log.event('broken'), { code: 'EBADF', message });
  t.equal(String(await everything(socket)), `error EBADF ${message}\n`);
  t.same(output.calls, ['open', 'abandoned']);
  await backup.stop('SIGTERM');
});

/** A kernel that finds nothing to read each second time, as after a wake-up for nothing, and cannot name its peers. */
class Hesitant extends NodePosix {
  #turn = 0;

  #finds(): boolean {
    this.#turn += 1;
    return this.#turn % 2 === 0;
  }
  override read(fd: number, buffer: Uint8Array): number {
    return this.#finds() ? super.read(fd, buffer) : -errno.EAGAIN;
  }
  override take(fd: number): Uint8Array | number {
    return this.#finds() ? super.take(fd) : -errno.EAGAIN;
  }
  override getpeername(): number {
    return -errno.ENOTCONN;
  }
}

serverTest(
  'a primary that is ready to read and is not, or has gone before it was named, is served as others are',
  async (t, server) => {
    const { backup, log, address } = await listeningBackup(server, { acceptsRaw: false });
    const socket = await foreignPrimary(address);
    socket.end(Buffer.concat([HEADER, image, end]));
    t.same(await everything(socket), verdictLine({ kind: 'ok', ...digest }));
    t.match(await log.event('established'), { peer: 'unknown' });
    await log.event('listening', 2);
    const raw = await foreignPrimary(address);
    raw.write('raw');
    await new Promise((resolve) => {
      raw.once('data', resolve);
    });
    raw.write('m');
    for (let pass = 0; pass < 20; pass += 1) await server.sleep(0);
    t.equal(backup.status().phase, 'refusing', 'it has not ended');
    raw.end();
    t.match(await log.event('broken'), { code: 'EPROTO' });
    await backup.stop('SIGTERM');
  },
  new Hesitant(),
);

serverTest(
  'while a copy is stored, a descriptor that has got the number of its output is left alone',
  async (t, server) => {
    const { posix } = server;
    const output = new HeldOutput();
    const { backup, log, address } = await listeningBackup(server, { output });
    const socket = await foreignPrimary(address);
    socket.end(Buffer.concat([HEADER, image, end]));
    await until(server, () => output.begun > 0);
    const before = posix.openDescriptors().length;
    output.open();
    await log.bytesMoved();
    await output.committing;
    t.equal(posix.openDescriptors().length, before);
    const other = posix.eventfd();
    output.commit();
    await log.event('listening', 2);
    t.equal(posix.close(other), 0);
    await backup.stop('SIGTERM');
    socket.destroy();
  },
);

const inOrder = new NotedResets();
serverTest(
  'a backup that has its image closes the connection in order, so that the verdict arrives',
  async (t, server) => {
    const { backup, address } = await listeningBackup(server, { once: true });
    const socket = await foreignPrimary(address);
    socket.end(Buffer.concat([HEADER, image, end]));
    t.same(await everything(socket), verdictLine({ kind: 'ok', ...digest }));
    t.same(await backup.ended, { kind: 'complete' });
    t.same(inOrder.resets, []);
  },
  inOrder,
);

const opening = new ManualClock();
serverTest(
  'the time in which the output is opened does not count against the rate of a primary',
  async (t, server) => {
    const output = new HeldOutput();
    const { backup, log, address } = await listeningBackup(server, {
      output,
      minRate: 1000,
      silenceSeconds: 0,
    });
    const socket = await foreignPrimary(address);
    socket.write(HEADER);
    await until(server, () => output.begun > 0);
    for (let span = 0; span < 3; span += 1) {
      opening.seconds += 10;
      await server.sleep(0);
    }
    output.open();
    await until(server, () => backup.status().phase !== 'opening');
    t.equal(backup.status().phase, 'receiving');
    socket.destroy();
    await log.event('broken');
    await backup.stop('SIGTERM');
  },
  new NodePosix({ clock: opening }),
);

serverTest('a role whose end is reported has the phase `ended`', async (t, server) => {
  const phases: string[] = [];
  const observer = (role: () => Backup | Primary): TransferObserver => ({
    onEvent: ({ event }) => phases.push(`${event}: ${role().status().phase}`),
    onProgress() {},
  });
  const { backup, address } = await listeningBackup(server, { once: true });
  t.equal(backup.status().phase, 'listening');
  await backup.stop('SIGTERM');
  const ending: Backup = backupOn(server, {
    once: true,
    name: address,
    observer: observer(() => ending),
  }).backup;
  await ending.start();
  const primary: Primary = primaryOn(server, { name: address, observer: observer(() => primary) }).primary;
  await primary.start();
  await Promise.all([primary.ended, ending.ended]);
  t.same(phases.toSorted(), [
    'complete: ended',
    'complete: ended',
    'connecting: connecting',
    'established: greeting',
    'established: waiting',
    'listening: listening',
  ]);
  for (const name of ['nowhere', '192.0.2.1:9']) {
    phases.length = 0;
    const failing: Backup = backupOn(server, { name, observer: observer(() => failing) }).backup;
    await failing.start();
    await failing.ended;
    t.same(phases, ['failed: ended'], name);
  }
  phases.length = 0;
  const going: Backup = backupOn(server, { observer: observer(() => going) }).backup;
  await going.start();
  const to = { name: going.status().address };
  const whole = primaryOn(server, to).primary;
  await Promise.all([whole.start(), whole.ended]);
  await until(server, () => phases.length === 4);
  const cut: Primary = primaryOn(server, { ...to, observer: observer(() => cut) }).primary;
  await cut.start();
  await until(server, () => phases.length === 7);
  cut.stop('SIGTERM');
  await until(server, () => phases.length === 10);
  await going.stop('SIGTERM');
  t.same(
    phases.toSorted(),
    [
      ...['listening: listening', 'established: waiting', 'complete: listening', 'listening: listening'],
      ...['connecting: connecting', 'established: greeting', 'established: waiting', 'stopped: ended'],
      ...['broken: listening', 'listening: listening', 'stopped: stopping'],
    ].toSorted(),
    'a backup that goes on listens again',
  );
  phases.length = 0;
  const failing: Primary = primaryOn(server, { name: 'nowhere', observer: observer(() => failing) }).primary;
  await failing.start();
  failing.stop('SIGTERM');
  t.same(phases, ['failed: ended'], 'there is nothing left to stop');
});

const refusing = new ManualClock();
serverTest(
  'a primary that is refused has two seconds to end, whether it goes on sending or not',
  async (t, server) => {
    const output = new MemoryOutput();
    const { backup, log, address } = await listeningBackup(server, {
      output,
      acceptsRaw: false,
      silenceSeconds: 0,
    });
    for (const [nth, sends] of [false, true].entries()) {
      const socket = await foreignPrimary(address);
      socket.write('raw');
      await new Promise((resolve) => {
        socket.once('data', resolve);
      });
      const pass = async (): Promise<void> => {
        if (sends) socket.write('more');
        await server.sleep(0);
      };
      // Its time begins when the copy is gone.
      await until(server, () => output.abandoned > nth);
      for (let passes = 0; passes < 5; passes += 1) await pass();
      refusing.seconds += 1;
      for (let passes = 0; passes < 5; passes += 1) await pass();
      t.equal(backup.status().phase, 'refusing');
      refusing.seconds += 1;
      while (backup.status().phase === 'refusing') await pass();
      await log.event('listening', nth + 2);
      t.match(await log.event('broken', nth + 1), { code: 'EPROTO' });
      socket.destroy();
    }
    await backup.stop('SIGTERM');
  },
  new NodePosix({ clock: refusing }),
);

/** A system that notes for how long it is asked to wait. */
class NotedWaits extends NodePosix {
  readonly waits: (number | undefined)[] = [];

  override select(
    ...[sets, timeoutSeconds]: Parameters<NodePosix['select']>
  ): ReturnType<NodePosix['select']> {
    this.waits.push(timeoutSeconds);
    return super.select(sets, timeoutSeconds);
  }
}
const noted = new NotedWaits();
serverTest(
  'a primary that sends nothing for a tenth of a second is greeted, once',
  async (t, server) => {
    const { backup, log, address } = await listeningBackup(server);
    const socket = await foreignPrimary(address);
    await new Promise((resolve) => {
      socket.once('data', (data: Buffer) => {
        t.same(data, GREETING);
        resolve(undefined);
      });
    });
    t.same(
      noted.waits.filter((seconds) => seconds !== undefined && seconds > 0 && seconds < 1),
      [0.1],
    );
    socket.end();
    await log.event('nothing');
    await backup.stop('SIGTERM');
  },
  noted,
);

const idle = new ManualClock();
serverTest(
  'a primary that sends nothing is given up after its idle time, and not before',
  async (t, server) => {
    const { backup, log, address } = await listeningBackup(server, { idleSeconds: 2, silenceSeconds: 0 });
    const socket = await foreignPrimary(address);
    await log.event('established');
    idle.seconds += 2;
    for (let pass = 0; pass < 3; pass += 1) await server.sleep(0);
    t.equal(backup.status().phase, 'waiting');
    idle.seconds += 1;
    for (let pass = 0; pass < 3; pass += 1) await server.sleep(0);
    t.match(await log.event('broken'), { code: 'ETIMEDOUT', message: 'the primary sent nothing for 2 s' });
    await log.event('listening', 2);
    socket.destroy();
    const next = await foreignPrimary(address);
    await log.event('established', 2);
    // Its end leaves no event, as that of every test.
    await backup.stop('SIGTERM');
    next.destroy();
  },
  new NodePosix({ clock: idle }),
);

/** A system on which the test ends the wait for a primary's first byte. */
class HeldQuiet extends NodePosix {
  answer!: (ready: number | { read: number[] }) => void;

  override select(
    ...[sets, timeoutSeconds]: Parameters<NodePosix['select']>
  ): ReturnType<NodePosix['select']> {
    if (timeoutSeconds !== QUIET_SECONDS) return super.select(sets, timeoutSeconds);
    return new Promise((resolve) => {
      this.answer = (ready) =>
        resolve(typeof ready === 'number' ? ready : { write: [], except: [], ...ready });
    });
  }
}

const heldQuiet = new HeldQuiet();
serverTest(
  'a primary that is not known to be quiet, or has begun, is not greeted',
  async (t, server) => {
    const { backup, log, address } = await listeningBackup(server);
    for (const [nth, ready] of [{ read: [7] }, -errno.EBADF].entries()) {
      const socket = await foreignPrimary(address);
      await log.event('established', nth + 1);
      heldQuiet.answer(ready);
      for (let pass = 0; pass < 3; pass += 1) await server.sleep(0);
      t.equal(backup.status().phase, 'waiting');
      socket.end();
      t.equal(String(await everything(socket)), '');
      await log.event('nothing', nth + 1);
    }
    const socket = await foreignPrimary(address);
    socket.write(HEADER);
    await until(server, () => backup.status().phase === 'receiving');
    heldQuiet.answer({ read: [] });
    for (let pass = 0; pass < 3; pass += 1) await server.sleep(0);
    socket.end(Buffer.concat([image, end]));
    t.same(await everything(socket), verdictLine({ kind: 'ok', ...digest }));
    await log.event('listening', 4);
    await backup.stop('SIGTERM');
  },
  heldQuiet,
);

const endedQuiet = new HeldQuiet({ clock: new ManualClock() });
serverTest(
  'a primary that was given up before it was known to be quiet is not greeted, nor is who has its descriptor now',
  async (t, server) => {
    const { backup, log, address } = await listeningBackup(server, { idleSeconds: 1, silenceSeconds: 0 });
    const first = await foreignPrimary(address);
    await log.event('established');
    const { answer } = endedQuiet;
    (endedQuiet.clock as ManualClock).seconds += 2;
    await until(server, () => log.names().includes('broken'));
    first.destroy();
    const second = await foreignPrimary(address);
    await log.event('established', 2);
    answer({ read: [] });
    for (let pass = 0; pass < 3; pass += 1) await server.sleep(0);
    second.end();
    t.equal(String(await everything(second)), '');
    await log.event('nothing');
    await backup.stop('SIGTERM');
  },
  endedQuiet,
);

const unlimited = new ManualClock();
serverTest(
  'unless it has limits a backup waits for its primary for ever',
  async (t, server) => {
    const { backup, log, address } = await listeningBackup(server, { silenceSeconds: 0 });
    const socket = await foreignPrimary(address);
    await log.event('established');
    for (const phase of ['waiting', 'receiving']) {
      await until(server, () => backup.status().phase === phase);
      for (let hour = 0; hour < 3; hour += 1) {
        unlimited.seconds += 3600;
        for (let pass = 0; pass < 3; pass += 1) await server.sleep(0);
      }
      t.equal(backup.status().phase, phase);
      socket.write(HEADER);
    }
    await backup.stop('SIGTERM');
    socket.destroy();
  },
  new NodePosix({ clock: unlimited }),
);

serverTest(
  'an image that finds no room leaves a backup for one image waiting for a smaller one',
  async (t, server) => {
    for (const [code, outcome] of [
      ['ENOSPC', 'broken'],
      ['EDQUOT', 'broken'],
      ['EFBIG', 'broken'],
      ['EIO', 'failed'],
    ] as const) {
      const output = new MemoryOutput();
      const begin = output.begin.bind(output);
      output.begin = async () => ({
        ...(await begin()),
        commit: () => Promise.reject(new TransferError(code, 'cannot write memory')),
      });
      const { backup, log, address } = await listeningBackup(server, { output, once: true });
      const socket = await foreignPrimary(address);
      socket.end(Buffer.concat([HEADER, image, end]));
      t.match(await log.event(outcome), { code });
      if (outcome === 'broken') await backup.stop('SIGTERM');
      t.equal((await backup.ended).kind, outcome === 'broken' ? 'stopped' : 'failed');
      await backup.stop('SIGTERM');
      t.equal(log.names().filter((name) => name === 'stopped').length, outcome === 'broken' ? 1 : 0);
      socket.destroy();
    }
  },
);

serverTest(
  'a primary that is refused and ends is let go at once',
  async (t, server) => {
    const { backup, log, address } = await listeningBackup(server, { acceptsRaw: false, silenceSeconds: 0 });
    const socket = await foreignPrimary(address);
    socket.end('raw');
    t.match(String(await everything(socket)), /^error EPROTO /);
    // The clock stands still.
    t.match(await log.event('broken'), { code: 'EPROTO' });
    await log.event('listening', 2);
    await backup.stop('SIGTERM');
  },
  new NodePosix({ clock: new ManualClock() }),
);
