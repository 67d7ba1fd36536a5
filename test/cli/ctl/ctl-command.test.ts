// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { dispatch } from '../../../src/cli/dispatch.js';
import { ControlMessage } from '../../../src/control/message.js';
import { MessageType } from '../../../src/control/message-type.js';
import { replication as exampleStatus } from '../../metrics/example-replication.js';
import { exampleReport } from '../../metrics/example-report.js';
import { captured, type Outcome, type RunCommand } from '../captured-io.js';
import { controlWorld, PID } from '../../control/world.js';

const OTHER_PID = 4243;

const runCtl: RunCommand = (argv, io) => dispatch(['ctl', ...argv], io);

/** Runs `ctl` on a directory, with a terminal as its output or not. */
function ctlOn(directory: string, isTTY = false): (...argv: string[]) => Promise<Outcome> {
  return (command = '', ...rest) =>
    captured(runCtl, [command, '--control-directory', directory, ...rest], isTTY);
}

const vbd = (minor: number, pid = PID): string[] => ['-p', String(pid), '-m', String(minor)];
const silence = { exitCode: 0, stdout: '', stderr: '' };

/** A daemon of the test's own making, as one in C might be: it gets whole requests and answers with bytes, or not at all. */
async function foreignDaemon(
  t: Test,
  directory: string,
  answer: (request: ControlMessage, socket: Socket) => void,
): Promise<void> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', (bytes: Buffer) => answer(new ControlMessage(bytes), socket));
  });
  await new Promise<void>((resolve) => server.listen(join(directory, `ctl${OTHER_PID}`), resolve));
  t.teardown(() => server.close());
}

t.test('the life of a VBD, from attach to detach', async (t) => {
  const world = controlWorld(t);
  const ctl = ctlOn(world.directory);
  t.strictSame(await ctl('attach', ...vbd(0)), silence);
  t.strictSame(await ctl('open', ...vbd(0), '-a', 'ram:1'), silence);
  t.equal((await ctl('list')).stdout, `pid=${PID} minor=0 state=0 args=ram:1\n`);
  t.strictSame(await ctl('pause', ...vbd(0)), silence);
  t.equal((await ctl('list')).stdout, `pid=${PID} minor=0 state=0x2a args=ram:1\n`);
  t.strictSame(await ctl('unpause', ...vbd(0), '-a', 'held:x'), silence);
  t.equal((await ctl('list')).stdout, `pid=${PID} minor=0 state=0 args=held:x\n`);
  t.strictSame(await ctl('close', ...vbd(0)), silence);
  t.equal((await ctl('list')).stdout, `pid=${PID} minor=0 state=0x2\n`);
  t.strictSame(await ctl('detach', ...vbd(0)), silence);
  t.equal((await ctl('list')).stdout, `pid=${PID}\n`);
  t.equal((await ctl('pid')).stdout, `${PID}\n`);
});

t.test('two VBDs of one daemon are listed, as lines, as a table on a terminal, as JSON', async (t) => {
  const world = controlWorld(t);
  const ctl = ctlOn(world.directory);
  await ctl('attach', ...vbd(0));
  await ctl('attach', ...vbd(12));
  await ctl('open', ...vbd(12), '-a', 'held:a:b c');
  t.equal(
    (await ctl('list')).stdout,
    `pid=${PID} minor=0 state=0x2\npid=${PID} minor=12 state=0 args=held:a:b c\n`,
  );
  t.equal(
    (await ctlOn(world.directory, true)('list')).stdout,
    [
      ' PID  MINOR  STATE    DRIVER  FILE',
      '4242      0  closed   -       -',
      '4242     12  running  held    a:b c',
      '',
    ].join('\n'),
  );
  t.strictSame(JSON.parse((await ctl('list', '--json')).stdout), [
    { pid: PID, minor: 0, state: 2, stateName: 'closed', type: null, path: null },
    { pid: PID, minor: 12, state: 0, stateName: 'running', type: 'held', path: 'a:b c' },
  ]);
});

