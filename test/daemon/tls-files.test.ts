// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { X509Certificate } from 'node:crypto';
import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls';
import t from 'tap';
import type { TlsOptions } from '../../src/daemon/daemon-options.js';
import { TlsFiles } from '../../src/daemon/tls-files.js';
import { AF_UNIX } from '../../src/posix/index.js';
import { bench } from '../disks/bench.js';
import { keyPair } from '../nbd/key-pair.js';
import { nbdWorld } from '../nbd/nbd-world.js';
import { RawClient, exportRequest, option, request } from '../nbd/raw-client.js';
import { shortDirectory } from '../short-directory.js';
import { DaemonChild } from './daemon-child.js';

/** Starts TLS on a connection; rejects when that fails. */
async function secured(raw: RawClient, options: ConnectionOptions): Promise<TLSSocket> {
  await raw.greet();
  raw.send(option(5));
  await raw.reply();
  raw.socket.removeAllListeners('data');
  const socket = connectTls({ socket: raw.socket, checkServerIdentity: () => undefined, ...options });
  await new Promise<void>((resolve, reject) => {
    socket.once('secureConnect', resolve).on('error', reject);
  });
  raw.listen(socket);
  return socket;
}

t.test('certificates are reloaded, and unusable ones change nothing', async (t) => {
  const [first, second] = [keyPair(t), keyPair(t)];
  if (!first || !second) {
    console.error('SKIPPED: certificates are not read again: openssl is missing');
    return;
  }
  const directory = shortDirectory(t);
  const [cert, key] = [join(directory, 'cert.pem'), join(directory, 'key.pem')];
  const put = (pair: typeof first): void => {
    writeFileSync(cert, pair.cert);
    writeFileSync(key, pair.key);
  };
  put(first);
  let files: TlsFiles | undefined;
  const world = nbdWorld(t, {
    tls: ({ posix, registry }) => (files = new TlsFiles({ cert, key }, posix, registry.completions)),
  });
  const fails = (pair: typeof first): Promise<unknown> => secured(world.raw(), { ca: pair.cert });
  await secured(world.raw(), { ca: first.cert });
  put(second);
  await t.rejects(fails(second), 'not before it is asked for');
  files?.reload();
  await secured(world.raw(), { ca: second.cert });
  await t.rejects(fails(first));
  copyFileSync(first.certPath, cert);
  t.throws(() => files?.reload(), { message: /--tls-cert .*cert.pem and --tls-key .* cannot be used: / });
  await secured(world.raw(), { ca: second.cert });
});

t.test('files that cannot be used are named by their options', async (t) => {
  const { posix, registry } = bench(t);
  const make = (options: TlsOptions) => (): TlsFiles => new TlsFiles(options, posix, registry.completions);
  const [cert, key, ca] = ['/no/cert', '/no/key', '/no/ca'];
  const names = '--tls-cert /no/cert and --tls-key /no/key';
  t.throws(make({ cert, key }), {
    message: /^--tls-cert \/no\/cert and --tls-key \/no\/key cannot be used: ENOENT/,
  });
  t.throws(make({ cert, key, ca }), {
    message: new RegExp(`^${names} and --tls-ca /no/ca cannot be used: `),
  });
  t.throws(make({ psk: '/no/keys' }), { message: /^--tls-psk \/no\/keys cannot be used: ENOENT/ });
});

