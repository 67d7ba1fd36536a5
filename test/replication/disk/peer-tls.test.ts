// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Socket } from 'node:net';
import tls from 'node:tls';
import t, { type Test } from 'tap';
import { AF_INET, errno, type NodePosix, READABLE, SOCK_STREAM, WRITABLE } from '../../../src/posix/index.js';
import { type PeerTls, peerTls, type PeerTlsOptions } from '../../../src/replication/disk/peer-tls.js';
import { acceptOne, listening, readiness, readText, readToEnd, writeText } from '../../posix/arms/world.js';
import { posixFor } from '../../posix/fixture.js';
import { hasOpenssl, tlsIdentity, type TlsIdentity, tlsTest as test } from './tls-identity.js';

const directory = t.testdir();
const names = hasOpenssl ? ['a', 'b', 'c'] : [];
const [a, b, c] = names.map((name) => tlsIdentity(directory, name)) as [
  TlsIdentity,
  TlsIdentity,
  TlsIdentity,
];

/** Both ends of a connection: first the one that has made it. */
async function connected(posix: NodePosix): Promise<readonly [number, number]> {
  const { fd: listener, address } = listening(posix, { family: AF_INET, address: '127.0.0.1', port: 0 });
  const client = posix.socket(AF_INET, SOCK_STREAM);
  posix.connect(client, address);
  await readiness(posix, client, WRITABLE);
  const server = await acceptOne(posix, listener);
  posix.close(listener);
  return [client, server];
}

const tasks = { post: (task: () => void) => void setImmediate(task) };

interface Outcome {
  readonly result: number;
  readonly reason: string | undefined;
}

const secured = (its: PeerTls, fd: number, isServer: boolean): Promise<Outcome> =>
  new Promise((resolve) => its.secure(fd, isServer, (result, reason) => resolve({ result, reason })));

/** What the client and the server make of each other. */
async function meeting(
  t: Test,
  client: PeerTlsOptions,
  server: PeerTlsOptions,
): Promise<{ posix: NodePosix; outcomes: readonly [Outcome, Outcome] }> {
  const posix = posixFor(t);
  const [near, far] = await connected(posix);
  const outcomes = await Promise.all([
    secured(peerTls(posix, tasks, client), near, false),
    secured(peerTls(posix, tasks, server), far, true),
  ]);
  return { posix, outcomes };
}

const of = ({ cert, key }: TlsIdentity, trust: Omit<PeerTlsOptions, 'cert' | 'key'>): PeerTlsOptions => ({
  cert,
  key,
  ...trust,
});

test('two sides that know each other, by fingerprint or by authority, talk through new descriptors', async (t) => {
  const plain = b.fingerprint.replaceAll(':', '').toLowerCase();
  for (const trust of [
    { fingerprints: [b.fingerprint] },
    { fingerprints: [c.fingerprint, plain] },
    { ca: b.cert },
  ]) {
    const { posix, outcomes } = await meeting(t, of(a, trust), of(b, { ca: a.cert }));
    const [near, far] = outcomes.map(({ result }) => result) as [number, number];
    t.ok(near >= 0 && far >= 0, JSON.stringify(outcomes));
    await writeText(posix, near, 'under TLS');
    t.equal(await readText(posix, far), 'under TLS');
    posix.shutdown(near, 1);
    t.equal(await readToEnd(posix, far), '');
    await writeText(posix, far, 'the last word');
    posix.close(far);
    t.equal(await readToEnd(posix, near), 'the last word', 'each direction ends on its own');
    posix.close(near);
    t.same(posix.openDescriptors(), [], 'the numbers of before are gone');
  }
});

