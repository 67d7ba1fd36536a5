// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import tap, { type Test } from 'tap';
import { NodePosix } from '../../src/posix/index.js';
import { queryStatus } from '../../src/status/status-client.js';
import { loader, moduleFile } from '../../scripts/program.js';
import { shortDirectory } from '../short-directory.js';
import { appearance } from '../file-watch.js';
import { startCommand } from './command.js';
import { CommandProcess, mainProgram } from './command-process.js';

// Most of the time goes into starting processes, so that these tests run beside each other.
tap.jobs = 2;
// On a machine with other work to do, processes start slowly.
tap.setTimeout(120_000);
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const query = (path: string): Promise<object> => queryStatus(new NodePosix(), path);

function processTest(title: string, body: (t: Test, directory: string) => Promise<void>): void {
  tap.test(title, { buffered: true }, async (t) => {
    await body(t, shortDirectory(t));
  });
}

processTest('a reader that has gone away is no failure', async (t) => {
  const script = '{ "$@"; echo "exit $?" >&2; } | true';
  const { stderr } = spawnSync('sh', ['-c', script, 'sh', process.execPath, ...mainProgram, '--help']);
  t.equal(stderr.toString(), 'exit 0\n');
});

processTest('a program whose modules find no descriptor left names the limit to raise', async (t) => {
  // The first thing that the program does is to set a handler of this signal.
  const takeAll =
    "import fs from 'node:fs'; process.on('newListener', () => { try { for (;;) fs.openSync('/dev/null'); } catch {} });";
  const preload = ['--import', `data:text/javascript,${encodeURIComponent(takeAll)}`];
  const script = [
    '-c',
    'ulimit -n 64; exec "$@"',
    'sh',
    process.execPath,
    ...preload,
    ...loader,
    moduleFile('src/cli/main.ts'),
    'status',
  ];
  // What counts coverage would find no descriptor for its file either.
  const env = { ...process.env, NODE_V8_COVERAGE: '' };
  const { status, stderr } = spawnSync('sh', script, { env, encoding: 'utf8' });
  t.equal(status, 1);
  t.match(
    stderr,
    /^tapdisk-ts: cannot load .*\.[jt]s: too many open files; raise the limit \(ulimit -n\)\n$/,
  );
});

/** Waits until a backup has begun its copy in a directory, and so has bytes of an image. */
function copyBegun(directory: string): Promise<void> {
  return appearance(join(directory, 'copy.partial'));
}

/** A backup with a status socket, in the middle of the image that a primary sends. */
async function backupMidImage(t: Test, directory: string) {
  const copy = join(directory, 'copy');
  const socket = join(directory, 's');
  const backup = new CommandProcess(t, ['backup', '127.0.0.1:0', '--output', copy, '--status', socket]);
  const { address } = await backup.log.report('listening');
  const primary = startCommand('primary', String(address), '--no-status');
  primary.stdin.write(Buffer.alloc(1_000_000));
  await copyBegun(directory);
  return { backup, primary, copy, socket };
}

processTest('an image goes from standard input to standard output, through pipes', async (t, directory) => {
  const backup = new CommandProcess(t, ['backup', '127.0.0.1:0', '--no-status']);
  const { address } = await backup.log.report('listening');
  const received: Buffer[] = [];
  backup.child.stdout.on('data', (chunk: Buffer) => received.push(chunk));
  const image = randomBytes(5_000_000);
  const primary = new CommandProcess(t, ['primary', String(address)], { XDG_RUNTIME_DIR: directory });
  primary.child.stdin.end(image);
  t.equal(await primary.exit, 0);
  const expected = { bytes: image.length, sha256: sha256(image), confirmed: true };
  t.match(await primary.log.report('complete'), expected);
  t.match(await backup.log.report('complete'), expected);
  t.same(primary.log.complaints, []);
  t.same(readdirSync(join(directory, 'tapdisk-ts')), [], 'its status socket is gone');
  backup.child.kill('SIGTERM');
  t.equal(await backup.exit, 143);
  t.ok(Buffer.concat(received).equals(image));
});

processTest('a killed primary leaves nothing that looks like an image', async (t, directory) => {
  const copy = join(directory, 'copy');
  const backup = startCommand('backup', '127.0.0.1:0', '--output', copy, '--once', '--no-status');
  const { address } = await backup.log.report('listening');
  const killed = new CommandProcess(t, ['primary', String(address), '--no-status']);
  killed.child.stdin.write(Buffer.alloc(1_000_000));
  await copyBegun(directory);
  killed.child.kill('SIGKILL');
  t.equal(await killed.exit, 'SIGKILL');
  t.match(await backup.log.report('broken'), { event: 'broken' });
  t.same(readdirSync(directory), []);
  const primary = startCommand('primary', String(address), '--no-status');
  primary.stdin.end('whole');
  t.equal(await primary.exit, 0);
  t.equal(await backup.exit, 0);
  t.equal(readFileSync(copy, 'utf8'), 'whole');
  t.same(readdirSync(directory), ['copy']);
});

