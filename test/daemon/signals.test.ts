// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { existsSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import t, { type Test } from 'tap';
import { programArguments } from '../../scripts/program.js';
import { RawClient, request } from '../nbd/raw-client.js';
import { AF_UNIX, NodePosix } from '../../src/posix/index.js';
import { ControlClient } from '../../src/control/control-client.js';
import { run } from '../programs.js';
import { shortDirectory } from '../short-directory.js';
import { DaemonChild, nbdClient } from './daemon-child.js';

t.test(
  'SIGTERM while a client writes: what was answered is in the image, and nothing is left behind',
  async (t) => {
    const directory = shortDirectory(t);
    const image = join(directory, 'image');
    const socket = join(directory, 'nbd');
    writeFileSync(image, '');
    truncateSync(image, 64 << 20);
    const child = new DaemonChild(t, [
      '--control-directory',
      directory,
      '--disk',
      `3=aio:${image}`,
      '--nbd',
      socket,
    ]);
    const { control, pid } = await child.ready();
    t.equal(pid, String(child.pid));
    t.ok(existsSync(control ?? ''));
    const client = await nbdClient(t, socket);
    const answered: number[] = [];
    const filling = (block: number): number => 1 + (block % 255);
    const writers = Array.from({ length: 8 }, async (_, writer) => {
      for (let block = writer; ; block += 8) {
        await client.write(4096 * block, Buffer.alloc(4096, filling(block)));
        answered.push(block);
        if (answered.length === 500) child.kill('SIGTERM');
      }
    });
    const ends = await Promise.allSettled(writers);
    t.ok(
      ends.every(({ status }) => status === 'rejected'),
      'the clients were cut off',
    );
    t.equal(await child.exit(), 0);
    const content = readFileSync(image);
    const isThere = (block: number): boolean =>
      content.subarray(4096 * block, 4096 * (block + 1)).equals(Buffer.alloc(4096, filling(block)));
    t.strictSame(
      answered.filter((block) => !isThere(block)),
      [],
      `all of ${answered.length} writes`,
    );
    t.match(child.stderr, /SIGTERM: shutting down.*vbd 3: closed aio:.*ended\n$/s);
    t.notOk(existsSync(control ?? ''));
    t.notOk(existsSync(socket));
  },
);

/** Fulfilled when a disk of the daemon has a request. */
async function requestInFlight(directory: string, { pid }: DaemonChild): Promise<void> {
  const client = new ControlClient(new NodePosix(), directory);
  while (!(await client.statistics(pid)).includes('"inFlight":1'));
}

t.test('a second signal exits at once, and the trace is complete', async (t) => {
  const directory = shortDirectory(t);
  const trace = join(directory, 'trace.json');
  const child = new DaemonChild(t, [
    ...['--control-directory', directory, '--disk', '0=stuck:', '--nbd', '127.0.0.1:0', '--trace', trace],
  ]);
  const { nbd = '', control = '' } = await child.ready();
  const client = await nbdClient(t, nbd);
  const read = client.read(0, 512).catch(() => {});
  await requestInFlight(directory, child);
  child.kill('SIGINT');
  await child.told(/SIGINT: shutting down/);
  child.kill('SIGINT');
  t.equal(await child.exit(), 130);
  await read;
  t.match(child.stderr, /exiting immediately; not closed: vbd 0 running 'stuck:' 1 in flight/);
  t.notOk(existsSync(control));
  const events = JSON.parse(readFileSync(trace, 'utf8')) as { ph: string; name: string }[];
  t.ok(events.some(({ ph, name }) => ph === 'X' && name.startsWith('READ ')));
});

t.test('a shutdown that exceeds its grace time is abandoned, which is reported', async (t) => {
  const directory = shortDirectory(t);
  const child = new DaemonChild(t, [
    ...[
      '--control-directory',
      directory,
      '--disk',
      '0=stuck:',
      '--nbd',
      join(directory, 'nbd'),
      '--grace',
      '1',
      '--pid-file',
      join(directory, 'pid'),
    ],
  ]);
  const { nbd = '', control = '' } = await child.ready();
  const client = await nbdClient(t, nbd);
  const read = client.read(0, 512).catch(() => {});
  await requestInFlight(directory, child);
  child.kill('SIGHUP');
  t.equal(await child.exit(), 1);
  await read;
  t.match(child.stderr, /crit: not closed within 1 s: vbd 0/);
  t.notOk(existsSync(control));
  t.notOk(existsSync(join(directory, 'pid')));
});

