// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { connect } from 'node:net';
import t from 'tap';
import { AF_INET, AF_INET6, AF_UNIX } from '../../src/posix/index.js';
import { MAX_HTTP_REQUEST_BYTES } from '../../src/metrics/http.js';
import { MIN_TOKEN_LENGTH } from '../../src/metrics/http-access.js';
import { hostsOf } from '../../src/metrics/http-host.js';
import { LAG_RESOLUTION_MS } from '../../src/metrics/loop-lag.js';
import { MAX_METRICS_CONNECTIONS, SLOW_METRICS_CLIENT_SECONDS } from '../../src/metrics/metrics-endpoint.js';
import { CHAIN_SECONDS } from '../../src/metrics/page/page-parts.js';
import { MAX_SHOWN_EVENTS } from '../../src/metrics/page/scheduler-parts.js';
import { MAX_PAGES } from '../../src/metrics/page/status-page.js';
import { MAX_STREAM_BACKLOG_BYTES, SLOW_STREAM_SECONDS } from '../../src/metrics/page/streamed-answer.js';
import { MAX_DOWNLOADS } from '../../src/metrics/page/trace-download.js';
import { HISTORY_SECONDS } from '../../src/metrics/page/wire.js';
import { REPORT_VERSION } from '../../src/metrics/report.js';
import { MAX_VIEWED_EVENTS } from '../../src/metrics/scheduler-view.js';
import { MAX_SLOW_CALLBACKS, SLOW_CALLBACKS_SECONDS } from '../../src/metrics/slow-callbacks.js';
import { DEFAULT_TRACE_LIMIT_MIB, MAX_WAITING_TRACE_BYTES } from '../../src/metrics/trace-file.js';
import { answerTo, endpoint } from './endpoint.js';

