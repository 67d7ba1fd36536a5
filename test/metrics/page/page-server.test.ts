// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// The status page as a client of its HTTP sees it: test/metrics/page/browser.test.ts has it in a browser.

import { writeFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { MAX_PAGES } from '../../../src/metrics/page/status-page.js';
import type { DiskPart, History } from '../../../src/metrics/page/wire.js';
import { command } from '../../cli/command.js';
import { answersInTime } from '../../daemon/answers-in-time.js';
import { DaemonChild, nbdClient } from '../../daemon/daemon-child.js';
import { shortDirectory } from '../../short-directory.js';
import { answerTo } from '../endpoint.js';
import { Page } from './page-client.js';

t.setTimeout(120_000);

/** A daemon with a page, on a port of its own. */
async function daemonWithPage(t: Test, ...argv: string[]) {
  const directory = shortDirectory(t);
  const daemon = new DaemonChild(t, [
    ...['--control-directory', directory, '--metrics', '127.0.0.1:0', '--nbd', `${directory}/nbd`],
    ...argv,
  ]);
  const { metrics = '', nbd = '', control = '' } = await daemon.ready();
  return { daemon, nbd, control, base: `http://${metrics}`, port: Number(metrics.split(':')[1]) };
}

t.test('the page loads only what the daemon serves, and nothing else may run in it', async (t) => {
  const { base } = await daemonWithPage(t, '--disk', '3=ram:1');
  const types = {
    '/': 'text/html',
    '/page.js': 'text/javascript',
    '/page.css': 'text/css',
    '/icon.svg': 'image/svg+xml',
  };
  for (const [path, type] of Object.entries(types)) {
    const response = await fetch(base + path);
    t.equal(response.status, 200, path);
    t.match(response.headers.get('content-type'), type);
    t.match(
      response.headers.get('content-security-policy'),
      /^default-src 'none'; script-src 'self'; style-src 'self';/,
    );
    t.notMatch(response.headers.get('content-security-policy'), /unsafe/);
    t.equal(response.headers.get('x-content-type-options'), 'nosniff');
    t.equal(response.headers.get('access-control-allow-origin'), null);
    const text = await response.text();
    t.notMatch(
      text.replace(/https?:\/\/(?:www\.w3\.org|github\.com)\/\S+/g, ''),
      /https?:\/\//,
      'no other address',
    );
  }
  const html = await (await fetch(base)).text();
  t.notMatch(html, /<style|\sstyle=|\son\w+=|<script(?![^>]* src=)/i, 'nothing inline');
  for (const path of ['/', '/events', '/snapshot.json', '/history.json?minor=3', '/trace.json']) {
    t.equal((await fetch(base + path, { method: 'POST' })).status, 405, path);
  }
  for (const path of [
    '/history.json',
    '/history.json?minor=4',
    '/history.json?minor=3x',
    '/trace.json',
    '/page.ts',
  ])
    t.equal((await fetch(base + path)).status, 404, path);
});

t.test('a page receives the whole state, then changes', async (t) => {
  const { base, port, nbd } = await daemonWithPage(t, '--disk', '3=ram:1', '--disk', 'data=log:|ram:2');
  const page = new Page(t, port);
  t.match(await page.head(), /^HTTP\/1\.1 200 OK\r\nContent-Type: text\/event-stream\r\n/);
  const { event, message } = await page.next();
  t.equal(event, 'snapshot');
  t.match(message.set, {
    daemon: { pid: Number },
    'disk:3': { state: 'running', bytes: 1 << 20, stack: [{ driver: 'ram', argument: '1' }], chain: [] },
    'disk:0': { exportName: 'data', stack: [{ driver: 'log', argument: '' }, { driver: 'ram' }] },
    scheduler: { dialect: String, events: Number },
  });
  const client = await nbdClient(t, nbd, '3');
  await client.write(0, Buffer.alloc(8192, 1));
  await client.read(0, 4096);
  const changed = async (): Promise<
    Record<string, { sample?: { writtenBytes: number; p50Seconds: number } }>
  > => (await page.next()).message.set as never;
  let disk = (await changed())['disk:3'];
  while (!disk?.sample?.writtenBytes) disk = (await changed())['disk:3'];
  t.ok(disk.sample.p50Seconds > 0);
  const history = (await (await fetch(`${base}/history.json?minor=3`)).json()) as History;
  t.equal(history.at.length, history.columns.writtenBytes.length);
  t.ok(history.columns.writtenBytes.some((rate) => rate === disk.sample?.writtenBytes));
  const trace = (await (await fetch(`${base}/trace.json?seconds=5`)).json()) as {
    traceEvents: { name: string }[];
  };
  t.ok(
    trace.traceEvents.some(({ name }) => name.startsWith('READ')),
    'the scheduler was recorded meanwhile',
  );
  page.socket.destroy();
  let status = 200;
  while (status !== 404) ({ status } = await fetch(`${base}/trace.json`));
  t.pass('without a page nothing is recorded');
});

t.test('a disk of several images is shown with all of them', async (t) => {
  const directory = shortDirectory(t);
  const [base, leaf] = [`${directory}/base.vhd`, `${directory}/leaf.vhd`];
  for (const argv of [
    ['create', base, '8M'],
    ['snapshot', base, leaf],
  ])
    t.equal((await command('vhd', ...argv)).status, 0, argv.join(' '));
  const page = await daemonWithPage(t, '--disk', `2=log:|vhd:${leaf}`);
  const snapshot = (await (await fetch(`${page.base}/snapshot.json`)).json()) as { 'disk:2': DiskPart };
  t.match(snapshot['disk:2'].chain, [
    { path: leaf, bytes: 8 << 20, blocks: 4, allocatedBlocks: 0 },
    { path: base, bytes: 8 << 20, blocks: 4, allocatedBlocks: 0 },
  ]);
});

t.test('a page is served to this host only, and to holders of the token if one is required', async (t) => {
  const file = `${shortDirectory(t)}/token`;
  writeFileSync(file, 'a-token-of-24-characters\n');
  const { base, port } = await daemonWithPage(t, '--metrics-token-file', file);
  const headers = { authorization: 'Bearer a-token-of-24-characters' };
  for (const path of ['/', '/page.js', '/events', '/snapshot.json', '/trace.json', '/metrics'])
    t.equal((await fetch(base + path)).status, 401, path);
  t.equal((await fetch(base, { headers })).status, 200);
  const foreign = await answerTo(port, `GET / HTTP/1.1\r\nHost: evil.example:${port}\r\n\r\n`);
  t.match(foreign, /^HTTP\/1\.1 421 /);
  const entering = await fetch(`${base}/?token=a-token-of-24-characters`, { redirect: 'manual' });
  const [cookie = ''] = entering.headers.get('set-cookie')?.split(';') ?? [];
  t.equal((await fetch(base, { headers: { cookie } })).status, 200, 'a browser keeps it in a cookie');
});

t.test('the number of pages is bounded; one that ends frees its place', async (t) => {
  const { port } = await daemonWithPage(t);
  const pages = Array.from({ length: MAX_PAGES }, () => new Page(t, port));
  for (const page of pages) t.match(await page.head(), /^HTTP\/1\.1 200 /);
  const more = new Page(t, port);
  t.match(await more.head(), /^HTTP\/1\.1 503 Service Unavailable\r\n.*\r\nRetry-After: 5\r\n/s);
  pages[0]?.socket.destroy();
  let head = '';
  while (!head.includes(' 200 ')) head = await new Page(t, port).head();
  t.pass('one has ended');
});

t.test('control requests are answered in time with 16 open pages, one of which does not read', async (t) => {
  const disks = Array.from({ length: 16 }, (_, minor) => ['--disk', `${minor}=ram:1`]).flat();
  const { daemon, port, control } = await daemonWithPage(t, ...disks);
  const pages = Array.from({ length: 16 }, () => new Page(t, port));
  for (const page of pages) await page.head();
  pages[0]?.socket.pause();
  await answersInTime(t, control, daemon.pid);
});
