// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { parseValues } from '../../../src/cli/command-line/parse-values.js';
import { daemonTable } from '../../../src/cli/daemon/daemon-table.js';
import { daemonOptions } from '../../../src/cli/daemon/daemon-values.js';

const parse = (...argv: string[]) =>
  daemonOptions(parseValues(daemonTable, ['--control-directory', '/c', ...argv]));

t.test('omitted values have defaults', async (t) => {
  t.strictSame(parse(), {
    directory: '/c',
    disks: [],
    nbd: [],
    sockets: [],
    tls: undefined,
    metrics: undefined,
    metricsHosts: [],
    metricsTokenFile: undefined,
    maxConnections: 128,
    maxConnectionsPerPeer: 64,
    handshakeTimeoutSeconds: 30,
    idleTimeoutSeconds: 0,
    maxRequestMemoryBytes: 256 << 20,
    logLevel: 6,
    dialect: 'tapdisk2',
    trace: undefined,
    graceSeconds: 60,
    onState: undefined,
    pidFile: undefined,
    exitWhenIdle: false,
    exitWithParent: false,
  });
});

t.test('every option can be given', async (t) => {
  const options = parse(
    ...['--disk', '1=aio:/a=b', '--read-only-disk', '0=log:|ram:1', '--disk', '2=ram:1', '--nbd', '[::1]:0'],
    ...['--tls-cert', 'c', '--tls-key', 'k', '--metrics', './m', '--log-level', 'debug', '--trace', 't'],
    ...[
      '--metrics-token-file',
      't',
      '--trace-limit',
      '2',
      '--grace',
      '0',
      '--max-request-memory',
      '64',
      '--dialect',
      'tapdisk3',
    ],
    ...[
      '--on-state',
      '/hook',
      '--tls-ca',
      'a',
      '--tls-allow',
      'CN=b',
      '--tls-min',
      '1.2',
      '--max-connections',
      '9',
    ],
    ...['--nbd', './n', '--max-connections-per-peer', '8', '--handshake-timeout', '7', '--idle-timeout', '6'],
    ...['--pid-file', 'p', '--exit-when-idle', '--exit-with-parent'],
  );
  t.strictSame(options, {
    directory: '/c',
    disks: [
      { minor: 1, name: 'aio:/a=b', readOnly: false },
      { minor: 2, name: 'ram:1', readOnly: false },
      { minor: 0, name: 'log:|ram:1', readOnly: true },
    ],
    nbd: ['[::1]:0', './n'],
    sockets: [],
    tls: { cert: 'c', key: 'k', ca: 'a', allow: ['CN=b'], minVersion: 'TLSv1.2' },
    metrics: './m',
    metricsHosts: [],
    metricsTokenFile: 't',
    maxConnections: 9,
    maxConnectionsPerPeer: 8,
    handshakeTimeoutSeconds: 7,
    idleTimeoutSeconds: 6,
    maxRequestMemoryBytes: 64 << 20,
    logLevel: 7,
    dialect: 'tapdisk3',
    trace: { file: 't', limitBytes: 2 << 20 },
    graceSeconds: 0,
    onState: '/hook',
    pidFile: 'p',
    exitWhenIdle: true,
    exitWithParent: true,
  });
});

t.test('disks can have names and descriptions, and one can be the default', async (t) => {
  const { disks, descriptions, defaultDisk } = parse(
    ...['--disk', 'data=ram:1', '--disk', '0=ram:2', '--read-only-disk', 'iso=ram:3', '--nbd', './n'],
    ...['--description', 'data=All that there is', '--description', '0=Nothing', '--default-disk', 'iso'],
  );
  t.strictSame(disks, [
    { minor: 1, exportName: 'data', name: 'ram:1', readOnly: false },
    { minor: 0, name: 'ram:2', readOnly: false },
    { minor: 2, exportName: 'iso', name: 'ram:3', readOnly: true },
  ]);
  t.strictSame(
    descriptions,
    new Map([
      [1, 'All that there is'],
      [0, 'Nothing'],
    ]),
  );
  t.equal(defaultDisk, 2);
});

