// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { PassThrough, Writable } from 'node:stream';
import t from 'tap';
import { AF_INET, NodePosix } from '../../src/posix/index.js';
import { ControlClient } from '../../src/control/control-client.js';
import { dispatch } from '../../src/cli/dispatch.js';
import type { Report } from '../../src/metrics/report.js';
import { captured } from '../cli/captured-io.js';
import { exportRequest, option, RawClient } from '../nbd/raw-client.js';
import { openFiles } from '../open-files.js';
import { shortDirectory } from '../short-directory.js';
import { nbdClient } from './daemon-child.js';
import { daemonWorld, PID } from './daemon-world.js';
import { dialect } from './dialect-arguments.js';
import { metricsStatus } from './metrics-status.js';

t.test('the served addresses are reported with their real ports, and are reachable', async (t) => {
  const { daemon, directory } = daemonWorld(
    ...([t, '--disk', '5=ram:1', '--read-only-disk', '6=ram:2'] as const),
    ...['--nbd', '127.0.0.1:0', '--metrics', 'localhost:0'],
  );
  const ready = await daemon.start();
  const [, nbd = '', metrics = ''] =
    /^ready pid=4242 nbd=(127\.0\.0\.1:[1-9]\d*) metrics=(\S+:[1-9]\d*) control=\S+\/ctl4242$/.exec(ready) ??
    [];
  const client = new ControlClient(new NodePosix(), directory);
  t.strictSame(await client.list(PID), [
    { minor: 5, state: 0, path: 'ram:1' },
    { minor: 6, state: 0, path: 'ram:2' },
  ]);
  await client.close(PID, 6);
  await (await nbdClient(t, nbd)).write(0, Buffer.alloc(4096));
  t.match(
    await (await fetch(`http://${metrics}/metrics`)).text(),
    /^tapdisk_vbd_bytes_total\{minor="5",kind="write"\} 4096$/m,
  );
  const report = JSON.parse(await client.statistics(PID)) as Report;
  t.match(report, { version: 1, pid: PID, connections: { control: 1, nbd: 1 } });
  t.match(report.vbds[0], {
    minor: 5,
    phase: 'running',
    kinds: { write: { completed: 1, bytes: 4096 } },
    inFlight: 0,
  });
  t.ok(report.uptimeSeconds >= 0 && report.uptimeSeconds <= process.uptime(), 'since it was started');
  t.ok(report.scheduler.callbacks > 0 && report.scheduler.events > 0);
  t.match(daemon.dump(), /vbd 5 running 'ram:1'/);
  t.match(daemon.dump(), new RegExp(`^scheduler of ${dialect}$`, 'm'));
});

t.test('the ready line is one line of words, whatever the paths', async (t) => {
  const directory = shortDirectory(t);
  const { daemon } = daemonWorld(t, '--nbd', `${directory}/x control=\nready`);
  const ready = await daemon.start();
  t.match(ready.split(' '), ['ready', /^pid=/, /x\\u0020control=\\nready$/, /^control=/]);
  t.equal(ready.split(/\s/).length, 4);
});

t.test('a named disk is exported by its name, others by their numbers', async (t) => {
  const { daemon } = daemonWorld(t, '--disk', '5=ram:1', '--disk', 'data=ram:2', '--nbd', '127.0.0.1:0');
  const [, nbd = ''] = /nbd=(\S+)/.exec(await daemon.start()) ?? [];
  t.equal((await nbdClient(t, nbd, '5')).facts.size, 1 << 20);
  t.equal((await nbdClient(t, nbd, 'data')).facts.size, 2 << 20);
});

t.test('with --exit-when-idle it ends after its last client', async (t) => {
  const { daemon, lines } = daemonWorld(t, '--disk', '0=ram:1', '--nbd', '127.0.0.1:0', '--exit-when-idle');
  const [, nbd = ''] = /nbd=(\S+)/.exec(await daemon.start()) ?? [];
  (await nbdClient(t, nbd, '0')).disconnect();
  t.equal(await daemon.ended, 0);
  t.match(lines.join('\n'), /the last NBD client has gone: shutting down/);
});

t.test('metrics are served under the host name of their address', async (t) => {
  // Another way to write 127.0.0.1, which nobody else knows it by.
  const { daemon } = daemonWorld(t, '--metrics', '127.1:0');
  const [, port = ''] = /metrics=\S+:(\d+)/.exec(await daemon.start()) ?? [];
  const at = { host: '127.0.0.1', port };
  t.equal(await metricsStatus(at, `127.1:${port}`), 200);
  t.equal(await metricsStatus(at, `127.2:${port}`), 421);
});

