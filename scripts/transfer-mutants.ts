// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { inFile, type Mutant } from './mutant.js';

/** Nothing else runs the files. */
const noticing = { detectors: ['vectors'] };

/** Small ways to break the transfers. */
export const TRANSFER_MUTANTS: readonly Mutant[] = [
  ...inFile(
    'replication/async-io.ts',
    [
      [
        'A2',
        "keeps the caller's members in init",
        'Object.assign(taio, tdAsyncIo({ server, posix, fd: -1, timeoutId: -1, ioId: -1 }));',
        'Object.assign(taio, { fd: -1, timeoutId: -1, ioId: -1 });',
      ],
      ['A2', 'leaves id 0 in init', 'fd: -1, timeoutId: -1, ioId: -1 }', 'fd: -1, timeoutId: 0, ioId: 0 }'],
      ['A3', 'takes id 0 for no id', 'if (taio[member] >= 0) {', 'if (taio[member] > 0) {'],
      [
        'A4',
        'is running while it has a timeout',
        'return taio.running;',
        'return taio.timeoutId > 0 ? 1 : 0;',
      ],
      ['A5', 'starts over one that is running', 'if (taio.running) return -1;', ''],
      ['A5', 'takes a size of 0', 'taio.size <= 0 ||', 'taio.size < 0 ||'],
      ['A5', 'takes a negative size', 'taio.size <= 0 ||', 'taio.size === 0 ||'],
      ['A5', 'takes a negative descriptor', ' || taio.fd < 0', ''],
      [
        'A6',
        'refuses an unknown mode before it is running',
        '  taio.running = 1;\n  const id = registerIoEvent(taio);\n  if (id < 0) {\n    tdAsyncIoKill(taio);',
        '  const id = registerIoEvent(taio);\n  taio.running = 1;\n  if (id < 0) {\n    taio.running = 0;',
      ],
      [
        'A6',
        'takes an unknown mode for a write',
        '    case TD_ASYNC_WRITE:\n      return',
        '    default:\n      return',
      ],
      [
        'A6',
        'waits for the timeout with the I/O event',
        'registerEvent(POLL_READ_FD, taio.fd, 0,',
        'registerEvent(POLL_READ_FD, taio.fd, taio.timeoutS,',
      ],
      ['A6', 'waits for READ to write', 'registerEvent(POLL_WRITE_FD,', 'registerEvent(POLL_READ_FD,'],
      [
        'A6',
        'has the timeout on the descriptor',
        'registerEvent(TIMEOUT, -1, taio',
        'registerEvent(TIMEOUT, taio.fd, taio',
      ],
      [
        'A6',
        'has a timeout of 0 too',
        'if (taio.timeoutS && registerTimeout(taio) < 0) {',
        'if (registerTimeout(taio) < 0) {',
      ],
      [
        'A6',
        'has no negative timeout',
        'if (taio.timeoutS && registerTimeout',
        'if (taio.timeoutS > 0 && registerTimeout',
      ],
      [
        'A6',
        'goes on without a timeout',
        'if (taio.timeoutS && registerTimeout(taio) < 0) {\n    tdAsyncIoKill(taio);\n    return -1;\n  }',
        'if (taio.timeoutS) registerTimeout(taio);',
      ],
      ['A6', 'goes on counting where the last run ended', '  taio.used = 0;\n  return 0;', '  return 0;'],
      [
        'A6',
        'forgets what was moved when it starts in vain',
        '  taio.running = 1;\n',
        '  taio.running = 1;\n  taio.used = 0;\n',
      ],
      [
        'A6',
        'calls back when it starts in vain',
        '  if (id < 0) {\n    tdAsyncIoKill(taio);',
        '  if (id < 0) {\n    end(taio, 0, -id);',
      ],
      [
        'A7',
        'kills one that is not running',
        "if (!taio.running) return;\n\n  unregisterId(taio, 'timeoutId');",
        "unregisterId(taio, 'timeoutId');",
      ],
      [
        'A7',
        'unregisters the I/O event first',
        "unregisterId(taio, 'timeoutId');\n  unregisterId(taio, 'ioId');",
        "unregisterId(taio, 'ioId');\n  unregisterId(taio, 'timeoutId');",
      ],
      ['A7', 'leaves the timeout registered in a kill', "  unregisterId(taio, 'timeoutId');\n", ''],
      [
        'A7',
        'does not forget an unregistered id',
        '    taio.server.unregisterEvent(taio[member]);\n    taio[member] = -1;',
        '    taio.server.unregisterEvent(taio[member]);',
      ],
      [
        'A7',
        'forgets what was moved in a kill',
        "  unregisterId(taio, 'ioId');\n  taio.running = 0;",
        "  unregisterId(taio, 'ioId');\n  taio.used = 0;\n  taio.running = 0;",
      ],
      [
        'A8',
        'calls back before it kills',
        '  tdAsyncIoKill(taio);\n  (taio.callback as TaioCallback)(taio, realsize, errnoval);',
        '  (taio.callback as TaioCallback)(taio, realsize, errnoval);\n  tdAsyncIoKill(taio);',
      ],
      [
        'A9',
        'reads once a firing',
        'if (taio.used < taio.size) return true;',
        'if (taio.used < taio.size) return false;',
      ],
      [
        'A9',
        'reads over what it has read',
        'taio.posix.read(taio.fd, taio.buff.subarray(taio.used, taio.size))',
        'taio.posix.read(taio.fd, taio.buff.subarray(0, taio.size - taio.used))',
      ],
      [
        'A9',
        'does not report the bytes before the end of file',
        'return end(taio, taio.used, 0);',
        'return end(taio, 0, 0);',
      ],
      [
        'A9',
        'reports the end of file as an error',
        'return end(taio, taio.used, 0);',
        'return end(taio, taio.used, errno.EPIPE);',
      ],
      [
        'A9',
        'waits after EINTR',
        'return true;\n  } else if (ret === -errno.EAGAIN)',
        'renewTimeout(taio);\n  } else if (ret === -errno.EAGAIN)',
      ],
      ['A9', 'reports the bytes moved before an error', 'end(taio, 0, -ret);', 'end(taio, taio.used, -ret);'],
      ['A9', 'reports a negative errno', 'end(taio, 0, -ret);', 'end(taio, 0, ret);'],
      ['A10', 'takes a write of 0 bytes for the end', 'if (ret >= 0) {', 'if (ret > 0) {'],
      [
        'A10',
        'takes a write of 0 bytes for EAGAIN',
        '  if (ret >= 0) {\n    taio.used += ret;',
        '  if (ret === 0) renewTimeout(taio);\n  else if (ret > 0) {\n    taio.used += ret;',
      ],
      [
        'A11',
        'reads all that the buffer has room for',
        'taio.posix.read(taio.fd, taio.buff.subarray(taio.used, taio.size))',
        'taio.posix.read(taio.fd, taio.buff.subarray(taio.used))',
      ],
      [
        'A11',
        'reads once more when all is there',
        'if (taio.used < taio.size) return true;',
        'if (taio.used <= taio.size) return true;',
      ],
      [
        'A12',
        'does not renew the timeout',
        '    renewTimeout(taio);\n  } else',
        '    return false;\n  } else',
      ],
      [
        'A12',
        'renews the timeout only after bytes',
        '  if (!taio.timeoutS) return;',
        '  if (!taio.timeoutS || taio.used === 0) return;',
      ],
      [
        'A12',
        'leaves the old timeout registered',
        '  taio.server.unregisterEvent(taio.timeoutId);\n  taio.timeoutId = -1;',
        '  taio.timeoutId = -1;',
      ],
      [
        'A12',
        'spares unregistering what is no id',
        '  taio.server.unregisterEvent(taio.timeoutId);\n  taio.timeoutId = -1;',
        "  unregisterId(taio, 'timeoutId');",
      ],
      [
        'A12',
        'goes on without a timeout that could not be renewed',
        '  if (id < 0) end(taio, -1, id);',
        '  void id;',
      ],
      ['A12', 'reports a failed renewal with a positive errno', 'end(taio, -1, id);', 'end(taio, -1, -id);'],
      ['A12', 'reports a failed renewal as a timeout', 'end(taio, -1, id);', 'end(taio, 0, errno.ETIME);'],
      [
        'A13',
        'reports a timeout as ETIMEDOUT',
        'end(taio, 0, errno.ETIME);',
        'end(taio, 0, errno.ETIMEDOUT);',
      ],
      [
        'A13',
        'reports what came before the timeout',
        'end(taio, 0, errno.ETIME);',
        'end(taio, taio.used, errno.ETIME);',
      ],
      [
        'A15',
        'registers the timeout first',
        '  const id = registerIoEvent(taio);\n  if (id < 0) {',
        '  if (taio.timeoutS) registerTimeout(taio);\n  const id = registerIoEvent(taio);\n  if (id < 0) {',
      ],
      [
        'A16',
        'renews a timeout that was set to 0',
        '  if (!taio.timeoutS) return;',
        '  if (taio.timeoutId < 0) return;',
      ],
    ],
    noticing,
  ),
];
