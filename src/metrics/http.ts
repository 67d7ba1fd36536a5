// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { ExchangeProtocol, ExchangeReply, Reply } from '../server/exchange.js';
import { admit, type HttpAccess } from './http-access.js';
import { type IsOurHost, requestedHosts } from './http-host.js';

/** No request is longer, in bytes, its header fields included. */
export const MAX_HTTP_REQUEST_BYTES = 8192;

/** A document that can be fetched. */
export interface HttpDocument {
  readonly contentType: string;
  /** Called for every request; undefined when there is none for this query. */
  readonly body: (query: URLSearchParams) => string | Uint8Array | undefined;
  /** Further fields, each as `Name: value`. */
  readonly fields?: readonly string[];
}

/** A response that has no end: its handler takes the connection over. */
export interface HttpStream {
  readonly contentType: string;
  /** @returns 200, 404 when there is none for this query, or 503 when there are too many already */
  readonly begin: (reply: ExchangeReply, head: Buffer, query: URLSearchParams) => 200 | 404 | 503;
}

/** What can be asked for, by path. */
export type HttpResources = ReadonlyMap<string, HttpDocument | HttpStream>;

const reasons = {
  200: 'OK',
  303: 'See Other',
  400: 'Bad Request',
  401: 'Unauthorized',
  404: 'Not Found',
  405: 'Method Not Allowed',
  421: 'Misdirected Request',
  431: 'Request Header Fields Too Large',
  503: 'Service Unavailable',
  505: 'HTTP Version Not Supported',
} as const;
type Status = keyof typeof reasons;

const HOW_TO_ENTER =
  'The token of --metrics-token-file is required: in a browser as http://ADDRESS/?token=TOKEN, the first time; ' +
  'of programs as Authorization: Bearer TOKEN.\n';

/** Of every response: none is cached, sniffed, framed, or read by a page from elsewhere. */
const COMMON_FIELDS = [
  'Cache-Control: no-store',
  'X-Content-Type-Options: nosniff',
  'X-Frame-Options: DENY',
  'Referrer-Policy: no-referrer',
  'Cross-Origin-Resource-Policy: same-origin',
  'Connection: close',
];

/**
 * As much of HTTP/1.1 (RFC 9112) as it takes to serve a few documents: GET and HEAD, one request a connection, no bodies.
 *
 * Of version 1.1, a request without a Host, or with two, is a bad one (400); one for another host is misdirected (421).
 *
 * @param access who may use it; everyone if omitted
 */
export function httpProtocol(
  resources: HttpResources,
  isOurHost: IsOurHost,
  access?: HttpAccess,
): ExchangeProtocol {
  return {
    maxRequestBytes: MAX_HTTP_REQUEST_BYTES,
    requestLength(received) {
      const bytes = Buffer.from(received.buffer, received.byteOffset, received.length);
      return REQUEST.exec(bytes.toString('latin1'))?.[0].length ?? 0;
    },
    answer: (request, reply) => {
      const text = Buffer.from(request)
        .toString('latin1')
        .replace(/^\r?\n/, '')
        .replaceAll(/\r?\n/g, '\r\n');
      const line = LINE.exec(text)?.groups as RequestLine | undefined;
      if (!line) return sendStatus(reply, 400);
      const refusal = refusalOf(line, text, isOurHost);
      if (refusal !== undefined) return sendStatus(reply, refusal);
      return answerHttp(line, text, reply, { resources, access });
    },
    tooLong: (reply) => sendStatus(reply, 431),
  };
}

/**
 * A request up to the empty line that ends it. One empty line before it is passed over, and a line may end without CR, as when
 * a person types it (RFC 9112 section 2.2).
 */
const REQUEST = /^(?:\r?\n(?!\r?\n))?[^]*?\r?\n\r?\n/;

/**
 * Path and query of a target, in origin form or absolute form (RFC 9112 section 3.2); the path without a slash at its end, and
 * without percent-encoding.
 */