t.test('a resource missing at the start is named, and nothing is left', async (t) => {
  const refused = async (reason: RegExp, ...argv: string[]): Promise<void> => {
    const { daemon, directory } = daemonWorld(t, ...argv);
    await t.rejects(daemon.start(), { message: reason }, argv.join(' '));
    daemon.shutDown();
    t.equal(await daemon.ended, 0);
    t.notOk(existsSync(join(directory, `ctl${PID}`)));
  };
  const { daemon, directory } = daemonWorld(t, '--metrics', '127.0.0.1:0');
  const [, taken = ''] = /metrics=(\S+)/.exec(await daemon.start()) ?? [];
  await refused(
    /cannot open disk 0=ram:none: 'none' is not a size: expected ram:SIZE_MIB/,
    '--disk',
    '0=ram:none',
  );
  await refused(
    new RegExp(`--nbd: cannot listen on ${taken}: EADDRINUSE`),
    '--disk',
    '0=ram:1',
    '--nbd',
    taken,
  );
  await refused(/metrics: cannot .*EADDRINUSE/, '--metrics', taken);
  await refused(/--nbd: there is no host 'no-such-host.invalid'/, '--nbd', 'no-such-host.invalid:1');
  const file = join(directory, 'file');
  writeFileSync(file, 'no certificate');
  await refused(/file exists and is not a socket/, '--nbd', file);
  await refused(/ctl4242 is served by another process/, '--nbd', join(directory, `ctl${PID}`));
  const nbd = ['--nbd', '127.0.0.1:0', '--tls-cert', file, '--tls-key'];
  await refused(/--tls-cert .*file and --tls-key .*file cannot be used: /, ...nbd, file);
  await refused(/cannot be used: ENOENT/, ...nbd, join(directory, 'missing'));
});

t.test('a daemon in a process leaves its signals to that', async (t) => {
  const listeners = (): number[] =>
    ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR1'].map((signal) => process.listenerCount(signal));
  const before = listeners();
  const { daemon } = daemonWorld(t);
  await daemon.start();
  t.same(listeners(), before);
});

t.test('a second daemon of the same pid and directory is refused', async (t) => {
  const { daemon, directory } = daemonWorld(t);
  await daemon.start();
  const other = daemonWorld(t, '--control-directory', directory, '--disk', '0=ram:1').daemon;
  await t.rejects(other.start(), { code: 'EADDRINUSE', message: /ctl4242 is served by another process/ });
  t.same(other.openDisks(), [], 'before any disk is opened');
  other.shutDown();
  await other.ended;
  t.equal(await new ControlClient(new NodePosix(), directory).pid(PID), PID, 'the first one goes on');
});

t.test('a stale socket is replaced', async (t) => {
  const directory = shortDirectory(t);
  const path = join(directory, 'nbd');
  const server = createServer().listen(`${path}.old`);
  await once(server, 'listening');
  // Node removes the name that it knows: under another one the socket stays, as one of a process that was killed.
  renameSync(`${path}.old`, path);
  server.close();
  const { daemon } = daemonWorld(t, '--nbd', path, '--disk', '0=ram:1');
  await daemon.start();
  t.equal((await nbdClient(t, path)).facts.size, 1 << 20);
});

t.test('the state can be dumped before anything is served', async (t) => {
  const { daemon } = daemonWorld(t);
  t.match(daemon.report(), { connections: { control: 0, controlAccepted: 0, nbd: 0 }, vbds: [] });
});

t.test('an end without a limit is awaited', async (t) => {
  const { daemon } = daemonWorld(t, '--grace', '0', '--disk', '0=ram:1');
  await daemon.start();
  daemon.shutDown();
  t.equal(await daemon.ended, 0);
});

t.test(
  'a control socket whose path was taken by something else is left alone, which is reported',
  async (t) => {
    const { daemon, directory, lines } = daemonWorld(t, '--disk', '0=ram:1');
    await daemon.start();
    rmSync(join(directory, `ctl${PID}`));
    mkdirSync(join(directory, `ctl${PID}`));
    daemon.shutDown();
    t.equal(await daemon.ended, 0);
    t.match(
      lines.find((line) => line.startsWith('control: ')),
      /ctl4242 is not this daemon's any more, and stays/,
    );
    t.strictSame(daemon.openDisks(), []);
  },
);

