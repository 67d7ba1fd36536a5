// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { chmodSync, existsSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { DiskDriverType, DriverContext } from '../../src/disks/index.js';
import { LoopLag } from '../../src/metrics/loop-lag.js';
import { errno } from '../../src/posix/index.js';
import type { TimerHandle, Timers } from '../../src/posix/timers.js';
import { POLL_READ_FD } from '../../src/scheduler/index.js';
import { until } from '../nbd/nbd-world.js';
import { shortDirectory } from '../short-directory.js';
import { nbdClient } from './daemon-child.js';
import { daemonWorld, daemonWorldWith, PID, scriptedDisk } from './daemon-world.js';

/** A timer that a daemon set for its end. */
interface SetTimer {
  readonly milliseconds: number;
  readonly fire: () => void;
  isReferenced: boolean;
  isCleared: boolean;
}

/** Timers that fire when the test says so, on a clock that it moves. */
function heldTimers(clock = { ms: 0 }): { readonly timers: Timers; readonly set: SetTimer[] } {
  const set: SetTimer[] = [];
  const made = new Map<TimerHandle, SetTimer>();
  const timers: Timers = {
    now: () => clock.ms,
    setTimeout(fire, milliseconds) {
      const timer: SetTimer = { milliseconds, fire, isReferenced: true, isCleared: false };
      set.push(timer);
      const handle = {
        ref: () => (timer.isReferenced = true),
        unref: () => (timer.isReferenced = false),
      };
      made.set(handle, timer);
      return handle;
    },
    clearTimeout(handle) {
      const timer = made.get(handle);
      if (timer) timer.isCleared = true;
    },
  };
  return { timers, set };
}

t.test('what is not closed within the grace time is given up, named and counted', async (t) => {
  const { timers, set } = heldTimers();
  const stuck = scriptedDisk('stuck', () => {});
  const { daemon, directory, lines } = daemonWorldWith(
    ...([t, { timers, types: [stuck] }, '--grace', '7', '--disk', '0=stuck:', '--disk', '1=ram:1'] as const),
  );
  await daemon.start();
  daemon.shutDown();
  await until(() => daemon.openDisks()[0]?.startsWith('vbd 0 pausing') === true);
  t.notOk(existsSync(join(directory, `ctl${PID}`)), 'control clients are let in no more');
  t.match(set, [{ milliseconds: 7000, isReferenced: false }], 'it keeps no process alive');
  set[0]?.fire();
  t.equal(await daemon.ended, 2);
  t.match(
    lines.filter((line) => line.includes('not closed')),
    [/^not closed within 7 s: vbd 0 pausing 'stuck:'/, /^not closed within 7 s: vbd 1 running 'ram:1'/],
  );
  daemon.abandon();
});

t.test('the time for which its process was stopped does not count as grace time', async (t) => {
  const clock = { ms: 0 };
  const { timers, set } = heldTimers(clock);
  const stuck = scriptedDisk('stuck', () => {});
  const { daemon, lines } = daemonWorldWith(
    t,
    { timers, types: [stuck] },
    '--grace',
    '7',
    '--disk',
    '0=stuck:',
  );
  await daemon.start();
  daemon.continued();
  t.same(set, [], 'only an end has a limit');
  daemon.shutDown();
  clock.ms = 60_000;
  set[0]?.fire();
  t.match(set[1], { milliseconds: 0, isReferenced: false }, 'whether it was stopped is waited for');
  daemon.continued();
  t.match(set[2], { milliseconds: 7000, isReferenced: false });
  t.ok(set[1]?.isCleared);
  t.ok(daemon.secondsLeft > 6);
  t.notMatch(lines, [/not closed/]);
  clock.ms = 120_000;
  set[2]?.fire();
  set[3]?.fire();
  t.equal(await daemon.ended, 1, 'a loop that was merely busy ends it');
  daemon.abandon();
});

t.test(
  'a timer that is half a second late ends it at once, a later one once signals had their turn',
  async (t) => {
    for (const [ms, isLate] of [
      [7500, false],
      [7501, true],
    ] as const) {
      const clock = { ms: 0 };
      const { timers, set } = heldTimers(clock);
      const types = [scriptedDisk('stuck', () => {})];
      const { daemon } = daemonWorldWith(t, { timers, types }, '--grace', '7', '--disk', '0=stuck:');
      await daemon.start();
      daemon.shutDown();
      clock.ms = ms;
      set[0]?.fire();
      t.equal(set.length, isLate ? 2 : 1);
      set[1]?.fire();
      t.equal(await daemon.ended, 1);
      daemon.abandon();
    }
  },
);

/** `slow:`, a disk whose opening is the test's. */
function slowDisk(open: (done: (result: number) => void) => void): DiskDriverType {
  const disk = scriptedDisk('slow', (done) => done(0));
  return {
    ...disk,
    create: (...parts) => ({ ...disk.create(...parts), open: (_flags, done) => open(done) }),
  };
}

