// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { accessBy, MIN_TOKEN_LENGTH, readToken } from '../../src/metrics/http-access.js';
import { shortDirectory } from '../short-directory.js';
import { answerTo, endpoint } from './endpoint.js';

const TOKEN = 'a-token-of-24-characters';

t.test('without the token nothing is served; with it, in any of its three places, everything', async (t) => {
  const port = endpoint(t, { token: TOKEN });
  const ask = (target: string, ...fields: string[]): Promise<string> =>
    answerTo(port, [`GET ${target} HTTP/1.1`, 'Host: localhost', ...fields, '', ''].join('\r\n'));
  const { cookieName: cookie } = accessBy(TOKEN);
  for (const [target, ...fields] of [
    ['/metrics'],
    ['/no-such-page'],
    ['/metrics?token=wrong'],
    [`/metrics?token=${TOKEN}x`],
    ['/metrics', 'Authorization: Bearer wrong'],
    ['/metrics', `Authorization: Basic ${TOKEN}`],
    ['/metrics', `Cookie: ${cookie}=wrong`],
    ['/metrics', `Cookie: another=${TOKEN}`],
    ['/metrics', 'Authorization: Bearer wrong', `Cookie: ${cookie}=${TOKEN}`],
  ] as [string, ...string[]][]) {
    const answer = await ask(target, ...fields);
    t.match(answer, /^HTTP\/1\.1 401 /, [target, ...fields].join(' '));
    t.match(answer, /\r\nWWW-Authenticate: Bearer\r\n/);
    t.notMatch(answer, TOKEN);
  }
  t.match(await ask('/metrics', `Authorization: Bearer ${TOKEN}`), /^HTTP\/1\.1 200 /);
  t.match(await ask('/metrics', `authorization: bearer  ${TOKEN}`), /^HTTP\/1\.1 200 /);
  t.match(await ask('/metrics', `Cookie: a=b; ${cookie}=${TOKEN}; c=d`), /^HTTP\/1\.1 200 /);
  const moved = await ask(`/metrics?token=${TOKEN}`);
  t.match(moved, /^HTTP\/1\.1 303 /);
  t.match(moved, /\r\nLocation: \/metrics\r\n/, 'it does not stay in the address');
  t.match(moved, `\r\nSet-Cookie: ${cookie}=${TOKEN}; Path=/; HttpOnly; SameSite=Strict\r\n`);
  const elsewhere = await ask(`//evil.example/?token=${TOKEN}`);
  t.match(elsewhere, /\r\nLocation: \/\r\n/, 'nobody is sent elsewhere');
});

t.test('a token is read from a file, or the reason why not is reported', async (t) => {
  const path = join(shortDirectory(t), 'token');
  writeFileSync(path, ` ${TOKEN}\n`);
  t.equal(readToken(path), TOKEN);
  const shortest = '-._~+/='.padEnd(MIN_TOKEN_LENGTH, 'x');
  writeFileSync(path, shortest);
  t.equal(readToken(path), shortest);
  for (const text of [
    '',
    'short',
    'x'.repeat(MIN_TOKEN_LENGTH - 1),
    'two words of some length',
    `${TOKEN}\n${TOKEN}`,
  ]) {
    writeFileSync(path, text);
    t.throws(
      () => readToken(path),
      { code: 'EINVAL', message: /has no token: expected at least 16 letters/ },
      text,
    );
  }
  t.throws(() => readToken(`${path}-missing`), { code: 'ENOENT' });
});
