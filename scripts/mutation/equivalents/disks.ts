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

const CLOSED_WHOLE = 'All is in the file once that is closed; early answers only take less time.';
const ASKED_OPEN = 'Nothing is asked of an image that is closed.';
const ZEROES_ALREADY = 'What is a hole now is read, found to be zeroes, and left as it is.';
const NO_DATA = 'Nobody looks at the buffer of a request without data.';

/** A default for a part that is undefined where it is not needed. */
const withoutDefault = (parts: readonly string[], of: string, reason: string): Equivalent[] =>
  parts.map((part) => [
    of.replaceAll('PART', part),
    of.replaceAll('PART', part).replace(/ \?\? .*;/, ';'),
    reason,
  ]);

/** Where the search for a piece's slot begins. */
const spread = (hash: string): Equivalent => [
  'let slot = (Math.imul(piece, 0x9e37_79b1) >>> 7) & this.#mask;',
  `let slot = ${hash} & this.#mask;`,
  'However pieces are spread over the slots, each is found; well spread ones take fewer steps.',
];

export const disks: Equivalents = {
  'src/disks/drivers/vhd/block-space.ts': [
    [
      'return this.#missing - Math.floor(Math.max(0, this.#end - this.#next) / this.#spacing);',
      'return this.#missing - Math.floor(Math.max(0, this.#end + this.#next) / this.#spacing);',
      'A file that grows by less grows again sooner.',
    ],
  ],
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
  'src/disks/drivers/vhd/changes.ts': ['<= 0', '< 1'].map((failed): Equivalent => [
    'this.#holes.punch(range, (result) => (result < 0 ? write() : done(result)));',
    `this.#holes.punch(range, (result) => (result ${failed} ? write() : done(result)));`,
    ZEROES_ALREADY,
  ]),
  'src/disks/drivers/log.ts': [
    [
      "this.#below.flush(this.#logged('flush', { sector: 0, sectors: 0, complete: done }));",
      "this.#below.flush(this.#logged('flush', { sector: 1, sectors: 0, complete: done }));",
      'Of a request without sectors no range is logged.',
    ],
  ],
  'src/disks/drivers/vhd/tools/describe.ts': [
    [
      'links.push(vhdLink(image));',
      'links.unshift(vhdLink(image));',
      'There is no other link when the first one comes.',
    ],
  ],
  'src/disks/drivers/remus-rebind.ts': ['if (false) return;', 'if (dirname(at) === dirname(goal)) ;'].map(
    (after): Equivalent => [
      'if (dirname(at) === dirname(goal)) return;',
      after,
      'A directory that is synced twice is no less durable.',
    ],
  ),
  'src/disks/drivers/vhd/chain.ts': [
    [
      "return { kind: 'vhd', file: image.file, image, sectors: image.footer?.sectors ?? 0 };",
      "return { kind: 'vhd', file: image.file, image, sectors: image.footer?.sectors ?? 1 };",
      'The size of an image without a footer is only compared with those of others, which are larger.',
    ],
  ],
  'src/disks/drivers/remus-fifos.ts': ['if (commands < 0) {', 'if (answers < 0) {'].flatMap(
    descriptorOrErrno,
  ),
  'src/disks/drivers/vhd/zeroed-blocks.ts': [
    [
      'layer.find(at, end - at, found);',
      'layer.find(at, end + at, found);',
      'Only what begins before the end is looked at, however much more is found.',
    ],
  ],
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
    ['request.complete(0);', 'request.complete(1);', 'Every result from 0 on is a success.'],
  ],
  'src/disks/drivers/vhd/vhd.ts': [['#readOnly = false;', '#readOnly = true;', SET_FIRST]],
  'src/disks/drivers/vhd/bits.ts': [
    [
      'if ((at & 7) === 0 && bits[at >> 3] === whole) {',
      'if ((at | 7) === 0 && bits[at >> 3] === whole) {',
      'A byte at once is looked at bit by bit as well; to do so only takes more time.',
    ],
  ],
  'src/disks/drivers/vhd/block-places.ts': [
    ...['(Math.imul(piece, 2654435762) >>> 7)', '(Math.imul(piece, 2654435760) >>> 7)'].map(spread),
    ...['>>> 8', '>>> 6', '<< 7'].map((shift) => spread(`(Math.imul(piece, 0x9e37_79b1) ${shift})`)),
    [
      'const size = 2 ** Math.ceil(Math.log2(countAllocated(bat) * 2 + 2));',
      'const size = 2 ** Math.ceil(Math.log2(countAllocated(bat) * 1 + 2));',
      'The table has room for every block either way; with more of it a look-up takes fewer steps.',
    ],
  ],
  'src/disks/drivers/vhd/layer.ts': ['1', '-2'].map((mark): Equivalent => [
    'export const ABSENT = -1;',
    `export const ABSENT = ${mark};`,
    'No data begins there: it is a mark that is only compared with itself.',
  ]),
  'src/disks/drivers/vhd/tools/coalesce.ts': [
    [
      'const disk = yield* VhdDisk.open(calls, path, { ...rules, readOnly: false, answersEarly: true });',
      'const disk = yield* VhdDisk.open(calls, path, { ...rules, readOnly: false, answersEarly: false });',
      CLOSED_WHOLE,
    ],
  ],
  'src/disks/drivers/vhd/tools/convert.ts': [
    [
      'const disk = yield* VhdDisk.open(calls, target, { readOnly: false, answersEarly: true });',
      'const disk = yield* VhdDisk.open(calls, target, { readOnly: false, answersEarly: false });',
      CLOSED_WHOLE,
    ],
  ],
  'src/disks/drivers/zero-range.ts': [
    [
      'else if (Buffer.compare(piece, zeroes.subarray(0, length)) === 0) next(0);',
      'else if (Buffer.compare(piece, zeroes.subarray(0, length)) === 0) next(1);',
      'Every result from 0 on is a success.',
    ],
  ],
  'src/disks/vbd.ts': [
    ...['#pauseWaiters', '#closeWaiters'].map((waiters): Equivalent => [
      `this.${waiters} = [];`,
      ';',
      SETTLED,
    ]),
    ['#sequence = 0;', '#sequence = 1;', SEQUENCES],
    [
      '#flags: OpenFlags = { readOnly: false, shared: false };',
      '#flags: OpenFlags = { readOnly: false, shared: true };',
      SET_FIRST,
    ],
  ],
};