/** Its opening can be aborted. */
function withAbort(type: DiskDriverType, abortOpen: () => void): DiskDriverType['create'] {
  return (...parts) => ({ ...type.create(...parts), abortOpen });
}

t.test('a start that hangs is given up within the grace time', async (t) => {
  const { timers, set } = heldTimers();
  const types = [slowDisk(() => {})];
  const { daemon, lines } = daemonWorldWith(t, { timers, types }, '--grace', '3', '--disk', '0=slow:');
  const started = daemon.start().then(
    () => 'ready',
    () => 'failed',
  );
  await until(() => daemon.openDisks().length > 0);
  daemon.shutDown();
  t.match(set, [{ milliseconds: 3000 }]);
  set[0]?.fire();
  t.equal(await Promise.race([started, daemon.ended]), 1);
  t.match(lines.at(-1), /^not closed within 3 s: vbd 0 opening 'slow:'/);
  daemon.abandon();
});

t.test('a shutdown during the start opens no further disk, and reports that nothing is ready', async (t) => {
  let opened: (result: number) => void = () => {};
  const types = [slowDisk((done) => (opened = done))];
  const { daemon, lines } = daemonWorldWith(t, { types }, '--disk', '0=slow:', '--disk', '1=ram:1');
  const started = t.rejects(daemon.start(), { code: 'ECANCELED' });
  await until(() => daemon.openDisks().length > 0);
  daemon.shutDown();
  opened(0);
  await started;
  t.equal(await daemon.ended, 0);
  t.match(lines, [/^vbd 0: opened slow:/, /^vbd 0: closed slow:/]);
});

t.test('a shutdown during the start ends an opening that is under way', async (t) => {
  let opened: (result: number) => void = () => {};
  const slow = slowDisk((done) => (opened = done));
  const types = [{ ...slow, create: withAbort(slow, () => opened(-errno.ECANCELED)) }];
  const { daemon, lines } = daemonWorldWith(t, { types }, '--disk', '0=slow:', '--disk', '1=ram:1');
  const started = t.rejects(daemon.start(), { code: 'ECANCELED' });
  await until(() => daemon.openDisks().length > 0);
  daemon.shutDown();
  await started;
  t.equal(await daemon.ended, 0);
  t.same(lines, [], 'that is no fault');
});

t.test('a shutdown while it begins to listen waits for that, and closes all of it', async (t) => {
  const shared = shortDirectory(t);
  chmodSync(shared, 0o777);
  // NBD listens, as the first of the three, when it is logged that others could replace its socket.
  const isServing: boolean[] = [];
  const onLine = (line: string): void => {
    if (!line.startsWith('--nbd ')) return;
    isServing.push(existsSync(join(directory, `ctl${PID}`)));
    daemon.shutDown();
  };
  const { daemon, directory } = daemonWorldWith(
    ...([
      t,
      { onLine },
      '--disk',
      '0=ram:1',
      '--nbd',
      join(shared, 'nbd'),
      '--metrics',
      '127.0.0.1:0',
    ] as const),
  );
  t.match(await daemon.start(), /^ready /);
  t.same(isServing, [false], 'it had not begun to serve control');
  t.equal(await daemon.ended, 0);
  t.equal(daemon.report().descriptors, 0);
  t.notOk(existsSync(join(directory, `ctl${PID}`)));
});

t.test('without a grace time there is no timer for the end', async (t) => {
  const { timers, set } = heldTimers();
  const { daemon } = daemonWorldWith(t, { timers }, '--grace', '0');
  await daemon.start();
  daemon.shutDown();
  t.equal(await daemon.ended, 0);
  t.same(set, []);
});

t.test('the time that is left is never negative, and may be nothing', async (t) => {
  const { daemon } = daemonWorldWith(t, { options: { graceSeconds: 1e-9 }, timers: heldTimers().timers });
  await daemon.start();
  daemon.shutDown();
  await daemon.ended;
  t.equal(daemon.secondsLeft, 0);
});

t.test('a daemon whose callbacks keep failing is given up after ten faults', async (t) => {
  const contexts: DriverContext[] = [];
  const stuck = scriptedDisk(
    'stuck',
    () => {},
    (context) => contexts.push(context),
  );
  const { daemon, fault, lines } = daemonWorldWith(
    ...([t, { types: [stuck] }, '--grace', '0', '--disk', '0=stuck:'] as const),
  );
  await daemon.start();
  // The log is the part with a bug: what a driver throws is caught.
  Object.assign(fault, { at: /a driver threw/, lasts: true });
  for (const { posix, registrar } of contexts) {
    const fd = posix.eventfd(1);
    t.teardown(() => posix.close(fd));
    for (let count = 0; count < 20; count++)
      registrar.registerEvent(POLL_READ_FD, fd, 0, () => {
        throw new Error('what a driver throws');
      });
  }
  t.equal(await daemon.ended, 10);
  t.equal(lines.filter((line) => line.startsWith('fault: Error: a fault\n')).length, 10);
  t.equal(daemon.report().scheduler.events, 0, 'nothing of it runs any more');
  t.match(daemon.openDisks(), [/^vbd 0 /]);
  daemon.abandon();
});

