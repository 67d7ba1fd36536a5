// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import t from 'tap';
import { loader, moduleUrl } from '../../../scripts/program.js';
import { AF_INET, NodePosix, READABLE, SOCK_STREAM, WRITABLE } from '../../../src/posix/index.js';
import { listening, readiness, succeeded } from '../arms/world.js';
import { openSockets } from '../../open-files.js';
import { turns } from '../fixture.js';

const index = moduleUrl('src/posix/index.ts');

t.test('1,000 connections opened and closed leave no descriptor, handle or timer', async (t) => {
  const resources = process.getActiveResourcesInfo().toSorted();
  const before = openSockets();
  const posix = new NodePosix();
  const poller = posix.createPoller();
  const { fd: listener, address } = listening(posix, { family: AF_INET, address: '127.0.0.1', port: 0 }, 128);
  const buffer = Buffer.alloc(16);
  for (let round = 0; round < 20; round++) {
    const clients: number[] = [];
    const servers: number[] = [];
    for (let n = 0; n < 50; n++) {
      const fd = posix.socket(AF_INET, SOCK_STREAM);
      posix.connect(fd, address);
      poller.setInterest(fd, WRITABLE);
      clients.push(fd);
    }
    while (servers.length < clients.length) {
      await readiness(posix, listener, READABLE);
      for (let fd = posix.accept(listener); fd >= 0; fd = posix.accept(listener)) servers.push(fd);
    }
    for (const fd of clients) {
      await readiness(posix, fd, WRITABLE);
      succeeded(posix.write(fd, Buffer.from('hello')));
    }
    for (const fd of servers) {
      await readiness(posix, fd, READABLE);
      if (posix.read(fd, buffer) !== 5) t.fail('hello did not arrive');
    }
    // One half is closed by the clients first, the other half by the servers.
    for (const fd of round % 2 === 0 ? [...clients, ...servers] : [...servers, ...clients]) {
      poller.setInterest(fd, 0);
      posix.close(fd);
    }
  }
  t.same(
    posix.openDescriptors().map(({ fd }) => fd),
    [listener],
  );
  posix.close(listener);
  poller.close();
  const settled = (): boolean =>
    openSockets() <= before && process.getActiveResourcesInfo().length <= resources.length;
  for (let turn = 0; turn < 1000 && !settled(); turn++) await turns(1);
  t.ok(openSockets() <= before, `${openSockets()} sockets after ${before}`);
  // What the loader has under way at the start may be over by now.
  const left = process.getActiveResourcesInfo();
  for (const resource of resources) if (left.includes(resource)) left.splice(left.indexOf(resource), 1);
  t.same(left, []);
});

/** Runs a program of its own and returns what it writes; one that does not end by itself is stopped and fails. */
async function run(program: string): Promise<string> {
  const source = `import { NodePosix } from ${JSON.stringify(index)};\nconst posix = new NodePosix();\n${program}`;
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [...loader, '--input-type=module', '--eval', source],
    { timeout: 20_000 },
  );
  return stdout;
}

t.test(
  'a select that sleeps holds the process alive; nothing does afterwards, with the poller closed or not',
  async (t) => {
    const output = await run(`
    const asleep = posix.createPoller();
    console.log('slept', JSON.stringify(await new Promise((done) => asleep.select(0.2, done))));
    const closed = posix.createPoller();
    const answer = new Promise((done) => closed.select(600, done));
    closed.close();
    console.log('closed', JSON.stringify(await answer));
    const woken = posix.createPoller();
    const counter = posix.eventfd();
    woken.setInterest(counter, 1);
    const ready = new Promise((done) => woken.select(600, done));
    posix.write(counter, Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0));
    console.log('woken', JSON.stringify(await ready));`);
    t.equal(output, 'slept []\nclosed []\nwoken [{"fd":3,"conditions":1}]\n');
  },
);

t.test('a process ends only when the kernel has all bytes accepted by write', async (t) => {
  t.equal(
    await run(`import net from 'node:net';
    const server = net.createServer((socket) => {
      server.close();
      let got = 0;
      setTimeout(() => socket.on('data', (chunk) => (got += chunk.length)), 100);
      socket.on('end', () => console.log(got === sent));
    });
    let sent = 0;
    server.listen(0, '127.0.0.1', async () => {
      const fd = posix.socket(2, 1);
      posix.connect(fd, { family: 2, address: '127.0.0.1', port: server.address().port });
      await posix.select({ write: [fd] }, 10);
      for (let count = 1; count > 0; sent += Math.max(count, 0)) count = posix.write(fd, Buffer.alloc(65536));
      posix.close(fd);
    });`),
    'true\n',
  );
});