t.test(
  'a disk that does not close is reported, and does not keep the others from being closed',
  async (t) => {
    const { daemon, lines } = daemonWorld(t, '--disk', '0=unclosable:', '--disk', '1=ram:1');
    await daemon.start();
    daemon.shutDown();
    t.equal(await daemon.ended, 1);
    t.ok(lines.some((line) => line.includes('a driver threw Error: it will not close')));
    t.equal(lines.at(-2), 'vbd 0: closing unclosable: failed: the driver has a fault: see the log');
    t.equal(lines.at(-1), 'vbd 1: closed ram:1');
    t.strictSame(daemon.openDisks(), [], 'there is nothing left to close');
  },
);

t.test('an internal error is reported, and shuts the daemon down in order', async (t) => {
  const { daemon, directory, lines, fault } = daemonWorld(t, '--disk', '0=ram:1', '--nbd', '127.0.0.1:0');
  const [, nbd = ''] = /nbd=(\S+)/.exec(await daemon.start()) ?? [];
  const client = await nbdClient(t, nbd);
  fault.at = /^nbd: \S+: /;
  client.disconnect();
  t.equal(await daemon.ended, 1);
  t.match(
    lines.find((line) => line.startsWith('fault: ')),
    /^fault: Error: a fault\n +at /,
  );
  t.strictSame(daemon.openDisks(), []);
  t.notOk(existsSync(join(directory, `ctl${PID}`)));
  t.notOk(
    lines.some((line) => line.includes('is dropped')),
    'the connection whose callback failed ends by itself',
  );
});

t.test('it can be shut down before it has started, and twice', async (t) => {
  const { daemon } = daemonWorld(t, '--disk', '0=ram:1');
  const starting = t.rejects(daemon.start(), { code: 'ECANCELED' });
  daemon.shutDown();
  daemon.shutDown();
  await starting;
  t.equal(await daemon.ended, 0);
  t.strictSame(daemon.openDisks(), []);
});

t.test('the trace of a run shows its callbacks', async (t) => {
  const directory = shortDirectory(t);
  const file = join(directory, 'trace.json');
  const { daemon, directory: control } = daemonWorld(t, '--trace', file);
  await daemon.start();
  await new ControlClient(new NodePosix(), control).pid(PID);
  daemon.shutDown();
  await daemon.ended;
  t.same(openFiles(file), [], 'it is closed');
  const events = JSON.parse(readFileSync(file, 'utf8')) as { name: string; ph: string }[];
  t.match(events[0], { name: 'process_name', ph: 'M' });
  t.ok(events.some(({ name, ph }) => name.startsWith('READ ') && ph === 'X'));
  t.ok(events.some(({ name }) => name === 'register READ|TIMEOUT'));
});

t.test('a command that cannot start reports why, with status 1', async (t) => {
  const directory = shortDirectory(t);
  const start = (...argv: string[]) =>
    captured((args, io) => dispatch(args, io), ['daemon', '--control-directory', directory, ...argv]);
  t.match(await start('--disk', '0=aio:/nonexistent/image'), {
    exitCode: 1,
    stdout: '',
    stderr:
      /^(\S+ )?err: cannot start: cannot open disk 0=aio:\/nonexistent\/image: no such file or directory\n(\S+ )?notice: ended\n$/,
  });
  t.match(await start('--trace', '/nonexistent/trace'), {
    exitCode: 1,
    stderr: /cannot start: ENOENT.*\/nonexistent\/trace/,
  });
  t.match(await start('--help'), { exitCode: 0, stdout: /Usage: tapdisk-ts daemon/ });
});

t.test('a daemon whose output nobody takes serves its disks all the same', async (t) => {
  const directory = shortDirectory(t);
  const path = join(directory, 'nbd');
  const broken = (): Writable =>
    new Writable({ write: (_chunk, _encoding, done) => done(new Error('nobody reads')) });
  const argv = ['daemon', '--control-directory', directory, '--disk', '0=ram:1', '--nbd', path];
  const io = { stdin: new PassThrough(), stdout: broken(), stderr: broken() };
  const status = dispatch([...argv, '--exit-when-idle'], io);
  while (!existsSync(join(directory, `ctl${process.pid}`))) await new Promise(setImmediate);
  const client = await nbdClient(t, path);
  t.equal(client.facts.size, 1 << 20);
  client.disconnect();
  t.equal(await status, 0);
});

