#!/usr/bin/env node
// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// Without a handler Node opens a debugger's port on SIGUSR1. The rest is loaded after this, and has handlers of its own.
process.on('SIGUSR1', () => {});
try {
  await import('./main-program.js');
} catch (error) {
  const { code, path } = error as NodeJS.ErrnoException;
  if (code !== 'EMFILE' || !/\.[jt]s$/.test(path ?? '')) throw error;
  process.stderr.write(`tapdisk-ts: cannot load ${path}: too many open files; raise the limit (ulimit -n)\n`);
  process.exitCode = 1;
}
