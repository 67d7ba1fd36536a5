// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { join } from 'node:path';
import t, { type Test } from 'tap';
import { dispatch } from '../../../src/cli/dispatch.js';
import { NodePosix } from '../../../src/posix/index.js';
import { nullLogger, TapdiskServer } from '../../../src/server/index.js';
import { StatusServer } from '../../../src/status/status-server.js';
import { shortDirectory } from '../../short-directory.js';
import { captured, type Outcome, type RunCommand } from '../captured-io.js';
import { status } from '../transfer/example-status.js';

const statusOf = (...argv: string[]): Promise<Outcome> => captured(dispatch, ['status', ...argv]);

/** A socket on which a role has this status, until the test has ended. */
function served(t: Test, reply: object): string {
  const path = join(shortDirectory(t), 's');
  const server = new TapdiskServer({ logger: nullLogger });
  const running = server.run({ signals: false });
  const { posix } = server;
  const serving = new StatusServer({
    ...{ registrar: server, posix, logger: nullLogger, path },
    status: () => reply,
  });
  t.teardown(async () => {
    serving[Symbol.dispose]();
    server.stop();
    await running;
  });
  return path;
}

t.test('the status of one socket is a table, or an object on a line', async (t) => {
  const path = served(t, { ...status, file: 'a\u001bb' });
  const { exitCode, stdout, stderr } = await statusOf('--socket', path);
  t.same([exitCode, stderr], [0, '']);
  t.match(stdout, /^ROLE .*\nprimary +/);
  const json = await statusOf('--socket', path, '--json');
  t.match(json, { exitCode: 0, stderr: '' });
  t.match(json.stdout, /^\{.*\}\n$/);
  t.same(JSON.parse(json.stdout), { ...status, file: 'a\u001bb' });
});

t.test('a socket that nobody serves is an error, and there is no table', async (t) => {
  const path = join(shortDirectory(t), 'none');
  for (const more of [[], ['--json']])
    t.match(await statusOf('--socket', path, ...more), {
      ...{ exitCode: 1, stdout: '' },
      stderr: new RegExp(`^tapdisk-ts status: ${path}: [^\\n]+\\n$`),
    });
});

t.test('a directory that cannot be listed is reported, and asked for nothing', async (t) => {
  const runtime = t.testdir({ 'tapdisk-ts': 'no directory' });
  const before = process.env['XDG_RUNTIME_DIR'];
  t.teardown(() => {
    if (before === undefined) delete process.env['XDG_RUNTIME_DIR'];
    else process.env['XDG_RUNTIME_DIR'] = before;
  });
  process.env['XDG_RUNTIME_DIR'] = runtime;
  const { exitCode, stderr } = await statusOf();
  const directory = join(runtime, 'tapdisk-ts');
  t.equal(exitCode, 1);
  t.equal(
    stderr.split('\n')[0],
    `tapdisk-ts status: ${directory} is not a directory that belongs to this user alone (mode 0700)`,
  );
  t.equal(stderr.split(directory).length, 2, 'it is named once');
  t.notMatch(stderr, 'undefined');
});

t.test('an internal error is not taken for one of a program', async (t) => {
  class Faulty extends NodePosix {
    override socket(): never {
      throw new TypeError('a fault');
    }
  }
  const run: RunCommand = (argv, io) => dispatch(argv, { ...io, posix: new Faulty() });
  await t.rejects(captured(run, ['status', '--socket', served(t, status)]), { message: 'a fault' });
});
