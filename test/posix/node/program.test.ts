// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { spawnSync } from 'node:child_process';
import { closeSync, copyFileSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { loader, moduleUrl } from '../../../scripts/program.js';
import { runProgram } from '../../../src/posix/node/program.js';
import type { Timers } from '../../../src/posix/timers.js';
import { textOf } from '../../file-watch.js';
import { run } from '../../programs.js';

const directory = mkdtempSync(join(tmpdir(), 'program-'));
t.teardown(() => rmSync(directory, { recursive: true }));

/** Fires when the test says so. */
class ManualTimers implements Timers {
  fire: (() => void) | undefined;

  now(): number {
    return 0;
  }
  setTimeout(callback: () => void): { ref(): void; unref(): void } {
    this.fire = callback;
    return { ref() {}, unref() {} };
  }
  clearTimeout(): void {
    this.fire = undefined;
  }
}

function ended(
  command: readonly [string, ...string[]],
  timers?: Timers,
): Promise<{ status: number | undefined; how: string }> {
  return new Promise((resolve) => {
    runProgram(command, { stdio: 'ignore' }, (status, how) => resolve({ status, how }), timers);
  });
}

function script(name: string, text: string): string {
  const path = join(directory, name);
  writeFileSync(path, `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  return path;
}

/** Whether there is no such process, now or soon: the kernel takes its time over one that was killed. */
function isGone(pid: string): boolean {
  for (let look = 0; look < 200; look++) {
    const { stdout } = spawnSync('ps', ['-o', 'stat=', '-p', pid.trim()], { encoding: 'latin1' });
    if (stdout.replace(/Z.*/, '').trim() === '') return true;
  }
  return false;
}

t.test('a program that cannot be started is reported, whichever way Node reports it', async (t) => {
  const busy = join(directory, 'busy');
  copyFileSync('/bin/true', busy);
  const writer = openSync(busy, 'r+');
  t.teardown(() => closeSync(writer));
  const plain = join(directory, 'plain');
  writeFileSync(plain, '');
  for (const [command, code] of [
    [['/nonexistent/program'], 'ENOENT'],
    [[plain], 'EACCES'],
    [[busy], 'ETXTBSY'],
    [['true', 'x'.repeat(1 << 20)], 'E2BIG'],
  ] as const) {
    const { status, how } = await ended(command as readonly [string, ...string[]]);
    t.equal(status, undefined, code);
    t.match(how, new RegExp(`does not start: spawn.* ${code}$`));
  }
});

t.test('how a program ends is reported', async (t) => {
  t.strictSame(await ended([script('three', 'exit 3')]), {
    status: 3,
    how: `${directory}/three ended with status 3`,
  });
  t.strictSame(await ended([script('dies', 'kill -9 $$')]), {
    status: undefined,
    how: `${directory}/dies ended with SIGKILL`,
  });
});

t.test('a program that exceeds its time is killed with all its children', async (t) => {
  const timers = new ManualTimers();
  const pids = join(directory, 'pids');
  const end = ended([script('stays', `sleep 1000 & echo $! > ${pids}; wait`)], timers);
  const grandchild = await textOf(pids);
  timers.fire?.();
  t.strictSame(await end, { status: undefined, how: `${directory}/stays was not done within 30 s` });
  t.ok(isGone(grandchild));
  t.equal(timers.fire, undefined, 'and no timer is left');
});

t.test('processes that a program leaves running end with it', async (t) => {
  const pids = join(directory, 'left');
  const end = ended([script('leaves', `sleep 1000 & echo $! > ${pids}`)]);
  t.equal((await end).status, 0);
  t.ok(isGone(await textOf(pids)));
});

t.test('no helper program outlives the process that started it, if that exits in time', async (t) => {
  const pids = join(directory, 'outlives');
  const stays = script('never', `echo $$ > ${pids}; exec sleep 1000`);
  const source = `
    import { existsSync, readFileSync, watch } from 'node:fs';
    import { runProgram } from '${moduleUrl('src/posix/node/program.ts')}';
    runProgram(['${stays}'], { stdio: 'ignore' }, () => {});
    // The shell creates the file before it writes to it.
    const look = () => existsSync('${pids}') && readFileSync('${pids}', 'latin1').endsWith('\\n') && process.exit(5);
    watch('${directory}', look);
    look();`;
  const program = join(directory, 'starter.mjs');
  writeFileSync(program, source);
  const { status, stderr } = await run(process.execPath, [...loader, program]);
  t.equal(status, 5, stderr);
  t.ok(isGone(await textOf(pids)));
});
