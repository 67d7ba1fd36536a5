// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// HTTP without a connection; test/metrics/metrics-endpoint.test.ts has it on sockets.

import t from 'tap';
import { httpProtocol, type HttpResources, MAX_HTTP_REQUEST_BYTES } from '../../src/metrics/http.js';
import { accessBy, type HttpAccess } from '../../src/metrics/http-access.js';

/** A response, as it went out. */
interface Response {
  readonly status: string;
  readonly fields: readonly string[];
  readonly body: string;
  readonly ended: boolean;
}

const TOKEN = 'a-token-of-24-characters';

/** A protocol, and what it responds to a request. */
function protocolOf(resources: HttpResources, access?: HttpAccess) {
  const protocol = httpProtocol(resources, (host) => host === 'localhost', access);
  const response = (respond: (reply: Parameters<typeof protocol.answer>[1]) => void): Response => {
    const pieces: Uint8Array[] = [];
    let ends = 0;
    respond({
      send: (piece) => void pieces.push(piece),
      end: () => void (ends += 1),
      takeOver: () => 77,
    });
    const text = Buffer.concat(pieces).toString('latin1');
    const at = text.indexOf('\r\n\r\n');
    const [status = '', ...fields] = text.slice(0, Math.max(at, 0)).split('\r\n');
    return { status, fields, body: text.slice(at + 4), ended: ends === 1 };
  };
  return {
    protocol,
    answer: (text: string) => response((reply) => protocol.answer(Buffer.from(text), reply)),
    get: (target: string, ...fields: string[]) =>
      response((reply) =>
        protocol.answer(
          Buffer.from([`GET ${target} HTTP/1.1`, 'Host: localhost', ...fields, '', ''].join('\r\n')),
          reply,
        ),
      ),
    tooLong: () => response((reply) => protocol.tooLong?.(reply)),
  };
}

const text = (body: string | undefined) => ({ contentType: 'text/plain', body: () => body });

t.test('a request ends with its first empty line after the first line', async (t) => {
  const { protocol } = protocolOf(new Map());
  const lengthOf = (received: string): number =>
    // As it comes: somewhere in a larger buffer.
    protocol.requestLength(Buffer.from(`..${received}`).subarray(2));
  t.equal(protocol.maxRequestBytes, MAX_HTTP_REQUEST_BYTES);
  t.equal(lengthOf(''), 0);
  t.equal(lengthOf('GET / HTTP/1.1\r\nHost: a\r\n'), 0);
  t.equal(lengthOf('GET / HTTP/1.0\r\n\r\n'), 18);
  t.equal(lengthOf('GET / HTTP/1.0\r\n\r\nmore\r\n\r\n'), 18, 'what follows does not belong to it');
  t.equal(lengthOf('\r\nGET / HTTP/1.0\r\n\r\n'), 20, 'one empty line before it is passed over');
  t.equal(lengthOf('\r\n\r\nGET / HTTP/1.0\r\n\r\n'), 4, 'two are a request of their own');
  t.equal(lengthOf('\nGET / HTTP/1.0\n\nmore\n\n'), 17, 'lines may end without CR');
  t.equal(lengthOf('\r\n\r'), 0, 'as long as they may be one');
});

t.test('a document comes with its type, its length and its own fields', async (t) => {
  const fields = ['X-One: 1', 'X-Two: 2'];
  const body = (query: URLSearchParams): string => `<${query.get('a')}>ä`;
  const { answer, get } = protocolOf(new Map([['/d', { contentType: 'text/x', body, fields }]]));
  const response = get('/d?a=b&c=d');
  t.equal(response.status, 'HTTP/1.1 200 OK');
  t.same(response.fields.slice(0, 4), ['Content-Type: text/x', 'Content-Length: 5', ...fields]);
  t.equal(Buffer.from(response.body, 'latin1').toString(), '<b>ä');
  t.ok(response.ended);
  t.match(get('/d').body, '<null>');
  const head = answer('HEAD /d?a=b HTTP/1.1\r\nHost: localhost\r\n\r\n');
  t.same([head.fields, head.body, head.ended], [response.fields, '', true]);
});

t.test('no response is cached, sniffed, framed, or readable by a page from elsewhere', async (t) => {
  const { get, tooLong } = protocolOf(new Map([['/d', text('d')]]));
  for (const { fields, ended } of [get('/d'), get('/none'), tooLong()]) {
    for (const field of [
      'Cache-Control: no-store',
      'X-Content-Type-Options: nosniff',
      'X-Frame-Options: DENY',
      'Referrer-Policy: no-referrer',
      'Cross-Origin-Resource-Policy: same-origin',
      'Connection: close',
    ])
      t.ok(fields.includes(field), field);
    t.ok(ended);
  }
});

