// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { command } from '../../../src/cli/command-line/command.js';
import { runCommand } from '../../../src/cli/command-line/run-command.js';
import { runSimulate } from '../../../src/cli/simulate/simulate-command.js';
import { simulateTable } from '../../../src/cli/simulate/simulate-table.js';
import { connectModule, simulate } from '../../../src/testing/index.js';
import { captured } from '../captured-io.js';

async function run(
  argv: string[],
  simulateOne?: typeof simulate,
): Promise<{ status: number; out: string; err: string }> {
  const simulation = command(simulateTable, async () => (values, io) => runSimulate(values, io, simulateOne));
  const { exitCode, stdout, stderr } = await captured(
    (words, io) => runCommand(simulation, 'tapdisk-ts simulate', words, io),
    argv,
  );
  return { status: exitCode, out: stdout, err: stderr };
}

/** A module whose kill leaves the listener. */
const leaky: typeof simulate = (seed, options) =>
  simulate(seed, {
    ...options,
    module: {
      ...connectModule,
      kill(connect) {
        connect.listenFd = -1;
        connectModule.kill(connect);
      },
    },
  });

t.test('seeds that pass are counted, and the slowest is named', async (t) => {
  const { status, out, err } = await run(['--seeds', '1..5']);
  t.equal(status, 0);
  t.match(
    out,
    /^slowest to connect after the last fault: \d+\.\d{3} s of virtual time, seed [1-5]\n5 passed, 0 failed\n$/,
  );
  t.equal(err, '');
});

t.test('a range may be of one seed', async (t) => {
  t.same(await run(['--seeds', '5..5']), { status: 0, out: '1 passed, 0 failed\n', err: '' });
});

t.test('a failing seed is reported with its violation and the command that replays it', async (t) => {
  const { status, out } = await run(['--seeds', '1..2'], leaky);
  t.equal(status, 1);
  t.match(out, /^seed 1 failed:\n {2}at \d+\.\d+ s, 10\.0\.0\.\d: .*descriptors 3 are left after kill\n/);
  t.match(out, /\n {2}to replay it: tapdisk-ts simulate --seed 1 --trace\n/);
  t.match(out, /\n0 passed, 2 failed\n$/);
});

t.test('the replay prints the trace with the violation, and is the same each time', async (t) => {
  const one = await run(['--seed', '1', '--trace'], leaky);
  t.equal(one.status, 1);
  t.match(one.out, /10\.0\.0\.\d socket\(AF_INET, SOCK_STREAM\) = 3\n/);
  t.match(one.out, /VIOLATION 10\.0\.0\.\d: .*descriptors 3 are left after kill\n/);
  t.match(one.out, /\n0 passed, 1 failed\n$/);
  t.same(await run(['--seed', '1', '--trace'], leaky), one);
});

t.test('long runs report their progress; a thousand seeds are the default', async (t) => {
  const quick: typeof simulate = async (seed) => ({ ...(await seedOne), seed });
  const seedOne = simulate(1);
  const { out } = await run(['--seeds', '0..2500'], quick);
  t.match(
    out,
    /^1000 of 2501 seeds, 0 failed\n2000 of 2501 seeds, 0 failed\nslowest .*\n2501 passed, 0 failed\n$/,
  );
  t.match((await run([], quick)).out, /^slowest .*\n1000 passed, 0 failed\n$/);
  const never: typeof simulate = async (seed) => ({ ...(await seedOne), seed, secondsToConnect: undefined });
  t.equal((await run(['--seed', '3'], never)).out, '1 passed, 0 failed\n');
});

t.test('the slowest seed is the first of those that took longest', async (t) => {
  const one = await simulate(1);
  const slowestOf = async (...times: (number | undefined)[]) => {
    const timed: typeof simulate = async (seed) => ({ ...one, seed, secondsToConnect: times[seed] });
    const { out } = await run(['--seeds', `0..${times.length - 1}`], timed);
    return /fault: (\S+) s of virtual time, (seed \d+)\n/.exec(out)?.slice(1);
  };
  t.same(await slowestOf(0.5, undefined), ['0.500', 'seed 0']);
  t.same(await slowestOf(1, 3, 2, 3), ['3.000', 'seed 1']);
  t.equal(await slowestOf(0, undefined), undefined, 'no time is not named');
});

t.test('help', async (t) => {
  const { status, out } = await run(['--help']);
  t.equal(status, 0);
  t.match(out, /^Usage: tapdisk-ts simulate/);
});

t.test('a usage error states what was expected', async (t) => {
  const wrong: [string[], RegExp][] = [
    [['--seeds', '5'], /invalid --seeds "5": expected FIRST\.\.LAST, for example 1\.\.1000/],
    [['--seeds', '1..2..3'], /expected FIRST\.\.LAST/],
    [['--seeds', '9..2'], /invalid --seeds "9\.\.2": expected the smaller seed first/],
    [['--seeds', 'a..2'], /expected a whole number from 0 to \d+/],
    [['--seeds', '-4..2'], /--seeds requires a value/],
    [['--seed', '1.5'], /invalid --seed "1\.5": expected a whole number/],
    [['--seed', '9007199254740992'], /a whole number from 0 to 9007199254740991/],
    [['--seed', '1', '--seeds', '1..2'], /--seed and --seeds are mutually exclusive/],
    [['--trace'], /--trace requires --seed/],
    [['--speed'], /unknown option --speed/],
    [['1'], /unexpected argument "1"/],
  ];
  for (const [argv, message] of wrong) {
    const { status, out, err } = await run(argv);
    t.equal(status, 2, argv.join(' '));
    t.equal(out, '');
    t.match(err, message);
    t.match(err, /^tapdisk-ts simulate: .*\nTry tapdisk-ts simulate --help\.\n$/s);
  }
});

t.test('a dialect can be chosen, and is part of the command that replays a failure', async (t) => {
  const dialects: unknown[] = [];
  const noting: typeof simulate = (seed, options) => {
    dialects.push(options?.dialect);
    t.equal(options?.traceLines, 0, 'nothing is traced unless it is printed');
    return leaky(seed, options);
  };
  const { status, out } = await run(['--dialect', 'tapdisk3', '--seeds', '1..3'], noting);
  t.equal(status, 1);
  t.match(out, /to replay it: tapdisk-ts simulate --dialect tapdisk3 --seed \d+ --trace\n/);
  t.same(new Set(dialects), new Set(['tapdisk3']));
});
