// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { descriptorOrErrno, NO_DESCRIPTOR, type Equivalents, type Equivalent } from './shared.js';

export const daemon: Equivalents = {
  'src/daemon/daemon.ts': [
    ['break;', ';', 'A server that was stopped ends its next run at once.'],
    ['this.#parent?.[Symbol.dispose]();', ';', 'The end of the server, soon after, clears all events.'],
  ],
  'src/daemon/metrics-service.ts': ['listener', 'page'].map((each): Equivalent => [
    `this.#closing.push(${each});`,
    `this.#closing.unshift(${each});`,
    'All of them are closed at the end, in whatever order.',
  ]),
  'src/daemon/open-disks.ts': [
    [
      'if (!(error instanceof SystemError)) throw error;',
      'if (!(error instanceof SystemError)) ;',
      'Opening a disk rejects with nothing else, whatever its driver throws.',
    ],
  ],
  'src/daemon/replication-control.ts': ['epoch <= 0', 'epoch < 1'].map((failed): Equivalent => [
    "if (epoch < 0) throw new SystemError(epoch, 'the checkpoint was not committed: see the status');",
    `if (${failed}) throw new SystemError(epoch, 'the checkpoint was not committed: see the status');`,
    'The first checkpoint has the number 1.',
  ]),
  'src/daemon/pid-file.ts': [
    ...descriptorOrErrno('if (this.#fd < 0) return;'),
    ['this.#fd = -1;', 'this.#fd = -2;', NO_DESCRIPTOR],
    ...['bytes: 33,', 'bytes: 31,'].map((after): Equivalent => [
      'bytes: 32,',
      after,
      'A number with its line end has 22 bytes at most: whatever fills more is none.',
    ]),
  ],
  'src/daemon/tls-files.ts': [
    [
      'const version = minVersion === undefined ? {} : { minVersion };',
      'const version = false ? {} : { minVersion };',
      'An undefined version stands for the default one, too.',
    ],
  ],
  'src/daemon/services.ts': [
    ...['address', "{ family: AF_UNIX, path: '' }"].map((unless): Equivalent => [
      `return formatAddress(nbd.addresses.at(-1) ?? ${unless});`,
      'return formatAddress(nbd.addresses.at(-1));',
      'What listens has an address.',
    ]),
    [
      'const result = fd < 0 ? fd : nbd.listenOn(fd);',
      'const result = fd < 1 ? fd : nbd.listenOn(fd);',
      'The numbers of descriptors begin at 3.',
    ],
    [
      'const result = fd < 0 ? fd : nbd.listenOn(fd);',
      'const result = fd <= 0 ? fd : nbd.listenOn(fd);',
      'The numbers of descriptors begin at 3.',
    ],
  ],
};
