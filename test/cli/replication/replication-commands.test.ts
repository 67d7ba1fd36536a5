// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// The commands against a daemon's control socket; test/cli/replication/failover.test.ts has them on real disks.

import { resolve } from 'node:path';
import { PassThrough } from 'node:stream';
import t, { type Test } from 'tap';
import { dispatch } from '../../../src/cli/dispatch.js';
import { statusLine, statusLines } from '../../../src/cli/replication/status-text.js';
import type { ReplicationRequest } from '../../../src/control/replication-request.js';
import { errno, NodePosix, type SelectSets, SystemError } from '../../../src/posix/index.js';
import { controlWorld, ManualClock, PID } from '../../control/world.js';
import { replication } from '../../metrics/example-replication.js';
import { captured, type Outcome } from '../captured-io.js';

/** Sockets with a clock that only goes on while somebody sleeps. */
class SleepingPosix extends NodePosix {
  readonly #clock: ManualClock;

  constructor(clock = new ManualClock()) {
    super({ clock });
    this.#clock = clock;
  }

  override select(sets: SelectSets, timeoutSeconds: number) {
    if (Object.keys(sets).length > 0) return super.select(sets, timeoutSeconds);
    this.#clock.seconds += timeoutSeconds;
    return Promise.resolve({ read: [], write: [], except: [] });
  }
}

const disk = (minor: number, more = {}) => ({ ...replication, minor, ...more });

/** A daemon with these disks, each of whose requests is kept, and has this reply. */
function world(
  t: Test,
  disks: readonly object[],
  reply: (request: ReplicationRequest, minor: number | undefined) => unknown = () => ({ message: 'done' }),
) {
  const requests: unknown[] = [];
  let statuses = disks;
  const { directory } = controlWorld(t, {
    async replication(minor, request) {
      if (request.command === 'status') return statuses;
      const { command, ...more } = request;
      requests.push([minor, command, Object.fromEntries(Object.entries(more).filter(([, value]) => value))]);
      return reply(request, minor);
    },
  });
  const posix = new SleepingPosix();
  const run = (command: string, ...argv: string[]): Promise<Outcome> =>
    captured(
      (args, io) => dispatch(args, { ...io, posix }),
      ['replication', command, '--control-directory', directory, ...argv],
    );
  const now = (): number => posix.clock.now();
  return { run, requests, now, setStatuses: (next: readonly object[]) => void (statuses = next) };
}

t.test('each command asks for what it is called, of the disk that is meant', async (t) => {
  const { run, requests } = world(t, [disk(3), disk(4)]);
  for (const [argv, command, more] of [
    [['flush'], 'flush', {}],
    [['promote'], 'promote', {}],
    [['promote', '--dry-run'], 'promote', { dryRun: true }],
    [['rejoin', '--dry-run'], 'rejoin', { dryRun: true }],
    [['discard', '--keep', 'aside'], 'discard', { keep: resolve('aside') }],
    [['discard', '--keep', '/a', '--dry-run'], 'discard', { keep: '/a', dryRun: true }],
    [['resync'], 'resync', {}],
    [['resync', '--full'], 'resync', { full: true }],
    [['verify'], 'verify', {}],
    [['pause'], 'pause', {}],
    [['resume'], 'resume', {}],
    [['drill'], 'drill', {}],
    [['drill', '--end'], 'end-drill', {}],
  ] as const) {
    const [name, ...rest] = argv;
    t.strictSame(await run(name, '-m', '4', ...rest), { exitCode: 0, stdout: 'done\n', stderr: '' });
    t.strictSame(requests.splice(0), [[4, command, more]], argv.join(' '));
  }
});

t.test('the one disk that there is need not be named; of several one must be', async (t) => {
  const { run, requests, setStatuses } = world(t, [disk(3)]);
  t.equal((await run('flush')).exitCode, 0);
  t.strictSame(requests, [[3, 'flush', {}]]);
  for (const [statuses, argv, message] of [
    [[disk(3)], ['-m', '4'], 'disk 4 is not replicated'],
    [[], [], 'no replicated disk'],
    [
      [disk(3), disk(4)],
      [],
      `several disks are replicated: 3 of daemon ${PID}, 4 of daemon ${PID}; name one with --minor and --pid`,
    ],
  ] as const) {
    setStatuses(statuses);
    const stderr = `tapdisk-ts replication flush: ${message}\n`;
    t.strictSame(await run('flush', ...argv), { exitCode: 1, stdout: '', stderr });
  }
  t.equal(requests.length, 1, 'nothing was asked of any');
});