t.test('only clients that are allowed are let in', async (t) => {
  const [own, allowed, other] = [keyPair(t), keyPair(t), keyPair(t)];
  if (!own || !allowed || !other) {
    console.error('SKIPPED: allowed clients are not tried: openssl is missing');
    return;
  }
  const directory = shortDirectory(t);
  const [cert, key] = [join(directory, 'cert.pem'), join(directory, 'key.pem')];
  writeFileSync(cert, own.cert);
  writeFileSync(key, own.key);
  const allow = [new X509Certificate(allowed.cert).fingerprint256];
  const world = nbdWorld(t, {
    tls: ({ posix, registry }) => new TlsFiles({ cert, key, allow }, posix, registry.completions),
  });
  await world.open('ram:1');
  const answered = async (pair: typeof own): Promise<boolean> => {
    const raw = world.raw();
    const { cert: clientCert, key: clientKey } = pair;
    const socket = await secured(raw, { ca: own.cert, cert: clientCert, key: clientKey });
    socket.on('error', () => {});
    socket.write(option(7, exportRequest('')));
    return await raw.replies().then(
      () => true,
      () => false,
    );
  };
  t.equal(await answered(allowed), true);
  t.equal(await answered(other), false);
});

t.test(
  'the least version of TLS is 1.3 unless another is given, with certificates and with keys',
  async (t) => {
    const pair = keyPair(t);
    if (!pair) {
      console.error('SKIPPED: versions of TLS are not tried: openssl is missing');
      return;
    }
    const directory = shortDirectory(t);
    const [key, psk] = [join(directory, 'key.pem'), join(directory, 'keys')];
    writeFileSync(key, pair.key);
    writeFileSync(psk, `a:${'11'.repeat(16)}\n`);
    const certificates = { cert: pair.certPath, key };
    const byKey: ConnectionOptions = {
      pskCallback: () => ({ identity: 'a', psk: Buffer.from('11'.repeat(16), 'hex') }),
      ciphers: 'PSK',
    };
    for (const [options, client] of [
      [certificates, { ca: pair.cert }],
      [{ psk }, byKey],
    ] as const) {
      const old = async (more: object): Promise<string | null> => {
        const world = nbdWorld(t, {
          tls: ({ posix, registry }) => new TlsFiles({ ...options, ...more }, posix, registry.completions),
        });
        return (await secured(world.raw(), { ...client, maxVersion: 'TLSv1.2' })).getProtocol();
      };
      await t.rejects(old({}));
      t.equal(await old({ minVersion: 'TLSv1.2' }), 'TLSv1.2');
    }
  },
);

t.test('SIGHUP makes a daemon reload its keys, and its clients stay connected', async (t) => {
  const directory = shortDirectory(t);
  const [file, path] = [join(directory, 'keys'), join(directory, 'nbd')];
  const [old, next] = ['11'.repeat(16), '22'.repeat(16)];
  const client = (key: string): ConnectionOptions => ({
    pskCallback: () => ({ identity: 'a', psk: Buffer.from(key, 'hex') }),
    ciphers: 'TLS_AES_128_GCM_SHA256',
  });
  const connected = (key: string): readonly [RawClient, Promise<TLSSocket>] => {
    const raw = new RawClient({ family: AF_UNIX, path });
    t.teardown(() => raw.destroy());
    return [raw, secured(raw, client(key))];
  };
  writeFileSync(file, `a:${old}\n`);
  const argv = ['--control-directory', directory, '--disk', '0=ram:1', '--nbd', path, '--tls-psk', file];
  const daemon = new DaemonChild(t, argv);
  await daemon.ready();
  const [raw, securing] = connected(old);
  const user = await securing;
  user.write(option(7, exportRequest('')));
  await raw.replies();
  writeFileSync(file, `a:${next}\n`);
  daemon.kill('SIGHUP');
  await daemon.told(/certificates and keys were read again/);
  await connected(next)[1];
  await t.rejects(connected(old)[1]);
  writeFileSync(file, 'nonsense\n');
  daemon.kill('SIGHUP');
  await daemon.told(
    /cannot reload, the old certificates and keys stay: --tls-psk .*keys cannot be used: line 1/,
  );
  await connected(next)[1];
  user.write(request(3, { cookie: 5n }));
  t.match(await raw.simple(), { cookie: 5n, error: 0 });
  daemon.kill('SIGTERM');
  t.equal(await daemon.exit(), 0);
});