t.test('unknown values of a VBD, or of a daemon without any, are a dash, or null', async (t) => {
  const { directory, registry } = controlWorld(t);
  t.equal(
    (await ctlOn(directory, true)('list')).stdout,
    ' PID  MINOR  STATE  DRIVER  FILE\n4242      -  -      -       -\n',
  );
  t.equal(
    (await ctlOn(directory)('list', '--json')).stdout,
    '[{"pid":4242,"minor":null,"state":null,"stateName":null,"type":null,"path":null}]\n',
  );
  registry.attach(3);
  t.equal(
    (await ctlOn(directory)('list', '--json')).stdout,
    '[{"pid":4242,"minor":3,"state":2,"stateName":"closed","type":null,"path":null}]\n',
  );
});

t.test('a table of disks is at most 80 columns wide, whatever a daemon replies', async (t) => {
  const world = controlWorld(t);
  await foreignDaemon(t, world.directory, (request, socket) => {
    const entry = { count: 1, minor: 65_534, state: 0x1ff, path: `\u001B[31m:/${'x'.repeat(200)}.img` };
    const answers = [entry, { ...entry, count: 0, minor: 0, state: 0, path: '' }].map(
      (each) => ControlMessage.create(MessageType.listAnswer, request.cookie).setList(each).bytes,
    );
    socket.end(Buffer.concat(answers));
  });
  const { stdout, stderr } = await ctlOn(world.directory, true)('list', '-p', String(OTHER_PID));
  t.equal(stderr, '');
  const [, row = ''] = stdout.split('\n');
  t.match(row, /^4243 +65534 +\w.*… +\\u001b\[31m +…x+\.img$/);
  for (const line of stdout.split('\n')) t.ok(line.length <= 80, line);
});

t.test('pids and statistics come as JSON and as text', async (t) => {
  const { directory } = controlWorld(t, { report: () => JSON.stringify(exampleReport) });
  const ctl = ctlOn(directory);
  t.equal((await ctl('pid', '--json')).stdout, '[4242]\n');
  t.match((await ctl('stats')).stdout, /^pid 71, up 12 s.*\n  scheduler: 7 events/);
  t.strictSame(JSON.parse((await ctl('stats', '--json')).stdout), [exampleReport]);
});

t.test('a list can be limited to one daemon, minor, type or file', async (t) => {
  const world = controlWorld(t);
  const ctl = ctlOn(world.directory);
  await ctl('attach', ...vbd(0));
  await ctl('attach', ...vbd(1));
  await ctl('open', ...vbd(1), '-a', 'ram:1');
  const one = `pid=${PID} minor=1 state=0 args=ram:1\n`;
  t.equal((await ctl('list', '-m', '1')).stdout, one);
  t.equal((await ctl('list', '-t', 'ram')).stdout, one);
  t.equal((await ctl('list', '-f', '1')).stdout, one);
  t.equal((await ctl('list', '-f', '2')).stdout, '');
  t.equal((await ctl('list', '-p', String(PID), '-m', '1')).stdout, one);
});

t.test('open reports read-only and, as JSON, the image', async (t) => {
  const world = controlWorld(t);
  const ctl = ctlOn(world.directory);
  await ctl('attach', ...vbd(0));
  const { stdout } = await ctl('open', ...vbd(0), '-a', 'ram:1', '--read-only', '--shared', '--json');
  t.strictSame(JSON.parse(stdout), { sectors: 2048, sectorSize: 512, info: 0 });
  t.equal(world.registry.get(0)?.readOnly, true);
});

t.test('open is exclusive and for writing by default', async (t) => {
  const world = controlWorld(t);
  const ctl = ctlOn(world.directory);
  for (const [index, flags] of [[], ['--shared'], ['--read-only']].entries()) {
    await ctl('attach', ...vbd(index));
    t.match(await ctl('open', ...vbd(index), '-a', 'held:a', ...flags), { exitCode: 0 });
  }
  t.match(world.held.openFlags, [
    { shared: false, readOnly: false },
    { shared: true, readOnly: false },
    { shared: false, readOnly: true },
  ]);
});

t.test('a refusal is reported on standard error, with its errno and exit status 1', async (t) => {
  const world = controlWorld(t);
  const ctl = ctlOn(world.directory);
  const refused = async (error: string, ...argv: string[]): Promise<void> => {
    const { exitCode, stdout, stderr } = await ctl(...argv);
    t.strictSame([exitCode, stdout], [1, ''], argv.join(' '));
    t.match(stderr, new RegExp(`^tapdisk-ts ctl ${argv[0]}: daemon ${PID}: ${error} \\(.*\\)`));
  };
  await refused('EINVAL', 'pause', ...vbd(3));
  await refused('EINVAL', 'open', ...vbd(3), '-a', 'ram:1');
  await refused('EINVAL', 'close', ...vbd(3));
  await ctl('attach', ...vbd(3));
  await refused('EEXIST', 'attach', ...vbd(3));
  await ctl('open', ...vbd(3), '-a', 'ram:1');
  await refused('EBUSY', 'detach', ...vbd(3));
});

t.test('without a daemon of that pid, or with its stale socket, the command fails', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'ctl-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  const ctl = ctlOn(directory);
  t.match(await ctl('list', '-p', '77'), { exitCode: 1, stderr: /daemon 77: ENOENT/ });
  writeFileSync(join(directory, 'ctl78'), '');
  t.match(await ctl('pause', ...vbd(0, 78)), { exitCode: 1, stderr: /daemon 78: ECONNREFUSED/ });
});