t.test('invalid input is refused with a hint', async (t) => {
  const wrong = (reason: RegExp, ...argv: string[]): void => {
    t.throws(() => parse(...argv), { name: 'UsageError', message: reason }, argv.join(' '));
  };
  wrong(
    /invalid --disk "aio:\/a": expected DISK=TYPE:FILE, for example 0=aio:\/path or data=aio:\/path/,
    '--disk',
    'aio:/a',
  );
  for (const name of ['1x', '', 'a b', 'a'.repeat(65)])
    wrong(
      /invalid --disk "[^"]*": expected a minor number, or a name of at most/,
      '--disk',
      `${name}=aio:/a`,
    );
  wrong(/invalid --disk "65535=aio:\/a": expected a whole number from 0 to 65534/, '--disk', '65535=aio:/a');
  wrong(
    /--nbd \/s is given twice/,
    '--nbd',
    '/s',
    '--nbd',
    '127.0.0.1:0',
    '--nbd',
    '127.0.0.1:0',
    '--nbd',
    '/s',
  );
  wrong(/"0=plain": missing driver/, '--disk', '0=plain');
  wrong(/at most 255 bytes/, '--disk', `0=aio:${'x'.repeat(252)}`);
  wrong(/name a is used by two disks/, '--disk', 'a=ram:1', '--read-only-disk', 'a=ram:2');
  wrong(
    /--default-disk: unknown disk b: expected one of a$/,
    '--nbd',
    './n',
    '--disk',
    'a=ram:1',
    '--default-disk',
    'b',
  );
  wrong(
    /--description: unknown disk b: expected one of a$/,
    '--nbd',
    './n',
    '--disk',
    'a=ram:1',
    '--description',
    'b=x',
  );
  wrong(
    /--default-disk: unknown disk 1: expected one of a, 0$/,
    ...['--nbd', './n', '--disk', 'a=ram:1', '--disk', '0=ram:1', '--default-disk', '1'],
  );
  wrong(/minor 1 is used by two disks/, '--disk', '1=ram:1', '--read-only-disk', '1=ram:2');
  wrong(/invalid --nbd "nowhere": .*HOST:PORT/, '--nbd', 'nowhere');
  wrong(/invalid --metrics "localhost:65536": .*65535/, '--metrics', 'localhost:65536');
  wrong(/--tls-cert requires --tls-key/, '--nbd', './n', '--tls-cert', 'c');
  const tls = ['--nbd', './n', '--tls-cert', 'c', '--tls-key', 'k'];
  wrong(/--tls-allow CN=b requires --tls-ca: anybody can make/, ...tls, '--tls-allow', 'CN=b');
  wrong(/invalid --tls-allow "somebody": expected a SHA-256 fingerprint/, ...tls, '--tls-allow', 'somebody');
  wrong(/--tls-ca requires --tls-cert/, '--tls-ca', 'a');
  wrong(/--tls-cert requires --nbd/, '--tls-key', 'k', '--tls-cert', 'c');
  wrong(/--tls-min requires --tls-cert or --tls-psk/, '--nbd', './n', '--tls-min', '1.2');
  wrong(/--tls-psk and --tls-cert are mutually exclusive/, ...tls, '--tls-psk', 'p');
  wrong(/--tls-psk requires --nbd/, '--tls-psk', 'p');
  wrong(/--nbd systemd: no sockets were passed/, '--nbd', 'systemd');
  wrong(/--exit-when-idle requires --nbd, or sockets passed by systemd/, '--exit-when-idle');
  wrong(/invalid --log-level "loud": expected one of emerg, .*debug/, '--log-level', 'loud');
  wrong(/invalid --dialect "tapdisk4": expected one of tapdisk2, tapdisk3/, '--dialect', 'tapdisk4');
  wrong(/--trace-limit requires --trace/, '--trace-limit', '3');
  wrong(/invalid --trace-limit "0"/, '--trace', 't', '--trace-limit', '0');
  wrong(/invalid --grace "-1"/, '--grace=-1');
  wrong(/--grace can be given only once/, '--grace', '1', '--grace', '2');
  wrong(/unknown option --frobnicate/, '--frobnicate');
  wrong(/unexpected argument "extra"/, 'extra');
});

