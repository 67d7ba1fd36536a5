// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';

/** A directory for Unix sockets, whose paths must be short; it goes away with the test. */
export function shortDirectory(t: Test): string {
  const directory = mkdtempSync(join(tmpdir(), 'tapdisk-ts-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  return directory;
}

/** A Unix socket that somebody serves until the test ends; its path. */
export async function servedSocket(t: Test): Promise<string> {
  const path = join(shortDirectory(t), 'socket');
  const server = createServer().listen(path);
  t.teardown(() => server.close());
  await once(server, 'listening');
  return path;
}
