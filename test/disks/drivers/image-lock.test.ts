// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, copyFileSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { errno } from '../../../src/posix/index.js';
import { fileLocker, type LockFile } from '../../../src/disks/drivers/index.js';
import { diskWorld, told } from './disk-world.js';

t.test(
  'the lock is the kernel’s: another program is kept out while the image is open, and let in after',
  async (t) => {
    const world = diskWorld(t);
    const path = world.path('disk.img');
    writeFileSync(path, Buffer.alloc(4096));
    const vbd = await world.open(`aio:${path}`);
    const tryLock = (): number | null => spawnSync('flock', ['--nonblock', path, 'true']).status;
    t.equal(tryLock(), 1);
    await vbd.close();
    t.equal(tryLock(), 0);
  },
);

t.test('an image locked by another process is refused, and free once that is killed', async (t) => {
  const world = diskWorld(t);
  const path = world.path('disk.img');
  writeFileSync(path, Buffer.alloc(4096));
  const holder = spawn('flock', ['--no-fork', path, 'sh', '-c', 'echo locked; read forever'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  await once(holder.stdout, 'data');
  t.equal(await world.tryOpen(`aio:${path}`), -errno.EBUSY);
  holder.kill('SIGKILL');
  await once(holder, 'exit');
  await world.open(`aio:${path}`);
});

t.test('a missing or failing lock program is ENOLCK, with the reason', async (t) => {
  const world = diskWorld(t);
  const fd = openSync('/dev/null', 'r');
  t.teardown(() => closeSync(fd));
  const missing = fileLocker(world.registry.completions, '/nonexistent/flock');
  const reasons: (string | undefined)[] = [];
  const lockedBy = (lock: LockFile): Promise<number> =>
    told((done) =>
      lock(fd, false, (result, reason) => {
        reasons.push(reason);
        done(result);
      }),
    );
  t.equal(await lockedBy(missing), -errno.ENOLCK);
  t.match(reasons, [/flock \(of util-linux\) does not start: .*ENOENT/]);
  const failing = fileLocker(world.registry.completions, 'sleep');
  t.equal(await lockedBy(failing), -errno.EBUSY, 'status 1 means that another has it');
  const dying = world.path('dying');
  writeFileSync(dying, '#!/bin/sh\nexit 65\n', { mode: 0o755 });
  const broken = fileLocker(world.registry.completions, dying);
  t.equal(await lockedBy(broken), -errno.ENOLCK);
  t.match(reasons.at(-1), /dying .of util-linux. ended with status 65/);
});

t.test('a lock program that Node refuses to start is ENOLCK too, and the image is released', async (t) => {
  const busy = t.testdirName;
  t.testdir();
  copyFileSync('/bin/true', join(busy, 'flock'));
  const writer = openSync(join(busy, 'flock'), 'r+');
  const { PATH } = process.env;
  t.teardown(() => {
    process.env['PATH'] = PATH;
    closeSync(writer);
  });
  const world = diskWorld(t);
  const path = world.path('disk.img');
  writeFileSync(path, Buffer.alloc(4096));
  process.env['PATH'] = `${busy}:${PATH}`;
  t.equal(await world.tryOpen(`aio:${path}`), -errno.ENOLCK);
  t.match(world.lines, [
    /^cannot open .*: cannot lock it: flock \(of util-linux\) does not start: spawn.* ETXTBSY/,
  ]);
  t.equal(world.lines.length, 1, 'nothing else is logged');
  process.env['PATH'] = PATH;
  await world.open(`aio:${path}`);
});