t.test('a trace may have 64 MiB unless it is said otherwise', async (t) => {
  t.strictSame(parse('--trace', 't').trace, { file: 't', limitBytes: 64 << 20 });
  const limitOf = (mebibytes: number): unknown =>
    parse('--trace', 't', '--trace-limit', String(mebibytes)).trace?.limitBytes;
  t.equal(limitOf(1), 2 ** 20);
  t.equal(limitOf(2048), 2 ** 31, 'more than 32 bits hold with a sign');
  t.equal(limitOf(2 ** 20), 2 ** 40, 'the largest');
  t.throws(() => limitOf(2 ** 20 + 1), { message: /invalid --trace-limit "1048577": .*from 1 to 1048576/ });
});

t.test('each of syslog’s levels can be named', async (t) => {
  const names = ['emerg', 'alert', 'crit', 'err', 'warning', 'notice', 'info', 'debug'];
  t.same(
    names.map((name) => parse('--log-level', name).logLevel),
    [0, 1, 2, 3, 4, 5, 6, 7],
  );
});

t.test('unnamed numbers go to named disks from the lowest on', async (t) => {
  const { disks } = parse(
    ...['--disk', 'a=ram:1', '--disk', '1=ram:1', '--disk', 'b=ram:1', '--read-only-disk', '0=ram:1'],
    ...['--read-only-disk', 'c=ram:1'],
  );
  t.strictSame(
    disks.map(({ minor, exportName }) => [minor, exportName]),
    [
      [2, 'a'],
      [1, undefined],
      [3, 'b'],
      [0, undefined],
      [4, 'c'],
    ],
  );
});

t.test('TLS with keys, and with certificates of nobody in particular', async (t) => {
  const tls = (...argv: string[]) => parse('--nbd', './n', ...argv).tls;
  t.strictSame(tls('--tls-psk', 'p'), { psk: 'p' });
  t.strictSame(tls('--tls-psk', 'p', '--tls-min', '1.3'), { psk: 'p', minVersion: 'TLSv1.3' });
  const pair = ['--tls-cert', 'c', '--tls-key', 'k'];
  t.strictSame(tls(...pair), { cert: 'c', key: 'k', ca: undefined });
  const print = 'ab'.repeat(32);
  t.strictSame(tls(...pair, '--tls-allow', print), { cert: 'c', key: 'k', ca: undefined, allow: [print] });
});

t.test('sockets that were passed are served as well, whether they are named or not', async (t) => {
  const options = (sockets: readonly number[], ...argv: string[]) =>
    daemonOptions(parseValues(daemonTable, ['--control-directory', '/c', ...argv]), sockets);
  t.match(options([3, 4], '--nbd', 'systemd', '--nbd', './n'), { nbd: ['./n'], sockets: [3, 4] });
  t.match(options([3]), { nbd: [], sockets: [3] });
});

t.test('names, descriptions and hosts have their bounds', async (t) => {
  const longest = 'a'.repeat(64);
  t.match(parse('--disk', `${longest}=ram:1`).disks, [{ exportName: longest }]);
  t.throws(() => parse('--disk', `${longest}a=ram:1`), { name: 'UsageError' });
  const described = (text: string): unknown =>
    parse('--nbd', './n', '--disk', '0=ram:1', '--description', `0=${text}`).descriptions?.get(0);
  t.equal(described('x'.repeat(1024)), 'x'.repeat(1024));
  for (const text of ['', 'x'.repeat(1025), 'two\nlines'])
    t.throws(() => described(text), { message: /expected DISK=TEXT, with one line of at most 1024/ });
  t.strictSame(
    parse('--metrics', './m', '--metrics-host', 'a.example', '--metrics-host', '::1').metricsHosts,
    ['a.example', '::1'],
  );
  for (const host of ['a.example:1', '[::1]', 'a b', ''])
    t.throws(() => parse('--metrics', './m', '--metrics-host', host), { name: 'UsageError' }, host);
  t.throws(() => parse('--metrics-host', 'a'), { message: /--metrics-host requires --metrics/ });
});

t.test('the control directory comes from the environment unless it is given', async (t) => {
  const environment = { TAPDISK_TS_CONTROL_DIRECTORY: '/e' };
  t.equal(daemonOptions(parseValues(daemonTable, [], environment)).directory, '/e');
  const given = ['--control-directory', '/c'];
  t.equal(daemonOptions(parseValues(daemonTable, given, environment)).directory, '/c');
});
