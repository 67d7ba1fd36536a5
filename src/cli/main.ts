#!/usr/bin/env node
// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// Without a handler Node opens a debugger's port on SIGUSR1. The rest is loaded after this, and has handlers of its own.
process.on('SIGUSR1', () => {});
await import('./main-program.js');
