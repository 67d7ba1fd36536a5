// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { closeSync, openSync, readSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import tap from 'tap';
import { bytesLeft } from '../../src/posix/index.js';
import { inputFromFile, inputFromStandard } from '../../src/transfer/input.js';
import { foreignBackup } from './foreign.js';
import { backupOn, MemoryOutput, primaryOn, serverTest } from './world.js';

const SIZE = 3_000_000;

for (const left of [1_000_000, 0]) {
  serverTest(
    `an input of ${SIZE} bytes that shrinks to ${left} fails both sides, and the copy before stays`,
    async (t, server) => {
      const path = join(t.testdir(), 'image');
      writeFileSync(path, Buffer.alloc(SIZE, 1));
      const output = new MemoryOutput();
      const { backup, log } = backupOn(server, { output });
      await backup.start();
      const input = await inputFromFile(path);
      truncateSync(path, left);
      const { address } = await log.event('listening');
      const { primary, log: primaryLog } = primaryOn(server, { name: address, input });
      await primary.start();
      t.same(await primary.ended, { kind: 'failed' });
      const { code, message } = await primaryLog.event('failed');
      t.equal(code, 'EIO');
      t.match(message, `${path} ended after ${left} bytes, but had ${SIZE} when it was opened`);
      await log.event('broken');
      t.same(output.copies, []);
      await backup.stop('SIGTERM');
    },
  );
}

serverTest('a program that is sent an input that shrinks sees a reset and no end', async (t, server) => {
  const path = join(t.testdir(), 'image');
  writeFileSync(path, Buffer.alloc(SIZE, 1));
  let outcome: Promise<unknown> | undefined;
  const address = await foreignBackup(t, (socket) => {
    outcome = socket.toArray();
    outcome.catch(() => {});
  });
  const input = await inputFromFile(path);
  truncateSync(path, 1000);
  const { primary } = primaryOn(server, { name: address, input, raw: true });
  await primary.start();
  t.same(await primary.ended, { kind: 'failed' });
  await t.rejects(outcome ?? Promise.resolve(), { code: 'ECONNRESET' });
});

tap.test('the remaining length of standard input is known if it is a file', async (t) => {
  const path = join(t.testdir({ image: 'an image' }), 'image');
  const fd = openSync(path, 'r');
  t.equal(inputFromStandard(new PassThrough(), fd).size, 8);
  readSync(fd, Buffer.alloc(3));
  t.equal(bytesLeft(fd), 5);
  closeSync(fd);
  const pipe = openSync('/dev/zero', 'r');
  t.equal(inputFromStandard(new PassThrough(), pipe).size, undefined);
  closeSync(pipe);
});
