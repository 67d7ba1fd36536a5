// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { readFileSync } from 'node:fs';
import t from 'tap';
import { errno, SystemError } from '../../src/posix/index.js';
import { callFailed, TransferError } from '../../src/transfer/transfer-error.js';

function thrownBy(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  return undefined;
}

t.test("a failed call of Node's is named in words, with its cause", async (t) => {
  const cause = thrownBy(() => readFileSync('/no/such/file'));
  const error = callFailed('cannot read image', cause);
  t.match(error, {
    name: 'TransferError',
    code: 'ENOENT',
    message: 'cannot read image: no such file or directory',
  });
  t.equal(error.cause, cause);
});

t.test(
  'an error with more detail than its errno keeps its message, and a TransferError stays as it is',
  async (t) => {
    const cause = new SystemError(-errno.EISDIR, 'it is a directory');
    const error = callFailed('cannot write copy', cause);
    t.match(error, { code: 'EISDIR', message: 'cannot write copy: it is a directory', cause });
    t.equal(callFailed('cannot send', error), error);
    t.ok(error instanceof TransferError);
  },
);

t.test('an error that is no failed call is thrown on', async (t) => {
  const withoutCode = Object.assign(new Error('no code'), { errno: -2 });
  const withoutErrno = Object.assign(new Error('no errno'), { code: 'ERR_INVALID_ARG_TYPE' });
  const noError = { errno: -2, code: 'ENOENT' };
  for (const fault of [new TypeError('x is not a function'), withoutCode, withoutErrno, noError])
    t.equal(
      thrownBy(() => callFailed('cannot write', fault)),
      fault,
    );
});
