// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// What `npm test` runs: the test files, some beside each other, each in a Node process as plain as its users' are. tap's own
// way of starting them puts a process tracker into each, and into all that they start, which takes a third of the time.

import path from 'node:path';
import { pathToFileURL } from 'node:url';
import t from 'tap';
import { moduleFile, moduleUrl } from '../scripts/program.js';
import { repositoryFile, repositoryFiles } from '../scripts/repository-files.js';
import { bundlePrograms } from './bundled-programs.js';

/** Three times as many as processors: many tests wait for processes and for times that are real. */
const JOBS = 6;
/**
 * How long the files of one process may take, in seconds: less than tap allows for the whole suite, so that the process of
 * a test that hangs is the one to end, and names the test and what was open.
 */
const TIMEOUT_S = 0.5 * Number(process.env['TAP_TIMEOUT'] ?? 300);

/**
 * The processes, those that take longest first: each runs the test files whose paths begin with one of these and with no
 * longer one of another. Files of other folders share one process a folder. A process costs half a second, for tap and what is
 * tested, so small ones are put together: those that wait most of the time, or those that count their coverage.
 */
const PROCESSES = [
  ['test/disks/'],
  [
    'test/conformance/adapter.test.ts',
    'test/conformance/small-scope.test.ts',
    'test/metrics/page/browser.test.ts',
    'test/conformance/page/browser.test.ts',
  ],
  ['test/nbd/'],
  ['test/daemon/', 'test/transfer/'],
  [
    'test/replication/disk/backup/',
    'test/replication/disk/c/',
    'test/replication/disk/own/',
    'test/replication/disk/primary/',
    'test/replication/disk/wire/',
    'test/replication/disk/simulation/seeds.test.ts',
    'test/replication/disk/rot.test.ts',
    'test/replication/disk/prefixes.test.ts',
  ],
  [
    'test/daemon/dialect.test.ts',
    'test/daemon/signals.test.ts',
    'test/daemon/latency.test.ts',
    'test/cli/replication/kill-rounds.test.ts',
    'test/cli/processes.test.ts',
  ],
  [
    'test/control/',
    'test/server/',
    'test/status/',
    'test/metrics/',
    'test/fuzz/',
    'test/small-file-system.test.ts',
  ],
  ['test/cli/'],
  ['test/replication/disk/'],
  ['test/conformance/', 'test/scheduler/', 'test/replication/'],
  [
    'test/disks/drivers/vhd/samples.test.ts',
    'test/disks/drivers/vhd/crash.test.ts',
    'test/disks/drivers/vhd/model.test.ts',
    'test/nbd/programs.test.ts',
    'test/nbd/malformed.test.ts',
  ],
  ['test/posix/'],
  ['test/docs/', 'test/scripts/'],
  ['test/testing/'],
  ['test/posix/node/leaks.test.ts'],
];

/** Which processes count their coverage: `all` for `npm run coverage`, `none` for `npm run test:nodes`, otherwise {@link COVERING}. */
const counting = process.env['TAPDISK_TS_COVERAGE'];
/** What has to cover the scheduler and the connect module whole: counting makes code much slower. */
const COVERING = new Set(['test/conformance/']);

const all = repositoryFiles().filter((file) => /^test\/.*\.test\.ts$/.test(file));
/** The starts of the processes, the longest first, so that the first with which a path begins is its own. */
const starts = PROCESSES.flatMap((group) => group.map((start) => ({ start, name: group[0] as string })));
starts.sort((a, b) => b.start.length - a.start.length);
const unused = starts.filter(({ start }) => !all.some((file) => file.startsWith(start)));
if (unused.length > 0)
  throw new Error(`test/suite.ts: no test file starts with ${unused.map(({ start }) => start).join(' or ')}`);
/** Starts of paths, separated by commas: only the files with one of them run. */
const only = process.env['TAPDISK_TS_ONLY']?.split(',') ?? [''];
const tests = all.filter((file) => only.some((start) => file.startsWith(start)));
if (tests.length === 0) throw new Error(`TAPDISK_TS_ONLY: no test file starts with ${only.join(' or ')}`);

/** The files of each process, by its name: its first start, or the folder. */
const processes = new Map<string, string[]>(PROCESSES.map(([name]) => [name as string, []]));
for (const file of tests) {
  const name =
    starts.find(({ start }) => file.startsWith(start))?.name ??
    path.posix.join('test', file.split('/')[1] as string);
  processes.set(name, [...(processes.get(name) ?? []), file]);
}

// env(1) takes back what tap adds to the options of each Node process that it starts.
const { NODE_V8_COVERAGE: _, ...env } = process.env;
const options = `NODE_OPTIONS=${env['NODE_OPTIONS'] ?? ''}`;
// A process reports its own limit, which then takes the place of the one that it was started with.
const timeout = `TAP_TIMEOUT=${TIMEOUT_S}`;
const plainPromises = pathToFileURL(repositoryFile('scripts/plain-promises.mjs')).href;
// V8 starts helpers to collect garbage, which wait for each other when more processes run than there are processors.
const node = [process.execPath, '--single-threaded-gc', '--enable-source-maps', '--import', plainPromises];
// Big buffers come and go all the time: glibc takes huge pages for them. A page of 2 MiB costs one fault, and each fork one entry
// to copy, where pages of 4 KiB cost 512. Other C libraries ignore this variable.
const memory = `GLIBC_TUNABLES=${process.env['GLIBC_TUNABLES'] ?? 'glibc.malloc.hugetlb=1'}`;
const programs = bundlePrograms();

t.jobs = JOBS;
for (const [name, files] of processes) {
  if (files.length === 0) continue;
  const counts = counting === 'all' || (counting !== 'none' && COVERING.has(name));
  // Coverage is counted by module, so processes that count it start programs from their modules.
  const own = counts ? `NODE_V8_COVERAGE=${path.resolve('.tap/v8')}` : programs;
  const list = `TEST_FILES=${JSON.stringify(files.map(moduleUrl))}`;
  void t.spawn('env', [options, timeout, memory, list, own, ...node, moduleFile('test/run-files.ts'), name], {
    name,
    buffered: true,
    env,
  });
}
