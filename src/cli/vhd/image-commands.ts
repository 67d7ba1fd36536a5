// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { randomBytes } from 'node:crypto';
import { createImage } from '../../disks/drivers/vhd/tools/create.js';
import { repair } from '../../disks/drivers/vhd/tools/repair.js';
import { resize } from '../../disks/drivers/vhd/tools/resize.js';
import type { Values } from '../command-line/command-table.js';
import { formatBytes } from '../../server/format.js';
import type { createTable, repairTable, resizeTable } from './vhd-tables.js';
import { nowSeconds, vhdRun } from './vhd-run.js';

export const runCreate = vhdRun<Values<typeof createTable>>(
  'create',
  async (values, { calls, run, print }) => {
    const { image, size, fixed, maxSize, blockSize } = values;
    const made = { path: image, size, isFixed: fixed, uuid: randomBytes(16), unixSeconds: nowSeconds() };
    const limits = { ...(maxSize ? { maxSize } : {}), ...(blockSize ? { blockBytes: blockSize } : {}) };
    await run(createImage(calls, { ...made, ...limits }));
    if (values.json) print(JSON.stringify({ image, size }));
    return undefined;
  },
);

export const runResize = vhdRun<Values<typeof resizeTable>>(
  'resize',
  async ({ image, size, json }, { calls, run, print }) => {
    const result = await run(resize(calls, { path: image, size }));
    const { before, after, movedBlocks } = result;
    if (json) print(JSON.stringify({ image, ...result }));
    else print(`${formatBytes(before)} -> ${formatBytes(after)}, ${movedBlocks} blocks moved`);
    return undefined;
  },
);

export const runRepair = vhdRun<Values<typeof repairTable>>(
  'repair',
  async ({ image, write, fromCopy, json }, { calls, run, print }) => {
    const changes = await run(repair(calls, { path: image, write, fromCopy, uuid: randomBytes(16) }));
    if (json) print(JSON.stringify({ image, isWritten: write, changes }));
    else if (changes.length === 0) print('nothing to repair');
    else for (const change of changes) print(write ? change : `with --write: ${change}`);
    return undefined;
  },
);