t.test('after an end in order no descriptor and no event is left', async (t) => {
  const { daemon } = daemonWorld(
    ...([t, '--disk', '0=ram:1', '--nbd', '127.0.0.1:0', '--metrics', '127.0.0.1:0'] as const),
    '--exit-with-parent',
  );
  const [, nbd = ''] = /nbd=(\S+)/.exec(await daemon.start()) ?? [];
  await nbdClient(t, nbd, '0');
  t.ok(daemon.report().descriptors > 0);
  daemon.shutDown();
  t.equal(await daemon.ended, 0);
  t.match(daemon.report(), { descriptors: 0, scheduler: { events: 0 } });
});

t.test('only with --exit-when-idle does it end after its last client', async (t) => {
  const { daemon, lines } = daemonWorld(t, '--disk', '0=ram:1', '--nbd', '127.0.0.1:0');
  const [, nbd = ''] = /nbd=(\S+)/.exec(await daemon.start()) ?? [];
  (await nbdClient(t, nbd, '0')).disconnect();
  await until(() => daemon.report().connections.nbd === 0);
  t.equal((await nbdClient(t, nbd, '0')).facts.size, 1 << 20, 'the next one is served');
  t.notOk(lines.some((line) => line.includes('shutting down')));
});

t.test('clients that its end cuts off are no reason for another', async (t) => {
  const { daemon, lines } = daemonWorld(
    ...([t, '--disk', '0=ram:1', '--nbd', '127.0.0.1:0', '--exit-when-idle'] as const),
  );
  const [, nbd = ''] = /nbd=(\S+)/.exec(await daemon.start()) ?? [];
  await nbdClient(t, nbd, '0');
  daemon.shutDown();
  t.equal(await daemon.ended, 0);
  t.notOk(lines.some((line) => line.includes('shutting down')));
});

t.test('the lag of the loop is measured no more once it has ended', async (t) => {
  const ends = t.capture(LoopLag.prototype, Symbol.dispose);
  const { daemon } = daemonWorld(t);
  await daemon.start();
  t.equal(ends().length, 0);
  daemon.shutDown();
  await daemon.ended;
  t.equal(ends().length, 1);
});

t.test('the parent is watched only with --exit-with-parent', async (t) => {
  for (const [argv, looks] of [
    [[], 0],
    [['--exit-with-parent'], 1],
  ] as const) {
    let count = 0;
    daemonWorldWith(t, { parentPid: () => ++count }, ...argv);
    t.equal(count, looks, argv.join(' '));
  }
});

t.test('a pid file that cannot be removed is reported and counted', async (t) => {
  const directory = join(shortDirectory(t), 'run');
  mkdirSync(directory);
  const path = join(directory, 'pid');
  const { daemon, lines } = daemonWorld(t, '--pid-file', path, '--disk', '0=ram:1');
  await daemon.start();
  renameSync(directory, `${directory}.old`);
  symlinkSync(directory, directory);
  daemon.shutDown();
  t.equal(await daemon.ended, 1);
  t.ok(lines.some((line) => line.startsWith(`--pid-file ${path}: cannot be removed: ELOOP`)));
  t.same(daemon.openDisks(), []);
});

t.test('an event writes the trace', async (t) => {
  const events = async (...argv: string[]): Promise<number> => {
    const { daemon } = daemonWorld(t, ...argv);
    await daemon.start();
    return daemon.report().scheduler.events;
  };
  const trace = join(shortDirectory(t), 'trace');
  t.equal(await events('--trace', trace), (await events()) + 1);
});

t.test('keys are read again, or the old ones stay, and the log says which', async (t) => {
  const keys = join(shortDirectory(t), 'keys');
  writeFileSync(keys, `a:${'11'.repeat(16)}\n`);
  const { daemon, lines } = daemonWorld(t, '--nbd', '127.0.0.1:0', '--tls-psk', keys);
  await daemon.start();
  daemon.reload();
  t.equal(lines.at(-1), 'certificates and keys were read again');
  writeFileSync(keys, 'nonsense\n');
  daemon.reload();
  t.match(
    lines.at(-1),
    new RegExp(
      `^cannot reload, the old certificates and keys stay: --tls-psk ${keys} cannot be used: line 1`,
    ),
  );
});
