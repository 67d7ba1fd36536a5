// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import t, { type Test } from 'tap';
import { shortDirectory } from '../short-directory.js';
import { limitDescriptors, limitForMore } from '../without-descriptors.js';
import { DaemonChild, nbdClient } from './daemon-child.js';

/** A daemon with a client, which can open no more than `free` files. */
async function limitedDaemon(t: Test, free: number) {
  const directory = shortDirectory(t);
  const [nbd, metrics] = [join(directory, 'nbd'), join(directory, 'metrics')];
  const child = new DaemonChild(t, [
    ...['--control-directory', directory, '--disk', '0=ram:1'],
    ...['--nbd', nbd, '--metrics', metrics],
  ]);
  await child.ready();
  const client = await nbdClient(t, nbd);
  limitDescriptors(child.pid, limitForMore(child.pid, free));
  return { child, client, metrics };
}

t.test('a scrape that takes the last descriptor is answered, and the disks are served on', async (t) => {
  const { child, client, metrics } = await limitedDaemon(t, 1);
  const scraper = connect(metrics);
  scraper.write('GET /metrics HTTP/1.0\r\n\r\n');
  const answer = await text(scraper);
  t.match(answer, /^HTTP\/1.1 200 .*\ntapdisk_nbd_connections 1\n/s);
  t.notMatch(answer, 'resident_bytes', 'the kernel reports it in a file');
  await client.write(0, Buffer.alloc(512, 7));
  child.kill('SIGTERM');
  t.equal(await child.exit(), 0);
});

t.test('SIGUSR1 prints the state when no descriptor is left', async (t) => {
  const { child, client } = await limitedDaemon(t, 0);
  child.kill('SIGUSR1');
  await child.told(/, memory unknown, .* 1 NBD connections\n/);
  await client.write(0, Buffer.alloc(512, 7));
  child.kill('SIGTERM');
  t.equal(await child.exit(), 0);
});