test('a certificate that is not expected is refused with its fingerprint, or with what is wrong', async (t) => {
  const plain = a.fingerprint.replaceAll(':', '').toLowerCase();
  for (const [trust, why] of [
    [{ fingerprints: [c.fingerprint] }, `the peer's certificate ${plain} is none of those that are expected`],
    // The fingerprints decide if there are any.
    [
      { fingerprints: [c.fingerprint], ca: a.cert },
      `the peer's certificate ${plain} is none of those that are expected`,
    ],
    [{ ca: c.cert }, /^the peer's certificate is not trusted: .*DEPTH_ZERO_SELF_SIGNED_CERT/],
  ] as const) {
    const { posix, outcomes } = await meeting(t, of(a, { ca: b.cert }), of(b, trust));
    const [near, far] = outcomes;
    t.match(far, { result: -errno.EPROTO, reason: why });
    if (near.result >= 0) posix.close(near.result);
    t.same(posix.openDescriptors(), []);
  }
});

/** What a side makes of a peer that is not one of ours, given Node's end of the connection. */
async function judged(t: Test, isServer: boolean, peer: (posix: NodePosix, fd: number) => void) {
  const posix = posixFor(t);
  const [client, server] = await connected(posix);
  const [own, other] = isServer ? [server, client] : [client, server];
  const outcome = secured(peerTls(posix, tasks, of(b, { ca: a.cert })), own, isServer);
  peer(posix, other);
  return await outcome;
}

test('a peer without a certificate, or of another protocol, is refused by name', async (t) => {
  const stranger = (options: tls.ConnectionOptions) => (posix: NodePosix, fd: number) => {
    const socket = posix.nodeObject(fd) as Socket;
    posix.release(fd);
    const its = tls.connect({ socket, rejectUnauthorized: false, ...options }).on('error', () => {});
    t.teardown(() => its.destroy());
  };
  const ALPNProtocols = ['tapdisk-ts-replication/1'];
  t.same(await judged(t, true, stranger({ ALPNProtocols })), {
    result: -errno.EPROTO,
    reason: 'the peer shows no certificate',
  });
  const { cert, key } = a;
  t.same(await judged(t, true, stranger({ cert, key })), {
    result: -errno.EPROTO,
    reason: 'the peer does not speak tapdisk-ts-replication/1',
  });
  t.match(await judged(t, true, stranger({ cert, key, ALPNProtocols, maxVersion: 'TLSv1.2' })), {
    result: -errno.EPROTO,
    reason: /^the TLS handshake failed: .*unsupported protocol/i,
  });
});

test('a peer that does not speak TLS is refused with what it did, on either side', async (t) => {
  for (const isServer of [true, false]) {
    const outcome = await judged(t, isServer, (posix, fd) => {
      posix.write(fd, Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'));
    });
    t.match(outcome, { result: -errno.EPROTO, reason: /^the TLS handshake failed: ./ });
  }
});

test('a connection that breaks under TLS is no handshake that failed', async (t) => {
  const posix = posixFor(t);
  const [near, far] = await connected(posix);
  const below = posix.nodeObject(far) as Socket;
  const results: number[] = [];
  const client = new Promise<number>((resolve) => {
    peerTls(posix, tasks, of(a, { ca: b.cert })).secure(near, false, (result) => {
      results.push(result);
      resolve(result);
    });
  });
  const [fd] = await Promise.all([client, secured(peerTls(posix, tasks, of(b, { ca: a.cert })), far, true)]);
  below.write('this is not TLS');
  await readiness(posix, fd, READABLE);
  t.ok(posix.read(fd, Buffer.alloc(1)) < 0);
  await new Promise(setImmediate);
  t.same(results, [fd]);
});

test('one that was given up hears nothing, and its connection ends', async (t) => {
  const posix = posixFor(t);
  const [near, far] = await connected(posix);
  const giveUp = peerTls(posix, tasks, of(a, { ca: b.cert })).secure(near, false, () => t.fail('not called'));
  giveUp();
  t.equal(await readToEnd(posix, far), '');
});

test('options that trust nobody, or cannot be used, are an error at once', async (t) => {
  const posix = posixFor(t);
  t.throws(() => peerTls(posix, tasks, of(a, {})), {
    message: 'TLS needs an authority or a fingerprint to trust',
  });
  t.throws(() => peerTls(posix, tasks, of(a, { fingerprints: [] })), { message: /trust/ });
  t.throws(() => peerTls(posix, tasks, { cert: a.cert, key: 'none', ca: b.cert }), Error);
  t.throws(() => peerTls(posix, tasks, { cert: a.cert, key: c.key, ca: b.cert }), /mismatch/);
});
