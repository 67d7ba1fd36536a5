// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { whileLocked } from '../../src/server/directory-lock.js';
import { shortDirectory } from '../short-directory.js';

/** With a program of this text as flock(1). */
function withFlock(t: Test, text: string): void {
  const directory = shortDirectory(t);
  writeFileSync(join(directory, 'flock'), `#!/bin/sh\n${text}\n`, { mode: 0o700 });
  const before = process.env['PATH'];
  process.env['PATH'] = `${directory}:${before}`;
  t.teardown(() => (process.env['PATH'] = before));
}

t.test('of two pieces of work in a directory one is done after the other', async (t) => {
  const directory = shortDirectory(t);
  const steps: string[] = [];
  const work = (name: string) => async (): Promise<string> => {
    steps.push(`${name} begins`);
    for (let turn = 0; turn < 100; turn++) await new Promise(setImmediate);
    steps.push(`${name} ends`);
    return name;
  };
  const unlocked = (why: string): void => void t.fail(why);
  const both = ['a', 'b'].map((name) => whileLocked(directory, work(name), unlocked));
  t.same(await Promise.all(both), ['a', 'b']);
  const [first] = steps[0]?.split(' ') ?? [];
  t.equal(steps[1], `${first} ends`);
});

t.test(
  'the lock is waited for five seconds; without it the work is done, and the reason given',
  async (t) => {
    const directory = shortDirectory(t);
    const line = join(directory, 'line');
    withFlock(t, `echo "$@" >'${line}'; exit 1`);
    const why: string[] = [];
    t.equal(
      await whileLocked(
        directory,
        async () => 'done',
        (reason) => why.push(reason),
      ),
      'done',
    );
    t.equal(readFileSync(line, 'utf8'), '-x -w 5 3\n');
    t.match(why, [/^flock .*status 1/]);
  },
);

t.test('a directory that cannot be opened is no lock, and no reason not to do the work', async (t) => {
  const file = join(shortDirectory(t), 'file');
  writeFileSync(file, '');
  const why: string[] = [];
  for (const path of ['/no/where', file]) {
    t.equal(
      await whileLocked(
        path,
        async () => 'done',
        (reason) => why.push(reason),
      ),
      'done',
    );
  }
  t.match(why, [/ENOENT.*\/no\/where/, /ENOTDIR.*\/file/]);
});

t.test('work that fails leaves neither a lock nor a descriptor', async (t) => {
  const directory = shortDirectory(t);
  const unlocked = (why: string): void => void t.fail(why);
  const descriptors = readdirSync('/proc/self/fd').length;
  const work = (): Promise<never> => Promise.reject(new Error('the work'));
  await t.rejects(whileLocked(directory, work, unlocked), { message: 'the work' });
  t.equal(readdirSync('/proc/self/fd').length, descriptors);
  await whileLocked(directory, async () => {}, unlocked);
});
