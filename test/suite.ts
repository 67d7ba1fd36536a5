// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// What `npm test` runs: the test files, some beside each other, each in a Node process as plain as its users' are. tap's own
// way of starting them puts a process tracker into each, and into all that they start, which takes a third of the time.

import { readdirSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import t from 'tap';
import { moduleFile } from '../scripts/program.js';
import { repositoryFile } from '../scripts/repository-files.js';

/** One more than processors: many tests wait for processes and for times that are real. */
const JOBS = 3;
/** A file may take so long without a word from it, in milliseconds. */
const FILE_TIMEOUT_MS = 240_000;

/** Files with a process of their own, those that take longest first. The others run in bundles. */
const ALONE = [
  'test/server/nbd/programs.test.ts',
  'test/testing/simulation/each-call.test.ts',
  'test/conformance/adapter.test.ts',
  'test/conformance/implementations.test.ts',
  'test/server/daemon/latency.test.ts',
  'test/testing/posix-arms.test.ts',
  'test/posix/leaks.test.ts',
  'test/server/tapdisk-server.test.ts',
];

/** Counts coverage in all files: `npm run coverage`. */
const countsAll = process.env['TAPDISK_TS_COVERAGE'] === 'all';
/** What has to cover the scheduler and the connect module whole: counting makes code much slower. */
const COVERING = new Set([
  'test/bundles/core.test.ts',
  'test/bundles/conformance.test.ts',
  'test/conformance/implementations.test.ts',
]);

/** The bundles that take longest, to be started first. */
const LONG = ['malformed', 'simulation', 'processes', 'programs', 'server-daemon'];

const bundle = (name: string): string => `test/bundles/${name}.test.ts`;
const others = readdirSync(repositoryFile('test/bundles'))
  .map((file) => file.replace(/\.test\.ts$/, ''))
  .filter((name) => !LONG.includes(name));

// env(1) takes back what tap adds to the options of each Node process that it starts.
const { NODE_V8_COVERAGE: _, ...env } = process.env;
const options = `NODE_OPTIONS=${env['NODE_OPTIONS'] ?? ''}`;
const plainPromises = pathToFileURL(repositoryFile('scripts/plain-promises.mjs')).href;
const node = [process.execPath, '--enable-source-maps', '--import', plainPromises];

t.jobs = JOBS;
for (const file of [...LONG.map(bundle), ...ALONE, ...others.map(bundle)]) {
  const coverage = countsAll || COVERING.has(file) ? [`NODE_V8_COVERAGE=${path.resolve('.tap/v8')}`] : [];
  void t.spawn('env', [options, ...coverage, ...node, moduleFile(file)], {
    name: file,
    buffered: true,
    timeout: FILE_TIMEOUT_MS,
    env,
  });
}
