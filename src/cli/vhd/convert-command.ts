// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { randomBytes } from 'node:crypto';
import { convert } from '../../disks/drivers/vhd/tools/convert.js';
import { withImage } from '../../disks/drivers/vhd/tools/open-image.js';
import { immediate } from '../../disks/drivers/vhd/steps.js';
import type { Values } from '../command-line/command-table.js';
import { formatBytes } from '../../server/format.js';
import type { convertTable } from './vhd-tables.js';
import { EXIT_STOPPED, nowSeconds, vhdRun } from './vhd-run.js';
import { directoriesOf } from './vhd-values.js';

export const runConvert = vhdRun<Values<typeof convertTable>>('convert', async (values, context) => {
  const { calls, readHoles, run, print, progress, isStopped } = context;
  const { source, target, from, to, parents } = values;
  const isVhd = await run(withImage(calls, source, ({ footer }) => immediate(footer !== undefined)));
  const result = await run(
    convert(calls, {
      source,
      sourceFormat: from ?? (isVhd ? 'vhd' : 'raw'),
      target,
      targetFormat: to,
      directories: directoriesOf(parents),
      uuid: randomBytes(16),
      unixSeconds: nowSeconds(),
      readHoles,
      onProgress: (done, total) => progress.show('converted', done, total),
      shouldStop: isStopped,
    }),
  );
  if (values.json) print(JSON.stringify({ source, target, isStopped: result === undefined, ...result }));
  else if (!result) print('stopped: nothing is left of the new file');
  else print(`${target}: ${formatBytes(result.size)}, ${formatBytes(result.writtenBytes)} of data`);
  return result ? undefined : EXIT_STOPPED;
});
