// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import {
  closeSync,
  existsSync,
  openSync,
  readFileSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { PassThrough, Writable } from 'node:stream';
import t from 'tap';
import { dispatch } from '../../../src/cli/dispatch.js';
import { closeDisk, imageDirectory, openDisk, readDisk, writeDisk } from '../../disks/drivers/vhd/fixture.js';
import { appearance } from '../../file-watch.js';
import { hasPrograms } from '../../programs.js';
import { captured, type Outcome } from '../captured-io.js';
import { CommandProcess } from '../command-process.js';

// Starting a process takes its time on a machine with other work to do.
t.setTimeout(120_000);
const BLOCKS = 8;
const BLOCK_BYTES = 2 << 20;
const vhd = (...argv: string[]): Promise<Outcome> => captured(dispatch, ['vhd', ...argv]);

/** Runs a command as if at a terminal; once its progress has reached a per cent, it is asked to stop. */
async function stoppedAt(percent: number, signal: NodeJS.Signals, ...argv: string[]): Promise<Outcome> {
  let [shown, printed] = ['', ''];
  const stderr = new Writable({
    write(chunk: Buffer, _encoding, done) {
      const text = chunk.toString();
      shown += text;
      if (Number(/(\d+) %/.exec(text)?.[1] ?? -1) >= percent) process.emit(signal, signal);
      done();
    },
  });
  const stdout = new PassThrough().on('data', (text: Buffer) => (printed += text.toString()));
  const io = { stdin: new PassThrough(), stdout, stderr: Object.assign(stderr, { isTTY: true }) };
  const exitCode = await dispatch(['vhd', ...argv], io);
  return { exitCode, stdout: printed, stderr: shown };
}

/** A base and a child that has a sector of each of its blocks. */
async function chainIn(directory: string): Promise<{ base: string; child: string }> {
  const [base = '', child = ''] = ['base.vhd', 'child.vhd'].map((name) => path.join(directory, name));
  await vhd('create', base, `${BLOCKS * BLOCK_BYTES}`);
  await vhd('snapshot', base, child);
  const disk = await openDisk(child);
  for (let block = 0; block < BLOCKS; block++)
    await writeDisk(disk, (block * BLOCK_BYTES) / 512, Buffer.alloc(512, block + 1));
  await closeDisk(disk);
  return { base, child };
}

/** The first byte of each block. */
async function contentOf(image: string): Promise<(number | undefined)[]> {
  const disk = await openDisk(image, { readOnly: true });
  const found: (number | undefined)[] = [];
  for (let block = 0; block < BLOCKS; block++) {
    const bytes = await readDisk(disk, (block * BLOCK_BYTES) / 512, 1);
    found.push(typeof bytes === 'number' ? bytes : bytes[0]);
  }
  await closeDisk(disk);
  return found;
}

const whole = Array.from({ length: BLOCKS }, (_, block) => block + 1);

t.test('coalescing stops after a block if asked, and can be repeated', async (t) => {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    const { base, child } = await chainIn(imageDirectory(t));
    const stopped = await stoppedAt(50, signal, 'coalesce', child, '--delete');
    t.match(stopped, { exitCode: 3, stdout: /^stopped: .*coalesce again to go on\n$/ });
    t.match(stopped.stderr, /\rblocks coalesced {2}\[#{14}-{14}\] {2}50 %/);
    t.notMatch(stopped.stderr, / 62 %/);
    t.same(await contentOf(child), whole, 'the child is as it was');
    t.same(await contentOf(base), [1, 2, 3, 4, 0, 0, 0, 0], 'the parent has a part');
    t.match(await vhd('check', child), { exitCode: 0 });
    t.match(await vhd('coalesce', child, '--delete'), { exitCode: 0, stdout: /and deleted/ });
    t.same(await contentOf(base), whole);
    t.notOk(existsSync(child));
  }
});

t.test('conversion that is asked to stop leaves nothing, and can be repeated', async (t) => {
  const directory = imageDirectory(t);
  const { child } = await chainIn(directory);
  const raw = path.join(directory, 'disk.raw');
  const stopped = await stoppedAt(50, 'SIGTERM', 'convert', child, raw, '--to', 'raw', '--json');
  t.equal(stopped.exitCode, 3);
  t.match(JSON.parse(stopped.stdout), { isStopped: true, target: raw });
  t.notOk(existsSync(raw));
  const told = await stoppedAt(50, 'SIGTERM', 'convert', child, raw, '--to', 'raw');
  t.match(told, { exitCode: 3, stdout: 'stopped: nothing is left of the new file\n' });
  t.match(told.stderr, /50 %[^\n]*\n$/, 'the line of the progress has ended');
  t.match(await vhd('convert', child, raw, '--to', 'raw'), { exitCode: 0 });
  const bytes = readFileSync(raw);
  t.same(
    whole.map((_, block) => bytes[block * BLOCK_BYTES]),
    whole,
  );
});

t.test('a process that converts stops at a signal', async (t) => {
  const directory = imageDirectory(t);
  const raw = path.join(directory, 'disk.raw');
  writeFileSync(raw, '');
  // More than anybody reads before the signal comes, where holes cannot be found.
  truncateSync(raw, 2 ** 40);
  for (const program of ['filefrag', 'perl'])
    writeFileSync(path.join(directory, program), '#!/bin/sh\nexit 1\n', { mode: 0o755 });
  const target = path.join(directory, 'disk.vhd');
  const environment = { PATH: `${directory}:${process.env['PATH']}` };
  const convert = new CommandProcess(t, ['vhd', 'convert', raw, target], environment);
  await appearance(target);
  convert.child.kill('SIGINT');
  t.equal(await convert.exit, 3);
  t.notOk(existsSync(target));
});

t.test('a sparse file is converted without reading its holes', async (t) => {
  if (!hasPrograms(t, 'filefrag', 'perl')) return;
  const directory = imageDirectory(t);
  const raw = path.join(directory, 'disk.raw');
  writeFileSync(raw, '');
  // Its holes would take longer to read than a test may.
  truncateSync(raw, 2 ** 40);
  const fd = openSync(raw, 'r+');
  writeSync(fd, Buffer.alloc(4096, 7), 0, 4096, 2 ** 39);
  closeSync(fd);
  const target = path.join(directory, 'disk.vhd');
  const { exitCode, stdout } = await vhd('convert', raw, target, '--json');
  t.equal(exitCode, 0);
  t.match(JSON.parse(stdout), { size: 2 ** 40, writtenBytes: 4096 });
});
