// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { shortDirectory } from '../../short-directory.js';
import { everything, foreignPrimary } from '../../transfer/foreign.js';
import { command, startCommand } from '../command.js';

t.test('a fault outside the command line is named, with status 1', async (t) => {
  const directory = shortDirectory(t);
  writeFileSync(join(directory, 'image'), 'image');
  const wrongs: [string[], RegExp][] = [
    [
      ['primary', '127.0.0.1:9', '--input', join(directory, 'none')],
      /cannot read .*none: no such file or directory/,
    ],
    [['primary', '127.0.0.1:9', '--input', directory], /is a directory, but an image is one file/],
    [['backup', '127.0.0.1:0', '--output', directory], /is a directory; name a file in it/],
    [
      ['backup', '127.0.0.1:0', '--output', join(directory, 'a', 'b')],
      /cannot write .*b: no such file or directory/,
    ],
    [
      ['backup', '127.0.0.1:0', '--status', join(directory, 'image')],
      /no status socket: .*image exists and is not a socket; use --no-status to run without one/,
    ],
    [
      ['backup', '127.0.0.1:0', '--status', `/${'x'.repeat(200)}`],
      /has 201 bytes, but the path of a socket at most 107/,
    ],
  ];
  for (const [argv, message] of wrongs) {
    const { status, stdout, stderr } = await command(...argv);
    t.equal(status, 1, argv.join(' '));
    t.equal(stdout, '');
    t.match(stderr, message);
    t.match(stderr, /^tapdisk-ts: failed: /);
  }
});

t.test('another host’s address gives status 3, and a hint at the other command', async (t) => {
  const { status, stderr } = await command('backup', '192.0.2.1:9000', '--no-status');
  t.equal(status, 3);
  t.match(stderr, /this host does not have the address .* tapdisk-ts primary 192\.0\.2\.1:9000/);
});

t.test(
  'a full disk gives the primary status 1 and the reason, and the backup takes the next one',
  async (t) => {
    const backup = startCommand('backup', '127.0.0.1:0', '--output', '/dev/full', '--once', '--no-status');
    const { address } = await backup.log.report('listening');
    const image = join(t.testdir({ image: 'x'.repeat(2_000_000) }), 'image');
    const primary = startCommand('primary', String(address), '--input', image, '--no-status');
    t.equal(await primary.exit, 1);
    t.match(await primary.log.report('failed'), { code: 'ENOSPC', message: /no space left on device/ });
    t.match(await backup.log.report('broken'), { code: 'ENOSPC' });
    const empty = startCommand('primary', String(address), '--no-status');
    empty.stdin.end();
    t.equal(await empty.exit, 0);
    t.equal(await backup.exit, 0);
  },
);

t.test('another program’s bytes are not an image, unless --raw is given', async (t) => {
  const path = join(t.testdir({ copy: 'before' }), 'copy');
  const sent = async (address: unknown): Promise<void> => {
    const socket = await foreignPrimary(String(address));
    socket.end('x');
    await everything(socket);
  };
  const backup = startCommand(
    'backup',
    '127.0.0.1:0',
    '-o',
    path,
    '--once',
    '--no-status',
    '--max-size',
    '9',
  );
  const { address } = await backup.log.report('listening');
  await sent(address);
  t.match(await backup.log.report('broken'), { code: 'EPROTO', message: /unless --raw is given/ });
  t.equal(readFileSync(path, 'utf8'), 'before');
  const primary = startCommand('primary', String(address), '--no-status', '--allow', '127.0.0.0/8');
  primary.stdin.end('image');
  t.equal(await primary.exit, 0);
  t.equal(await backup.exit, 0);
  t.equal(readFileSync(path, 'utf8'), 'image');

  const raw = startCommand('backup', '127.0.0.1:0', '-o', path, '--once', '--no-status', '--raw');
  await sent((await raw.log.report('listening'))['address']);
  t.equal(await raw.exit, 0);
  t.equal(readFileSync(path, 'utf8'), 'x');
});

t.test('a file goes to a file, and FILE may be - for the standard streams', async (t) => {
  const directory = t.testdir({ image: 'x'.repeat(2_000_000) });
  const backup = startCommand(
    'backup',
    'localhost:0',
    '-o',
    '-',
    '--once',
    '--no-status',
    '--no-raw',
    '--verbose',
  );
  const { address } = await backup.log.report('listening');
  const primary = startCommand('primary', String(address), '-i', join(directory, 'image'), '--no-status');
  let received = 0;
  backup.stdout.on('data', (chunk: Buffer) => {
    received += chunk.length;
  });
  t.equal(await primary.exit, 0);
  t.equal(await backup.exit, 0);
  t.equal(received, 2_000_000);
  t.match(await backup.log.report('log'), { priority: 'debug', message: /^replication: / });
});