t.test('fetch returns the metrics', async (t) => {
  const response = await fetch(`http://127.0.0.1:${endpoint(t)}/metrics?from=test`);
  t.equal(response.status, 200);
  t.equal(response.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
  t.match(await response.text(), /^tapdisk_scheduler_events 7$/m);
});

t.test('HEAD returns only the headers, with the Content-Length of GET', async (t) => {
  const port = endpoint(t);
  const head = await answerTo(port, 'HEAD /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n');
  const get = await answerTo(port, 'GET /metrics HTTP/1.0\r\n', '\r\n');
  t.equal(head, get.slice(0, head.length));
  t.ok(head.endsWith('\r\n\r\n'));
  t.match(head, `Content-Length: ${get.length - head.length}\r\n`);
});

t.test(
  'a target in absolute form, an empty line before the request and a slash at its end are accepted',
  async (t) => {
    const port = endpoint(t);
    for (const request of [
      `GET http://127.0.0.1:${port}/metrics HTTP/1.1\r\nHost: localhost\r\n\r\n`,
      `GET HTTP://127.0.0.1:${port}/metrics?a=/b HTTP/1.1\r\nHost: localhost\r\n\r\n`,
      '\r\nGET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n',
      'GET /metrics/ HTTP/1.1\r\nHost: localhost\r\n\r\n',
      `GET https://localhost/metrics HTTP/1.1\r\nHost: localhost\r\n\r\n`,
      'GET /%6Detrics HTTP/1.1\r\nHost: localhost\r\n\r\n',
      'GET /metrics HTTP/1.0\n\n',
      '\nGET /metrics HTTP/1.1\nHost: localhost\n\r\n',
    ]) {
      t.match(await answerTo(port, request), /^HTTP\/1.1 200 OK\r\n/, request);
    }
    t.match(
      await answerTo(port, '\r', '\nGET /metrics HTTP/1.1\r\n', 'Host: localhost\r\n\r\n'),
      /^HTTP\/1.1 200 OK\r\n/,
    );
  },
);

t.test('a host is checked however the target and the lines are written', async (t) => {
  const port = endpoint(t);
  for (const request of [
    'GET https://evil/metrics HTTP/1.1\r\nHost: localhost\r\n\r\n',
    'GET /metrics HTTP/1.1\nHost: evil\n\n',
    'GET /%6Detrics HTTP/1.1\r\nHost: evil\r\n\r\n',
  ])
    t.match(await answerTo(port, request), /^HTTP\/1.1 421 /, request);
  t.match(await answerTo(port, 'GET /%zz%0d%00 HTTP/1.0\n\n'), /^HTTP\/1.1 404 /);
});

t.test('anything else is refused, and the next client is served', async (t) => {
  const port = endpoint(t);
  const status = async (request: string): Promise<string> =>
    (await answerTo(port, request)).split('\r\n', 1)[0] ?? '';
  t.equal(await status('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'), 'HTTP/1.1 404 Not Found');
  t.equal(
    await status('POST /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n'),
    'HTTP/1.1 405 Method Not Allowed',
  );
  t.match(
    await answerTo(port, 'DELETE /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n'),
    /\r\nAllow: GET, HEAD\r\n/,
  );
  t.equal(await status('GET /metrics HTTP/2.0\r\n\r\n'), 'HTTP/1.1 505 HTTP Version Not Supported');
  t.equal(await status('\r\n\r\n'), 'HTTP/1.1 400 Bad Request');
  t.equal(await status('GET  HTTP/1.1\r\nHost: localhost\r\n\r\n'), 'HTTP/1.1 400 Bad Request');
  t.equal(
    await status(`GET /metrics HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(9000)}`),
    'HTTP/1.1 431 Request Header Fields Too Large',
  );
  t.equal(await status('GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n'), 'HTTP/1.1 200 OK');
});

t.test('a request must name the address or an allowed name, or is refused', async (t) => {
  const port = endpoint(t, { hosts: ['Disks.example'] });
  const status = async (...fields: string[]): Promise<string | undefined> =>
    (await answerTo(port, ['GET /metrics HTTP/1.1', ...fields, '', ''].join('\r\n'))).split(' ')[1];
  for (const host of [`127.0.0.1:${port}`, '127.0.0.1', 'LOCALHOST:80', 'disks.EXAMPLE', 'disks.example:1'])
    t.equal(await status(`Host: ${host}`), '200', host);
  for (const host of ['evil.example', '10.0.0.1', '127.0.0.1.evil.example', 'disks.example.', '[::1]'])
    t.equal(await status(`hOsT:${host}`), '421', host);
  for (const fields of [
    [],
    ['Host: localhost', 'host: localhost'],
    ['Host:'],
    ['Host: a b'],
    ['Host : localhost'],
  ])
    t.equal(await status(...fields), '400', fields.join());
  t.equal(await status('Host: localhost', ' continued'), '400');
  const absolute = 'GET http://evil.example/metrics HTTP/1.1\r\nHost: localhost\r\n\r\n';
  t.match(await answerTo(port, absolute), /^HTTP\/1\.1 421 /);
  t.match(await answerTo(port, 'GET /metrics HTTP/1.0\r\nHost: evil.example\r\n\r\n'), /^HTTP\/1\.1 421 /);
});

t.test('on all addresses any address matches, and no name but localhost; on a path anything matches', (t) => {
  const everywhere = hostsOf({ family: AF_INET, address: '0.0.0.0', port: 1 }, []);
  for (const host of ['10.0.0.1', '::1', 'fe80::1', 'localhost']) t.equal(everywhere(host), true, host);
  for (const host of ['evil.example', '10.0.0.1.evil.example', 'abcdef'])
    t.equal(everywhere(host), false, host);
  t.equal(hostsOf({ family: AF_INET, address: '10.0.0.1', port: 1 }, [])('localhost'), false);
  t.equal(hostsOf({ family: AF_INET6, address: 'FE80::A%eth0', port: 1 }, [])('fe80::a'), true);
  t.equal(hostsOf({ family: AF_INET6, address: 'fe80::a', port: 1 }, [])('localhost'), false);
  t.equal(hostsOf({ family: AF_INET, address: '10.0.0.1', port: 1 }, [])('10.0.0.2'), false);
  for (const address of ['127.0.0.2', '127.0.0.1'])
    t.equal(hostsOf({ family: AF_INET, address, port: 1 }, [])('localhost'), true);
  for (const [address, other] of [
    ['::1', false],
    ['::', true],
  ] as const) {
    const isOurs = hostsOf({ family: AF_INET6, address, port: 1 }, []);
    t.same([isOurs('localhost'), isOurs('10.0.0.1'), isOurs('other')], [true, other, false], address);
  }
  t.equal(hostsOf({ family: AF_UNIX, path: '/s' }, [])('evil.example'), true);
  t.end();
});

t.test('a scrape is served even if idle connections hold all places and more wait', async (t) => {
  const port = endpoint(t, { clock: { now: () => 1_000_000_000 } });
  const idle = Array.from({ length: 3 * MAX_METRICS_CONNECTIONS }, () =>
    connect({ port, host: '127.0.0.1' }).on('error', () => {}),
  );
  await Promise.all(idle.map((socket) => new Promise((resolve) => socket.once('connect', resolve))));
  t.match(await answerTo(port, 'GET /metrics HTTP/1.0\r\n\r\n'), /^HTTP\/1\.1 200 /);
  for (const socket of idle) socket.destroy();
});

t.test('the limits are those that the docs state', async (t) => {
  t.same(
    {
      connections: MAX_METRICS_CONNECTIONS,
      slowClientSeconds: SLOW_METRICS_CLIENT_SECONDS,
      requestBytes: MAX_HTTP_REQUEST_BYTES,
      tokenLength: MIN_TOKEN_LENGTH,
      pages: MAX_PAGES,
      downloads: MAX_DOWNLOADS,
      backlogBytes: MAX_STREAM_BACKLOG_BYTES,
      slowStreamSeconds: SLOW_STREAM_SECONDS,
      chainSeconds: CHAIN_SECONDS,
      historySeconds: HISTORY_SECONDS,
      shownEvents: MAX_SHOWN_EVENTS,
      viewedEvents: MAX_VIEWED_EVENTS,
      slowCallbacks: MAX_SLOW_CALLBACKS,
      slowCallbacksSeconds: SLOW_CALLBACKS_SECONDS,
      lagResolutionMs: LAG_RESOLUTION_MS,
      traceMiB: DEFAULT_TRACE_LIMIT_MIB,
      waitingTraceBytes: MAX_WAITING_TRACE_BYTES,
      reportVersion: REPORT_VERSION,
    },
    {
      connections: 16,
      slowClientSeconds: 5,
      requestBytes: 8192,
      tokenLength: 16,
      pages: 32,
      downloads: 4,
      backlogBytes: 1_048_576,
      slowStreamSeconds: 5,
      chainSeconds: 10,
      historySeconds: 600,
      shownEvents: 500,
      viewedEvents: 1000,
      slowCallbacks: 10,
      slowCallbacksSeconds: 60,
      lagResolutionMs: 50,
      traceMiB: 64,
      waitingTraceBytes: 4_194_304,
      reportVersion: 1,
    },
  );
});
