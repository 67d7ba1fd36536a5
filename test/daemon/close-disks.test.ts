// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t, { type Test } from 'tap';
import { closeDisks } from '../../src/daemon/close-disks.js';
import type { Vbd } from '../../src/disks/index.js';
import { SystemError } from '../../src/posix/system-error.js';
import { nullLogger } from '../../src/server/logger.js';
import { bench } from '../disks/bench.js';
import { type ControlWorld, controlWorld, type ControlWorldOptions, ManualClock } from '../control/world.js';

interface ClosingWorld extends ControlWorld {
  readonly vbd: Vbd;
  readonly close: () => Promise<number>;
  readonly lines: string[];
}

/** A world with VBD 0 open, on a disk whose requests the test ends. */
function closingWorld(t: Test, options?: ControlWorldOptions): ClosingWorld {
  const lines: string[] = [];
  const logger = { log: (_: number, message: string) => lines.push(message) };
  const world = controlWorld(t, options);
  world.registry.attach(0);
  void world.registry.open(0, 'held:a', flags);
  const vbd = world.registry.get(0) as Vbd;
  return { ...world, vbd, lines, close: () => closeDisks(world.registry.vbds(), world.server, logger) };
}

const flags = { readOnly: false, shared: false };
const ignore = (): void => {};

t.test('a running disk is paused, which waits for its requests, and closed', async (t) => {
  const { vbd, held, close, lines } = closingWorld(t);
  let result: number | undefined;
  vbd.queueWrite(0, new Uint8Array(512), (ended) => {
    result = ended;
  });
  const closing = close();
  t.equal(vbd.phase, 'pausing');
  held.finishRequests();
  t.equal(await closing, 0);
  t.equal(result, 0);
  t.equal(vbd.phase, 'closed');
  t.strictSame(lines, ['vbd 0: closed held:a']);
});

t.test('disks are closed in order, one after the other; closed ones are skipped', async (t) => {
  const { registry, vbd, held, close, lines } = closingWorld(t);
  registry.attach(1);
  registry.attach(2);
  void registry.open(2, 'ram:1', flags);
  vbd.queueRead(0, new Uint8Array(512), ignore);
  const closing = close();
  t.equal(registry.get(2)?.phase, 'running');
  held.finishRequests();
  t.equal(await closing, 0);
  t.strictSame(lines, ['vbd 0: closed held:a', 'vbd 2: closed ram:1']);
});

t.test('a disk that is already pausing is waited for', async (t) => {
  const { vbd, held, close } = closingWorld(t);
  vbd.queueRead(0, new Uint8Array(512), ignore);
  void vbd.pause();
  const closing = close();
  held.finishRequests();
  t.equal(await closing, 0);
  t.equal(vbd.phase, 'closed');
});

t.test('a disk that is already closing is waited for', async (t) => {
  // Time stands still: whoever waits for a second to pass waits for ever.
  const { vbd, held, close } = closingWorld(t, { clock: new ManualClock() });
  vbd.queueRead(0, new Uint8Array(512), ignore);
  void t.rejects(vbd.close(), { code: 'EAGAIN' });
  t.equal(vbd.phase, 'draining');
  const closing = close();
  await new Promise(setImmediate);
  t.equal(vbd.phase, 'draining', 'others get their turn meanwhile');
  held.finishRequests();
  t.equal(await closing, 0);
  t.equal(vbd.phase, 'closed');
});

t.test('a disk that is opening is closed once it is open', async (t) => {
  const { registry, held, close } = closingWorld(t);
  await close();
  held.holdOpening();
  void registry.open(0, 'held:b', flags);
  const closing = close();
  held.finishOpening(0);
  t.equal(await closing, 0);
  t.equal(registry.get(0)?.phase, 'closed');
});

