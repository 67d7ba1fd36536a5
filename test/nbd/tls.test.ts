// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { spawnSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import t, { type Test } from 'tap';
import { errno, NodePosix, type NodeObject } from '../../src/posix/index.js';
import { tlsServer } from '../../src/nbd/index.js';
import { pattern, readSectors } from '../disks/drivers/disk-world.js';
import { nbdWorld, type NbdWorld, until } from './nbd-world.js';
import { exportRequest, option, request } from './raw-client.js';
import { keyPair } from './key-pair.js';
import { hasPrograms, run } from '../programs.js';

const ERR_UNSUP = 0x80000001;
const ERR_INVALID = 0x80000003;
const ERR_TLS_REQD = 0x80000005;

const made = keyPair(t);
if (!made) console.error('SKIPPED: TLS is not tested: openssl is missing, which makes the certificate');
const pair = made ?? { key: '', cert: '', certPath: '' };
const test = (title: string, body: (t: Test) => Promise<void>): void =>
  void t.test(title, { skip: made ? false : 'openssl is missing' }, body);

/** A server that requires TLS, with one disk. */
async function secureWorld(t: Test, options: Parameters<typeof nbdWorld>[1] = {}): Promise<NbdWorld> {
  const world = nbdWorld(t, {
    tcp: true,
    tls: ({ posix, registry }) => tlsServer(posix, registry.completions, pair),
    ...options,
  });
  await world.open('ram:4');
  return world;
}

/** Starts TLS after STARTTLS was acknowledged. */
async function secure(raw: ReturnType<NbdWorld['raw']>): Promise<TLSSocket> {
  raw.socket.removeAllListeners('data');
  const secured = connectTls({ socket: raw.socket, ca: pair.cert, servername: 'localhost' });
  await new Promise<void>((resolve, reject) => {
    secured.once('secureConnect', resolve).once('error', reject);
  });
  raw.listen(secured);
  return secured;
}

test('before TLS only STARTTLS and ABORT are allowed', async (t) => {
  const world = await secureWorld(t);
  const raw = await world.raw().greet();
  for (const number of [3, 6, 7, 8, 9]) {
    raw.send(option(number, number === 6 || number === 7 ? exportRequest('') : ''));
    t.match(await raw.reply(), { option: number, type: ERR_TLS_REQD });
  }
  raw.send(option(5, 'x'));
  t.match(await raw.reply(), { option: 5, type: ERR_INVALID });
  raw.send(option(2));
  t.match(await raw.reply(), { option: 2, type: 1 });
  const named = await world.raw().greet();
  named.send(option(1, ''));
  t.equal((await named.rest()).length, 0, 'EXPORT_NAME cannot be refused otherwise');
});

test('after STARTTLS the handshake starts over under TLS, and the disk is used', async (t) => {
  const world = await secureWorld(t);
  const raw = await world.raw().greet();
  raw.send(option(5));
  t.strictSame(await raw.reply(), { option: 5, type: 1, data: Buffer.alloc(0) });
  const secured = await secure(raw);
  secured.write(option(5));
  t.match(await raw.reply(), { option: 5, type: ERR_INVALID }, 'once is enough');
  secured.write(option(7, exportRequest('0')));
  t.equal((await raw.replies()).at(-1)!.type, 1);
  const data = pattern(4096, 5);
  secured.write(request(1, { cookie: 1n, offset: 512n, length: data.length, data }));
  t.strictSame(await raw.simple(), { error: 0, cookie: 1n });
  t.strictSame(await readSectors(world.registry.get(0)!, 1, 4096), data);
  secured.write(request(0, { cookie: 2n, offset: 512n, length: data.length }));
  t.strictSame(await raw.simple(), { error: 0, cookie: 2n });
  t.strictSame(await raw.take(data.length), data);
  secured.write(request(2));
  t.equal((await raw.rest()).length, 0);
  await until(() => world.nbd.connections === 0);
  t.equal(world.posix.openDescriptors().length, world.descriptors);
});

test('the client flag for zeroes that was sent before TLS counts under it too', async (t) => {
  const world = await secureWorld(t);
  for (const [flags, zeroes] of [
    [3, 0],
    [1, 124],
  ] as const) {
    const raw = await world.raw().greet(flags);
    raw.send(option(5));
    await raw.reply();
    const secured = await secure(raw);
    secured.write(Buffer.concat([option(1, '0'), request(3, { cookie: 7n })]));
    t.equal((await raw.take(10 + zeroes)).readBigUInt64BE(0), 4n << 20n);
    t.strictSame(await raw.simple(), { error: 0, cookie: 7n }, `flags ${flags}`);
  }
});