/** No process has a pid of this size. */
const NO_PID = 999_999_999;

/** A socket file that nobody serves, as a program that was killed leaves it. */
async function leaveSocket(path: string): Promise<void> {
  const server = createServer().listen(path);
  await once(server, 'listening');
  renameSync(path, `${path}.kept`);
  await new Promise((resolve) => {
    server.close(resolve);
  });
  renameSync(`${path}.kept`, path);
}

/** Runs with a runtime directory of its own, and a temporary one. */
async function withRuntimeDirectory(directory: string, body: () => Promise<void>): Promise<void> {
  const names = ['XDG_RUNTIME_DIR', 'TMPDIR'];
  const before = names.map((name) => process.env[name]);
  for (const name of names) process.env[name] = directory;
  try {
    await body();
  } finally {
    for (const [index, name] of names.entries()) {
      if (before[index] === undefined) delete process.env[name];
      else process.env[name] = before[index];
    }
  }
}

t.test('the directories without a socket are reported in one line, whatever their names', async (t) => {
  await withRuntimeDirectory(`${shortDirectory(t)}/no\nforged\u009b`, async () => {
    const { stdout, stderr } = await command('status');
    if (stdout === '') t.match(stderr, /^[^\n]*\/no\\nforged\\u009b\/tapdisk-ts, [^\n]*\n$/);
  });
});

t.test(
  'the status of all running roles is shown in a table or as JSON, and stale sockets are removed',
  async (t) => {
    const directory = shortDirectory(t);
    await withRuntimeDirectory(directory, async () => {
      const none = await command('status');
      // Of others some may be in /tmp.
      if (none.stdout === '') {
        t.equal(none.status, 1);
        t.match(
          none.stderr,
          /^tapdisk-ts status: no primary or backup is running \(no socket in .*tapdisk-ts, .*\)\n$/,
        );
      }

      const backup = startCommand('backup', '127.0.0.1:0', '--once');
      const { address } = await backup.log.report('listening');
      const primary = startCommand('primary', String(address));
      primary.stdin.write('image');
      await backup.log.report('established');
      const stale = join(directory, 'tapdisk-ts', `primary-${NO_PID}.sock`);
      await leaveSocket(stale);
      const silent = join(directory, 'tapdisk-ts', 'backup-1.sock');
      await leaveSocket(silent);
      const table = await command('status');
      t.match(table.stdout, /^ROLE +PID +ADDRESS +ACTIVITY +PROGRESS/);
      t.match(
        table.stdout,
        new RegExp(`\nprimary +${process.pid} +${String(address)} +(waiting for greeting|sending) `),
      );
      t.match(table.stdout, new RegExp(`\nbackup +${process.pid} +${String(address)} +waiting for data `));
      const socket = join(directory, 'tapdisk-ts', `backup-${process.pid}.sock`);
      const json = await command('status', '--json', '--socket', socket);
      t.equal(json.status, 0);
      t.match(JSON.parse(json.stdout), { role: 'backup', address, state: 'established', transfers: 0 });
      t.notOk(existsSync(stale), 'the process of that pid is gone, and so is its socket');
      t.ok(existsSync(silent), 'a process that lives may be about to serve its socket');
      t.equal(table.status, 1);
      t.match(table.stderr, /backup-1\.sock: connection refused/);

      const taken = await command('backup', '127.0.0.1:0', '--status', socket);
      t.equal(taken.status, 1);
      t.match(taken.stderr, /is served by another process/);
      primary.stdin.end();
      t.equal(await primary.exit, 0);
      t.equal(await backup.exit, 0);
      const gone = await command('status', '--socket', socket);
      t.equal(gone.status, 1);
      t.match(gone.stderr, /no such file or directory/);
    });
  },
);

t.test('a status directory open to others is not used: the role continues, with a warning', async (t) => {
  const directory = shortDirectory(t);
  mkdirSync(join(directory, 'tapdisk-ts'), { mode: 0o755 });
  await withRuntimeDirectory(directory, async () => {
    const { status, stderr } = await command('backup', '192.0.2.1:9');
    t.equal(status, 3, 'the address is another host’s');
    t.match(
      stderr,
      /^tapdisk-ts: warning: no status socket: .* belongs to this user alone \(mode 0700\); use --no-status to run without one\n/,
    );
    const read = await command('status');
    t.equal(read.status, 1);
    t.match(read.stderr, /belongs to this user alone/);
    t.notMatch(read.stderr, /is running/);
  });
});
