// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { ExchangeProtocol, Reply } from '../server/exchange.js';
import { type IsOurHost, requestedHosts } from './http-host.js';

/** No request is longer, in bytes, its header fields included. */
export const MAX_HTTP_REQUEST_BYTES = 8192;

/** A document that can be fetched. */
export interface HttpDocument {
  readonly contentType: string;
  /** Made anew for every request. */
  readonly text: () => string;
}

const reasons = {
  200: 'OK',
  400: 'Bad Request',
  404: 'Not Found',
  405: 'Method Not Allowed',
  421: 'Misdirected Request',
  431: 'Request Header Fields Too Large',
  505: 'HTTP Version Not Supported',
} as const;
type Status = keyof typeof reasons;

/**
 * As much of HTTP/1.1 (RFC 9112) as it takes to serve a few documents: GET and HEAD, one request a connection, no bodies.
 *
 * Of version 1.1, a request without a Host, or with two, is a bad one (400); one for another host is misdirected (421).
 *
 * @param documents by their path
 */
export function httpProtocol(
  documents: ReadonlyMap<string, HttpDocument>,
  isOurHost: IsOurHost,
): ExchangeProtocol {
  return {
    maxRequestBytes: MAX_HTTP_REQUEST_BYTES,
    requestLength(received) {
      const bytes = Buffer.from(received.buffer, received.byteOffset, received.length);
      const end = bytes.indexOf('\r\n\r\n', startOf(bytes));
      return end < 0 ? 0 : end + 4;
    },
    answer: (request, reply) => {
      const bytes = Buffer.from(request);
      const text = bytes.toString('latin1', startOf(bytes));
      const refusal = refusalOf(text, isOurHost);
      if (refusal === undefined) answerHttp(text, reply, documents);
      else sendStatus(reply, refusal);
    },
    tooLong: (reply) => sendStatus(reply, 431),
  };
}

/** Where a request begins: one empty line before it is passed over (RFC 9112 section 2.2). */
function startOf(bytes: Buffer): number {
  const start = bytes.toString('latin1', 0, 4);
  return start.startsWith('\r\n') && start !== '\r\n\r\n' ? 2 : 0;
}

/** The path of a target, in origin form or absolute form (RFC 9112 section 3.2), without a slash at its end. */
function pathOf(target: string): string {
  const path = target.replace(/^http:\/\/[^/?]*/i, '').replace(/\?.*$/, '');
  return path.endsWith('/') && path.length > 1 ? path.slice(0, -1) : path;
}

const LINE = /^(?<method>[!-~]+) (?<target>[!-~]+) HTTP\/(?<major>\d)\.(?<minor>\d)\r\n/;

/** What is wrong with a request whatever it asks for. */
function refusalOf(request: string, isOurHost: IsOurHost): Status | undefined {
  const line = LINE.exec(request)?.groups;
  if (!line) return 400;
  if (line['major'] !== '1') return 505;
  const hosts = requestedHosts(request);
  if (hosts === 'malformed') return 400;
  // Before 1.1 nobody had to say.
  if (hosts.length === 0 && line['minor'] !== '0') return 400;
  return hosts.every(isOurHost) ? undefined : 421;
}

function answerHttp(request: string, reply: Reply, documents: ReadonlyMap<string, HttpDocument>): void {
  const { method, target = '' } = LINE.exec(request)?.groups ?? {};
  const document = documents.get(pathOf(target));
  if (!document) return sendStatus(reply, 404);
  if (method !== 'GET' && method !== 'HEAD') return sendStatus(reply, 405, 'Allow: GET, HEAD\r\n');
  return send(reply, 200, document.contentType, document.text(), { withBody: method === 'GET' });
}

function sendStatus(reply: Reply, status: Status, fields = ''): void {
  send(reply, status, 'text/plain; charset=utf-8', `${status} ${reasons[status]}\n`, { fields });
}

function send(
  reply: Reply,
  status: Status,
  contentType: string,
  text: string,
  { withBody = true, fields = '' }: { withBody?: boolean; fields?: string },
): void {
  const body = Buffer.from(text);
  const head =
    `HTTP/1.1 ${status} ${reasons[status]}\r\nContent-Type: ${contentType}\r\n` +
    `Content-Length: ${body.length}\r\n${fields}Connection: close\r\n\r\n`;
  reply.send(withBody ? Buffer.concat([Buffer.from(head), body]) : Buffer.from(head));
  reply.end();
}
