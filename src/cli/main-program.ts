// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { shownMessage } from '../server/shown-text.js';
import { dispatch } from './dispatch.js';
import { EXIT_FAILED, EXIT_USAGE } from './exit-status.js';
import { exitNow } from '../posix/node/exit-now.js';
import { nodeTimers } from '../posix/timers.js';
import { lostBytes } from './lost-bytes.js';

// A reader that has gone away (`| head`) is no reason to fail, and a report that nobody reads is not missed.
const onError = (error: NodeJS.ErrnoException): void => {
  if (error.code === 'EPIPE') return;
  process.stderr.write(`tapdisk-ts: cannot write standard output: ${shownMessage(error.message)}\n`);
  process.exitCode = EXIT_FAILED;
};

process.stderr.on('error', () => {});
const lost = lostBytes();
if (lost !== undefined) {
  process.stderr.write(`tapdisk-ts: ${lost}\n`);
  process.exit(EXIT_USAGE);
}
const status = await dispatch(process.argv.slice(2), {
  get stdin() {
    return process.stdin;
  },
  stdinFd: 0,
  get stdout() {
    // Each look at it leaves one listener.
    return process.stdout.off('error', onError).on('error', onError);
  },
  stdoutFd: 1,
  stderrFd: 2,
  get stderr() {
    return process.stderr;
  },
  exitWithin(seconds) {
    if (seconds < Infinity) nodeTimers.setTimeout(() => exitNow(), seconds * 1000).unref();
  },
});
process.exitCode ??= status;