t.test('an outcome is printed with what is lost, as text or as it came', async (t) => {
  let outcome: unknown;
  const { run } = world(t, [disk(3)], () => outcome);
  const printed = async (next: unknown, ...argv: string[]): Promise<string> => {
    outcome = next;
    return (await run('promote', ...argv)).stdout;
  };
  t.equal(await printed({ message: 'm', sectorsLost: 0, lostSinceSeconds: 7 }), 'm\n');
  t.equal(
    await printed({ message: 'm', sectorsLost: 4, lostSinceSeconds: null }),
    'm; changes of this side: 4 sectors (2.0 KiB)\n',
  );
  const lost = { message: 'm', sectorsLost: 1, lostSinceSeconds: 90 };
  t.equal(await printed(lost), 'm; changes of this side: 1 sectors (512 B), since 1 min 30 s\n');
  t.equal(await printed(lost, '--json'), `${JSON.stringify(lost)}\n`);
});

t.test('what a daemon refuses is an error with its reason', async (t) => {
  const { run } = world(t, [disk(3)], () => {
    throw new SystemError(errno.EBUSY, 'it is busy');
  });
  t.match(await run('verify'), {
    exitCode: 1,
    stdout: '',
    stderr: /^tapdisk-ts replication verify: .*EBUSY.*it is busy/,
  });
});

t.test('a status is shown of all disks or of one, as text or JSON', async (t) => {
  const disks = [disk(3), disk(4, { state: 'protected' })];
  const placed = disks.map((each) => ({ ...each, pid: PID }));
  const { run, setStatuses } = world(t, disks);
  const text = placed.map((each) => `${statusLines(each, 80).join('\n')}\n`);
  t.strictSame(await run('status'), { exitCode: 0, stdout: text.join(''), stderr: '' });
  t.equal((await run('status', '-m', '4')).stdout, text[1]);
  t.strictSame(JSON.parse((await run('status', '--json')).stdout), JSON.parse(JSON.stringify(placed)));
  t.match(await run('status', '-m', '5'), { exitCode: 1, stderr: /disk 5 is not replicated/ });
  setStatuses([]);
  t.strictSame(await run('status'), { exitCode: 0, stdout: 'no replicated disks\n', stderr: '' });
  t.equal((await run('status', '--json')).stdout, '[]\n');
});

t.test('a state that is required is that of each disk, and there is at least one', async (t) => {
  const { run, setStatuses } = world(t, []);
  const require = async (...disks: object[]): Promise<readonly [number, string]> => {
    setStatuses(disks);
    const { exitCode, stderr } = await run('status', '--require', 'protected');
    return [exitCode, stderr.replace('tapdisk-ts replication status: ', '').trimEnd()];
  };
  const good = disk(3, { state: 'protected' });
  t.same(await require(), [1, 'there is no replicated disk, expected protected']);
  t.same(await require(good), [0, '']);
  t.same(await require(good, disk(4)), [1, 'disk 4 is catching-up, expected protected: it was away']);
});

t.test('a watch prints a line for each disk, each second, for the time that is asked for', async (t) => {
  const { run } = world(t, [disk(3), disk(4)]);
  const lines = [3, 4].map((minor) => `${statusLine({ ...disk(minor), pid: PID }, 80)}\n`).join('');
  t.strictSame(await run('watch', '--seconds', '1'), { exitCode: 0, stdout: lines.repeat(2), stderr: '' });
  t.equal((await run('watch', '--seconds', '3', '-m', '4')).stdout.split('\n').length - 1, 4);
  const [first = '', ...more] = (await run('watch', '--seconds', '1', '--json')).stdout.trimEnd().split('\n');
  t.equal(more.length, 1);
  t.match(JSON.parse(first), [{ minor: 3, pid: PID }, { minor: 4 }]);
});

t.test('a watch without an end goes on until a daemon cannot be asked', async (t) => {
  let looks = 0;
  const { directory } = controlWorld(t, {
    async replication() {
      if (++looks > 5) throw new SystemError(errno.EIO, 'over');
      return [disk(3)];
    },
  });
  const { exitCode, stdout, stderr } = await captured(
    (args, io) => dispatch(args, { ...io, posix: new SleepingPosix() }),
    ['replication', 'watch', '--control-directory', directory, '-p', String(PID)],
  );
  t.equal(exitCode, 1);
  t.equal(stdout.trimEnd().split('\n').length, 5);
  t.match(stderr, /over/);
});

