// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { createHash, timingSafeEqual } from 'node:crypto';
import { errno } from '../posix/errno.js';
import { SystemError } from '../posix/system-error.js';
import { readWholeFile } from '../server/own-file.js';

/** A token must not be guessed within its lifetime: at least this many characters. */
export const MIN_TOKEN_LENGTH = 16;
/** The member of a query by which a browser brings the token the first time. */
const QUERY_NAME = 'token';

/** Admits clients that have the token. */
export interface HttpAccess {
  readonly token: string;
  /** Of a browser's cookie for the token. Browsers share cookies between ports, so the name is derived from the token. */
  readonly cookieName: string;
}

export function accessBy(token: string): HttpAccess {
  return { token, cookieName: `tapdisk-ts-${digestOf(token).toString('hex', 0, 4)}` };
}

/**
 * The token in a file, without the space around it.
 *
 * @throws SystemError EINVAL when it is none, or readWholeFile's error
 */
export function readToken(path: string): string {
  const token = readWholeFile(path).toString('latin1').trim();
  if (/^[\w.~+/=-]+$/.test(token) && token.length >= MIN_TOKEN_LENGTH) return token;
  const expected = `at least ${MIN_TOKEN_LENGTH} letters, digits or -._~+/=, in one line`;
  throw new SystemError(-errno.EINVAL, `${path} has no token: expected ${expected}`);
}

/**
 * Whether a request brings the token: in its `Authorization: Bearer`, in its cookie, or in its query. From the query it is
 * moved into a cookie, by the field that is returned with a redirection, so that it does not stay where it can be read.
 */
export function admit(
  { token, cookieName }: HttpAccess,
  request: string,
  query: URLSearchParams,
): 'yes' | 'no' | { readonly field: string } {
  const [, bearer] = /\r\nAuthorization:[ \t]*Bearer[ \t]+(\S+)[ \t]*\r\n/i.exec(request) ?? [];
  if (bearer !== undefined) return isEqual(bearer, token) ? 'yes' : 'no';
  const asked = query.get(QUERY_NAME);
  if (asked !== null) {
    if (!isEqual(asked, token)) return 'no';
    return { field: `Set-Cookie: ${cookieName}=${token}; Path=/; HttpOnly; SameSite=Strict` };
  }
  const [, cookies = ''] = /\r\nCookie:([^\r]*)\r\n/i.exec(request) ?? [];
  const kept = cookies
    .split(';')
    .map((cookie) => cookie.trim())
    .find((cookie) => cookie.startsWith(`${cookieName}=`));
  return kept !== undefined && isEqual(kept.slice(cookieName.length + 1), token) ? 'yes' : 'no';
}

/** Takes the same time wherever they differ. */
function isEqual(one: string, other: string): boolean {
  return timingSafeEqual(digestOf(one), digestOf(other));
}

function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