t.test('of several daemons one must be named, and there must be one', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'ctl-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  const snapshot = () => ctlOn(directory)('snapshot', '0', '/nowhere/child');
  const wrong = (what: string) => ({ exitCode: 2, stdout: '', stderr: `tapdisk-ts ctl snapshot: ${what}` });
  t.match(await snapshot(), wrong(`no daemon in ${directory}\n`));
  for (const pid of [78, 79]) writeFileSync(join(directory, `ctl${pid}`), '');
  t.match(await snapshot(), wrong(`2 daemons in ${directory}: expected --pid\n`));
});

t.test('lists skip stale sockets, and names without a pid', async (t) => {
  const world = controlWorld(t);
  for (const name of ['ctl78', 'ctl', 'ctl0', 'ctl12x', 'other'])
    writeFileSync(join(world.directory, name), '');
  // Node removes the name that it knows: under another one the socket stays, as one of a process that was killed.
  const killed = createServer();
  await new Promise<void>((resolve) => killed.listen(join(world.directory, 'old'), resolve));
  renameSync(join(world.directory, 'old'), join(world.directory, 'ctl79'));
  killed.close();
  const ctl = ctlOn(world.directory);
  t.strictSame(await ctl('list'), { exitCode: 0, stdout: `pid=${PID}\n`, stderr: '' });
  t.strictSame(await ctlOn(join(world.directory, 'missing'))('list'), silence);
});

t.test('a control directory that cannot be read is reported', async (t) => {
  const world = controlWorld(t);
  writeFileSync(join(world.directory, 'file'), '');
  t.match(await ctlOn(join(world.directory, 'file'))('list'), { exitCode: 1, stderr: /ENOTDIR/ });
});

t.test('daemons are listed by their pids, the lowest first', async (t) => {
  const world = controlWorld(t);
  await foreignDaemon(t, world.directory, (request, socket) => {
    const answer = ControlMessage.create(MessageType.listAnswer, request.cookie);
    socket.end(answer.setList({ count: 0, minor: 0, state: 0, path: '' }).bytes);
  });
  const { stdout } = await ctlOn(world.directory)('list');
  t.equal(stdout, `pid=${PID}\npid=${OTHER_PID}\n`);
});

