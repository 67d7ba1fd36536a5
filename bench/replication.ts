// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// A disk without and with a backup, side by side, each figure beside its goal: `npm run bench:replication [-- --short]
// [--only PART] [--disk DIRECTORY]`. Images and journals are in memory, but for the part that says otherwise; primary,
// backup and the load share the machine's processors. Needs fio; resyncs need nbdcopy, the held link root, ip and tc.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { programPath } from '../scripts/program-path.js';
import { scriptOptions, usageError } from '../scripts/script-options.js';
import { checkpointFigures } from './replication/checkpoints.js';
import { endAll } from './replication/daemon.js';
import { type Effort, type Figure, lineOf } from './replication/figures.js';
import { heldLinkFigures } from './replication/held-link.js';
import { resyncFigures } from './replication/resync.js';
import { flushFigures, writeFigures } from './replication/writes.js';

const LONG: Effort = { rounds: 5, secondsARound: 2, checkpointSeconds: 60 };
const SHORT: Effort = { rounds: 3, secondsARound: 1, checkpointSeconds: 10 };
/** Where images are in memory. */
const MEMORY = '/dev/shm';

const PARTS = ['writes', 'flush', 'link', 'resync', 'checkpoints'] as const;

const USAGE = `npm run bench:replication [-- --short] [--only NAME] [--disk DIRECTORY]

  --short           fewer and shorter rounds
  --only NAME       one part: ${PARTS.join(', ')}
  --disk DIRECTORY  where images on a disk are (default: the directory for temporary files)`;
const { values } = scriptOptions(USAGE, {
  options: { short: { type: 'boolean' }, only: { type: 'string' }, disk: { type: 'string' } },
});
if (values.only !== undefined && !PARTS.some((name) => name === values.only))
  usageError(`--only is ${values.only}, but must be one of ${PARTS.join(', ')}`);
const effort = values.short ? SHORT : LONG;
if (programPath('fio') === undefined) throw new Error('fio is not installed, which makes the load');

const memory = mkdtempSync(path.join(MEMORY, 'tapdisk-ts-bench-'));
const disk = mkdtempSync(path.join(values.disk ?? tmpdir(), 'tapdisk-ts-bench-'));
const parts: Readonly<Record<(typeof PARTS)[number], () => Promise<Figure[]>>> = {
  writes: () => writeFigures(memory, effort),
  flush: async () => [
    ...(await flushFigures('all in memory', `${memory}/m`, `${memory}/m`, effort)),
    ...(await flushFigures('the backup in memory', `${disk}/m`, `${memory}/d`, effort)),
    ...(await flushFigures('both on one disk', `${disk}/d`, `${disk}/d`, effort)),
  ],
  link: () => heldLinkFigures(memory, effort),
  resync: () => resyncFigures(memory, effort),
  checkpoints: () => checkpointFigures(memory, effort),
};
const { rounds, secondsARound } = effort;
try {
  console.log(`medians of ${rounds} interleaved rounds of ${secondsARound} s; ${disk} is the disk`);
  for (const [name, measure] of Object.entries(parts)) {
    if (values.only !== undefined && values.only !== name) continue;
    for (const one of await measure()) console.log(lineOf(one));
  }
} finally {
  await endAll();
  rmSync(memory, { recursive: true, force: true });
  rmSync(disk, { recursive: true, force: true });
}