processTest(
  'a primary that is interrupted breaks off: the backup knows, and nothing is left',
  async (t, directory) => {
    const copy = join(directory, 'copy');
    const backup = startCommand('backup', '127.0.0.1:0', '--output', copy, '--once', '--no-status');
    const { address } = await backup.log.report('listening');
    const socket = join(directory, 's');
    const interrupted = new CommandProcess(t, ['primary', String(address), '--status', socket]);
    interrupted.child.stdin.write(Buffer.alloc(1_000_000));
    await copyBegun(directory);
    t.match(await query(socket), { role: 'primary', pid: interrupted.child.pid, phase: 'sending' });
    interrupted.child.kill('SIGINT');
    t.equal(await interrupted.exit, 130);
    t.match(await interrupted.log.report('stopped'), { signal: 'SIGINT' });
    t.match(await backup.log.report('broken'), { code: 'ECONNRESET' });
    t.same(readdirSync(directory), []);
    const primary = startCommand('primary', String(address), '--no-status');
    primary.stdin.end('whole');
    t.equal(await primary.exit, 0);
    t.equal(await backup.exit, 0);
  },
);

processTest(
  'a backup prints its state on SIGUSR1, and stops on SIGHUP: its primary learns of it',
  async (t, directory) => {
    const { backup, primary } = await backupMidImage(t, directory);
    backup.child.kill('SIGUSR1');
    t.match(await backup.log.report('dump'), { state: 'established', text: /tcp connected/ });
    backup.child.kill('SIGHUP');
    t.equal(await backup.exit, 129);
    t.equal(await primary.exit, 1);
    t.match(await primary.log.report('failed'), { message: /^the connection to the backup broke/ });
    t.same(readdirSync(directory), []);
  },
);

processTest(
  "a backup that is killed fails its primary, and what it leaves is in nobody's way",
  async (t, directory) => {
    const { backup, primary, copy, socket } = await backupMidImage(t, directory);
    backup.child.kill('SIGKILL');
    t.equal(await primary.exit, 1);
    // Its descriptors are closed one after the other: the connection may be gone before the status socket is.
    t.equal(await backup.exit, 'SIGKILL');
    t.same(readdirSync(directory), ['copy.partial', 's']);
    const next = startCommand('backup', '127.0.0.1:0', '--output', copy, '--status', socket, '--once');
    const listening = await next.log.report('listening');
    t.match(await query(socket), { role: 'backup', phase: 'listening' }, 'the stale socket is replaced');
    const again = startCommand('primary', String(listening['address']), '--no-status');
    again.stdin.end('whole');
    t.equal(await again.exit, 0);
    t.equal(await next.exit, 0);
    t.same(readdirSync(directory), ['copy', 'copy.partial']);
  },
);

processTest(
  'the status is answered while the reader of standard output stalls; when it goes away, both end',
  async (t, directory) => {
    const backup = new CommandProcess(t, ['backup', '127.0.0.1:0'], { XDG_RUNTIME_DIR: directory });
    const { address } = await backup.log.report('listening');
    const primary = startCommand('primary', String(address), '--no-status');
    primary.stdin.write(Buffer.alloc(20_000_000));
    await backup.log.report('progress', ({ phase, bytes }) => phase === 'receiving' && Number(bytes) > 0);
    const path = join(directory, 'tapdisk-ts', `backup-${backup.child.pid}.sock`);
    t.match(await query(path), { role: 'backup', state: 'established', phase: 'receiving', address });
    backup.child.stdout.destroy();
    t.equal(await primary.exit, 1);
    t.match(await primary.log.report('failed'), { code: 'EPIPE', message: /cannot write standard output/ });
    t.equal(await backup.exit, 1);
    t.same(readdirSync(join(directory, 'tapdisk-ts')), []);
  },
);

processTest('if help cannot be printed the status is 1', async (t) => {
  const full = openSync('/dev/full', 'w');
  const { status, stderr } = spawnSync(process.execPath, [...mainProgram, '--help'], {
    stdio: ['ignore', full, 'pipe'],
    encoding: 'utf8',
  });
  closeSync(full);
  t.equal(status, 1);
  t.match(stderr, /^tapdisk-ts: cannot write standard output: ENOSPC/);
});

processTest('an image is not written to a terminal', async (t) => {
  // script(1) gives a command a terminal; what it prints, and reports, goes there.
  if (spawnSync('script', ['--version']).error !== undefined) {
    t.pass('left out: there is no script(1) here', { skip: true });
    return;
  }
  const line = [process.execPath, ...mainProgram, 'backup 127.0.0.1:0 --no-status'].join(' ');
  const { status, stdout } = spawnSync('script', ['--quiet', '--return', '--command', line, '/dev/null'], {
    encoding: 'utf8',
  });
  t.match(stdout, /standard output is a terminal: redirect it/);
  t.equal(status, 1);
});