t.test('a daemon that replies with nonsense does not keep the others from being listed', async (t) => {
  const world = controlWorld(t);
  await foreignDaemon(t, world.directory, (_, socket) => socket.end(Buffer.alloc(100)));
  const { exitCode, stdout, stderr } = await ctlOn(world.directory)('list');
  t.strictSame([exitCode, stdout], [1, `pid=${PID}\n`]);
  t.match(stderr, /daemon 4243: EPROTO/);
});

t.test('an answer of another type is an error', async (t) => {
  const world = controlWorld(t);
  await foreignDaemon(t, world.directory, (request, socket) =>
    socket.end(ControlMessage.create(MessageType.pidAnswer, request.cookie).bytes),
  );
  t.match(await ctlOn(world.directory)('pause', ...vbd(0, OTHER_PID)), {
    exitCode: 1,
    stderr: /EPROTO .* type 4 instead of 10/,
  });
});

t.test('a list that does not end is an error', async (t) => {
  const world = controlWorld(t);
  const entry = ControlMessage.create(MessageType.listAnswer, 0xffff).setList({
    count: 1,
    minor: 0,
    state: 0,
    path: 'a:b',
  });
  await foreignDaemon(t, world.directory, (_, socket) =>
    socket.end(Buffer.concat([entry.bytes, entry.bytes])),
  );
  t.match(await ctlOn(world.directory)('list', '-p', String(OTHER_PID)), {
    exitCode: 1,
    stderr: /EPROTO .*a list of 1 more after 1/,
  });
});

t.test('statistics of a C tapdisk are reported as unavailable', async (t) => {
  const world = controlWorld(t, { report: () => '{"version":99,"other":1}' });
  await foreignDaemon(t, world.directory, (request, socket) =>
    socket.end(ControlMessage.create(MessageType.error, request.cookie).setResponse(22).bytes),
  );
  const ctl = ctlOn(world.directory);
  t.match(await ctl('stats', '-p', String(OTHER_PID)), {
    exitCode: 1,
    stderr: /daemon 4243: ENOTSUP .*it has no statistics, like C's tapdisk2/,
  });
  const replication = ['status', '--control-directory', world.directory, '-p', String(OTHER_PID)];
  t.match(await captured((argv, io) => dispatch(['replication', ...argv], io), replication), {
    exitCode: 1,
    stderr: /ENOTSUP .*it has no replicated disks/,
  });
  t.equal(
    (await ctl('stats', '-p', String(PID))).stdout,
    '{"version":99,"other":1}\n',
    'those of another version are shown as they are',
  );
  t.equal((await ctl('stats', '--json', '-p', String(PID))).stdout, '[{"version":99,"other":1}]\n');
});

t.test('the reports of several daemons come in the order of their pids', async (t) => {
  const report = (pid: number): string => JSON.stringify({ version: 99, pid });
  const world = controlWorld(t, { report: () => report(PID) });
  await foreignDaemon(t, world.directory, (request, socket) => {
    const answer = ControlMessage.create(MessageType.statisticsAnswer, request.cookie);
    socket.end(answer.setReport({ remaining: 0, bytes: Buffer.from(report(OTHER_PID)) }).bytes);
  });
  t.equal((await ctlOn(world.directory)('stats')).stdout, `${report(PID)}\n${report(OTHER_PID)}\n`);
});

t.test('a report that is not JSON is an error', async (t) => {
  const world = controlWorld(t, { report: () => '{' });
  t.match(await ctlOn(world.directory)('stats'), { exitCode: 1, stderr: /EPROTO .*not JSON/ });
});

t.test(
  'close is repeated while requests are pending, each time on a new connection, and given up after 20',
  async (t) => {
    const world = controlWorld(t);
    let answers = 0;
    let pendingUntil = 5;
    await foreignDaemon(t, world.directory, (request, socket) => {
      answers += 1;
      const error = answers > pendingUntil ? 0 : 11;
      socket.end(ControlMessage.create(MessageType.closeAnswer, request.cookie).setResponse(error).bytes);
    });
    const ctl = ctlOn(world.directory);
    t.strictSame(await ctl('close', ...vbd(0, OTHER_PID)), silence);
    t.equal(answers, 6);
    answers = 0;
    pendingUntil = Infinity;
    t.match(await ctl('close', ...vbd(0, OTHER_PID)), { exitCode: 1, stderr: /EAGAIN/ });
    t.equal(answers, 21);
  },
);

