// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { titleOf } from '../../../src/cli/command-line/command.js';
import { ctlGroup } from '../../../src/cli/ctl/ctl-group.js';
import { dispatch } from '../../../src/cli/dispatch.js';
import { replicationGroup } from '../../../src/cli/replication/replication-group.js';
import { NodePosix, nodeTimers } from '../../../src/posix/index.js';
import { ManualClock } from '../../control/world.js';
import { captured, type Outcome, type RunCommand } from '../captured-io.js';

const PID = 4242;

/** Sockets for which time goes by so many times as fast. */
function fastPosix(speed: number): NodePosix {
  const timers = {
    ...nodeTimers,
    now: () => nodeTimers.now() * speed,
    setTimeout: (callback: () => void, delayMs: number) =>
      nodeTimers.setTimeout(callback, Math.ceil(delayMs / speed)),
  };
  return new NodePosix({ timers, clock: { now: () => timers.now() / 1000 } });
}

/** A control directory with daemons who take whatever is asked and do no more than `serve`. */
async function directoryWith(t: Test, count: number, serve: (socket: Socket) => void): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'ctl-'));
  const sockets = new Set<Socket>();
  for (let index = 0; index < count; index++) {
    const server = createServer((socket) => {
      sockets.add(socket);
      serve(socket.on('error', () => {}).resume());
    });
    await new Promise<void>((resolve) => server.listen(join(directory, `ctl${PID + index}`), resolve));
    t.teardown(() => server.close());
  }
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    rmSync(directory, { recursive: true, force: true });
  });
  return directory;
}

function run(argv: readonly string[], directory: string, posix: NodePosix): Promise<Outcome> {
  const [group = '', command = '', ...rest] = argv;
  const runCommand: RunCommand = (args, io) => dispatch(args, { ...io, posix });
  return captured(runCommand, [group, command, '--control-directory', directory, ...rest]);
}

const disk = ['-p', String(PID), '-m', '0'];
const some = ['-p', String(PID)];

/** Each command of `ctl`, with what it needs. */
const CTL: Readonly<Record<string, readonly (readonly string[])[]>> = {
  list: [some, []],
  pid: [some, []],
  attach: [disk],
  open: [[...disk, '-a', 'ram:1']],
  close: [disk],
  detach: [disk],
  resize: [['0', ...some]],
  pause: [disk],
  unpause: [disk, [...disk, '-a', 'ram:1']],
  snapshot: [['0', '/nowhere/child', ...some]],
  stats: [some, []],
};
const REPLICATION: Readonly<Record<string, readonly (readonly string[])[]>> = {
  status: [some],
  watch: [[...some, '--seconds', '1']],
  events: [some],
  flush: [disk],
  promote: [disk],
  rejoin: [disk],
  discard: [[...disk, '--keep', '/nowhere/kept']],
  resync: [disk],
  verify: [disk],
  pause: [disk],
  resume: [disk],
  drill: [disk],
};

t.test('no command is missing here', (t) => {
  t.strictSame(Object.keys(CTL).toSorted(), ctlGroup.commands.map((each) => titleOf(each).name).toSorted());
  const names = replicationGroup.commands.map((each) => titleOf(each).name);
  t.strictSame(Object.keys(REPLICATION).toSorted(), names.toSorted());
  t.end();
});

t.test('each command ends even if a daemon replies with a byte now and then, for ever', async (t) => {
  const directory = await directoryWith(t, 1, (socket) => {
    const timer = setInterval(() => socket.write(Buffer.alloc(1)), 5);
    socket.on('close', () => clearInterval(timer));
  });
  const lines = Object.entries(CTL).flatMap(([name, all]) => all.map((args) => ['ctl', name, ...args]));
  const run50 = (argv: string[]): Promise<Outcome> => run(argv, directory, fastPosix(50));
  for (const [index, outcome] of (await Promise.all(lines.map(run50))).entries()) {
    t.match(outcome, { exitCode: 1, stdout: '', stderr: /daemon 4242: ETIMEDOUT/ }, lines[index]!.join(' '));
  }
});

t.test('each command for replicated disks ends even if a daemon does not reply', async (t) => {
  const directory = await directoryWith(t, 1, () => {});
  const lines = Object.entries(REPLICATION).flatMap(([name, all]) =>
    all.map((args) => ['replication', name, ...args]),
  );
  const run2000 = (argv: string[]): Promise<Outcome> => run(argv, directory, fastPosix(2000));
  for (const [index, outcome] of (await Promise.all(lines.map(run2000))).entries()) {
    t.match(outcome, { exitCode: 1, stdout: '', stderr: /daemon \d+: ETIMEDOUT/ }, lines[index]!.join(' '));
  }
});

t.test('a question for replicated disks is given up long before a change is', async (t) => {
  const directory = await directoryWith(t, 1, () => {});
  for (const argv of [['status'], ['events'], ['flush', '-m', '0']]) {
    const posix = fastPosix(20);
    const start = posix.clock.now();
    const { exitCode } = await run(['replication', ...argv], directory, posix);
    t.equal(exitCode, 1);
    // A change may take 600 s, and asks which disk is meant first.
    t.ok(posix.clock.now() - start < 300, argv.join(' '));
  }
});

t.test('of a daemon that does not reply nothing is said that nobody knows', async (t) => {
  const directory = await directoryWith(t, 1, (socket) => socket.destroy());
  const none = ['status', 'flush', 'promote'].map((name) => [name]);
  const named = [...none.map((argv) => [...argv, '-m', '3']), ['status', '--require', 'protected']];
  for (const argv of [...none, ...named]) {
    const { exitCode, stdout, stderr } = await run(['replication', ...argv], directory, new NodePosix());
    t.equal(exitCode, 1);
    t.equal(stdout, '', argv.join(' '));
    t.match(stderr, /^tapdisk-ts replication \w+: daemon 4242: E[^\n]+\n$/, argv.join(' '));
  }
});

t.test('a command that asks all daemons waits for slow ones at the same time', async (t) => {
  const MANY = 40;
  const directory = await directoryWith(t, MANY, () => {});
  for (const name of ['list', 'pid', 'stats']) {
    const { exitCode, stderr } = await run(['ctl', name], directory, fastPosix(100));
    t.equal(exitCode, 1);
    const lines = stderr.trimEnd().split('\n');
    t.equal(lines.length, MANY, 'each is told');
    const asked = lines.filter((line) => !line.includes('not asked')).length;
    t.ok(asked >= 1 && asked < MANY, `${asked} were asked`);
  }
});

t.test('half a minute is spent on asking all daemons: one that is reached by then is asked', async (t) => {
  for (const [seconds, asked] of [
    [15, 3],
    [15.5, 2],
    [31, 1],
  ] as const) {
    const clock = new ManualClock();
    const directory = await directoryWith(t, 4, (socket) => {
      clock.seconds += seconds;
      socket.destroy();
    });
    const { stderr } = await run(['ctl', 'list'], directory, new NodePosix({ clock }));
    const lines = stderr.trimEnd().split('\n');
    t.equal(lines.filter((line) => !line.includes('not asked')).length, asked, `${seconds} s each`);
    t.match(
      lines.at(-1),
      /^tapdisk-ts ctl list: daemon 4245: ETIMEDOUT .*not asked: the daemons before it took too long/,
    );
  }
});