/** A daemon that opens a disk on a file system that does not respond. */
async function hangingDaemon(t: Test): Promise<DaemonChild> {
  const directory = shortDirectory(t);
  const fifo = join(directory, 'fifo');
  run('mkfifo', [fifo]);
  const argv = ['--control-directory', directory, '--disk', `0=hanging:${fifo}`, '--grace', '1'];
  const child = new DaemonChild(t, argv);
  await child.told(/opening the FIFO/);
  return child;
}

t.test('a file call that hangs keeps the process no longer than its grace time', async (t) => {
  const child = await hangingDaemon(t);
  child.kill('SIGTERM');
  t.equal(await child.exit(), 'SIGKILL');
  t.match(child.stderr, /crit: not closed within 1 s: vbd 0 opening/);
});

t.test('a second signal ends a process at once whose file call hangs', async (t) => {
  const child = await hangingDaemon(t);
  child.kill('SIGTERM');
  await child.told(/SIGTERM: shutting down/);
  child.kill('SIGTERM');
  t.equal(await child.exit(), 'SIGKILL');
  t.match(child.stderr, /exiting immediately; not closed: vbd 0 opening/);
});

t.test(
  'a client that reads nothing keeps the process no longer than its grace time, and costs no disk',
  async (t) => {
    const directory = shortDirectory(t);
    const socket = join(directory, 'nbd');
    const grace = ['--grace', '3'];
    const argv = ['--control-directory', directory, '--disk', '0=ram:64', '--nbd', socket, ...grace];
    const child = new DaemonChild(t, argv, {}, [...programArguments('src/cli/main.ts'), 'daemon']);
    await child.ready();
    const raw = new RawClient({ family: AF_UNIX, path: socket });
    t.teardown(() => raw.destroy());
    await raw.go('0');
    raw.socket.pause();
    for (let count = 0; count < 8; count++) raw.send(request(0, { length: 4 << 20 }));
    const client = await nbdClient(t, socket);
    await client.read(0, 512);
    const start = performance.now();
    child.kill('SIGTERM');
    t.equal(await child.exit(), 0);
    t.ok(performance.now() - start < 20_000, 'and not after the minute that the rest of its data had');
    t.match(child.stderr, /vbd 0: closed ram:64/);
  },
);

t.test('SIGUSR1 dumps the state, even when its reader has gone', async (t) => {
  const directory = shortDirectory(t);
  const child = new DaemonChild(t, [
    '--control-directory',
    directory,
    '--disk',
    '0=ram:1',
    '--log-level',
    'err',
  ]);
  await child.ready();
  child.kill('SIGUSR1');
  await child.told(/vbd 0 running 'ram:1'[^]*\d events[^]*\d descriptors[^]*ctl\d+/);
  child.stopReading();
  const client = new ControlClient(new NodePosix(), directory);
  child.kill('SIGUSR1');
  t.equal(await client.pid(child.pid), child.pid);
  child.kill('SIGINT');
  t.equal(await child.exit(), 0);
});

t.test(
  'signals without a handler end it as they do any program, and the next start removes its sockets',
  async (t) => {
    const directory = shortDirectory(t);
    const nbd = join(directory, 'nbd.sock');
    const argv = ['--control-directory', directory, '--nbd', nbd, '--disk', '0=ram:1'];
    const start = (): DaemonChild =>
      // SIGQUIT would leave a core file.
      new DaemonChild(t, argv, {}, undefined, { launcher: ['sh', '-c', 'ulimit -c 0; exec "$@"', 'sh'] });
    for (const signal of ['SIGQUIT', 'SIGUSR2', 'SIGALRM', undefined] as const) {
      const child = start();
      const { control = '' } = await child.ready();
      const sockets = readdirSync(directory).filter((name) => /^(?:ctl\d+|nbd\.sock)$/.test(name));
      t.same(sockets.sort(), [basename(control), 'nbd.sock'], 'those of the last one are gone');
      child.kill(signal ?? 'SIGTERM');
      t.equal(await child.exit(), signal ?? 0);
      t.equal(existsSync(control), signal !== undefined, `${signal} leaves it`);
    }
  },
);
