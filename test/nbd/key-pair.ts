// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import type { TlsKeyPair } from '../../src/nbd/index.js';

/** A certificate for localhost, good for a day, and its key; undefined without openssl. */
export function keyPair(t: Test): (TlsKeyPair & { readonly certPath: string }) | undefined {
  const directory = mkdtempSync(join(tmpdir(), 'tls-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  const [key, cert] = [join(directory, 'key.pem'), join(directory, 'cert.pem')];
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
  const { status } = spawnSync('openssl', [
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-days',
    '1',
    '-keyout',
    key,
    '-out',
    cert,
    ...subject,
  ]);
  if (status !== 0) return undefined;
  return { key: readFileSync(key), cert: readFileSync(cert), certPath: cert };
}
