// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { constants } from 'node:fs';
import t from 'tap';
import { AioDriver } from '../../../src/disks/drivers/index.js';
import { ImageFile } from '../../../src/disks/drivers/vhd/image-file.js';
import { runSteps } from '../../../src/disks/drivers/vhd/steps.js';
import type { FileCalls, FileStatus } from '../../../src/posix/files.js';
import { FileScript } from './file-script.js';

/** File calls on what is of this kind, and the flags that it was opened with. */
function recorded(script: FileScript, kind: FileStatus['kind']) {
  const flags: number[] = [];
  const status = (done: (result: number, status?: FileStatus) => void): void =>
    script.files.fstat(7, (result, found) => done(result, found && { ...found, kind, device: '7:0' }));
  const files = {
    ...script.files,
    stat: (_path: string, done: (result: number, status?: FileStatus) => void) => status(done),
    fstat: (_fd: number, done: (result: number, status?: FileStatus) => void) => status(done),
    open: (_path: string, mode: number, done: (result: number) => void) => {
      flags.push(mode);
      done(7);
    },
  };
  return { files, flags };
}

const isExclusive = (flags: number | undefined): boolean => ((flags ?? 0) & constants.O_EXCL) !== 0;

t.test('a block device is opened with O_EXCL by a raw image that is its only writer', (t) => {
  for (const [kind, readOnly, shared, expected] of [
    ['block', false, false, true],
    ['block', true, false, false],
    ['block', false, true, false],
    ['regular', false, false, false],
  ] as const) {
    const script = new FileScript();
    const { files, flags } = recorded(script, kind);
    new AioDriver('/dev/loop0', { ...script.parts, files }).open({ readOnly, shared }, () => {});
    t.equal(flags.length, 1);
    t.equal(
      isExclusive(flags[0]),
      expected,
      `${kind}, ${readOnly ? 'read-only' : 'writable'}, ${shared ? 'shared' : 'alone'}`,
    );
  }
  t.end();
});

t.test('an example with a VHD runs too', (t) => {
  for (const [kind, locks, expected] of [
    ['block', true, true],
    ['block', false, false],
    ['regular', true, false],
  ] as const) {
    const script = new FileScript();
    const { files, flags } = recorded(script, kind);
    const calls = {
      files: files as unknown as FileCalls,
      size: (_: unknown, done: (sectors: number) => void) => done(8),
    };
    const lock = (_fd: number, done: (result: number) => void): void => done(0);
    runSteps(ImageFile.open(calls, '/dev/loop0', constants.O_RDWR, locks ? lock : undefined), () => {});
    t.equal(flags.length, 1);
    t.equal(isExclusive(flags[0]), expected, `${kind}, ${locks ? 'locked' : 'not locked'}`);
  }
  t.end();
});
