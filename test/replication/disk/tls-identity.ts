// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { spawnSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import t, { type Test } from 'tap';

export const hasOpenssl = spawnSync('openssl', ['version']).status === 0;
if (!hasOpenssl)
  console.error(
    'SKIPPED: TLS of replication is not tested: openssl is missing, which makes the certificates',
  );

/** A test that needs certificates. */
export const tlsTest = (title: string, body: (t: Test) => Promise<void>): void =>
  void t.test(title, { skip: hasOpenssl ? false : 'openssl is missing' }, body);

export interface TlsIdentity {
  readonly certPath: string;
  readonly keyPath: string;
  /** PEM. */
  readonly cert: Buffer;
  readonly key: Buffer;
  /** SHA-256 with colons, upper case. */
  readonly fingerprint: string;
}

/** A certificate that has signed itself, in two files of a directory. */
export function tlsIdentity(directory: string, name: string): TlsIdentity {
  const [keyPath, certPath] = [path.join(directory, `${name}.key`), path.join(directory, `${name}.crt`)];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '1'];
  const made = spawnSync('openssl', [
    ...['req', '-x509', ...curve, '-subj', `/CN=${name}`, '-keyout', keyPath, '-out', certPath],
  ]);
  if (made.status !== 0) throw new Error(String(made.stderr));
  const cert = readFileSync(certPath);
  const { fingerprint256: fingerprint } = new X509Certificate(cert);
  return { certPath, keyPath, cert, key: readFileSync(keyPath), fingerprint };
}