test('plaintext after STARTTLS ends the connection', async (t) => {
  const world = await secureWorld(t);
  const raw = await world.raw().greet();
  raw.send(option(5), option(7, exportRequest('0')));
  t.equal((await raw.rest()).length, 0);
  t.match(world.lines.at(-1), /more than STARTTLS before TLS/);
  const byte = await world.raw().greet();
  byte.send(option(5), Buffer.alloc(1));
  t.equal((await byte.rest()).length, 0, 'even a single byte');
});

test('a client that breaks or leaves the TLS handshake ends only its own connection', async (t) => {
  const world = await secureWorld(t);
  const nonsense = await world.raw().greet();
  nonsense.send(option(5));
  await nonsense.reply();
  nonsense.send(Buffer.alloc(1000, 'x'));
  await nonsense.rest();
  const gone = await world.raw().greet();
  gone.send(option(5));
  await gone.reply();
  gone.destroy();
  const distrustful = await world.raw().greet();
  distrustful.send(option(5));
  await distrustful.reply();
  const socket = connectTls({ socket: distrustful.socket, ca: [], servername: 'localhost' });
  await new Promise((resolve) => socket.once('error', resolve));
  await until(() => world.nbd.connections === 0);
  t.equal(world.posix.openDescriptors().length, world.descriptors);
});

test('a connection in transit between two descriptors is closed when the server stops', async (t) => {
  let between = (): void => {};
  let newcomer = -1;
  const world = await secureWorld(t, {
    tls: ({ posix, registry }) => {
      const { secure: start } = tlsServer(posix, registry.completions, pair);
      return {
        secure(fd, done) {
          queueMicrotask(() => between());
          return start(fd, done);
        },
      };
    },
  });
  const stopped = new Promise<void>((resolve) => {
    between = () => {
      newcomer = world.posix.eventfd();
      world.nbd.stop(resolve);
      t.equal(world.nbd.connections, 0, 'at once');
    };
  });
  const raw = await world.raw().greet();
  raw.send(option(5));
  await stopped;
  await raw.rest();
  t.equal(world.posix.close(newcomer), 0, 'what has its old number by now is not closed');
  t.equal(world.posix.openDescriptors().length, world.descriptors - 1);
});

/** Both ends of a connection, and the descriptor layer as far as TLS sees it, with what adopting there answers. */
async function connectedWith(t: Test, adopted: number) {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const far = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [socket] = (await once(server, 'connection')) as [Socket];
  server.close();
  far.on('error', () => {});
  t.teardown(() => {
    far.destroy();
    socket.destroy();
  });
  const adoptions: unknown[] = [];
  const objects = {
    nodeObject: (): NodeObject => socket,
    release: () => 0,
    close: () => 0,
    adopt: (object: NodeObject) => {
      adoptions.push(object);
      return adopted;
    },
  };
  return { far, socket, objects, adoptions };
}

test('without a descriptor for it there is no TLS, and the connection ends', async (t) => {
  const { completions } = nbdWorld(t).registry;
  const { far, socket, objects, adoptions } = await connectedWith(t, -errno.EMFILE);
  const { secure: start } = tlsServer(objects, completions, pair);
  connectTls({ socket: far, ca: pair.cert, servername: 'localhost' }).on('error', () => {});
  t.equal(await new Promise((done) => start(3, done)), -errno.EMFILE);
  t.equal(adoptions.length, 1);
  t.ok(socket.destroyed);
});

test('a connection that breaks before TLS is started is reported as reset', async (t) => {
  const { completions } = nbdWorld(t).registry;
  const { socket, objects, adoptions } = await connectedWith(t, 3);
  socket.destroy();
  const { secure: start } = tlsServer(objects, completions, pair);
  t.equal(await new Promise((done) => start(3, done)), -errno.ECONNRESET);
  t.equal(adoptions.length, 0);
});

test('starting TLS on an ended connection reports a reset', async (t) => {
  const { completions } = nbdWorld(t).registry;
  const { objects } = await connectedWith(t, 3);
  const rest = new PassThrough();
  const { secure: start } = tlsServer({ ...objects, nodeObject: () => rest }, completions, pair);
  t.equal(await new Promise((done) => start(3, done)), -errno.ECONNRESET);
  t.ok(rest.destroyed);
});

test('an abandoned TLS handshake is reported to nobody', async (t) => {
  const { completions } = nbdWorld(t).registry;
  const { socket, objects } = await connectedWith(t, 3);
  const told = (): void => void t.fail('it was given up');
  tlsServer(objects, completions, pair).secure(3, told)();
  const rest = new PassThrough();
  tlsServer({ ...objects, nodeObject: () => rest }, completions, pair).secure(3, told)();
  await new Promise<void>((done) => completions.post(done));
  t.ok(socket.destroyed && rest.destroyed);
});

