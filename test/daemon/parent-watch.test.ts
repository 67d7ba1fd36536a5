// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { join } from 'node:path';
import t from 'tap';
import { errno } from '../../src/posix/index.js';
import { ParentWatch } from '../../src/daemon/parent-watch.js';
import { bench } from '../disks/bench.js';
import { shortDirectory } from '../short-directory.js';
import { DaemonChild } from './daemon-child.js';

t.test('a parent that has ended is reported once', async (t) => {
  const { server, pass } = bench(t);
  let [parent, told] = [70, 0];
  using _watch = new ParentWatch(
    server,
    () => parent,
    () => told++,
  );
  await pass(1);
  await pass(1);
  t.equal(told, 0);
  parent = 1;
  await pass(1);
  await pass(1);
  t.equal(told, 1);
});

t.test('the parent is looked at once a second, for as long as it is watched', async (t) => {
  const { server, pass } = bench(t);
  const before = server.scheduler.size;
  let parent = 70;
  const watch = new ParentWatch(
    server,
    () => parent,
    () => t.fail('it is not watched any more'),
  );
  t.match([...server.scheduler.events()].at(-1), { timeoutSeconds: 1 });
  watch[Symbol.dispose]();
  watch[Symbol.dispose]();
  t.equal(server.scheduler.size, before);
  parent = 1;
  await pass(2);
});

t.test('if no event is free the parent cannot be watched, which is reported', async (t) => {
  const full = { registerEvent: () => -errno.EBUSY, unregisterEvent() {}, setMaxTimeout: () => 0 };
  const watch = (): ParentWatch =>
    new ParentWatch(
      full,
      () => 1,
      () => t.fail(),
    );
  t.throws(watch, { code: 'EBUSY', message: /the parent process cannot be watched/ });
});

t.test('with --exit-with-parent a daemon shuts down in order when its parent ends', async (t) => {
  const directory = shortDirectory(t);
  const argv = ['--control-directory', directory, '--disk', '0=ram:1', '--exit-with-parent'];
  // The shell is the parent, and ends when its standard input does.
  const pidFile = join(directory, 'pid');
  const launcher = ['sh', '-c', '"$@" & wait "$!"', 'sh'];
  const daemon = new DaemonChild(t, [...argv, '--pid-file', pidFile], {}, undefined, { launcher });
  await daemon.ready();
  daemon.kill('SIGKILL');
  await daemon.told(/the parent process has ended: shutting down[^]*ended\n/);
  t.pass('it has ended');
});
