// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { HttpDocument } from '../http.js';
import { packageFile } from '../../server/package-file.js';

/** Nothing from elsewhere, nothing inline, no frames, no forms, no HTML made of text. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

const FILES = [
  ['/', 'index.html', 'text/html; charset=utf-8'],
  ['/page.js', 'page.js', 'text/javascript; charset=utf-8'],
  ['/page.css', 'page.css', 'text/css; charset=utf-8'],
  ['/icon.svg', 'icon.svg', 'image/svg+xml'],
] as const;

/**
 * The page's files, by path, as they were built.
 *
 * @throws Error when they were not
 */
export function pageFiles(directory = packageFile('dist/page')): [path: string, document: HttpDocument][] {
  return FILES.map(([path, file, contentType]) => {
    const bytes = readBuilt(join(directory, file));
    return [path, { contentType, body: () => bytes, fields: [`Content-Security-Policy: ${POLICY}`] }];
  });
}

function readBuilt(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new Error(`the status page was not built: ${path} is missing: expected npm run build`, { cause });
  }
}
