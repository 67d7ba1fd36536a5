// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { execFile } from 'node:child_process';
import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import {
  MAX_CONTROL_CONNECTIONS,
  MAX_PENDING_REQUESTS,
  SLOW_CLIENT_SECONDS,
} from '../../src/control/control-server.js';
import { programPath } from '../../scripts/program-path.js';
import { repositoryFile } from '../../scripts/repository-files.js';
import { MAX_HTTP_REQUEST_BYTES } from '../../src/metrics/http.js';
import { MAX_METRICS_CONNECTIONS, SLOW_METRICS_CLIENT_SECONDS } from '../../src/metrics/metrics-endpoint.js';
import { MAX_SHOWN_EVENTS } from '../../src/metrics/page/scheduler-parts.js';
import { MAX_PAGES } from '../../src/metrics/page/status-page.js';
import { MAX_STREAM_BACKLOG_BYTES, SLOW_STREAM_SECONDS } from '../../src/metrics/page/streamed-answer.js';
import { MAX_DOWNLOADS } from '../../src/metrics/page/trace-download.js';
import { HISTORY_SECONDS } from '../../src/metrics/page/wire.js';
import { prometheusText } from '../../src/metrics/prometheus.js';
import { MAX_WAITING_TRACE_BYTES } from '../../src/metrics/trace-file.js';
import { MAX_VBDS } from '../../src/disks/index.js';
import { exampleReport } from '../metrics/example-report.js';
import { shortDirectory } from '../short-directory.js';
import { DaemonChild } from './daemon-child.js';

const page = readFileSync(repositoryFile('docs/daemon.md'), 'utf8');
const SOCKET = '/run/tapdisk-ts/nbd.sock';

t.test('the page states the actual limits', async (t) => {
  const limits = {
    MAX_CONTROL_CONNECTIONS,
    MAX_PENDING_REQUESTS,
    SLOW_CLIENT_SECONDS,
    MAX_VBDS,
    MAX_METRICS_CONNECTIONS,
    MAX_HTTP_REQUEST_BYTES,
    SLOW_METRICS_CLIENT_SECONDS,
  };
  for (const [name, value] of Object.entries(limits)) {
    t.match(page, new RegExp(`\\[\`${name}\`\\]\\([^)]*\\) \\(${value}\\)`), name);
  }
  t.match(page, `(${MAX_WAITING_TRACE_BYTES >> 20} MiB; more is dropped`);
});

t.test('docs/page.md states the actual limits', async (t) => {
  const text = readFileSync(repositoryFile('docs/page.md'), 'utf8');
  const limits = { MAX_PAGES, MAX_DOWNLOADS, SLOW_STREAM_SECONDS, HISTORY_SECONDS, MAX_SHOWN_EVENTS };
  for (const [name, value] of Object.entries(limits)) {
    t.match(text, new RegExp(`\\[\`${name}\`\\]\\([^)]*\\) \\(${value}\\)`), name);
  }
  t.match(text, `(${MAX_STREAM_BACKLOG_BYTES >> 20} MiB)`);
});

t.test('the page lists every metric, and no others', async (t) => {
  const names = [...prometheusText(exampleReport).matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name);
  const told = [...page.matchAll(/`(tapdisk_[a-z_]+)`/g)].map(([, name]) => name);
  t.equal(new Set(told).size, told.length, 'each once');
  t.strictSame(new Set(told), new Set(names));
});

t.setTimeout(120_000);

t.test('the examples run', async (t) => {
  const directory = shortDirectory(t);
  const image = join(directory, 'disk.img');
  writeFileSync(image, '');
  truncateSync(image, 16 << 20);
  const socket = join(directory, 'nbd.sock');
  const daemon = new DaemonChild(t, [
    '--control-directory',
    directory,
    '--disk',
    `0=aio:${image}`,
    '--nbd',
    socket,
  ]);
  await daemon.ready();
  const { 0: uri = '' } = daemon.diskUris;
  t.equal(uri, `nbd+unix:///0?socket=${socket}`);
  if (programPath('nbdinfo') !== undefined) {
    const { stdout } = await promisify(execFile)('nbdinfo', ['--size', uri]);
    t.equal(stdout, `${16 << 20}\n`, 'the URI that is printed leads to the disk');
  }
  const examples = [...page.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, script = '']) => script);
  t.equal(examples.length, 4);
  for (const example of examples) {
    const [, title = '', program = ''] = /^# (.*)\n(?:truncate .*\n)?(\S+)/.exec(example) ?? [];
    if (programPath(program) === undefined) {
      process.stderr.write(`\n*** not tried, as ${program} is not installed: ${title}\n\n`);
      t.pass(title, { skip: `${program} is not installed` });
      continue;
    }
    const script = example.replaceAll(SOCKET, socket);
    await t.resolves(promisify(execFile)('sh', ['-e', '-c', script], { cwd: directory }), title);
  }
});
