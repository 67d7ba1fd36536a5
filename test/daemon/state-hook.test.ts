// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { StateHook } from '../../src/daemon/state-hook.js';
import type { Timers } from '../../src/posix/timers.js';
import type { DiskState } from '../../src/replication/disk/status.js';
import { ENDLESS, impatientTimers } from './impatient-timers.js';

/** A hook, what it logs, and a promise of the first line. */
function hook(program: string, timers?: Timers, maxWaiting?: number) {
  const lines: string[] = [];
  let logged = (): void => {};
  const firstLine = new Promise<void>((resolve) => (logged = resolve));
  const logger = {
    log(_: number, line: string) {
      lines.push(line);
      logged();
    },
  };
  const states = new StateHook(program, logger, timers, maxWaiting);
  const change = (minor: number, from: DiskState, to: DiskState): void =>
    states.onEvent(minor, { kind: 'state', from, to, role: 'primary', reason: `to ${to}`, atSeconds: 0 });
  return { lines, firstLine, states, change };
}

t.test('a program runs at each change, one at a time, with the details of the change', async (t) => {
  const directory = t.testdir();
  const program = join(directory, 'program');
  const done = join(directory, 'done');
  const what = '$TAPDISK_TS_MINOR $TAPDISK_TS_FROM $TAPDISK_TS_TO $TAPDISK_TS_ROLE $TAPDISK_TS_REASON';
  writeFileSync(program, `#!/bin/sh\necho "${what}" >>${done}\n`, { mode: 0o700 });
  writeFileSync(done, '');
  const { change, states, lines } = hook(program);
  states.onEvent(7, { kind: 'connected', peer: 'backup:9', peerKind: 'own', atSeconds: 0 } as never);
  change(7, 'unprotected', 'catching-up');
  change(8, 'catching-up', 'protected');
  const read = (): string[] => readFileSync(done, 'utf8').trimEnd().split('\n');
  while (read().length < 2) await new Promise(setImmediate);
  t.same(read(), [
    '7 unprotected catching-up primary to catching-up',
    '8 catching-up protected primary to protected',
  ]);
  t.same(lines, []);
});

t.test('a program that cannot be run, or that fails, is logged', async (t) => {
  const { change, firstLine, lines } = hook('/nonexistent/program');
  change(7, 'unprotected', 'protected');
  await firstLine;
  t.match(lines[0], /^--on-state: .*program/);
});

t.test('at most a hundred changes wait, and the oldest are dropped', async (t) => {
  const { change, lines } = hook('/bin/true');
  for (let count = 0; count < 101; count++) change(count, 'unprotected', 'protected');
  t.same(lines, [], 'one is being told, a hundred wait');
  change(101, 'unprotected', 'protected');
  t.same(lines, ['--on-state: the oldest change of state is dropped: 100 are waiting']);
});

t.test(
  'of the changes that wait the oldest are dropped, and the others reported in their order',
  async (t) => {
    const directory = t.testdir();
    const [program, done] = [join(directory, 'program'), join(directory, 'done')];
    writeFileSync(program, `#!/bin/sh\necho $TAPDISK_TS_MINOR >>${done}\n`, { mode: 0o700 });
    writeFileSync(done, '');
    const { change, lines } = hook(program, undefined, 2);
    for (let minor = 0; minor < 5; minor++) change(minor, 'unprotected', 'protected');
    t.same(lines, Array(2).fill('--on-state: the oldest change of state is dropped: 2 are waiting'));
    const read = (): string => readFileSync(done, 'utf8');
    while (read().length < 6) await new Promise(setImmediate);
    t.equal(read(), '0\n3\n4\n');
  },
);

t.test('a program that fails is logged, and the next change is reported all the same', async (t) => {
  const directory = t.testdir();
  const program = join(directory, 'program');
  const done = join(directory, 'done');
  writeFileSync(program, `#!/bin/sh\necho "$PATH" >>${done}\nexit 3\n`, { mode: 0o700 });
  const { change, firstLine, lines } = hook(program);
  change(7, 'unprotected', 'catching-up');
  change(7, 'catching-up', 'protected');
  await firstLine;
  while (lines.length < 2) await new Promise(setImmediate);
  t.same(
    lines,
    Array.from({ length: 2 }, () => `--on-state: ${program} ended with status 3`),
  );
  const path = `${process.env['PATH']}\n`;
  t.equal(readFileSync(done, 'utf8'), path.repeat(2), 'it has the environment of the daemon');
});

t.test('a program that hangs is killed after half a minute', async (t) => {
  const program = join(t.testdir(), 'program');
  writeFileSync(program, ENDLESS, { mode: 0o700 });
  const { timers, waits } = impatientTimers();
  const { change, firstLine, lines } = hook(program, timers);
  change(7, 'unprotected', 'protected');
  await firstLine;
  t.same(waits, [30_000]);
  t.same(lines, [`--on-state: ${program} was not done within 30 s`]);
});
