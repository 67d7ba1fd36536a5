// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { describeChain, type ImageDescription } from '../../disks/drivers/vhd/tools/describe.js';
import type { Values } from '../command-line/command-table.js';
import { UsageError } from '../usage-error.js';
import { imageTree, treeLines } from './image-tree.js';
import type { infoTable } from './vhd-tables.js';
import { statusOfKind, vhdRun } from './vhd-run.js';
import { directoriesOf } from './vhd-values.js';

export const runInfo = vhdRun<Values<typeof infoTable>>('info', async (values, { calls, run, print }) => {
  if (values.images.length === 0) throw new UsageError('missing IMAGE');
  const directories = directoriesOf(values.parents);
  const chains: (readonly ImageDescription[])[] = [];
  for (const image of values.images) chains.push(await run(describeChain(calls, image, { directories })));
  if (values.json) print(JSON.stringify(chains.map((images) => ({ depth: images.length, images }))));
  else for (const line of treeLines(imageTree(chains))) print(line);
  const [fault] = chains.flat().flatMap(({ faults }) => faults);
  return fault && statusOfKind(fault.kind);
});