t.test('a disk that is opening is looked at again when a second begins', async (t) => {
  const clock = new ManualClock();
  const { registry, server, held, close } = closingWorld(t, { clock });
  await close();
  held.holdOpening();
  void registry.open(0, 'held:b', flags);
  let result: number | undefined;
  const closing = close().then((failures) => (result = failures));
  held.finishOpening(0);
  const after = async (seconds: number): Promise<void> => {
    clock.seconds += seconds;
    registry.completions.post(() => {});
    for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate);
  };
  await after(0.4);
  t.equal(registry.get(0)?.phase, 'running');
  await after(0.1);
  await closing;
  t.same([result, registry.get(0)?.phase], [0, 'closed']);
  t.notOk([...server.scheduler.events()].some(({ callbackName }) => callbackName?.includes('closing')));
});

t.test('a disk that fails to close is counted and reported, and the rest are closed', async (t) => {
  const { registry, held, close, lines } = closingWorld(t);
  registry.attach(1);
  void registry.open(1, 'ram:1', flags);
  held.failClosing(-5);
  t.equal(await close(), 1);
  t.strictSame(lines, ['vbd 0: closing held:a failed: EIO (Input/output error)', 'vbd 1: closed ram:1']);
});

t.test('an internal error in one disk is counted and reported, and the rest are closed', async (t) => {
  const { registry, server, lines, vbd } = closingWorld(t);
  const faulty = (minor: number): Vbd =>
    ({
      minor,
      name: 'faulty:',
      get phase(): never {
        throw new Error('a fault');
      },
    }) as unknown as Vbd;
  const logger = { log: (_: number, message: string) => lines.push(message) };
  t.equal(await closeDisks([faulty(7), faulty(8), ...registry.vbds()], server, logger), 2);
  t.strictSame(lines, [
    'vbd 7: closing faulty: failed: Error: a fault',
    'vbd 8: closing faulty: failed: Error: a fault',
    'vbd 0: closed held:a',
  ]);
  t.equal(vbd.phase, 'closed');
});

t.test('an internal error of a disk ends its closing, and is reported as one', async (t) => {
  const { server } = closingWorld(t);
  const lines: string[] = [];
  const logger = { log: (_: number, message: string) => lines.push(message) };
  let closings = 0;
  const faulty = {
    minor: 7,
    name: 'faulty:',
    get phase() {
      return closings === 0 ? 'paused' : 'closed';
    },
    close() {
      closings += 1;
      return Promise.reject(new TypeError('a fault'));
    },
  } as unknown as Vbd;
  t.equal(await closeDisks([faulty], server, logger), 1);
  t.strictSame(lines, ['vbd 7: closing faulty: failed: TypeError: a fault']);
});

t.test('of several failures of a disk the first one is reported', async (t) => {
  const { server } = closingWorld(t);
  const lines: string[] = [];
  const logger = { log: (_: number, message: string) => lines.push(message) };
  let phase = 'running';
  const failAs = (next: string, message: string) => (): Promise<void> => {
    phase = next;
    return Promise.reject(new SystemError('EIO', message));
  };
  const failing = {
    minor: 7,
    name: 'failing:',
    get phase() {
      return phase;
    },
    pause: failAs('paused', 'the pause'),
    close: failAs('closed', 'the close'),
  } as unknown as Vbd;
  t.equal(await closeDisks([failing], server, logger), 1);
  t.strictSame(lines, ['vbd 7: closing failing: failed: the pause']);
});

t.test('a disk that is being opened is looked at once a second', async (t) => {
  const { disks, pass, registry, server } = bench(t);
  registry.attach(0);
  const vbd = registry.get(0) as Vbd;
  void vbd.open('scripted:a', flags);
  const closing = closeDisks([vbd], server, nullLogger);
  await pass(1);
  t.equal(vbd.phase, 'opening');
  disks.calls.shift()?.answer(0);
  disks.answerAtOnce = () => 0;
  await new Promise(setImmediate);
  t.equal(vbd.phase, 'running', 'nobody has looked since');
  await pass(1);
  const isClosed = (): boolean => vbd.phase === 'closed';
  while (!isClosed()) await pass(0);
  t.equal(await closing, 0);
});

t.test('a closed disk is passed over without a word', async (t) => {
  const { registry, close, lines } = closingWorld(t);
  await close();
  lines.length = 0;
  registry.attach(1);
  t.equal(await close(), 0);
  t.strictSame(lines, []);
});
