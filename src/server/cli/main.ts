#!/usr/bin/env node
// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { dispatch } from './dispatch.js';

// A reader that has gone away (`| head`) is no reason to fail; a report that nobody reads is not missed. When an image
// goes to standard output, its descriptor sees the error, too.
const ignoreClosedPipe = (error: NodeJS.ErrnoException): void => {
  if (error.code !== 'EPIPE') throw error;
};

process.stderr.on('error', ignoreClosedPipe);
process.exitCode = await dispatch(process.argv.slice(2), {
  get stdin() {
    return process.stdin;
  },
  get stdout() {
    // Each look at it adds no more than one listener.
    return process.stdout.off('error', ignoreClosedPipe).on('error', ignoreClosedPipe);
  },
  get stderr() {
    return process.stderr;
  },
});