t.test('a refusal gives its reason in one line', async (t) => {
  const { answer, get, tooLong } = protocolOf(
    new Map([
      ['/d', text('d')],
      ['/none', text(undefined)],
    ]),
  );
  for (const [response, reason] of [
    [tooLong(), '431 Request Header Fields Too Large'],
    [get('/none'), '404 Not Found'],
    [get('/d/e'), '404 Not Found'],
    [get('/d//'), '404 Not Found'],
    [answer('GET /d HTTP/1.1\r\nHost: elsewhere\r\n\r\n'), '421 Misdirected Request'],
    [answer('GET /d HTTP/1.1\r\n\r\n'), '400 Bad Request'],
    [answer('GET http://localhost/d HTTP/1.1\r\n\r\n'), '400 Bad Request'],
    [answer('GET /d HTTP/1\r\n\r\n'), '400 Bad Request'],
    [answer('GET /d HTTP/0.9\r\n\r\n'), '505 HTTP Version Not Supported'],
    [answer('PUT /d HTTP/1.0\r\n\r\n'), '405 Method Not Allowed'],
  ] as const) {
    t.equal(response.status, `HTTP/1.1 ${reason}`);
    t.equal(response.body, `${reason}\n`);
    t.ok(response.fields.includes('Content-Type: text/plain; charset=utf-8'));
    t.equal(response.fields.includes('Allow: GET, HEAD'), reason.startsWith('405'));
  }
});

t.test('a later minor version is as good, and an absolute form may leave out the slash', async (t) => {
  const { answer, get } = protocolOf(new Map([['/', text('root')]]));
  t.equal(answer('GET / HTTP/1.2\r\nHost: localhost\r\n\r\n').body, 'root');
  t.equal(answer('GET / HTTP/1.0\r\n\r\n').body, 'root');
  t.equal(get('http://localhost').body, 'root');
  t.equal(get('http://localhost?a=b').body, 'root');
  t.equal(get('/?a=b').body, 'root');
  t.equal(get('//').body, 'root');
});

t.test('a stream takes the connection over with a head, or reports why it cannot', async (t) => {
  const begun: unknown[] = [];
  const { answer, get } = protocolOf(
    new Map([
      [
        '/s',
        {
          contentType: 'text/event-stream',
          begin: (reply, head, query) => {
            const status = Number(query.get('status') ?? 200) as 200 | 404 | 503;
            if (status === 200) begun.push(reply.takeOver(), head.toString());
            return status;
          },
        },
      ],
    ]),
  );
  const accepted = get('/s');
  t.same([accepted.status, accepted.ended], ['', false], 'all is left to the stream');
  const [fd, head] = begun.splice(0) as [number, string];
  t.equal(fd, 77);
  t.match(head, /^HTTP\/1\.1 200 OK\r\nContent-Type: text\/event-stream\r\nCache-Control: no-store\r\n/);
  t.ok(head.endsWith('\r\nConnection: close\r\n\r\n'));
  t.notMatch(head, 'Content-Length');
  const missing = get('/s?status=404');
  t.equal(missing.status, 'HTTP/1.1 404 Not Found');
  t.notMatch(missing.fields.join(), 'Retry-After');
  const full = get('/s?status=503');
  t.equal(full.status, 'HTTP/1.1 503 Service Unavailable');
  t.ok(full.fields.includes('Retry-After: 5'));
  const asked = answer('HEAD /s HTTP/1.1\r\nHost: localhost\r\n\r\n');
  t.same([asked.status, asked.body, asked.ended], ['HTTP/1.1 200 OK', '', true]);
  t.same(begun, [], 'HEAD begins no stream');
});

t.test('a client without a token learns how to send one, and nothing else', async (t) => {
  const { get } = protocolOf(new Map([['/d', text('d')]]), accessBy(TOKEN));
  for (const response of [get('/d'), get('/none')]) {
    t.equal(response.status, 'HTTP/1.1 401 Unauthorized');
    t.match(response.body, /^401 Unauthorized\nThe token of --metrics-token-file is required: .*TOKEN\.\n$/);
  }
});

t.test('the first place that has a token decides', async (t) => {
  const { get } = protocolOf(new Map([['/d', text('d')]]), accessBy(TOKEN));
  const { cookieName } = accessBy(TOKEN);
  const status = (target: string, ...fields: string[]): string =>
    get(target, ...fields).status.split(' ')[1] ?? '';
  const [bearer, cookie] = [`Authorization: Bearer ${TOKEN}`, `Cookie: ${cookieName}=${TOKEN}`];
  t.equal(status('/d?token=wrong', bearer), '200');
  t.equal(status(`/d?token=${TOKEN}`, 'Authorization: Bearer wrong'), '401');
  t.equal(status('/d?token=wrong', cookie), '401');
  t.equal(status('/d?token=', cookie), '401');
  t.equal(status(`/d?token=${TOKEN}`, `Cookie: ${cookieName}=old`), '303', 'a new one replaces it');
  t.equal(get(`/d?token=${TOKEN}`).status, 'HTTP/1.1 303 See Other');
  t.equal(status('/d', `Cookie: ${cookieName}=${TOKEN} ; a=b`), '200');
  t.equal(status('/d', `Cookie: x${cookieName}=${TOKEN}`), '401');
});

t.test('each token has a cookie of its own: browsers share them between ports', async (t) => {
  const { cookieName } = accessBy(TOKEN);
  t.match(cookieName, /^tapdisk-ts-[\da-f]{8}$/);
  t.not(accessBy(`${TOKEN}2`).cookieName, cookieName);
  t.notMatch(cookieName, TOKEN);
});
