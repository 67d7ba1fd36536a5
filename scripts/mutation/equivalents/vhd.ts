// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { ANY_ORDER, NO_FAILURE, SUCCESS, ZEROES_ALREADY } from './disks.js';
import { OUR_FAULT, SET_FIRST, tuned, type Equivalent, type Equivalents } from './shared.js';

const CLOSED_WHOLE = 'All is in the file once that is closed; early answers only take less time.';
const SORTED = 'They are sorted before they are looked at.';
const NO_BITMAPS = 'A layer without blocks never lacks a bitmap.';

/** A result of 0 that could be any other success. */
const succeeding = (...before: readonly string[]): Equivalent[] =>
  before.map((line) => [line, line.replace(/0(?=\)*;$)/, '1'), SUCCESS]);

const UUIDS = "throw new Error('uuids of images that cannot be used');";

/** A check of what only a fault of the program can bring about. */
const unchecked = (condition: string, thrown: string): Equivalent[] => [
  [`if (${condition}) ${thrown}`, `if (false) ${thrown}`, OUR_FAULT],
  [`if (${condition}) ${thrown}`, `if (${condition}) ;`, OUR_FAULT],
];

/** Where the search for a piece's slot begins. */
const spread = (hash: string): Equivalent => [
  'let slot = (Math.imul(piece, 0x9e37_79b1) >>> 7) & this.#mask;',
  `let slot = ${hash} & this.#mask;`,
  'However pieces are spread over the slots, each is found; well spread ones take fewer steps.',
];

/** Of the VHD driver and its tools, which are a part of `src/disks`. */
export const vhd: Equivalents = {
  'src/disks/drivers/vhd/block-space.ts': [
    ['#least = 0;', '#least = 1;', SET_FIRST],
    ['this.#waiting.push(done);', 'this.#waiting.unshift(done);', ANY_ORDER],
    ...succeeding(
      'done(0);',
      'else done(0);',
      'if (this.#isGrowing) this.#settling = () => done(0);',
      'if (copyIsCurrent) cover(0);',
    ),
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
    [
      'return this.#missing - Math.floor(Math.max(0, this.#end - this.#next) / this.#spacing);',
      'return this.#missing - Math.floor(Math.max(1, this.#end - this.#next) / this.#spacing);',
      'Blocks lie eight sectors apart at least: a single sector is no space for one.',
    ],
  ],
  'src/disks/drivers/vhd/changes.ts': [
    ...['<= 0', '< 1'].map((failed): Equivalent => [
      'this.#holes.punch(range, (result) => (result < 0 ? write() : done(result)));',
      `this.#holes.punch(range, (result) => (result ${failed} ? write() : done(result)));`,
      ZEROES_ALREADY,
    ]),
    ...succeeding(
      'else done(0);',
      'if (this.#file.isRegular && isWorthAHole(range)) this.#holes.punch(range, () => done(0));',
    ),
  ],
  'src/disks/drivers/vhd/map-range.ts': [
    ['#sector = 0;', '#sector = 1;', SET_FIRST],
    ...succeeding('done(0);'),
  ],
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
  'src/disks/drivers/vhd/steps.ts': [['let goesOn = false;', 'let goesOn = true;', SET_FIRST]],
  'src/disks/drivers/vhd/chain.ts': [
    ...unchecked('!child.header', "throw new Error('a child without a header has no parent');"),
    ...unchecked('!child.header || !parent.footer', UUIDS),
    [
      `if (!child.header || !parent.footer) ${UUIDS}`,
      `if (!child.header && !parent.footer) ${UUIDS}`,
      OUR_FAULT,
    ],
    [
      "return { kind: 'vhd', file: image.file, image, sectors: image.footer?.sectors ?? 0 };",
      "return { kind: 'vhd', file: image.file, image, sectors: image.footer?.sectors ?? 1 };",
      'The size of an image without a footer is only compared with those of others, which are larger.',
    ],
  ],
  'src/disks/drivers/vhd/zeroed-blocks.ts': [
    [
      'layer.find(at, end - at, found);',
      'layer.find(at, end + at, found);',
      'Only what begins before the end is looked at, however much more is found.',
    ],
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
  'src/disks/drivers/vhd/block-writer.ts': [
    ...['> 0', '>= 1'].map((there): Equivalent => [
      'if (place >= 0) {',
      `if (place ${there}) {`,
      'The first sector is that of the copy of the footer, and no block is there.',
    ]),
    ['#failure = 0;', '#failure = 1;', NO_FAILURE],
    ['reserving.push(done);', 'reserving.unshift(done);', ANY_ORDER],
    ...succeeding(
      'done(0);',
      'for (const waiter of waiting) waiter(0);',
      'if (isThere) done(0);',
      'if (isThere) ready(0);',
    ),
  ],
  'src/disks/drivers/vhd/block-changes.ts': succeeding('else sync(0);'),
  'src/disks/drivers/vhd/pieces.ts': succeeding('whole(0);'),
  'src/disks/drivers/vhd/commits.ts': [
    [
      'if (dirty.needsEntry) layer.bat[dirty.block] = dirty.place;',
      'if (true) layer.bat[dirty.block] = dirty.place;',
      'A block that needs no entry has its place there already.',
    ],
    ...succeeding(
      'else done(0);',
      'written(0);',
      'started(0);',
      'const failure = [...results.values()][0] ?? 0;',
      'for (const done of waiters) done(results.get(dirty) ?? 0);',
    ),
    ['const failure = [...results.values()][0] ?? 0;', 'const failure = [...results.values()][0];', SUCCESS],
    [
      'for (const done of waiters) done(results.get(dirty) ?? 0);',
      'for (const done of waiters) done(results.get(dirty));',
      SUCCESS,
    ],
    ...[
      'blocks.push(dirty);',
      'if (this.#next.waiters.size > 0) this.#next.ends.push(done);',
      'else if (this.#current) this.#current.ends.push(done);',
      'if (this.#next.waiters.size === 0) batch.ends.push(...this.#next.ends.splice(0));',
    ].map((push): Equivalent => [push, push.replace('push', 'unshift'), ANY_ORDER]),
  ],
};
