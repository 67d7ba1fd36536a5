// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { parseRemusArgument, stateDirectoryOf } from '../../../src/disks/drivers/remus-options.js';

/** What one option says; what is wrong with it otherwise. */
function optionOf(setting: string): unknown {
  const options = parseRemusArgument(`a:1,${setting}`);
  if (typeof options === 'string') return options;
  const { address, ...rest } = options;
  t.equal(address, 'a:1');
  return rest;
}

t.test('an address is a host and a port from 1 to 65535', async (t) => {
  for (const address of ['a:1', '10.0.0.2:65535', 'b.example:00080']) {
    t.same(parseRemusArgument(address), { address });
  }
  for (const wrong of ['', 'a', 'a:', ':1', 'a:0', 'a:65536', 'a:-1', 'a:1x', 'a:b:1', 'a:000001']) {
    t.match(
      parseRemusArgument(wrong),
      `${JSON.stringify(wrong)} is not an address: expected remus:HOST:PORT`,
    );
  }
});

t.test('times have a unit and a range', async (t) => {
  const day = 86_400;
  const times: [key: string, property: string, least: string, below: string][] = [
    ['interval', 'checkpointIntervalSeconds', '25ms', '24ms'],
    ['flush-limit', 'flushLimitSeconds', '1s', '999ms'],
    ['stall', 'stallSeconds', '100ms', '99ms'],
    ['ping', 'pingSeconds', '100ms', '99ms'],
    ['peer-timeout', 'peerTimeoutSeconds', '500ms', '499ms'],
    ['message-timeout', 'messageSeconds', '100ms', '99ms'],
  ];
  for (const [key, property, least, below] of times) {
    const [, digits = '', unit = ''] = /^(\d+)(\w+)$/.exec(least) ?? [];
    const seconds = Number(digits) * (unit === 'ms' ? 0.001 : 1);
    t.same(optionOf(`${key}=${least}`), { [property]: seconds });
    t.match(
      optionOf(`${key}=${below}`),
      `${key}="${below}" cannot be: expected a time from ${seconds} s to 86400 s`,
    );
    t.same(optionOf(`${key}=24h`), { [property]: day });
    t.match(optionOf(`${key}=86401s`), `expected a time from ${seconds} s to 86400 s`);
    t.same(optionOf(`${key}=90m`), { [property]: 5400 });
    t.same(optionOf(`${key}=7s`), { [property]: 7 });
    for (const wrong of ['7', '7d', 's', '-7s', '7s ', '1.5s', '', '0000000007s'])
      t.match(optionOf(`${key}=${wrong}`), `${key}="${wrong}" cannot be: expected a time`);
  }
  t.same(optionOf('interval=0'), { checkpointIntervalSeconds: 0 });
  t.match(optionOf('interval=1ms'), 'such as 25ms, 1s or 10m, or 0');
  t.match(optionOf('ping=0'), /such as 25ms, 1s or 10m$/);
});

t.test('sizes are bytes, or have a unit, and a range', async (t) => {
  const gib = 2 ** 30;
  const sizes: [key: string, property: string, least: number, most: number][] = [
    ['journal', 'journalBytes', 4 << 20, 1024 * gib],
    ['memory', 'memoryBytes', 1 << 20, 64 * gib],
    ['queue', 'queueBytes', 1 << 20, 64 * gib],
    ['verify-rate', 'verifyBytesPerSecond', 0, gib],
  ];
  for (const [key, property, least, most] of sizes) {
    const expected = `expected a size from ${least} to ${most} bytes, such as 64M or 1G`;
    t.same(optionOf(`${key}=${least}`), { [property]: least });
    t.same(optionOf(`${key}=${most}`), { [property]: most });
    t.match(optionOf(`${key}=${most + 1}`), expected);
    if (least > 0) t.match(optionOf(`${key}=${least - 1}`), expected);
    t.same(optionOf(`${key}=8192K`), { [property]: 8 << 20 });
    t.same(optionOf(`${key}=64M`), { [property]: 64 << 20 });
    t.same(optionOf(`${key}=1G`), { [property]: gib });
    for (const wrong of ['', 'M', '1T', '1m', '-1', '1.5M', '64 M'])
      t.match(optionOf(`${key}=${wrong}`), expected);
  }
});

