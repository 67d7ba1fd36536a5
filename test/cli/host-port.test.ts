// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { hostPort } from '../../src/cli/host-port.js';

t.test('a name or an IPv4 address with a port is used as given', async (t) => {
  for (const text of ['127.0.0.1:9000', 'backup.example:1', 'localhost:65535', 'h:00080']) {
    t.equal(hostPort(1).parse(text), text);
  }
  t.equal(hostPort(0).parse('0.0.0.0:0'), '0.0.0.0:0');
});

const wrongs: [string, RegExp][] = [
  ['', /^missing port; expected HOST:PORT, for example 127\.0\.0\.1:9000$/],
  ['host', /^missing port; /],
  [':9000', /^missing host; /],
  [':', /^missing host; /],
  ['host:', /^invalid port ""; expected a number from 1 to 65535$/],
  ['host:0', /a number from 1 to 65535$/],
  ['host:65536', /a number from 1 to 65535$/],
  ['host:99999', /^invalid port "99999"/],
  ['host:-1', /port "-1"/],
  ['host:1e3', /port "1e3"/],
  ['host:http', /port "http"/],
  ['host: 80', /port " 80"/],
  ['[::1]:9000', /IPv4 only/],
  ['::1', /IPv4 only/],
  ['a:b:c', /more than one colon/],
  ['a b:9', /space or control character/],
  ['\u001B[31m:9', /^space or control character in the host/],
];
for (const [text, message] of wrongs) {
  t.test(`${JSON.stringify(text)} is refused, with what is wrong and what would be right`, async (t) => {
    t.throws(() => hostPort(1).parse(text), { name: 'UsageError', message });
  });
}

t.test('the port 0 is refused where a real one is needed', async (t) => {
  t.throws(() => hostPort(1).parse('host:0'), { name: 'UsageError' });
  t.throws(() => hostPort(0).parse(':0'), { message: /0\.0\.0\.0:PORT for all addresses of this host/ });
});
