// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { writeFileSync } from 'node:fs';
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls';
import t, { type Test } from 'tap';
import { parsePskFile, pskServer } from '../../src/nbd/index.js';
import { nbdWorld, type NbdWorld, type NbdWorldOptions } from './nbd-world.js';
import { hasPrograms, run } from '../programs.js';
import { exportRequest, option } from './raw-client.js';

const KEY = '00112233445566778899aabbccddeeff';
const OTHER_KEY = 'ffeeddccbbaa99887766554433221100';
const FILE = `alice:${KEY}\n\n#c3a95f3a:${OTHER_KEY.toUpperCase()}\r\n`;

type Version = 'TLSv1.2' | 'TLSv1.3';

async function pskWorld(t: Test, minVersion?: Version, more: NbdWorldOptions = {}): Promise<NbdWorld> {
  const world = nbdWorld(t, {
    tcp: true,
    ...more,
    tls: ({ posix, registry }) =>
      pskServer(posix, registry.completions, {
        keys: parsePskFile(FILE),
        ...(minVersion && { minVersion }),
      }),
  });
  await world.open('ram:4');
  return world;
}

/** What GO is answered with under TLS, and over which version; undefined when there is no TLS. */
async function goOver(
  world: NbdWorld,
  options: ConnectionOptions,
): Promise<{ type: number | undefined; protocol: string | null } | undefined> {
  const raw = await world.raw().greet();
  raw.send(option(5));
  await raw.reply();
  raw.socket.removeAllListeners('data');
  const secured: TLSSocket = connectTls({
    socket: raw.socket,
    checkServerIdentity: () => undefined,
    ...options,
  });
  secured.on('error', () => {});
  raw.listen(secured);
  secured.write(option(7, exportRequest('')));
  try {
    const type = (await raw.replies()).at(-1)?.type;
    return { type, protocol: secured.getProtocol() };
  } catch {
    return undefined;
  } finally {
    secured.destroy();
  }
}

/** A client that knows a key. */
const withKey = (identity: string, key: string, maxVersion: Version = 'TLSv1.3'): ConnectionOptions => ({
  pskCallback: () => ({ identity, psk: Buffer.from(key, 'hex') }),
  ciphers: 'TLS_AES_128_GCM_SHA256:ECDHE-PSK-CHACHA20-POLY1305:PSK-AES128-GCM-SHA256',
  maxVersion,
});

t.test('a file of keys has a name and a key in each line', async (t) => {
  t.strictSame(
    [...parsePskFile(FILE)],
    [
      ['alice', Buffer.from(KEY, 'hex')],
      ['é_:', Buffer.from(OTHER_KEY, 'hex')],
    ],
  );
  for (const bytes of [16, 256])
    t.equal(parsePskFile(`a:${'5a'.repeat(bytes)}`).get('a')?.length, bytes, 'the shortest and the longest');
  for (const [text, message] of [
    ['', 'expected at least one line NAME:KEY'],
    [`a:${KEY}\nb`, 'line 2: expected NAME:KEY with a key in hexadecimal digits'],
    [`a:${KEY}x`, 'line 1: expected NAME:KEY with a key in hexadecimal digits'],
    [`:${KEY}`, 'line 1: expected NAME:KEY with a key in hexadecimal digits'],
    [`a:b:${KEY}`, 'line 1: expected NAME:KEY with a key in hexadecimal digits'],
    [`a:${KEY.slice(2)}`, 'line 1: expected a key of 16 to 256 bytes, not of 15'],
    [`a:${'00'.repeat(257)}`, 'line 1: expected a key of 16 to 256 bytes, not of 257'],
    [`#6g:${KEY}`, 'line 1: expected hexadecimal digits after #'],
    [`a:${KEY}\n#61:${KEY}`, 'line 2: a second key for the same name'],
  ] as const)
    t.throws(() => parsePskFile(text), { message }, JSON.stringify(text));
});

t.test('only clients that know a key are admitted', async (t) => {
  const world = await pskWorld(t);
  t.same(await goOver(world, withKey('alice', KEY)), { type: 1, protocol: 'TLSv1.3' });
  t.same(await goOver(world, withKey('é_:', OTHER_KEY)), { type: 1, protocol: 'TLSv1.3' });
  for (const [what, client, reason] of [
    ['a wrong key', withKey('alice', OTHER_KEY), /the client's key for alice is wrong: /],
    ['an unknown name', withKey('bob', KEY), /the client's name bob is unknown$/],
    ['no key', { rejectUnauthorized: false }, /the client has no key: /],
    ['TLS 1.2', withKey('alice', KEY, 'TLSv1.2'), /the client has no key: /],
  ] as const) {
    t.equal(await goOver(world, client), undefined, what);
    t.match(world.lines.at(-1), reason, what);
  }
});

t.test('TLS 1.2 is accepted if configured, with forward secrecy only', async (t) => {
  const world = await pskWorld(t, 'TLSv1.2');
  t.same(await goOver(world, withKey('alice', KEY, 'TLSv1.2')), { type: 1, protocol: 'TLSv1.2' });
  const plain = { ...withKey('alice', KEY, 'TLSv1.2'), ciphers: 'PSK-AES128-GCM-SHA256' };
  t.equal(await goOver(world, plain), undefined, 'a key that becomes known would tell all that was said');
});

t.test('nbdinfo, which uses GnuTLS, connects with its key and not without', async (t) => {
  if (!hasPrograms(t, 'nbdinfo')) return;
  for (const version of ['TLSv1.3', 'TLSv1.2'] as const) {
    const world = await pskWorld(t, version, { tcp: false });
    const [good, bad] = [world.path('good.psk'), world.path('bad.psk')];
    writeFileSync(good, FILE);
    writeFileSync(bad, `alice:${OTHER_KEY}\n`);
    const uri = (file: string): string =>
      `nbds+unix://alice@/0?socket=${world.path('nbd.sock')}&tls-psk-file=${file}`;
    const { stdout, stderr } = await run('nbdinfo', [uri(good)]);
    t.match(stdout, 'protocol: newstyle-fixed with TLS', stderr);
    t.match(stdout, 'export-size: 4194304');
    t.not((await run('nbdinfo', [uri(bad)])).status, 0);
    t.not((await run('nbdinfo', [world.uri('0')])).status, 0, 'nor without TLS');
  }
});