t.test('an invalid command line is refused with a hint', async (t) => {
  const wrong = async (reason: RegExp, ...argv: string[]): Promise<void> => {
    const { exitCode, stdout, stderr } = await captured(runCtl, argv);
    t.strictSame([exitCode, stdout], [2, ''], argv.join(' '));
    t.match(stderr, reason);
  };
  await wrong(/missing command: expected one of list, pid, attach/);
  await wrong(/unknown command "toString"/, 'toString');
  await wrong(/missing --pid PID/, 'attach', '-m', '1');
  await wrong(/missing --args TYPE:FILE/, 'open', '-p', '1', '-m', '1');
  await wrong(/invalid --pid "0": expected a whole number from 1/, 'list', '-p', '0');
  await wrong(/invalid --minor "65535": .* to 65534/, 'list', '-m', '65535');
  await wrong(/invalid --minor "1e2"/, 'list', '-m', '1e2');
  await wrong(/invalid --args "x": missing driver/, 'open', '-p', '1', '-m', '1', '-a', 'x');
  await wrong(/at most 255 bytes/, 'open', '-p', '1', '-m', '1', '-a', `a:${'x'.repeat(254)}`);
  await wrong(/unknown option --force/, 'close', '-p', '1', '-m', '1', '--force');
  await wrong(/unknown option --json/, 'attach', '-p', '1', '-m', '1', '--json');
});

t.test('help is no error', async (t) => {
  for (const argv of [['--help'], ['-h'], ['list', '--help']]) {
    t.match(await captured(runCtl, argv), {
      exitCode: 0,
      stdout: /Usage: tapdisk-ts ctl/,
      stderr: '',
    });
  }
});

t.test('impossible replies are reported as such', async (t) => {
  const world = controlWorld(t);
  let answer = (request: ControlMessage): Uint8Array => request.bytes;
  await foreignDaemon(t, world.directory, (request, socket) => socket.end(answer(request)));
  const ctl = ctlOn(world.directory);
  const other = ['-p', String(OTHER_PID)];
  const made = (type: number) => ControlMessage.create(type, 0);
  const wrong = async (bytes: Uint8Array, ...argv: string[]): Promise<void> => {
    // Of the request that is asked: what is wrong is the rest.
    answer = (request) => {
      for (let at = 0; at < bytes.length; at += 280) bytes.set(request.bytes.subarray(2, 4), at + 2);
      return bytes;
    };
    const { exitCode: status, stderr } = await ctl(...(argv as [string, ...string[]]), ...other);
    t.equal(status, 1, argv.join(' '));
    t.match(stderr, /EPROTO/, argv.join(' '));
  };
  await wrong(made(MessageType.pidAnswer).setPid(-7).bytes, 'pid');
  await wrong(made(MessageType.attachAnswer).setResponse(-5).bytes, 'attach', '-m', '0');
  await wrong(made(MessageType.error).setResponse(1 << 20).bytes, 'attach', '-m', '0');
  const image = { sectors: 2 ** 60, sectorSize: 512, info: 0 };
  await wrong(made(MessageType.openAnswer).setImage(image).bytes, 'open', '-m', '0', '-a', 'ram:1');
  const entry = { count: 1, minor: 0, state: 0, path: 'ram:1' };
  const listed = made(MessageType.listAnswer).setList(entry).bytes;
  await wrong(Buffer.concat([listed, listed]), 'list');
  const report = Buffer.from('{"version":1,"vbds":7}');
  await wrong(made(MessageType.statisticsAnswer).setReport({ remaining: 0, bytes: report }).bytes, 'stats');
  await wrong(made(MessageType.statisticsAnswer).setReport({ remaining: -1, bytes: report }).bytes, 'stats');
});