t.test('an open disk has a URI for each address at which it is served', async (t) => {
  const path = join(shortDirectory(t), 'nbd@');
  const escaped = path.replace('@', '%40');
  const { daemon, directory } = daemonWorld(
    ...([t, '--disk', '5=ram:1', '--disk', 'data=ram:1', '--nbd', '127.0.0.1:0', '--nbd', path] as const),
  );
  t.same(daemon.diskUris(), [], 'nothing is served yet');
  const [, where = ''] = /nbd=(127\S+)/.exec(await daemon.start()) ?? [];
  const data = [
    [0, `nbd://${where}/data`],
    [0, `nbd+unix:///data?socket=${escaped}`],
  ];
  t.same(
    new Map(daemon.diskUris().map((each) => [each.join(), each])),
    new Map(
      [[5, `nbd://${where}/5`], [5, `nbd+unix:///5?socket=${escaped}`], ...data].map((each) => [
        each.join(),
        each,
      ]),
    ),
  );
  await new ControlClient(new NodePosix(), directory).close(PID, 5);
  t.same(daemon.diskUris(), data);
});

t.test('clients without a name get the default disk, and disks have their descriptions', async (t) => {
  const { daemon } = daemonWorld(
    ...([t, '--disk', '5=ram:1', '--disk', 'data=ram:2', '--nbd', '127.0.0.1:0'] as const),
    ...['--default-disk', 'data', '--description', '5=The fifth'],
  );
  const [, nbd = ''] = /nbd=(\S+)/.exec(await daemon.start()) ?? [];
  t.equal((await nbdClient(t, nbd)).facts.size, 2 << 20);
  t.match((await nbdClient(t, nbd, '5')).facts, { size: 1 << 20 });
  const [address = '', port = ''] = nbd.split(':');
  const raw = await new RawClient({ family: AF_INET, address, port: Number(port) }).greet();
  raw.send(option(6, exportRequest('5', 2)));
  const texts = (await raw.replies()).map(({ data }) => data.toString('latin1', 2));
  t.ok(texts.includes('The fifth'));
  raw.destroy();
});

t.test('the bounds of NBD are those of the command line', async (t) => {
  const { daemon, lines } = daemonWorld(
    ...([t, '--disk', '0=ram:1', '--nbd', '127.0.0.1:0', '--max-connections-per-peer', '1'] as const),
  );
  const [, nbd = ''] = /nbd=(\S+)/.exec(await daemon.start()) ?? [];
  const first = await nbdClient(t, nbd);
  await t.rejects(nbdClient(t, nbd));
  t.equal(first.facts.size, 1 << 20);
  t.match(lines.join('\n'), /connection limit/);
});

t.test('sockets of daemons that were killed are removed at the start, and others stay', async (t) => {
  const { daemon, directory } = daemonWorld(t);
  const dead = createServer().listen(join(directory, 'dead'));
  await once(dead, 'listening');
  renameSync(join(directory, 'dead'), join(directory, 'ctl71'));
  dead.close();
  const alive = createServer((socket) => socket.destroy()).listen(join(directory, 'ctl72'));
  await once(alive, 'listening');
  t.teardown(() => alive.close());
  await daemon.start();
  t.notOk(existsSync(join(directory, 'ctl71')));
  t.ok(existsSync(join(directory, 'ctl72')));
});

t.test('a report counts connections, and its time is from the start', async (t) => {
  const { daemon, directory } = daemonWorld(t, '--disk', '0=ram:1', '--nbd', '127.0.0.1:0');
  const [, nbd = ''] = /nbd=(\S+)/.exec(await daemon.start()) ?? [];
  const client = new ControlClient(new NodePosix(), directory);
  const before = daemon.report();
  t.match(before.connections, { control: 0, controlAccepted: 0, nbd: 0 });
  for (let count = 0; count < 3; count++) await client.list(PID);
  await nbdClient(t, nbd);
  const after = daemon.report();
  t.match(after.connections, { controlAccepted: 3, nbd: 1 });
  t.ok(after.descriptors > before.descriptors);
  t.ok((after.residentBytes ?? 0) > 1 << 20);
  t.ok(after.uptimeSeconds >= before.uptimeSeconds && after.uptimeSeconds < 1e6);
});

