// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { randomBytes } from 'node:crypto';
import { coalesce } from '../../disks/drivers/vhd/tools/coalesce.js';
import { snapshot } from '../../disks/drivers/vhd/tools/snapshot.js';
import type { Values } from '../command-line/command-table.js';
import { formatBytes } from '../../server/format.js';
import type { coalesceTable, snapshotTable } from './vhd-tables.js';
import { EXIT_STOPPED, nowSeconds, vhdRun } from './vhd-run.js';
import { directoriesOf } from './vhd-values.js';

/** Longer chains cause a warning: XenServer's limit is 30. */
const LONG_CHAIN = 25;

export const runSnapshot = vhdRun<Values<typeof snapshotTable>>(
  'snapshot',
  async ({ image, child, keepEmpty, parents, json }, { calls, run, print }) => {
    const options = { parent: image, child, keepEmpty, directories: directoriesOf(parents) };
    const made = { uuid: randomBytes(16), unixSeconds: nowSeconds() };
    const result = await run(snapshot(calls, { ...options, ...made }));
    const { parent, size, depth } = result;
    if (json) {
      print(JSON.stringify(result));
    } else {
      print(`${child}: ${formatBytes(size)}, parent ${parent}, ${depth} images deep`);
      if (depth >= LONG_CHAIN) print('the chain is long: coalesce images that nobody needs');
    }
    return undefined;
  },
);

export const runCoalesce = vhdRun<Values<typeof coalesceTable>>('coalesce', async (values, context) => {
  const { calls, run, print, progress, isStopped } = context;
  const result = await run(
    coalesce(calls, {
      child: values.child,
      relink: values.relink,
      deleteChild: values.delete,
      directories: directoriesOf(values.parents),
      onProgress: (done, total) => progress.show('blocks coalesced', done, total),
      shouldStop: isStopped,
    }),
  );
  const { child, parent, relinked, isDeleted } = result;
  if (values.json) {
    print(JSON.stringify(result));
  } else if (result.isStopped) {
    print(`stopped: ${child} is as it was, and ${parent} has part of it; coalesce again to go on`);
  } else {
    print(`${child} is in ${parent}${isDeleted ? ', and deleted' : ''}`);
    for (const other of relinked) print(`${other} has ${parent} as its parent`);
  }
  return result.isStopped ? EXIT_STOPPED : undefined;
});
