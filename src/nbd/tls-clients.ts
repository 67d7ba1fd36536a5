// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { TLSSocket } from 'node:tls';

/** Which clients a server accepts. */
export interface ClientRules {
  /** The certificate has to be signed by the authority that the server knows. */
  readonly needsAuthority: boolean;
  /**
   * SHA-256 fingerprints of certificates, hexadecimal with or without colons, or parts of their subjects, `CN=name` or
   * `CN=name,O=company`, each of which has to be there. One of them has to fit; all do when it is undefined.
   */
  readonly allow: readonly string[] | undefined;
}

const FINGERPRINT = /^[0-9a-f]{64}$/;

/** The fingerprint that a text stands for, or undefined. */
export function fingerprintIn(text: string): string | undefined {
  const plain = text.replaceAll(':', '').toLowerCase();
  return FINGERPRINT.test(plain) ? plain : undefined;
}

/** What speaks against a client after its handshake, or undefined. Subjects count only with an authority. */
export function judgeClient(secured: TLSSocket, { needsAuthority, allow }: ClientRules): string | undefined {
  const certificate = secured.getPeerX509Certificate();
  if (certificate === undefined) return 'the client shows no certificate';
  if (needsAuthority && !secured.authorized) {
    return `the client's certificate is not trusted: ${String(secured.authorizationError)}`;
  }
  const fingerprint = fingerprintIn(certificate.fingerprint256);
  const subject = certificate.subject.split('\n');
  const fits = (rule: string): boolean => {
    const pin = fingerprintIn(rule);
    if (pin !== undefined) return pin === fingerprint;
    return needsAuthority && rule.split(',').every((part) => subject.includes(part));
  };
  if (allow === undefined || allow.some(fits)) return undefined;
  return `the client ${subject.join(',')} (${String(fingerprint)}) is not allowed`;
}