t.test('events are printed once each, with the daemon in place of their number', async (t) => {
  const events = [1, 2, 5].map((number) => ({ number, minor: 3, event: { kind: 'unsolicited' } }));
  let rounds = 0;
  const asked: unknown[] = [];
  const { run, requests, now } = world(t, [disk(3)], ({ after = -1 }) => {
    asked.push(after);
    if (++rounds > 3) throw new SystemError(errno.EIO, 'over');
    return events.slice(0, rounds).filter(({ number }) => number > after);
  });
  const line = `${JSON.stringify({ pid: PID, minor: 3, event: { kind: 'unsolicited' } })}\n`;
  t.strictSame(await run('events', '-m', '3'), { exitCode: 0, stdout: line, stderr: '' });
  rounds = 0;
  const from = now();
  const followed = await run('events', '--follow', '-p', String(PID));
  t.match(followed, { exitCode: 1, stdout: line.repeat(3), stderr: /over/ });
  t.equal(now() - from, 3, 'a second after each');
  t.strictSame(requests, [
    [3, 'events', {}],
    [undefined, 'events', {}],
    [undefined, 'events', { after: 1 }],
    [undefined, 'events', { after: 2 }],
    [undefined, 'events', { after: 5 }],
  ]);
  t.same(asked, [0, 0, 1, 2, 5]);
});

t.test('each member of a reply must be of its kind', async (t) => {
  let outcome: unknown;
  const { run, setStatuses } = world(t, [disk(3)], () => outcome);
  const replied = async (...statuses: unknown[]): Promise<string> => {
    setStatuses(statuses as object[]);
    return (await run('status', '-p', String(PID))).stderr;
  };
  const resync = { bytes: 1, totalBytes: 2, bytesPerSecond: 3, secondsLeft: 4, waitingFor: 'room' };
  t.equal(await replied(disk(3, { resync })), '');
  t.equal(await replied(disk(3, { resync: { ...resync, secondsLeft: null, waitingFor: null } })), '');
  t.equal(await replied(disk(3, { verifiedAtSeconds: 8.64e12 })), '');
  for (const [changes, what] of [
    [{ state: 7 }, 'state of a disk 7'],
    [{ paused: 'no' }, 'paused of a disk "no"'],
    [{ minor: '3' }, 'minor of a disk "3"'],
    [{ epochSent: null }, 'epochSent of a disk null'],
    [{ rpoSeconds: 'x' }, 'rpoSeconds of a disk "x"'],
    [{ nextCommand: 1 }, 'nextCommand of a disk 1'],
    [{ reason: undefined }, 'reason of a disk missing'],
    [{ resync: 1 }, 'resync 1'],
    [{ resync: [] }, 'resync []'],
    [{ resync: { ...resync, bytes: '1' } }, 'bytes of resync "1"'],
    [{ resync: { ...resync, waitingFor: 1 } }, 'waitingFor of resync 1'],
    [{ verifiedAtSeconds: 8.65e12 }, 'verifiedAtSeconds 8650000000000'],
    [{ verifiedAtSeconds: -8.65e12 }, 'verifiedAtSeconds -8650000000000'],
    [{ address: ['a'.repeat(99)] }, `address of a disk ["${'a'.repeat(38)}`],
  ] as const) {
    const stderr = await replied(disk(3, changes));
    t.ok(stderr.endsWith(`the daemon replied with ${what}\n`), stderr);
  }
  setStatuses([disk(3)]);
  for (const [next, what] of [
    [[], 'an outcome []'],
    [{}, 'message of an outcome missing'],
    [{ message: 'm', sectorsLost: '1' }, 'sectorsLost of an outcome "1"'],
    [{ message: 'm', lostSinceSeconds: true }, 'lostSinceSeconds of an outcome true'],
    [{ message: 'm', uri: 1 }, 'uri of an outcome 1'],
  ] as const) {
    outcome = next;
    const { stderr } = await run('flush');
    t.ok(stderr.endsWith(`the daemon replied with ${what}\n`), stderr);
  }
});

t.test('an internal error is not taken for one of a daemon', async (t) => {
  const { directory } = controlWorld(t, { replication: async () => [{ number: 1, minor: 3, event: {} }] });
  const stdout = Object.assign(new PassThrough(), {
    write() {
      throw new TypeError('a fault');
    },
  });
  const io = { stdin: new PassThrough(), stdout, stderr: new PassThrough() };
  const running = dispatch(['replication', 'events', '--control-directory', directory], io);
  await t.rejects(running, { name: 'TypeError', message: 'a fault' });
});
