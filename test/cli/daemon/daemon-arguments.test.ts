// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { isUsageError } from '../../../src/cli/usage-error.js';
import { parseDaemonOptions } from '../../../src/cli/daemon/daemon-arguments.js';

const parse = (...argv: string[]) => parseDaemonOptions(['--control-directory', '/c', ...argv]);

t.test('what is not given has a default', async (t) => {
  t.strictSame(parse(), {
    directory: '/c',
    disks: [],
    nbd: undefined,
    tls: undefined,
    metrics: undefined,
    logLevel: 6,
    trace: undefined,
    graceSeconds: 60,
  });
});

t.test('all can be given', async (t) => {
  const options = parse(
    ...['--disk', '1=aio:/a=b', '--read-only-disk', '0=log:|ram:1', '--disk', '2=ram:1', '--nbd', '[::1]:0'],
    ...['--tls-cert', 'c', '--tls-key', 'k', '--metrics', './m', '--log-level', 'debug', '--trace', 't'],
    ...['--trace-limit', '2', '--grace', '0'],
  );
  t.strictSame(options, {
    directory: '/c',
    disks: [
      { minor: 1, name: 'aio:/a=b', readOnly: false },
      { minor: 2, name: 'ram:1', readOnly: false },
      { minor: 0, name: 'log:|ram:1', readOnly: true },
    ],
    nbd: '[::1]:0',
    tls: { cert: 'c', key: 'k' },
    metrics: './m',
    logLevel: 7,
    trace: { file: 't', limitBytes: 2 << 20 },
    graceSeconds: 0,
  });
});

t.test('what makes no sense is refused with what would be right', async (t) => {
  const wrong = (reason: RegExp, ...argv: string[]): void => {
    try {
      parse(...argv);
      t.fail(`${argv.join(' ')} was taken`);
    } catch (error) {
      t.ok(isUsageError(error));
      t.match(error, { message: reason }, argv.join(' '));
    }
  };
  wrong(/--disk is 'aio:\/a', but must be MINOR=TYPE:FILE, as in 0=aio:\/path/, '--disk', 'aio:/a');
  wrong(/--disk is 'x', but must be a whole number from 0 to 65534/, '--disk', 'x=aio:/a');
  wrong(/'plain' has no driver/, '--disk', '0=plain');
  wrong(/longer than 255 bytes/, '--disk', `0=aio:${'x'.repeat(252)}`);
  wrong(/minor 1 is given to two disks/, '--disk', '1=ram:1', '--read-only-disk', '1=ram:2');
  wrong(/--nbd: 'nowhere' is neither a path .* nor HOST:PORT/, '--nbd', 'nowhere');
  wrong(/--metrics: port 65536 is above 65535/, '--metrics', 'localhost:65536');
  wrong(/need each other/, '--nbd', './n', '--tls-cert', 'c');
  wrong(/for --nbd, which is missing/, '--tls-key', 'k', '--tls-cert', 'c');
  wrong(/--log-level is 'loud', but must be one of emerg, .*debug/, '--log-level', 'loud');
  wrong(/--trace-limit needs --trace/, '--trace-limit', '3');
  wrong(/--trace-limit is '0'/, '--trace', 't', '--trace-limit', '0');
  wrong(/--grace is '-1'/, '--grace=-1');
  wrong(/--frobnicate/, '--frobnicate');
  wrong(/positional/, 'extra');
});

t.test('help asks for nothing else', async (t) => {
  t.equal(parseDaemonOptions(['--help']), undefined);
  t.equal(parseDaemonOptions(['-h']), undefined);
});
