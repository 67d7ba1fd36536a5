// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import {
  descriptorOrErrno,
  SEQUENCES,
  SET_FIRST,
  SETTLED,
  type Equivalents,
  type Equivalent,
} from './shared.js';

const ASKED_OPEN = 'Nothing is asked of an image that is closed.';
export const ZEROES_ALREADY = 'What is a hole now is read, found to be zeroes, and left as it is.';
export const SUCCESS = 'Every result from 0 on is a success.';
const NOTHING_WAITS = 'Where there is none, none is looked at; to ask first only takes less time.';
export const ANY_ORDER = 'Those who wait hear of it at once, in whatever order.';
export const NO_FAILURE = 'Every number from 0 on is no failure.';
const NO_DATA = 'Nobody looks at the buffer of a request without data.';

/** A default for a part that is undefined where it is not needed. */
const withoutDefault = (parts: readonly string[], of: string, reason: string): Equivalent[] =>
  parts.map((part) => [
    of.replaceAll('PART', part),
    of.replaceAll('PART', part).replace(/ \?\? .*;/, ';'),
    reason,
  ]);

/** A return where nothing is left to do. */
const withoutReturn = (condition: string, reason = NOTHING_WAITS): Equivalent[] => [
  [`if (${condition}) return;`, 'if (false) return;', reason],
  [`if (${condition}) return;`, `if (${condition}) ;`, reason],
];

