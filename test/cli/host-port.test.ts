// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { checkHostPort } from '../../src/cli/host-port.js';

t.test('a name or an IPv4 address with a port is taken as it is', async (t) => {
  for (const text of ['127.0.0.1:9000', 'backup.example:1', 'localhost:65535', 'h:00080']) {
    t.equal(checkHostPort(text, 1), text);
  }
  t.equal(checkHostPort('0.0.0.0:0', 0), '0.0.0.0:0');
});

const wrongs: [string, RegExp][] = [
  ['', /^"" has no port: HOST:PORT is wanted, for example 127\.0\.0\.1:9000$/],
  ['host', /^"host" has no port: /],
  [':9000', /^":9000" has no host: /],
  [':', /^":" has no host: /],
  ['host:', /^"host:" has the port "", but a port is a number from 1 to 65535$/],
  ['host:0', /a number from 1 to 65535$/],
  ['host:65536', /a number from 1 to 65535$/],
  ['host:99999', /the port "99999"/],
  ['host:-1', /the port "-1"/],
  ['host:1e3', /the port "1e3"/],
  ['host:http', /the port "http"/],
  ['host: 80', /the port " 80"/],
  ['[::1]:9000', /IPv4 only/],
  ['::1', /IPv4 only/],
  ['a:b:c', /more than one colon/],
  ['a b:9', /space or a control character/],
  ['\u001B[31m:9', /^"\\u001b\[31m:9" has a space or a control character in its host/],
];
for (const [text, message] of wrongs) {
  t.test(`${JSON.stringify(text)} is refused, with what is wrong and what would be right`, async (t) => {
    t.throws(() => checkHostPort(text, 1), { name: 'UsageError', message });
  });
}

t.test('the port 0 is refused where a real one is needed', async (t) => {
  t.throws(() => checkHostPort('host:0', 1), { name: 'UsageError' });
  t.throws(() => checkHostPort(':0', 0), { message: /0\.0\.0\.0 stands for every address of this host/ });
});