test('a connection that is abandoned once TLS is in force ends', async (t) => {
  const { completions } = nbdWorld(t).registry;
  const { far, objects } = await connectedWith(t, 3);
  const told = (): void => void t.fail('it was given up');
  const closed: number[] = [];
  const close = (fd: number): number => closed.push(fd);
  const adopted = new Promise<void>((resolve) => {
    const adopt = (): number => {
      queueMicrotask(() => {
        giveUp();
        resolve();
      });
      return 7;
    };
    const giveUp = tlsServer({ ...objects, close, adopt }, completions, pair).secure(3, told);
  });
  connectTls({ socket: far, ca: pair.cert, servername: 'localhost' }).on('error', () => {});
  await adopted;
  await new Promise<void>((done) => completions.post(done));
  t.same(closed, [7]);
});

test('the server closes during the TLS handshake', async (t) => {
  const world = await secureWorld(t);
  const raws = await Promise.all([1, 2, 3].map(() => world.raw().greet()));
  for (const raw of raws) raw.send(option(5));
  await raws[0]!.reply();
  world.nbd.close();
  for (const raw of raws) await raw.rest();
  await until(() => world.posix.openDescriptors().length === world.descriptors - 1);
});

test('a client that starts TLS still negotiates: it goes when newer ones come', async (t) => {
  const world = await secureWorld(t, { limits: { maxHandshakes: 1, maxConnections: 1 } });
  const starting = await world.raw().greet();
  starting.send(option(5));
  await starting.reply();
  const newer = await world.raw().greet();
  t.equal((await starting.rest()).length, 0);
  t.match(world.lines.at(-1), /newer clients came/);
  newer.send(option(2));
  t.match(await newer.reply(), { option: 2, type: 1 });
});

test('under TLS a client that aborts gets its reply, and its connection is closed once', async (t) => {
  const closings: number[] = [];
  class Recorded extends NodePosix {
    override close(fd: number): number {
      closings.push(super.close(fd));
      return closings.at(-1) ?? 0;
    }
  }
  const world = await secureWorld(t, { posix: new Recorded() });
  const raw = await world.raw().greet();
  raw.send(option(5));
  await raw.reply();
  const secured = await secure(raw);
  secured.write(option(2));
  t.match(await raw.reply(), { option: 2, type: 1 });
  t.equal((await raw.rest()).length, 0);
  await until(() => world.nbd.connections === 0);
  t.same(closings, [0]);
});

test('without a certificate STARTTLS is not supported', async (t) => {
  const raw = await nbdWorld(t).raw().greet();
  raw.send(option(5));
  t.match(await raw.reply(), { option: 5, type: ERR_UNSUP });
});

test('an invalid certificate or key is an error when the server is made', async (t) => {
  const { posix, registry } = nbdWorld(t);
  t.throws(() => tlsServer(posix, registry.completions, { cert: 'x', key: pair.key }), Error);
  t.throws(() => tlsServer(posix, registry.completions, { cert: pair.cert, key: 'x' }), Error);
});

test('nbdinfo uses the disk over TLS, and cannot without', async (t) => {
  if (!hasPrograms(t, 'nbdinfo')) return;
  const world = await secureWorld(t);
  const certificates = world.path('.');
  spawnSync('cp', [pair.certPath, join(certificates, 'ca-cert.pem')]);
  const port = world.address.family === 1 ? 0 : world.address.port;
  const good = await run('nbdinfo', [`nbds://127.0.0.1:${port}/0?tls-certificates=${certificates}`]);
  t.match(good.stdout, 'protocol: newstyle-fixed with TLS');
  t.match(good.stdout, 'export-size: 4194304');
  const plain = await run('nbdinfo', [`nbd://127.0.0.1:${port}/0`]);
  t.not(plain.status, 0);
  t.match(plain.stderr, /server replied with error to opt_go/);
});

/** A client certificate that an authority signs, or itself, in PEM. */
function clientPair(directory: string, name: string, ca?: { cert: string; key: string }) {
  const [key, cert] = [join(directory, `${name}.key`), join(directory, `${name}.pem`)];
  const signer = ca ? ['-CA', ca.cert, '-CAkey', ca.key] : [];
  const made_ = spawnSync('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '1'],
    ...['-keyout', key, '-out', cert, '-subj', `/O=Company/CN=${name}`, ...signer],
  ]);
  if (made_.status !== 0) throw new Error(made_.stderr.toString());
  const x509 = new X509Certificate(readFileSync(cert));
  return { cert, key, fingerprint: x509.fingerprint256, pem: readFileSync(cert), keyPem: readFileSync(key) };
}