export const disks: Equivalents = {
  'src/disks/edge-order.ts': withoutReturn('this.#waiting.length === 0'),
  'src/disks/drivers/write-order.ts': withoutReturn('this.#waiting.length === 0'),
  'src/disks/drivers/given-up-ranges.ts': withoutReturn('this.#ranges.length === 0'),
  'src/disks/drivers/flush-group.ts': [
    ['#failure = 0;', '#failure = 1;', NO_FAILURE],
    ...['result <= 0', 'result < 1', 'true'].map((failed): Equivalent => [
      'if (result < 0) this.#failure = result;',
      `if (${failed}) this.#failure = result;`,
      NO_FAILURE,
    ]),
  ],
  'src/disks/drivers/hole-punch.ts': [
    ['#failure = 0;', '#failure = 1;', NO_FAILURE],
    ['this.#waiting.push({ range, done });', 'this.#waiting.unshift({ range, done });', ANY_ORDER],
    ['last.dones.push(done);', 'last.dones.unshift(done);', ANY_ORDER],
  ],
  'src/disks/drivers/hole-ranges.ts': [
    ...withoutReturn('from >= to', 'With no hole in the range none is replaced.'),
    ['if (from >= to) return;', 'if (from > to) return;', 'With no hole in the range none is replaced.'],
    ...['sector + 0', 'sector - 1'].map((least): Equivalent => [
      'let index = firstAtLeast(this.#ends, sector + 1);',
      `let index = firstAtLeast(this.#ends, ${least});`,
      'Of a hole that ends before the range nothing is reported.',
    ]),
    [
      'const from = firstAtLeast(this.#ends, sector + 1);',
      'const from = firstAtLeast(this.#ends, sector + 0);',
      'A hole that ends where the range begins is replaced by itself.',
    ],
  ],
  'src/disks/drivers/image-map.ts': [
    ...['true', 'this.#isReading || this.#changes.length <= MAX_CHANGES'].map((condition): Equivalent => [
      'if (this.#isReading && this.#changes.length <= MAX_CHANGES) this.#changes.push(range);',
      `if (${condition}) this.#changes.push(range);`,
      'What is noted before a reading is dropped when that begins, and of more than the bound only the number counts.',
    ]),
    [
      'if (this.#isReading && this.#changes.length <= MAX_CHANGES) this.#changes.push(range);',
      'if (this.#isReading && this.#changes.length <= MAX_CHANGES) this.#changes.unshift(range);',
      'Ranges are taken out of a map, in whatever order.',
    ],
    ['this.#waiting.push(waiting);', 'this.#waiting.unshift(waiting);', ANY_ORDER],
  ],
  'src/disks/drivers/image-size.ts': [
    'true ? Number(text) : -errno.EIO',
    '/^\\d+\\n?$/.test(text) ? Number(text) : errno.EIO',
  ].map((size): Equivalent => [
    'return /^\\d+\\n?$/.test(text) ? Number(text) : -errno.EIO;',
    `return ${size};`,
    'The kernel has a number there.',
  ]),
  'src/disks/drivers/remus.ts': [
    ['done(0);', 'done(1);', SUCCESS],
    [
      'const bits = mode === C_FIFO_MODE ? mode & ~process.umask() : mode;',
      'const bits = true ? mode & ~process.umask() : mode;',
      'A umask that takes rights from the owner is none that a daemon runs with.',
    ],
  ],
  'src/disks/latency-histogram.ts': [
    [
      'const BUCKETS = bucketOf(MAX_MICROSECONDS) + 1;',
      'const BUCKETS = bucketOf(MAX_MICROSECONDS) + 2;',
      'Nothing is counted in a bucket after the last one.',
    ],
  ],
  'src/disks/several.ts': ['result <= 0', 'result < 1'].map((failed): Equivalent => [
    'if (result < 0 && first === 0) first = result;',
    `if (${failed} && first === 0) first = result;`,
    'A result of 0 is no error, and is 0 either way.',
  ]),
  'src/disks/drivers/aio.ts': [
    ...['<= 0', '< 1'].map((failed): Equivalent => [
      'if (hole) this.#punch(hole, (result) => (result < 0 ? write() : ended(result)));',
      `if (hole) this.#punch(hole, (result) => (result ${failed} ? write() : ended(result)));`,
      ZEROES_ALREADY,
    ]),
    ...['1', '-2', '-0'].flatMap((other): Equivalent[] => [
      ['#fd = -1;', `#fd = ${other};`, SET_FIRST],
      ['this.#fd = -1;', `this.#fd = ${other};`, ASKED_OPEN],
    ]),
    ['this.#fd = -1;', ';', ASKED_OPEN],
    ['#isRegular = true;', '#isRegular = false;', SET_FIRST],
    ...['isOnlyWriter', 'readOnly', 'wasShort'].map((flag): Equivalent => [
      `#${flag} = false;`,
      `#${flag} = true;`,
      SET_FIRST,
    ]),
  ],
  'src/disks/drivers/log.ts': [
    [
      "this.#below.flush(this.#logged('flush', { sector: 0, sectors: 0, complete: done }));",
      "this.#below.flush(this.#logged('flush', { sector: 1, sectors: 0, complete: done }));",
      'Of a request without sectors no range is logged.',
    ],
  ],
  'src/disks/drivers/remus-rebind.ts': ['if (false) return;', 'if (dirname(at) === dirname(goal)) ;'].map(
    (after): Equivalent => [
      'if (dirname(at) === dirname(goal)) return;',
      after,
      'A directory that is synced twice is no less durable.',
    ],
  ),
  'src/disks/drivers/remus-fifos.ts': ['if (commands < 0) {', 'if (answers < 0) {'].flatMap(
    descriptorOrErrno,
  ),
  'src/disks/request.ts': [
    ['const nothing = new Uint8Array(0);', 'const nothing = new Uint8Array(1);', NO_DATA],
    ...withoutDefault(['buffer'], 'this.PART = parts.PART ?? nothing;', NO_DATA),
    ...withoutDefault(
      ['noHole', 'fast', 'forceUnitAccess'],
      'this.PART = parts.PART ?? false;',
      'What is undefined counts as false.',
    ),
  ],
  'src/disks/request-queue.ts': [
    [
      'const behind = this.#retrying.findIndex((other) => other.sequence > request.sequence);',
      'const behind = this.#retrying.findIndex((other) => other.sequence >= request.sequence);',
      'No two requests have the same sequence number.',
    ],
    ['else told(0);', 'else told(1);', SUCCESS],
    ...['<= 0', '< 1'].map((failed): Equivalent => [
      'this.#end(request, result < 0 ? result : 0);',
      `this.#end(request, result ${failed} ? result : 0);`,
      'A result of 0 ends as 0 either way.',
    ]),
  ],
  'src/disks/stack.ts': [
    [
      'return colon >= 0 && types.has(text.slice(0, colon));',
      'return colon > 0 && types.has(text.slice(0, colon));',
      'No driver has an empty name.',
    ],
    ...['sectors: 1, sectorSize: SECTOR_SIZE, info: 0', 'sectors: 0, sectorSize: SECTOR_SIZE, info: 1'].map(
      (info): Equivalent => [
        '#info: DiskInfo = { sectors: 0, sectorSize: SECTOR_SIZE, info: 0 };',
        `#info: DiskInfo = { ${info} };`,
        SET_FIRST,
      ],
    ),
    [
      '#closeFrom(index: number, done: DoneWithReason, first = 0, firstReason?: string): void {',
      '#closeFrom(index: number, done: DoneWithReason, first = 1, firstReason?: string): void {',
      NO_FAILURE,
    ],
    ['if (result >= 0) done(0);', 'if (result >= 0) done(1);', SUCCESS],
    ['ended(0);', 'ended(1);', SUCCESS],
    [
      "return driver.describe?.() ?? '';",
      'return driver.describe?.();',
      'What is undefined is joined with the others as an empty text.',
    ],
  ],
  'src/disks/waiting-lines.ts': ['true', 'this.#lines.size >= 1', 'this.#lines.size > 0'].map(
    (condition): Equivalent => [
      'else if (this.#lines.size > 1) {',
      `else if (${condition}) {`,
      'A single line is the last one as well as the first.',
    ],
  ),
  'src/disks/drivers/ram.ts': [
    ['#readOnly = false;', '#readOnly = true;', SET_FIRST],
    ['request.complete(0);', 'request.complete(1);', SUCCESS],
  ],
  'src/disks/drivers/zero-range.ts': [
    [
      'else if (Buffer.compare(piece, zeroes.subarray(0, length)) === 0) next(0);',
      'else if (Buffer.compare(piece, zeroes.subarray(0, length)) === 0) next(1);',
      SUCCESS,
    ],
    ['const looked = onlyWhereNotZero', 'const looked = true', 'A buffer that is not needed is not used.'],
    [
      '? Buffer.allocUnsafeSlow(Math.min(PIECE_BYTES, range.sectors * SECTOR_SIZE))',
      '? Buffer.allocUnsafeSlow(Math.max(PIECE_BYTES, range.sectors * SECTOR_SIZE))',
      'Of a larger buffer the rest is not used.',
    ],
  ],
  'src/disks/vbd.ts': [
    ...['#pauseWaiters', '#closeWaiters'].map((waiters): Equivalent => [
      `this.${waiters} = [];`,
      ';',
      SETTLED,
    ]),
    ...['#pauseWaiters', '#closeWaiters'].map((waiters): Equivalent => [
      `this.${waiters}.push(done);`,
      `this.${waiters}.unshift(done);`,
      ANY_ORDER,
    ]),
    ['return done(0);', 'return done(1);', SUCCESS],
    ['#sequence = 0;', '#sequence = 1;', SEQUENCES],
    [
      '#flags: OpenFlags = { readOnly: false, shared: false };',
      '#flags: OpenFlags = { readOnly: false, shared: true };',
      SET_FIRST,
    ],
  ],
};
