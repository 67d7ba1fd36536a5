// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import {
  descriptorOrErrno,
  SEQUENCES,
  SET_FIRST,
  SETTLED,
  tuned,
  type Equivalents,
  type Equivalent,
} from './shared.js';

const CLOSED_WHOLE = 'All is in the file once that is closed; early answers only take less time.';
const ASKED_OPEN = 'Nothing is asked of an image that is closed.';
const ZEROES_ALREADY = 'What is a hole now is read, found to be zeroes, and left as it is.';
const SUCCESS = 'Every result from 0 on is a success.';
const NOTHING_WAITS = 'Where there is none, none is looked at; to ask first only takes less time.';
const ANY_ORDER = 'Those who wait hear of it at once, in whatever order.';
const NO_FAILURE = 'Every number from 0 on is no failure.';
const SORTED = 'They are sorted before they are looked at.';
const NO_BITMAPS = 'A layer without blocks never lacks a bitmap.';
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

/** Where the search for a piece's slot begins. */
const spread = (hash: string): Equivalent => [
  'let slot = (Math.imul(piece, 0x9e37_79b1) >>> 7) & this.#mask;',
  `let slot = ${hash} & this.#mask;`,
  'However pieces are spread over the slots, each is found; well spread ones take fewer steps.',
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
  'src/disks/drivers/vhd/block-space.ts': [
    ['#least = 0;', '#least = 1;', SET_FIRST],
    [
      'this.#end = file.isRegular ? 0 : Math.floor(file.length / SECTOR_SIZE) - 1;',
      'this.#end = file.isRegular ? 1 : Math.floor(file.length / SECTOR_SIZE) - 1;',
      'No block ends within the metadata.',
    ],
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
  'src/disks/drivers/vhd/map-range.ts': [['#sector = 0;', '#sector = 1;', SET_FIRST]],
  'src/disks/drivers/vhd/image-file.ts': [
    ['if (found.length === length) return found;', 'if (false) return found;', 'A copy has the same bytes.'],
  ],
  'src/disks/drivers/vhd/tools/footers.ts': [
    'if (false) return;',
    'if (copy?.equals(current) === true) ;',
  ].map((after): Equivalent => [
    'if (copy?.equals(current) === true) return;',
    after,
    'What is in the file already is written once more.',
  ]),
  'src/disks/drivers/vhd/tools/front-space.ts': [
    ['ranges.push(', 'ranges.unshift(', SORTED],
    [
      'if (!isEmpty(locator)) ranges.push(range(locator.offset, locatorSpace(locator)));',
      'if (!isEmpty(locator)) ranges.unshift(range(locator.offset, locatorSpace(locator)));',
      SORTED,
    ],
    ['let from = 0;', 'let from = 1;', 'The copy of the footer takes the first sector.'],
    [
      'if (entry < place) {',
      'if (entry <= place) {',
      'Without a block the room ends with the largest file, and two blocks are not in one place.',
    ],
    [
      'yield* file.truncate((place + length + 1) * SECTOR_SIZE);',
      'yield* file.truncate((place + length + 2) * SECTOR_SIZE);',
      'The last sector is zeroes either way, and what is too much is cut off with the footer.',
    ],
  ],
  'src/disks/drivers/vhd/tools/new-image.ts': tuned(
    'const piece = 1 << 20;',
    'const piece = 2 << 20;',
    'const piece = 1 << 21;',
    'const piece = 1 << 19;',
  ),
  'src/disks/drivers/vhd/tools/relink.ts': [
    [
      'const sectors = newLocators(parent.path, 0).reduce((sum, { bytes }) => sum + bytes.length / SECTOR_SIZE, 0);',
      'const sectors = newLocators(parent.path, 1).reduce((sum, { bytes }) => sum + bytes.length / SECTOR_SIZE, 0);',
      'Only the lengths of these locators are looked at.',
    ],
    [
      'while (entries.length < LOCATOR_COUNT) entries.push(emptyLocator);',
      'while (entries.length <= LOCATOR_COUNT) entries.push(emptyLocator);',
      'A ninth entry would be zeroes where the header has zeroes.',
    ],
  ],
  'src/disks/drivers/vhd/tools/resize.ts': [
    [
      'if (!isCleared) yield* emptyBatmap(image);',
      'if (true) yield* emptyBatmap(image);',
      'A batmap that is empty is emptied once more.',
    ],
  ],
  'src/disks/drivers/vhd/tools/snapshot.ts': [
    [
      'uuid: uuid ?? new Uint8Array(16),',
      'uuid: uuid ?? new Uint8Array(17),',
      'What follows the uuid in the header is written after it.',
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
  'src/disks/drivers/vhd/layer.ts': [
    ...['1', '-2'].map((mark): Equivalent => [
      'export const ABSENT = -1;',
      `export const ABSENT = ${mark};`,
      'No data begins there: it is a mark that is only compared with itself.',
    ]),
    ...[';', 'done(1);'].map((after): Equivalent => ['done(0);', after, NO_BITMAPS]),
  ],
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
