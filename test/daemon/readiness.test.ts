// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { spawn, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import t from 'tap';
import { notifyManager } from '../../src/daemon/readiness.js';
import { shortDirectory } from '../short-directory.js';
import { ENDLESS, impatientTimers } from './impatient-timers.js';

/**
 * A service manager's end of the protocol: tells of each datagram that comes in, in a line. The program's last one has a
 * descriptor with it, and the program waits until that is closed, as it is where nobody takes it.
 */
const MANAGER = `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print('bound', flush=True)
while True:
    print(s.recv(4096).decode().replace('\\n', ' '), flush=True)
`;

const missing = ['systemd-notify', 'python3'].filter((program) => spawnSync(program, ['--version']).error);
const skip = missing.length > 0 ? `${missing.join(' and ')} not found` : false;
if (skip) process.stderr.write(`\n*** the service manager's notification is not tested: ${skip}\n\n`);

t.test('the service manager is notified', { skip }, async (t) => {
  const path = join(shortDirectory(t), 'notify');
  const manager = spawn('python3', ['-c', MANAGER, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.teardown(() => manager.kill());
  const output = createInterface({ input: manager.stdout })[Symbol.asyncIterator]();
  await output.next();
  const lines: string[] = [];
  const logger = { log: (_: number, message: string) => lines.push(message) };
  await notifyManager(['READY=1'], logger, { ...process.env, NOTIFY_SOCKET: path });
  t.match((await output.next()).value, /READY=1/);
  t.strictSame(lines, ['notified the service manager: READY=1']);
});

t.test('if the notification program is missing, that is logged', async (t) => {
  const lines: string[] = [];
  const logger = { log: (_: number, message: string) => lines.push(message) };
  await notifyManager(['READY=1'], logger, { NOTIFY_SOCKET: '/nowhere' }, 'no-such-program');
  t.equal(lines.length, 1);
  t.match(lines[0], /could not notify the service manager READY=1: .*no-such-program.*ENOENT/);
});

t.test(
  'a failed notification is one line of the log, with the error message of the program',
  { skip },
  async (t) => {
    const unserved = join(shortDirectory(t), 'nobody');
    const script = `
    import { notifyManager } from ${JSON.stringify(new URL('../../src/daemon/readiness.js', import.meta.url).href)};
    const logger = { log: (_, message) => console.log(message) };
    await notifyManager(['READY=1'], logger, { ...process.env, NOTIFY_SOCKET: ${JSON.stringify(unserved)} });
  `;
    const { stdout, stderr } = spawnSync(
      process.execPath,
      [...process.execArgv, '--input-type=module', '-e', script],
      { encoding: 'utf8' },
    );
    t.match(
      stdout,
      /^could not notify the service manager READY=1: systemd-notify ended with status 1: .*: No such file or directory\n$/,
    );
    t.equal(stderr, '', 'and nothing besides the log');
  },
);

t.test('only the beginning of a long error output is passed on', async (t) => {
  const program = join(shortDirectory(t), 'program');
  writeFileSync(program, "#!/bin/sh\nhead -c 1000000 /dev/zero | tr '\\0' x >&2\nexit 3\n", { mode: 0o700 });
  const lines: string[] = [];
  const logger = { log: (_: number, message: string) => lines.push(message) };
  await notifyManager(['READY=1'], logger, { ...process.env, NOTIFY_SOCKET: '/nowhere' }, program);
  t.match(lines, [/ ended with status 3: x{256}$/]);
});

t.test('without a manager nothing is run', async (t) => {
  const lines: string[] = [];
  await notifyManager(['READY=1'], { log: (_, message) => lines.push(message) }, {}, 'no-such-program');
  t.strictSame(lines, []);
});

t.test('a program that hangs is given up after five seconds', async (t) => {
  const program = join(shortDirectory(t), 'program');
  writeFileSync(program, ENDLESS, { mode: 0o700 });
  const lines: string[] = [];
  const logger = { log: (_: number, message: string) => lines.push(message) };
  const { timers, waits } = impatientTimers();
  await notifyManager(['READY=1'], logger, { ...process.env, NOTIFY_SOCKET: '/nowhere' }, program, timers);
  t.equal(waits[0], 5000);
  t.match(lines, [/^could not notify the service manager READY=1: .*program was not done within 5 s$/]);
});
