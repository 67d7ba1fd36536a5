// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { type ChildProcess, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  copyFileSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { loader, moduleUrl } from '../../../scripts/program.js';
import { endGroup, runProgram, startGroup } from '../../../src/posix/node/program.js';
import { nodeTimers, type Timers } from '../../../src/posix/timers.js';
import { textOf } from '../../file-watch.js';
import { run } from '../../programs.js';
import { turns } from '../fixture.js';

const directory = mkdtempSync(join(tmpdir(), 'program-'));
t.teardown(() => rmSync(directory, { recursive: true }));

/** Fires when the test says so. */
class ManualTimers implements Timers {
  fire: (() => void) | undefined;
  delayMs = 0;

  now(): number {
    return 0;
  }
  setTimeout(callback: () => void, delayMs: number): { ref(): void; unref(): void } {
    this.fire = callback;
    this.delayMs = delayMs;
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
    const end = ended(command as readonly [string, ...string[]]);
    let isReported = false;
    void end.then(() => (isReported = true));
    await Promise.resolve();
    t.notOk(isReported, 'not before the call has returned');
    const { status, how } = await end;
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

t.test('a program has 30 s, or as long as it is given', async (t) => {
  const timers = new ManualTimers();
  t.equal((await ended(['true'], timers)).status, 0);
  t.equal(timers.delayMs, 30_000);
  const end = new Promise<string>((resolve) => {
    runProgram(['true'], { stdio: 'ignore', seconds: 5 }, (_, how) => resolve(how), timers);
  });
  t.equal(timers.delayMs, 5000);
  t.equal(await end, 'true ended with status 0');
});

t.test('output is read until nobody can write any more, and only if it is asked for', async (t) => {
  const gate = join(directory, 'gate');
  t.equal(spawnSync('mkfifo', [gate]).status, 0);
  const opened = openSync(gate, 'r+');
  t.teardown(() => closeSync(opened));
  // Its child writes after it is gone, when there is something to read.
  const command = [script('writes', `{ read -r word <${gate}; echo $word; } & echo $$`)] as const;
  let output = '';
  const read = await new Promise<string>((resolve) => {
    const onOutput = (text: string): boolean => {
      if (output === '') {
        t.ok(isGone(text));
        void turns(10).then(() => writeSync(opened, 'late\n'));
      }
      output += text;
      return true;
    };
    runProgram(command, { stdio: ['ignore', 'pipe', 'ignore'], onOutput }, (_, how) => resolve(how));
  });
  t.match(read, /ended with status 0$/);
  t.match(output, /^\d+\nlate\n$/);
  const unread = await new Promise<string>((resolve) => {
    runProgram(
      command,
      { stdio: ['ignore', 'pipe', 'ignore'] },
      (_, how) => resolve(how),
      new ManualTimers(),
    );
  });
  t.match(unread, /ended with status 0$/);
});

t.test('a group is ended once: its number may be another’s afterwards', async (t) => {
  const kill = Object.getOwnPropertyDescriptor(process, 'kill') as PropertyDescriptor;
  t.teardown(() => Object.defineProperty(process, 'kill', kill));
  const listeners = process.listenerCount('exit');
  const killed: unknown[][] = [];
  let code = '';
  process.kill = (...parts: unknown[]) => {
    killed.push(parts);
    throw Object.assign(new Error(code), { code });
  };
  const start = async (): Promise<ChildProcess> => {
    const child = startGroup('true', [], { stdio: 'ignore' }, () => t.fail('it does not start'));
    if (child === undefined) throw new Error('not started');
    await once(child, 'exit');
    return child;
  };
  for (code of ['ESRCH', 'EPERM']) {
    const child = await start();
    endGroup(child);
    endGroup(child);
    t.same(killed.splice(0), [[-(child.pid as number), 'SIGKILL']], code);
  }
  code = 'EINVAL';
  const child = await start();
  t.throws(() => endGroup(child), { code });
  t.equal(process.listenerCount('exit'), listeners, 'one listener sees to all groups');
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

t.test('what has left a program’s group keeps its output open no longer than its time', async (t) => {
  for (const [isOut, status, how] of [
    [true, undefined, 'was not done within 30 s'],
    [false, 4, 'ended with status 4'],
  ] as const) {
    const waits: number[] = [];
    let fire = (): void => {};
    const impatient: Timers = {
      ...nodeTimers,
      setTimeout: (callback, delayMs) => {
        waits.push(delayMs);
        if (delayMs === 30_000) fire = callback;
        return nodeTimers.setTimeout(callback, delayMs === 1000 ? 0 : delayMs);
      },
    };
    const text = 'setsid sleep 1000 & echo $! >"$0.pid"; echo ready; exit';
    const program = script(isOut ? 'leaves-output' : 'leaves-errors', `${text} ${isOut ? 0 : 4}`);
    const outcome = await new Promise((resolve) => {
      const onOutput = (): boolean => {
        fire();
        return true;
      };
      runProgram(
        [program],
        isOut ? { stdio: ['ignore', 'pipe', 'ignore'], onOutput } : { stdio: ['ignore', 'ignore', 'pipe'] },
        (...result) => resolve(result),
        impatient,
      );
    });
    process.kill(Number(readFileSync(`${program}.pid`, 'latin1')), 'SIGKILL');
    t.same(outcome, [status, `${program} ${how}`]);
    t.same(waits, [30_000, 1000]);
  }
});