function partsOf(target: string): { path: string; query: URLSearchParams } {
  const [whole = '', query = ''] = target.replace(/^https?:\/\/[^/?]*/i, '').split(/\?(.*)/s);
  // An absolute form may leave the slash out.
  const path = whole === '' ? '/' : decoded(whole);
  return {
    path: path.endsWith('/') && path.length > 1 ? path.slice(0, -1) : path,
    query: new URLSearchParams(query),
  };
}

/** What is encoded for no reason is the same path (RFC 3986 section 6.2.2.2). What cannot be decoded is of no document. */
function decoded(path: string): string {
  return path.replaceAll(/%([2-7][0-9a-f])/gi, (_, digits: string) =>
    String.fromCharCode(parseInt(digits, 16)),
  );
}

interface RequestLine {
  readonly method: string;
  readonly target: string;
  readonly major: string;
  readonly minor: string;
}

const LINE = /^(?<method>[!-~]+) (?<target>[!-~]+) HTTP\/(?<major>\d)\.(?<minor>\d)\r\n/;

/** What is wrong with a request, regardless of its target. */
function refusalOf({ major, minor }: RequestLine, request: string, isOurHost: IsOurHost): Status | undefined {
  if (major !== '1') return 505;
  const hosts = requestedHosts(request);
  if (hosts === 'malformed') return 400;
  // Before 1.1 the field was optional.
  if (hosts.length === 0 && minor !== '0') return 400;
  return hosts.every(isOurHost) ? undefined : 421;
}

function answerHttp(
  { method, target }: RequestLine,
  request: string,
  reply: ExchangeReply,
  { resources, access }: { resources: HttpResources; access: HttpAccess | undefined },
): void {
  const { path, query } = partsOf(target);
  const admitted = access ? admit(access, request, query) : 'yes';
  if (admitted === 'no') return sendStatus(reply, 401, ['WWW-Authenticate: Bearer'], HOW_TO_ENTER);
  if (admitted !== 'yes') {
    // Not anywhere: a path may begin with two slashes and a host.
    const location = resources.has(path) ? path : '/';
    return sendStatus(reply, 303, [`Location: ${location}`, admitted.field]);
  }
  const resource = resources.get(path);
  if (!resource) return sendStatus(reply, 404);
  if (method !== 'GET' && method !== 'HEAD') return sendStatus(reply, 405, ['Allow: GET, HEAD']);
  if ('begin' in resource) return answerStream(method, reply, resource, query);
  const body = resource.body(query);
  if (body === undefined) return sendStatus(reply, 404);
  const { contentType, fields } = resource;
  return send(reply, 200, body, { contentType, fields, withBody: method === 'GET' });
}

function answerStream(
  method: string,
  reply: ExchangeReply,
  { contentType, begin }: HttpStream,
  query: URLSearchParams,
): void {
  const head = headOf(200, [`Content-Type: ${contentType}`]);
  if (method === 'GET') {
    const status = begin(reply, head, query);
    if (status !== 200) sendStatus(reply, status, status === 503 ? ['Retry-After: 5'] : []);
    return;
  }
  reply.send(head);
  reply.end();
}

function sendStatus(reply: Reply, status: Status, fields: readonly string[] = [], hint = ''): void {
  send(reply, status, `${status} ${reasons[status]}\n${hint}`, { fields });
}

function send(
  reply: Reply,
  status: Status,
  content: string | Uint8Array,
  {
    contentType = 'text/plain; charset=utf-8',
    fields = [],
    withBody = true,
  }: { contentType?: string; fields?: readonly string[] | undefined; withBody?: boolean },
): void {
  const body = Buffer.from(content);
  const own = [`Content-Type: ${contentType}`, `Content-Length: ${body.length}`];
  const head = headOf(status, [...own, ...fields]);
  reply.send(withBody ? Buffer.concat([head, body]) : head);
  reply.end();
}

function headOf(status: Status, fields: readonly string[]): Buffer {
  const lines = [`HTTP/1.1 ${status} ${reasons[status]}`, ...fields, ...COMMON_FIELDS];
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`);
}