t.test('what is one of several words is one of them', async (t) => {
  const words: [key: string, property: string, values: readonly string[]][] = [
    ['role', 'role', ['auto', 'primary', 'backup']],
    ['peer', 'peer', ['auto', 'own', 'c']],
    ['done', 'done', ['durable', 'received']],
    ['commit-on-flush', 'commitOnFlush', ['off', 'prefer', 'require']],
    ['fifo-mode', 'fifoMode', ['private', 'c']],
  ];
  for (const [key, property, values] of words) {
    for (const value of values) t.same(optionOf(`${key}=${value}`), { [property]: value });
    t.equal(optionOf(`${key}=none`), `${key}="none" cannot be: expected ${values.join(', ')}`);
  }
  t.same(optionOf('initialise=yes'), { initialise: true });
  t.same(optionOf('initialise=no'), { initialise: false });
  t.match(optionOf('initialise=maybe'), 'expected yes, no');
  t.same(optionOf('role=primary,role=backup'), { role: 'backup' }, 'the last one counts');
});

t.test('paths are absolute', async (t) => {
  t.same(optionOf('directory=/a=b'), { directory: '/a=b' });
  t.equal(optionOf('directory=a'), 'directory="a" cannot be: expected an absolute path');
  t.same(optionOf('fifos=/run'), { fifos: '/run' });
  t.same(optionOf('fifos=no'), { fifos: 'no' });
  t.match(optionOf('fifos=yes'), 'expected an absolute path of a directory, or no');
  for (const key of ['tls-cert', 'tls-key', 'tls-ca'])
    t.equal(optionOf(`${key}=x`), `${key}="x" cannot be: expected an absolute path`);
});

t.test('each allowed or denied range adds to those before', async (t) => {
  const options = parseRemusArgument('a:1,allow=10.1.0.0/16,deny=10.1.2.3,allow=192.0.2.7,deny=10.1.9.0/24');
  if (typeof options === 'string') throw new Error(options);
  const { allow, deny } = options.peers ?? {};
  const inside = (list: typeof allow, addresses: readonly string[]): boolean[] =>
    addresses.map((address) => list?.check(address, 'ipv4') === true);
  t.same(inside(allow, ['10.1.255.255', '10.2.0.0', '192.0.2.7', '192.0.2.6', '192.0.2.8']), [
    true,
    false,
    true,
    false,
    false,
  ]);
  t.same(inside(deny, ['10.1.2.3', '10.1.2.4', '10.1.9.255', '10.1.10.0']), [true, false, true, false]);
  t.match(optionOf('allow=10.0.0'), 'expected an IPv4 address, or a range such as 10.0.0.0/24');
  t.match(optionOf('deny=10.0.0.0/33'), 'expected an IPv4 address');
});

t.test('TLS has a certificate, its key, and something to know the peer by', async (t) => {
  const own = 'tls-cert=/c,tls-key=/k';
  const fingerprint = 'ab'.repeat(32);
  const colons = Array<string>(32).fill('0F').join(':');
  t.same(optionOf(`${own},tls-ca=/a`), { tls: { cert: '/c', key: '/k', ca: '/a' } });
  t.same(optionOf(`${own},tls-fingerprint=${fingerprint},tls-fingerprint=${colons}`), {
    tls: { cert: '/c', key: '/k', fingerprints: [fingerprint, colons] },
  });
  t.same(optionOf(`role=backup,${own},tls-ca=/a,tls-fingerprint=${fingerprint}`), {
    role: 'backup',
    tls: { cert: '/c', key: '/k', ca: '/a', fingerprints: [fingerprint] },
  });
  for (const part of ['tls-cert=/c', 'tls-key=/k', 'tls-ca=/a', `tls-fingerprint=${fingerprint}`])
    t.equal(optionOf(part), 'TLS needs both tls-cert and tls-key');
  t.equal(optionOf(own), 'TLS needs tls-ca or tls-fingerprint');
  t.match(optionOf(`${own},tls-ca=/a,peer=c`), 'peer=c and TLS are mutually exclusive');
  for (const wrong of [`${fingerprint}a`, fingerprint.slice(2), 'xy'.repeat(32), ''])
    t.match(optionOf(`tls-fingerprint=${wrong}`), 'expected a SHA-256 fingerprint of 64 hexadecimal digits');
});

t.test('an unknown option is named, with those that there are', async (t) => {
  t.match(
    optionOf('speed=2'),
    /^unknown option "speed": expected one of role, peer, done, .*, tls-fingerprint$/,
  );
  t.match(optionOf(''), /^unknown option "": expected one of role,/);
});

t.test('the state is beside the image', async (t) => {
  t.equal(stateDirectoryOf('/srv/a.img'), '/srv/a.img.remus');
});