test('only clients with an allowed authority, subject or fingerprint are admitted', async (t) => {
  const directory = t.testdir();
  const ca = clientPair(directory, 'authority');
  const [good, other] = [clientPair(directory, 'good', ca), clientPair(directory, 'other', ca)];
  const forged = clientPair(directory, 'good-forged');
  const impostor = clientPair(join(directory), 'impostor');
  type Client = { pem: Buffer; keyPem: Buffer } | undefined;
  const cases: [string, { ca?: Buffer; allow?: string[] }, Client, boolean][] = [
    ['without rules', {}, undefined, true],
    ['by authority', { ca: ca.pem }, good, true],
    ['not without a certificate', { ca: ca.pem }, undefined, false],
    ['not without a certificate, by fingerprint either', { allow: [good.fingerprint] }, undefined, false],
    ['not by another authority', { ca: ca.pem }, forged, false],
    ['by subject', { ca: ca.pem, allow: ['CN=good'] }, good, true],
    ['by one of several subjects', { ca: ca.pem, allow: ['CN=nobody', 'CN=good'] }, good, true],
    ['by several parts of it', { ca: ca.pem, allow: ['O=Company,CN=good'] }, good, true],
    ['not by a part alone', { ca: ca.pem, allow: ['O=Company,CN=good'] }, other, false],
    ['not by half a name', { ca: ca.pem, allow: ['CN=goo'] }, good, false],
    ['not by a subject without authority', { allow: ['CN=impostor'] }, impostor, false],
    ['by fingerprint alone', { allow: [forged.fingerprint] }, forged, true],
    [
      'by fingerprint in any spelling',
      { allow: [forged.fingerprint.replaceAll(':', '').toLowerCase()] },
      forged,
      true,
    ],
    ['not by another fingerprint', { allow: [good.fingerprint] }, other, false],
    [
      'not by a fingerprint without the authority',
      { ca: ca.pem, allow: [forged.fingerprint] },
      forged,
      false,
    ],
  ];
  for (const [what, rules, client, isLetIn] of cases) {
    const world = await secureWorld(t, {
      tls: ({ posix, registry }) => tlsServer(posix, registry.completions, { ...pair, ...rules }),
    });
    const raw = await world.raw().greet();
    raw.send(option(5));
    await raw.reply();
    raw.socket.removeAllListeners('data');
    const own = client ? { cert: client.pem, key: client.keyPem } : {};
    const secured = connectTls({ socket: raw.socket, ca: pair.cert, servername: 'localhost', ...own });
    secured.on('error', () => {});
    raw.listen(secured);
    secured.write(option(7, exportRequest('')));
    const type = await raw.replies().then(
      (replies) => replies.at(-1)?.type,
      () => 'refused',
    );
    t.equal(type, isLetIn ? 1 : 'refused', what);
    if (!isLetIn) {
      const reason = client
        ? /cannot start TLS: the client/
        : /cannot start TLS: the client shows no certificate$/;
      t.match(world.lines.at(-1), reason, what);
    }
    secured.destroy();
  }
});

test('handshakes that fail do not flood the log', async (t) => {
  const world = await secureWorld(t);
  for (let count = 0; count < 20; count++) {
    const raw = await world.raw().greet();
    raw.send(option(5));
    await raw.reply();
    raw.send(Buffer.alloc(64));
    t.equal((await raw.rest()).length, 0);
  }
  const lines = world.lines.filter((line) => line.includes('cannot start TLS'));
  t.ok(
    lines.length > 0 && lines.length < 10,
    `${lines.length} lines: one a second, and the number of those left out`,
  );
});

test('TLS is 1.3 unless 1.2 is configured, and is never renegotiated', async (t) => {
  for (const [minVersion, works] of [
    [undefined, false],
    ['TLSv1.2', true],
  ] as const) {
    const world = await secureWorld(t, {
      tls: ({ posix, registry }) =>
        tlsServer(posix, registry.completions, { ...pair, ...(minVersion && { minVersion }) }),
    });
    const raw = await world.raw().greet();
    raw.send(option(5));
    await raw.reply();
    raw.socket.removeAllListeners('data');
    const secured = connectTls({
      socket: raw.socket,
      ca: pair.cert,
      servername: 'localhost',
      maxVersion: 'TLSv1.2',
    });
    const connected = await new Promise((resolve) => {
      secured.once('secureConnect', () => resolve(true)).on('error', () => resolve(false));
    });
    t.equal(connected, works);
    if (!connected) continue;
    raw.listen(secured);
    secured.renegotiate({ rejectUnauthorized: false }, () => {});
    t.equal((await raw.rest()).length, 0, 'the connection ends');
  }
});
