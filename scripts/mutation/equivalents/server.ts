// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { GETUID, tuned, type Equivalents, type Equivalent } from './shared.js';

export const server: Equivalents = {
  'src/server/completions.ts': tuned(
    'export const MAX_TASKS_PER_TURN = 8;',
    'export const MAX_TASKS_PER_TURN = 7;',
    'export const MAX_TASKS_PER_TURN = 9;',
  ),
  'src/server/silence.ts': [
    [
      'return (posix.retransmissions?.(fd) ?? 0) > 0;',
      'return (posix.retransmissions?.(fd)) > 0;',
      'What is not known is not above 0 either.',
    ],
  ],
  'src/server/trusted-directory.ts': [
    [
      'export function linkOfAnother(path: string, uid: number = process.geteuid?.() ?? ROOT): string | undefined {',
      'export function linkOfAnother(path: string, uid: number = process.geteuid?.()): string | undefined {',
      GETUID,
    ],
  ],
  'src/server/socket-path.ts': [
    [
      'return lstatSync(path, { bigint: true, throwIfNoEntry: false });',
      'return lstatSync(path, { bigint: false, throwIfNoEntry: false });',
      'The numbers of devices and inodes below 2^53, which tests get, are exact as numbers too.',
    ],
  ],
  'src/server/client-connection.ts': [
    ...['true', 'outcome >= 0'].map((condition): Equivalent => [
      'return outcome > 0 ? -outcome : outcome;',
      `return ${condition} ? -outcome : outcome;`,
      'The option of an open descriptor can be read, and -0 is 0.',
    ]),
    [
      'if (seconds <= 0) return -errno.ETIMEDOUT;',
      'if (seconds < 0) return -errno.ETIMEDOUT;',
      'A wait without any time ends at once, too.',
    ],
  ],
  'src/server/dead-sockets.ts': [
    'if (false) throw error;',
    'if ((error as NodeJS.ErrnoException).code === undefined) ;',
  ].map((after): Equivalent => [
    'if ((error as NodeJS.ErrnoException).code === undefined) throw error;',
    after,
    'Whatever keeps a socket from being removed has a code.',
  ]),
  'src/server/exchange.ts': tuned(
    'const scratch = new Uint8Array(512);',
    'const scratch = new Uint8Array(511);',
    'const scratch = new Uint8Array(513);',
  ),
  'src/server/file-place.ts': [
    ['const own = process.geteuid?.() ?? file.uid;', 'const own = process.geteuid?.();', GETUID],
    [
      'await fileResult((done) => files.close(fd, done));',
      'fileResult((done) => files.close(fd, done));',
      'The descriptor is closed in any case, just before the error is thrown or just after.',
    ],
  ],
  'src/server/own-file.ts': [
    [
      'if (stats.uid !== (process.geteuid?.() ?? stats.uid))',
      'if (stats.uid !== (process.geteuid?.()))',
      GETUID,
    ],
    [
      "return (error as NodeJS.ErrnoException).code ?? '';",
      'return (error as NodeJS.ErrnoException).code;',
      'Whatever keeps a file from being opened has a code.',
    ],
  ],
  'src/server/exchange-listener.ts': tuned(
    'const BACKLOG = 64;',
    'const BACKLOG = 65;',
    'const BACKLOG = 63;',
  ),
};