t.test('the time for its end begins when it is shut down', async (t) => {
  const { daemon } = daemonWorld(t, '--grace', '50');
  await daemon.start();
  t.equal(daemon.secondsLeft, Infinity);
  daemon.shutDown();
  const { secondsLeft } = daemon;
  t.ok(secondsLeft > 0 && secondsLeft <= 50);
  while (daemon.secondsLeft === secondsLeft) await new Promise(setImmediate);
  daemon.shutDown();
  t.ok(daemon.secondsLeft < secondsLeft, 'and not again when it is asked to once more');
  await daemon.ended;
  const { daemon: unlimited } = daemonWorld(t, '--grace', '0');
  await unlimited.start();
  unlimited.shutDown();
  t.equal(unlimited.secondsLeft, Infinity);
});

t.test(
  'a daemon that is abandoned puts its sockets and files away, and leaves its disks as they are',
  async (t) => {
    const files = shortDirectory(t);
    const [pidFile, trace] = [join(files, 'pid'), join(files, 'trace')];
    const { daemon, directory } = daemonWorld(
      ...([t, '--disk', '0=ram:1', '--pid-file', pidFile, '--trace', trace] as const),
    );
    await daemon.start();
    t.equal(readFileSync(pidFile, 'utf8'), `${PID}\n`);
    daemon.abandon();
    t.notOk(existsSync(pidFile));
    t.notOk(existsSync(join(directory, `ctl${PID}`)));
    t.ok((JSON.parse(readFileSync(trace, 'utf8')) as unknown[]).length > 1, 'the trace is whole');
    t.match(daemon.openDisks(), [/^vbd 0 running 'ram:1'/]);
  },
);

t.test('a part that cannot be put away is reported and counted, and the others are put away', async (t) => {
  const pidFile = join(shortDirectory(t), 'pid');
  const { daemon, directory, lines, fault } = daemonWorld(t, '--pid-file', pidFile);
  await daemon.start();
  rmSync(join(directory, `ctl${PID}`));
  mkdirSync(join(directory, `ctl${PID}`));
  fault.at = /this daemon's any more/;
  daemon.abandon();
  t.equal(lines.at(-1), 'shutdown step failed: Error: a fault');
  t.notOk(existsSync(pidFile));
  daemon.shutDown();
  t.equal(await daemon.ended, 1);
});

t.test('a step of its end that fails does not keep the later ones from being done', async (t) => {
  const files = shortDirectory(t);
  const { daemon, directory, lines, fault } = daemonWorld(
    ...([t, '--disk', '0=ram:1', '--pid-file', join(files, 'pid')] as const),
  );
  await daemon.start();
  rmSync(join(directory, `ctl${PID}`));
  mkdirSync(join(directory, `ctl${PID}`));
  fault.at = /this daemon's any more/;
  daemon.shutDown();
  t.equal(await daemon.ended, 1);
  t.ok(lines.includes('shutdown step failed: Error: a fault'));
  t.strictSame(daemon.openDisks(), []);
  t.notOk(existsSync(join(files, 'pid')));
});

t.test('with a token file only who has the token sees the metrics', async (t) => {
  const file = join(shortDirectory(t), 'token');
  const token = 'a-token-of-24-characters';
  writeFileSync(file, token);
  const { daemon } = daemonWorld(t, '--metrics', '127.0.0.1:0', '--metrics-token-file', file);
  const [, metrics = ''] = /metrics=(\S+)/.exec(await daemon.start()) ?? [];
  const status = async (headers: Record<string, string>): Promise<number> =>
    (await fetch(`http://${metrics}/metrics`, { headers })).status;
  t.equal(await status({}), 401);
  t.equal(await status({ authorization: `Bearer ${token}` }), 200);
});

t.test('a missing token file keeps a daemon from starting, and is named', async (t) => {
  const { daemon } = daemonWorld(t, '--metrics', '127.0.0.1:0', '--metrics-token-file', '/no/token');
  await t.rejects(daemon.start(), { code: 'ENOENT', message: /\/no\/token/ });
});

t.test('without certificates there is nothing to reload, and no harm in it', async (t) => {
  const { daemon, lines } = daemonWorld(t);
  await daemon.start();
  daemon.reload();
  t.equal(lines.at(-1), 'certificates and keys were read again');
});
