// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// What `npm test` runs: the test files, some beside each other, each in a Node process as plain as its users' are. tap's own
// way of starting them puts a process tracker into each, and into all that they start, which takes a third of the time.

import path from 'node:path';
import { pathToFileURL } from 'node:url';
import t from 'tap';
import { moduleFile, moduleUrl } from '../scripts/program.js';
import { repositoryFile, repositoryFiles } from '../scripts/repository-files.js';

/** Two more than processors: many tests wait for processes and for times that are real. */
const JOBS = 4;
/**
 * How long the files of one process may take, in seconds: less than tap allows for the whole suite, so that the process of
 * a test that hangs is the one to end, and names the test and what was open.
 */
const TIMEOUT_S = 0.5 * Number(process.env['TAP_TIMEOUT'] ?? 300);

/** Files with a process of their own, those that take longest first. The others share one process a folder. */
const ALONE = [
  'test/conformance/adapter.test.ts',
  'test/daemon/dialect.test.ts',
  'test/metrics/page/browser.test.ts',
  'test/cli/replication/kill-rounds.test.ts',
  'test/disks/drivers/vhd/samples.test.ts',
  'test/replication/disk/simulation/seeds.test.ts',
  'test/conformance/page/browser.test.ts',
  'test/testing/simulation/seeds.test.ts',
  'test/daemon/signals.test.ts',
  'test/nbd/programs.test.ts',
  'test/conformance/small-scope.test.ts',
  'test/conformance/implementations.test.ts',
  'test/nbd/malformed.test.ts',
  'test/cli/processes.test.ts',
  'test/disks/drivers/vhd/crash.test.ts',
  'test/daemon/latency.test.ts',
  'test/disks/drivers/vhd/model.test.ts',
  'test/replication/disk/rot.test.ts',
  'test/testing/simulation/each-call.test.ts',
  'test/replication/disk/prefixes.test.ts',
  'test/control/malformed.test.ts',
  'test/testing/posix-arms.test.ts',
  'test/posix/node/leaks.test.ts',
  'test/server/tapdisk-server.test.ts',
];

/** Which files count their coverage: `all` for `npm run coverage`, `none` for `npm run test:nodes`, otherwise {@link COVERING}. */
const counting = process.env['TAPDISK_TS_COVERAGE'];
/** What has to cover the scheduler and the connect module whole: counting makes code much slower. */
const COVERING = new Set([
  'test/scheduler',
  'test/replication',
  'test/conformance',
  'test/conformance/implementations.test.ts',
]);

const all = repositoryFiles().filter((file) => /^test\/.*\.test\.ts$/.test(file));
const missing = ALONE.filter((file) => !all.includes(file));
if (missing.length > 0) throw new Error(`test/suite.ts names files that do not exist: ${missing.join(', ')}`);
/** Starts of paths, separated by commas: only the files with one of them run. */
const only = process.env['TAPDISK_TS_ONLY']?.split(',') ?? [''];
const tests = all.filter((file) => only.some((start) => file.startsWith(start)));
if (tests.length === 0) throw new Error(`TAPDISK_TS_ONLY: no test file starts with ${only.join(' or ')}`);
const alone = ALONE.filter((file) => tests.includes(file));

/** The files that share a process, by folder. */
const folders = new Map<string, string[]>();
for (const file of tests.filter((test) => !alone.includes(test))) {
  const folder = path.posix.join('test', file.split('/')[1] as string);
  folders.set(folder, [...(folders.get(folder) ?? []), file]);
}
const largestFirst = [...folders].toSorted(([, a], [, b]) => b.length - a.length);

// env(1) takes back what tap adds to the options of each Node process that it starts.
const { NODE_V8_COVERAGE: _, ...env } = process.env;
const options = `NODE_OPTIONS=${env['NODE_OPTIONS'] ?? ''}`;
// A process reports its own limit, which then takes the place of the one that it was started with.
const timeout = `TAP_TIMEOUT=${TIMEOUT_S}`;
const plainPromises = pathToFileURL(repositoryFile('scripts/plain-promises.mjs')).href;
const node = [process.execPath, '--enable-source-maps', '--import', plainPromises];

t.jobs = JOBS;
for (const [name, files] of [...alone.map((file) => [file, [file]] as const), ...largestFirst]) {
  const counts = counting === 'all' || (counting !== 'none' && COVERING.has(name));
  const coverage = counts ? [`NODE_V8_COVERAGE=${path.resolve('.tap/v8')}`] : [];
  const list = `TEST_FILES=${JSON.stringify(files.map(moduleUrl))}`;
  void t.spawn('env', [options, timeout, list, ...coverage, ...node, moduleFile('test/run-files.ts'), name], {
    name,
    buffered: true,
    env,
  });
}