t.test('a reply to another request is reported as such, and an ERROR need not name its disk', async (t) => {
  const world = controlWorld(t);
  let cookie = 0;
  let type: number = MessageType.error;
  await foreignDaemon(t, world.directory, (_, socket) =>
    socket.end(ControlMessage.create(type, cookie).setResponse(22).bytes),
  );
  const ctl = ctlOn(world.directory);
  for (const [answer, itsCookie, error] of [
    [MessageType.pauseAnswer, 4, 'EPROTO .*the cookie 4 instead of 3'],
    [MessageType.pauseAnswer, 0, 'EPROTO .*the cookie 0 instead of 3'],
    [MessageType.error, 4, 'EPROTO .*the cookie 4 instead of 3'],
    [MessageType.pauseAnswer, 3, 'EINVAL'],
    [MessageType.error, 3, 'EINVAL'],
    [MessageType.error, 0, 'EINVAL'],
  ] as const) {
    [type, cookie] = [answer, itsCookie];
    const { exitCode, stderr } = await ctl('pause', ...vbd(3, OTHER_PID));
    t.equal(exitCode, 1);
    t.match(stderr, new RegExp(error));
  }
});

/** Runs `replication` against a daemon with these replies to its commands. */
function replicationWith(t: Test, replies: object): (...argv: string[]) => Promise<Outcome> {
  const { directory } = controlWorld(t, {
    replication: async (_, { command }) =>
      command === 'status' ? [{ ...exampleStatus, ...replies }] : replies,
  });
  const run: RunCommand = (argv, io) => dispatch(['replication', ...argv], io);
  return (...argv) => captured(run, [...argv, '--control-directory', directory]);
}

t.test('a daemon’s text cannot forge a line about a replicated disk', async (t) => {
  const forged = 'why\nforged';
  const replies = { minor: 0, reason: forged, lastError: forged, nextCommand: forged, message: forged };
  const run = replicationWith(t, replies);
  for (const argv of [['status'], ['status', '--json'], ['flush']])
    t.notMatch((await run(...argv)).stdout, /^\s*forged/m, argv.join(' '));
  t.equal((await run('flush')).stdout, 'why\\nforged\n');
  t.strictSame(JSON.parse((await run('flush', '--json')).stdout), replies);
});

t.test('an outcome that no daemon gives is not printed, as JSON either', async (t) => {
  const run = replicationWith(t, { minor: 0, message: 7 });
  for (const argv of [['flush'], ['flush', '--json']]) {
    const { exitCode, stdout, stderr } = await run(...argv);
    t.same([exitCode, stdout], [1, '']);
    t.match(stderr, 'EPROTO');
  }
});

t.test('an invalid status, event or outcome of a replicated disk is reported as such', async (t) => {
  const world = controlWorld(t);
  let report = '';
  await foreignDaemon(t, world.directory, (request, socket) => {
    const answer = ControlMessage.create(MessageType.replicationAnswer, request.cookie);
    socket.end(answer.setReport({ remaining: 0, bytes: Buffer.from(report) }).bytes);
  });
  const directory = ['--control-directory', world.directory, '-p', String(OTHER_PID)];
  const run: RunCommand = (argv, io) => dispatch(['replication', ...argv], io);
  for (const [command, text] of [
    ['status', '[null]'],
    ['status', '[{"minor":0,"state":7}]'],
    ['status', '{"0":1}'],
    ['watch', '[[]]'],
    ['events', '[{"number":"1"}]'],
    ['events', '[1]'],
    ['status', '['],
  ] as const) {
    report = text;
    const { exitCode, stderr } = await captured(run, [command, ...directory]);
    t.equal(exitCode, 1, `${command} ${text}`);
    t.match(stderr, /daemon 4243: EPROTO/);
  }
});
