// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { programArguments } from '../program.js';
import { runMachine, withDaemon } from './machine.js';

const main = programArguments('src/cli/main.ts');

/** Runs `tapdisk-ts`; its output. @throws Error when it fails */
function tapdiskTs(...argv: string[]): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, [...main, ...argv], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`tapdisk-ts ${argv.join(' ')} ended with ${status}: ${stderr}`);
  return stdout;
}

/** Has the machine use a VHD, while a snapshot is made and coalesced; what is to hold, and whether it does. */
export async function checkVhd(
  directory: string,
  kernel: string,
  initramfs: string,
): Promise<[string, boolean][]> {
  const at = (name: string): string => path.join(directory, name);
  tapdiskTs('vhd', 'create', at('base.vhd'), '256M');
  const control = ['--control-directory', directory];
  let pauseMs = Number.NaN;
  const results = await withDaemon(directory, `vhd:${at('base.vhd')}`, (port) =>
    runMachine({
      kernel,
      initramfs,
      port,
      async onAsk(name) {
        if (name === 'snapshot') {
          const told = tapdiskTs('ctl', 'snapshot', '0', at('child.vhd'), '--json', ...control);
          ({ pauseMs } = JSON.parse(told) as { pauseMs: number });
          return;
        }
        const [pid = ''] = tapdiskTs('ctl', 'pid', ...control).split('\n');
        const disk = ['-p', pid, '-m', '0', ...control];
        tapdiskTs('ctl', 'pause', ...disk);
        tapdiskTs('vhd', 'coalesce', at('child.vhd'), '--delete');
        tapdiskTs('ctl', 'unpause', ...disk, '-a', `vhd:${at('base.vhd')}`);
      },
    }),
  );
  const isSame = (one: string, other: string): boolean =>
    results.get(one) !== undefined && results.get(one) === results.get(other);
  return [
    ['every command in the machine succeeded', results.get('end') === '0'],
    [`the disk was paused for ${pauseMs} ms for the snapshot`, pauseMs < 1000],
    ['a file from before the snapshot is what was written', isSame('first', 'first-again')],
    ['a file from after it is what was written, coalesced', isSame('second', 'third')],
    ['the image has no fault', tapdiskTs('vhd', 'check', at('base.vhd')).endsWith('0 errors, 0 warnings\n')],
  ];
}
