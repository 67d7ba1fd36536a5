// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { checkChain } from '../../disks/drivers/vhd/tools/check.js';
import type { Values } from '../command-line/command-table.js';
import type { checkTable } from './vhd-tables.js';
import { statusOfKind, vhdRun } from './vhd-run.js';
import { directoriesOf } from './vhd-values.js';

export const runCheck = vhdRun<Values<typeof checkTable>>(
  'check',
  async ({ image, bitmaps, parents, json }, { calls, run, print, progress }) => {
    const directories = directoriesOf(parents);
    const onProgress = (done: number, total: number): void => progress.show('blocks checked', done, total);
    const { files, findings } = await run(checkChain(calls, image, { bitmaps, directories, onProgress }));
    const error = findings.find(({ severity }) => severity === 'error');
    if (json) {
      print(JSON.stringify({ isUsable: error === undefined, files, findings }));
    } else {
      for (const { severity, kind, file, field, problem, remedy } of findings) {
        print(`${severity}: ${file}: ${kind}: ${field}: ${problem}; ${remedy}`);
      }
      const warnings = findings.filter(({ severity }) => severity === 'warning').length;
      print(`${files.length} checked, ${findings.length - warnings} errors, ${warnings} warnings`);
    }
    return error && statusOfKind(error.kind);
  },
);
