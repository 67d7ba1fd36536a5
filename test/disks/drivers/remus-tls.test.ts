// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { execFileSync } from 'node:child_process';
import { connect as connectPlain } from 'node:net';
import { connect } from 'node:tls';
import { tlsIdentity, tlsTest as test } from '../../replication/disk/tls-identity.js';
import { type DiskWorld, diskWorld } from './disk-world.js';
import { freePort, imageOf, readFrom, replicationOf, untilStatus, written } from './remus-world.js';

interface Identity {
  /** The options with which a driver shows it. */
  readonly shown: string;
  readonly certificate: string;
  readonly fingerprint: string;
}

function identity(world: DiskWorld, name: string): Identity {
  const { certPath, keyPath, fingerprint } = tlsIdentity(world.path('.'), name);
  return { shown: `tls-cert=${certPath},tls-key=${keyPath}`, certificate: certPath, fingerprint };
}

test('both sides show a certificate and know the other one, by fingerprint or authority', async (t) => {
  const world = diskWorld(t);
  const [a, b] = [identity(world, 'a'), identity(world, 'b')];
  const address = `127.0.0.1:${freePort()}`;
  const backup = await world.open(
    `remus:${address},role=backup,journal=4M,${b.shown},tls-ca=${a.certificate}|aio:${imageOf(world, 'b.img')}`,
  );
  const primary = await world.open(
    `remus:${address},role=primary,${a.shown},tls-fingerprint=${b.fingerprint}|aio:${imageOf(world, 'a.img')}`,
  );
  const replication = replicationOf(world, 1);
  await untilStatus(replication, ({ state }) => state === 'protected');
  t.equal(replication.status().tls, true);
  await written(primary, 8, 7);
  await new Promise((resolve) => replication.checkpoint(resolve));
  t.ok((await readFrom(backup, 8)).equals(Buffer.alloc(4096, 7)));
});

test('a side with an unknown certificate is refused by name, and so is one without TLS', async (t) => {
  const world = diskWorld(t);
  const [a, b, c] = [identity(world, 'a'), identity(world, 'b'), identity(world, 'c')];
  const address = `127.0.0.1:${freePort()}`;
  await world.open(
    `remus:${address},role=backup,journal=4M,${b.shown},tls-fingerprint=${a.fingerprint}|aio:${imageOf(world, 'b.img')}`,
  );
  const isOver = (index: number): Promise<string> =>
    new Promise((resolve) => {
      replicationOf(world, index).onEvent((event) => {
        if (event.kind === 'disconnected') resolve(event.reason);
      });
    });
  const stranger = await world.open(
    `remus:${address},role=primary,${c.shown},tls-fingerprint=${b.fingerprint}|aio:${imageOf(world, 'c.img')}`,
  );
  t.match(
    await isOver(0),
    `the peer's certificate ${c.fingerprint.replaceAll(':', '').toLowerCase()} is none`,
  );
  t.equal(replicationOf(world, 1).status().state, 'unprotected');
  await stranger.close();
  await world.open(`remus:${address},role=primary|aio:${imageOf(world, 'd.img')}`);
  t.match(await isOver(0), 'the TLS handshake failed');
  t.equal(replicationOf(world, 0).status().state, 'inconsistent');
});

test('a peer that offers TLS 1.2 at most is refused', async (t) => {
  const world = diskWorld(t);
  const [a, b] = [identity(world, 'a'), identity(world, 'b')];
  const port = freePort();
  await world.open(
    `remus:127.0.0.1:${port},role=backup,journal=4M,${b.shown},tls-fingerprint=${a.fingerprint}|aio:${imageOf(world, 'b.img')}`,
  );
  const attempt = async (maxVersion: 'TLSv1.2' | 'TLSv1.3'): Promise<string> => {
    const socket = connect({ port, host: '127.0.0.1', maxVersion, rejectUnauthorized: false });
    t.teardown(() => socket.destroy());
    return new Promise((resolve) => {
      socket.once('secureConnect', () => resolve('secured')).on('error', ({ message }) => resolve(message));
    });
  };
  t.match(await attempt('TLSv1.2'), /alert protocol version/i);
  t.equal(await attempt('TLSv1.3'), 'secured', 'only the version was wrong');
});

test('a peer that does not complete the handshake is dropped without a trace', async (t) => {
  const world = diskWorld(t);
  const [a, b] = [identity(world, 'a'), identity(world, 'b')];
  const port = freePort();
  await world.open(
    `remus:127.0.0.1:${port},role=backup,journal=4M,peer-timeout=1s,${b.shown},tls-fingerprint=${a.fingerprint}|aio:${imageOf(world, 'b.img')}`,
  );
  const over = new Promise<string>((resolve) => {
    replicationOf(world, 0).onEvent((event) => {
      if (event.kind === 'disconnected') resolve(event.reason);
    });
  });
  const timers = (): number =>
    world.posix.openDescriptors().filter(({ description }) => /timerfd/.test(description)).length;
  const had = timers();
  const socket = connectPlain(port, '127.0.0.1').on('error', () => {});
  t.teardown(() => socket.destroy());
  t.match(await over, 'does not complete the TLS handshake');
  t.equal(timers(), had);
});

test('a FIFO in the place of a certificate is refused, and nobody waits for its writer', async (t) => {
  const world = diskWorld(t);
  const fifo = world.path('fifo');
  execFileSync('mkfifo', [fifo]);
  const { shown, certificate } = identity(world, 'a');
  const disk = `role=backup,journal=4M,${shown.replace(certificate, fifo)},tls-ca=${certificate}`;
  await t.rejects(
    world.open(`remus:127.0.0.1:${freePort()},${disk}|aio:${imageOf(world, 'b.img')}`),
    /fifo is a FIFO, expected a file/,
  );
});
