// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// What somebody who can connect to a backup cannot do: end it, fill its disk, keep its place, or replace the copy.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import tap from 'tap';
import { NodePosix } from '../../src/posix/index.js';
import { AddressRange } from '../../src/server/address-range.js';
import { outputToFile } from '../../src/transfer/output-file.js';
import { HEADER } from '../../src/transfer/wire.js';
import { ManualClock } from '../disks/bench.js';
import { everything, foreignPrimary } from './foreign.js';
import { backupOn, inputOf, listeningBackup, MemoryOutput, primaryOn, serverTest } from './world.js';

tap.jobs = 8;
const allow = (...ranges: string[]) => ranges.map((text) => AddressRange.parse(text) as AddressRange);

serverTest(
  'an image that is too large for the disk is reported on both sides, and the backup goes on',
  async (t, server) => {
    for (const once of [false, true]) {
      const { backup, log, address } = await listeningBackup(server, {
        output: await outputToFile('/dev/full'),
        once,
      });
      const { primary, log: primaryLog } = primaryOn(server, {
        name: address,
        input: inputOf(Buffer.alloc(8_000_000)),
      });
      await primary.start();
      const message = 'cannot write /dev/full: no space left on device';
      t.match(await primaryLog.event('failed'), { code: 'ENOSPC', message: `the backup failed: ${message}` });
      t.match(await log.event('broken'), { code: 'ENOSPC', message });
      await log.event('listening', 2);
      await backup.stop('SIGTERM');
    }
  },
);

serverTest('an image above the accepted size leaves the copy, at any boundary', async (t, server) => {
  const directory = t.testdir({ copy: 'before' });
  const path = join(directory, 'copy');
  const { backup, log, address } = await listeningBackup(server, {
    output: await outputToFile(path),
    maxBytes: 1_000_000,
  });
  const large = primaryOn(server, { name: address, input: inputOf(Buffer.alloc(1_000_001)) });
  await large.primary.start();
  t.match(await large.log.event('failed'), { code: 'EFBIG', message: /more than 1000000 bytes/ });
  t.match(await log.event('broken'), { code: 'EFBIG' });
  t.equal(readFileSync(path, 'utf8'), 'before');
  t.same(readdirSync(directory), ['copy']);
  const exact = primaryOn(server, { name: address, input: inputOf(Buffer.alloc(1_000_000)) });
  await exact.primary.start();
  t.same(await exact.primary.ended, { kind: 'complete' });
  t.equal(readFileSync(path).length, 1_000_000);
  await backup.stop('SIGTERM');
});

const trickled = new ManualClock();
serverTest(
  'a primary that trickles bytes to keep its place is dropped',
  async (t, server) => {
    for (const start of [Buffer.alloc(0), HEADER, Buffer.concat([HEADER, Buffer.alloc(500)])]) {
      const { backup, log, address } = await listeningBackup(server, { minRate: 1000, silenceSeconds: 0 });
      const socket = await foreignPrimary(address);
      await log.event('established');
      socket.write(start);
      while (start.length > 0 && backup.status().phase !== 'receiving') await server.sleep(0);
      // What the trailer may be is held back; the rest has been taken once the pump waits again.
      if (start.length > HEADER.length) await log.bytesMoved();
      trickled.seconds += 10;
      await server.sleep(0);
      t.match(await log.event('broken'), {
        code: 'ETIMEDOUT',
        message: 'the primary sends less than 1000 bytes a second',
      });
      socket.destroy();
      await backup.stop('SIGTERM');
    }
  },
  new NodePosix({ clock: trickled }),
);

serverTest('addresses that are not allowed can send nothing and learn nothing', async (t, server) => {
  const output = new MemoryOutput();
  const { backup, log, address } = await listeningBackup(server, {
    output,
    allow: allow('10.0.0.0/8', '127.0.0.2'),
  });
  const quiet = await foreignPrimary(address);
  const reset = new Promise((resolve) => quiet.once('error', resolve));
  await log.event('refused');
  t.match(await reset, { code: 'ECONNRESET' }, 'it sees no end, which might be taken for a reply');
  const socket = await foreignPrimary(address);
  socket.write('raw');
  t.match(await log.event('refused', 2), { peer: /^127\.0\.0\.1:/ });
  await new Promise((resolve) => socket.once('close', resolve));
  t.equal(socket.bytesRead, 0);
  t.same(output.copies, []);
  t.same(log.names(), ['listening', 'refused', 'refused']);
  await backup.stop('SIGTERM');

  const open = backupOn(server, { output, allow: allow('127.0.0.0/8'), once: true });
  await open.backup.start();
  const sender = primaryOn(server, {
    name: (await open.log.event('listening')).address,
    allow: allow('127.0.0.1'),
  });
  await sender.primary.start();
  t.same(await sender.primary.ended, { kind: 'complete' });
  t.same(await open.backup.ended, { kind: 'complete' });
});

serverTest('a primary sends nothing to an address that is not allowed', async (t, server) => {
  const { primary, log } = primaryOn(server, { name: 'localhost:9', allow: allow('10.0.0.2') });
  await primary.start();
  t.same(await primary.ended, { kind: 'failed' });
  t.match(await log.event('failed'), {
    code: 'EACCES',
    message: 'localhost:9 is 127.0.0.1:9, which is not an address that is allowed',
  });
});

serverTest('a backup that receives a byte from another program keeps its copy', async (t, server) => {
  const directory = t.testdir({ copy: 'before' });
  const path = join(directory, 'copy');
  const { backup, log } = backupOn(server, { output: await outputToFile(path), acceptsRaw: false });
  await backup.start();
  const socket = await foreignPrimary((await log.event('listening')).address);
  socket.end('x');
  t.match(String(await everything(socket)), /^error EPROTO /);
  t.equal(readFileSync(path, 'utf8'), 'before');
  await log.event('listening', 2);
  await backup.stop('SIGTERM');
});
