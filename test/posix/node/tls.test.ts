// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { once } from 'node:events';
import type net from 'node:net';
import tls from 'node:tls';
import t from 'tap';
import { AF_INET, errno, type NodePosix, SOCK_STREAM, WRITABLE } from '../../../src/posix/index.js';
import { acceptOne, listening, readiness, readText, readToEnd, succeeded, writeText } from '../arms/world.js';
import { posixFor } from '../fixture.js';

/** TLS without certificates: both sides know a key beforehand. */
const key = Buffer.alloc(32, 7);
const secrets = {
  ciphers: 'PSK-AES128-GCM-SHA256',
  maxVersion: 'TLSv1.2',
} as const;
const clientSecrets = {
  ...secrets,
  checkServerIdentity: () => undefined,
  pskCallback: () => ({ psk: key, identity: 'a' }),
};
const serverSecrets = { ...secrets, pskCallback: () => key };

/** Both ends of a connection on which the client has said STARTTLS and the server has read it. */
async function startTls(posix: NodePosix): Promise<{ client: net.Socket; server: net.Socket }> {
  const { fd: listener, address } = listening(posix, { family: AF_INET, address: '127.0.0.1', port: 0 });
  const client = posix.socket(AF_INET, SOCK_STREAM);
  posix.connect(client, address);
  await readiness(posix, client, WRITABLE);
  const server = await acceptOne(posix, listener);
  await writeText(posix, client, 'STARTTLS');
  t.equal(await readText(posix, server), 'STARTTLS');
  const objects = {
    client: posix.nodeObject(client) as net.Socket,
    server: posix.nodeObject(server) as net.Socket,
  };
  posix.release(client);
  posix.release(server);
  return objects;
}

t.test('an established connection goes on to TLS, and the TLS sockets are descriptors again', async (t) => {
  const posix = posixFor(t);
  const plain = await startTls(posix);
  const server = new tls.TLSSocket(plain.server, {
    isServer: true,
    ...serverSecrets,
  });
  const client = tls.connect({ socket: plain.client, ...clientSecrets });
  const [serverFd, clientFd] = [posix.adopt(server), posix.adopt(client)].map(succeeded) as [number, number];
  const long = 'secret'.repeat(50_000);
  const [got] = await Promise.all([
    readToEnd(posix, serverFd),
    writeText(posix, clientFd, long).then(() => posix.shutdown(clientFd, 1)),
  ]);
  t.ok(got === long);
  await writeText(posix, serverFd, 'answer');
  posix.close(serverFd);
  t.equal(await readToEnd(posix, clientFd), 'answer');
});

t.test('a TLS server is a listener whose connections are ready to use', async (t) => {
  const posix = posixFor(t);
  const server = tls.createServer(serverSecrets);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  const fd = posix.adopt(server);
  const client = tls.connect({ port, host: '127.0.0.1', ...clientSecrets });
  client.write('hello over TLS');
  const accepted = await acceptOne(posix, fd);
  t.equal(await readText(posix, accepted), 'hello over TLS');
  t.match(posix.openDescriptors()[1]?.description, /^adopted TLSSocket 127/);
  const waiting = tls.connect({ port, host: '127.0.0.1', ...clientSecrets });
  waiting.on('error', () => {});
  await once(waiting, 'secureConnect');
  await posix.select({ read: [fd] }, 20);
  posix.close(fd);
  await once(waiting, 'close');
  client.destroy();
});

t.test('a connection that breaks the TLS protocol ends with a handled error', async (t) => {
  const posix = posixFor(t);
  const plain = await startTls(posix);
  const server = posix.adopt(new tls.TLSSocket(plain.server, { isServer: true, ...serverSecrets }));
  const client = posix.adopt(plain.client);
  await writeText(posix, client, 'this is no TLS at all, not by far');
  await posix.select({ read: [server] }, 20);
  t.equal(posix.read(server, Buffer.alloc(1)), -errno.EIO);
});
