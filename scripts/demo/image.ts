// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { createCipheriv, createHash } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { finished, pipeline } from 'node:stream/promises';

export const MIB = 1024 * 1024;

/** The same bytes every time: a key stream is as good as any noise, and quick. */
export async function generate(path: string, bytes: number): Promise<void> {
  const noise = createCipheriv('aes-128-ctr', Buffer.alloc(16, 'tapdisk'), Buffer.alloc(16));
  const file = createWriteStream(path);
  const zeroes = Buffer.alloc(MIB);
  for (let left = bytes; left > 0; left -= zeroes.length) {
    const chunk = noise.update(zeroes.subarray(0, Math.min(left, zeroes.length)));
    if (!file.write(chunk)) await once(file, 'drain');
  }
  file.end();
  await finished(file);
}

export async function sha256(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: MIB }), hash);
  return hash.digest('hex');
}
