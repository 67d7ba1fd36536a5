// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import {
  descriptorOrErrno,
  NO_DESCRIPTOR,
  OUR_FAULT,
  tuned,
  type Equivalents,
  type Equivalent,
} from './shared.js';

/** An assertion, with what is thrown where it does not hold: it always does. */
const alwaysHolds = (condition: string, thrown: string, reason: string): Equivalent[] =>
  [`if (false) ${thrown}`, `if (${condition}) ;`].map((after) => [
    `if (${condition}) ${thrown}`,
    after,
    reason,
  ]);

/** Whatever is thrown that is no TransferError is a fault of ours, and passed on. */
const passesOnFaults = (): Equivalent[] =>
  ['if (false) throw error;', 'if (!(error instanceof TransferError)) ;'].map((after) => [
    'if (!(error instanceof TransferError)) throw error;',
    after,
    OUR_FAULT,
  ]);

const CLOSED_LATER = 'An error is thrown in any case; the descriptor is closed a little later.';

export const transfer: Equivalents = {
  'src/transfer/connection.ts': [
    ...tuned('const BACKLOG = 16;', 'const BACKLOG = 17;', 'const BACKLOG = 15;'),
    ...['fd: -0,', 'fd: -2,'].map((fd): Equivalent => ['fd: -1,', fd, NO_DESCRIPTOR]),
  ],
  'src/transfer/backup.ts': passesOnFaults(),
  'src/transfer/primary.ts': [
    ...passesOnFaults(),
    [
      "if (this.#connection.state === 'established') resetConnection(posix, struct.fd);",
      'if (true) resetConnection(posix, struct.fd);',
      'What is not connected has no peer that could see a reset, and is closed next.',
    ],
  ],
  'src/transfer/image-reader.ts': [
    [
      "else if (start.length >= HEADER.length) this.#mode = 'framed';",
      "else if (start.length > HEADER.length) this.#mode = 'framed';",
      'A header alone is kept until the next byte decides the same, and is broken if there is none.',
    ],
  ],
  'src/transfer/input.ts': [
    [
      'return await inputFromOpened(path, file);',
      'return inputFromOpened(path, file);',
      'The status of an open file can be read, and what else it fails with has its words already.',
    ],
    ['await file.close();', 'file.close();', CLOSED_LATER],
    ...['1024 / 1024', '1025 * 1024', '1023 * 1024', '1024 * 1025', '1024 * 1023'].flatMap((size) =>
      tuned('const READ_BYTES = 1024 * 1024;', `const READ_BYTES = ${size};`),
    ),
  ],
  'src/transfer/output.ts': [
    '1024 / 1024',
    '1025 * 1024',
    '1023 * 1024',
    '1024 * 1025',
    '1024 * 1023',
  ].flatMap((size) =>
    tuned('export const WRITE_BUFFER_BYTES = 1024 * 1024;', `export const WRITE_BUFFER_BYTES = ${size};`),
  ),
  'src/transfer/pump.ts': [
    ...['257 * 1024', '255 * 1024', '256 * 1025', '256 * 1023'].flatMap((size) =>
      tuned('export const PUMP_BUFFER_BYTES = 256 * 1024;', `export const PUMP_BUFFER_BYTES = ${size};`),
    ),
    ...['this.#buffer ??= new', 'if (this.#pieces.length > 0) this.#buffer ??= new'].map(
      (start): Equivalent => [
        `${start} Uint8Array(PUMP_BUFFER_BYTES);`,
        `${start.replace('??=', '=')} Uint8Array(PUMP_BUFFER_BYTES);`,
        'A fresh buffer serves as well as the one before; to keep that only takes less time.',
      ],
    ),
    ...tuned(
      'for (let room = PUMP_BUFFER_BYTES; room > 0 && !this.#sourceEnded;) {',
      'for (let room = PUMP_BUFFER_BYTES; room > 1 && !this.#sourceEnded;) {',
    ),
    [
      'const sent = this.#buffer === undefined && this.#pieces.length > 0 ? this.#sendAll() : -errno.EOPNOTSUPP;',
      'const sent = this.#buffer === undefined && this.#pieces.length >= 0 ? this.#sendAll() : -errno.EOPNOTSUPP;',
      'To send nothing is not supported.',
    ],
    ...['sent > 0', 'sent >= 1'].map((sent): Equivalent => [
      'if (sent >= 0) this.#pieces.length = 0;',
      `if (${sent}) this.#pieces.length = 0;`,
      'It is 0 where all pieces are empty, and these may be sent again.',
    ]),
  ],
  'src/transfer/backup-answer.ts': [
    ...['end > 0', 'end >= 1'].map((end): Equivalent => [
      'if (end >= 0 && end < MAX_VERDICT_BYTES) this.#verdict = parseVerdict(this.#line.slice(0, end));',
      `if (${end} && end < MAX_VERDICT_BYTES) this.#verdict = parseVerdict(this.#line.slice(0, end));`,
      'An empty line is no verdict.',
    ]),
    ...['if (false) return;', 'if (this.#isLine) ;'].map((after): Equivalent => [
      'if (this.#isLine) return;',
      after,
      'What follows the first line takes memory, and changes nothing else.',
    ]),
  ],
  'src/transfer/output-standard.ts': [
    [
      'if (stats.isFIFO() || stats.isSocket()) return new Socket({ fd, readable: false, writable: true });',
      'if (stats.isFIFO() || stats.isSocket()) return new Socket({ fd, readable: true, writable: true });',
      'Nothing reads from it.',
    ],
    [
      'abandon: () => Promise.resolve(),',
      'abandon: () => undefined,',
      'It is only waited for, and there is nothing to wait for.',
    ],
  ],
  'src/transfer/observed-calls.ts': descriptorOrErrno('if (fd < 0) return fd;'),
  'src/transfer/refusal.ts': [
    ...['65 * 1024', '63 * 1024', '64 * 1025', '64 * 1023'].flatMap((size) =>
      tuned('const SCRATCH_BYTES = 64 * 1024;', `const SCRATCH_BYTES = ${size};`),
    ),
    [
      'if (goesOn && fired !== TIMEOUT && posix.clock.now() < this.#until) return;',
      'if (goesOn && fired !== TIMEOUT && posix.clock.now() <= this.#until) return;',
      'At that very moment the time of the event is over, too.',
    ],
  ],
  'src/transfer/sending.ts': [
    ...['17 * 1024', '15 * 1024', '16 * 1025', '16 * 1023'].flatMap((size) =>
      tuned('const ANSWER_BUFFER_BYTES = 16 * 1024;', `const ANSWER_BUFFER_BYTES = ${size};`),
    ),
    [
      'const isRefusal = this.#greetingBytes > 0 && startsAlike(this.#said, REFUSAL);',
      'const isRefusal = this.#greetingBytes > 1 && startsAlike(this.#said, REFUSAL);',
      'After a first byte alone the next read asks for less, and the one after it for the rest.',
    ],
    [
      'this.#watch(0, () => this.#hear());',
      'this.#watch(1, () => this.#hear());',
      'When the time is over there is nothing to hear, which changes nothing.',
    ],
    ...['end <= 0', 'end < 1'].map((end): Equivalent => [
      'if (end < 0 && said.length < MAX_VERDICT_BYTES) return;',
      `if (${end} && said.length < MAX_VERDICT_BYTES) return;`,
      'Whatever begins like a refusal does not begin with the end of a line.',
    ]),
    [
      'if (count > 0) this.#answer.take(this.#buffer.subarray(0, count));',
      'if (count >= 0) this.#answer.take(this.#buffer.subarray(0, count));',
      'An answer that takes nothing stays as it is.',
    ],
    ...['1', '-2', '-0'].map((fd): Equivalent => ['#inputFd = -1;', `#inputFd = ${fd};`, NO_DESCRIPTOR]),
    ...alwaysHolds(
      'digest === undefined',
      "throw new Error('complete before the end of the image');",
      'A transfer is complete after the end of the image only.',
    ),
  ],
  'src/transfer/output-file.ts': [
    [
      'const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;',
      'const flags = constants.O_RDONLY & constants.O_NOFOLLOW | constants.O_NONBLOCK;',
      'A link that takes the place of the file meanwhile would only be looked through.',
    ],
    ['await file.close();', 'file.close();', CLOSED_LATER],
    [
      'await fileResult((done) => files.close(fd, done));',
      'fileResult((done) => files.close(fd, done));',
      'The file was only looked at; nothing waits for its descriptor.',
    ],
    [
      "const exclusive = place.existing?.kind === 'block' ? constants.O_EXCL : 0;",
      "const exclusive = place.existing?.kind === 'block' ? constants.O_EXCL : 1;",
      'That is O_WRONLY, which is among the flags already.',
    ],
    [
      'await place.close();',
      'place.close();',
      'The directory is not used any more, whether its descriptor is closed before or after what follows.',
    ],
  ],
  'src/transfer/receiving.ts': [
    ...[
      'false ? -errno.EBADF : posix.adopt(this.#copy.stream)',
      'this.#copy === undefined ? errno.EBADF : posix.adopt(this.#copy.stream)',
    ].map((fd): Equivalent => [
      'this.#outputFd = this.#copy === undefined ? -errno.EBADF : posix.adopt(this.#copy.stream);',
      `this.#outputFd = ${fd};`,
      'There is a copy once the output is open.',
    ]),
    ...alwaysHolds(
      'ending === undefined || copy === undefined',
      "throw new Error('an end without an ending');",
      'At the end of the stream there are both.',
    ),
    [
      "if (ending === undefined || copy === undefined) throw new Error('an end without an ending');",
      "if (ending === undefined && copy === undefined) throw new Error('an end without an ending');",
      'At the end of the stream there are both.',
    ],
    ...['1', '-2', '-0'].flatMap((fd): Equivalent[] => [
      ['#outputFd = -1;', `#outputFd = ${fd};`, NO_DESCRIPTOR],
      ['this.#outputFd = -1;', `this.#outputFd = ${fd};`, NO_DESCRIPTOR],
    ]),
  ],
};
