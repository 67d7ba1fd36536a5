// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { inFile as inSourceFile, type Mutant } from './mutant.js';

function inFile(name: string, changes: Parameters<typeof inSourceFile>[1]): Mutant[] {
  const detectors = ['disk order', 'disk growth', 'disk format', 'disk model', 'crash'];
  return inSourceFile(`disks/drivers/vhd/${name}`, changes, { detectors });
}

const commits = inFile('commits.ts', [
  ['V63', 'takes bits that are set while it syncs', 'dirty.bits.slice()]))', 'dirty.bits]))'],
  [
    'V63',
    'takes the bits when it writes',
    'for (const [dirty, bits] of snapshots) {\n      const written',
    'for (const [dirty] of snapshots) {\n      const bits = dirty.bits;\n      const written',
  ],
  ['V63', 'runs two at once', 'if (!this.#current) this.#begin();\n  }', 'this.#begin();\n  }'],
  [
    'V63',
    'forgets what came meanwhile',
    'if (!this.#current && this.#next.waiters.size > 0) this.#begin();',
    '',
  ],
  ['V56', 'lets other entries slip in', '?? (layer.bat[index] as number)', '?? layer.placeOf(index)'],
  ['V53', 'writes no entry', 'if (!dirty.needsEntry) continue;', 'if (dirty) continue;'],
  [
    'V51',
    'writes no bitmap',
    'writeWhole(files, layer.file.fd, bits, dirty.place * SECTOR_SIZE, (result) => {',
    'files.fdatasync(layer.file.fd, (result) => {',
  ],
  [
    'V63',
    'answers while it writes',
    '    started(0);\n  }\n\n  /** The blocks',
    '    for (const waiters of batch.waiters.values()) for (const done of waiters.splice(0)) done(0);\n    started(0);\n  }\n\n  /** The blocks',
  ],
  [
    'V63',
    'writes after a failed sync',
    'if (result < 0) {\n        this.#end(',
    'if (result > 0) {\n        this.#end(',
  ],
  [
    'V63',
    'does not sync what needs it beside what does not',
    'if (needsSync) this.#next.needsSync = true;',
    'this.#next.needsSync = needsSync;',
  ],
  ['V63', 'never syncs', 'if (!batch.needsSync) {', 'if (batch) {'],
  ['V63', 'forgets what a bitmap has that failed', 'this.#parts.zeroed.spoil(dirty.block);', ''],
  ['V59', 'keeps bits that could not be written', 'dirty.bits = dirty.written.slice();', ''],
  ['V59', 'is sure of what could not be written', 'dirty.isUncertain = true;', ''],
  ['V59', 'answers what could not be written', 'done(results.get(dirty) ?? 0)', 'done(0)'],
  ['V59', 'knows an entry that could not be written', 'if (results.has(dirty)) continue;', ''],
  [
    'V45',
    'lets go of a block that is being written',
    'if (dirty.isUncertain || dirty.users > 0 || this.#next.waiters.has(dirty)) return;',
    '',
  ],
  ['V63', 'settles before it has written', 'else if (this.#current) this.#current.ends.push(done);\n', ''],
]);

const space = inFile('block-space.ts', [
  ['V55', 'gives a place twice', '      this.#next = end;\n', ''],
  [
    'V63',
    'drops the footer while the copy is wrong',
    'if (copyIsCurrent) cover(0);',
    'if (copyIsCurrent || cover) cover(0);',
  ],
  ['V63', 'does not sync the copy', '(result < 0 ? cover(result) : sync(cover))', 'cover(result)'],
  [
    'V63',
    'does not cut leftovers off',
    'files.ftruncate(fd, end, (truncated) => {',
    'files.fdatasync(fd, (truncated) => {',
  ],
  ['V63', 'takes leftovers for cut off that are not', 'this.#isCut = truncated >= 0;', 'this.#isCut = true;'],
  ['V63', 'does not sync the new space', '      sync((result) => {', '      [0].forEach((result) => {'],
  [
    'V63',
    'hands out space before it is synced',
    'if (extended < 0) {\n        done(extended);',
    'this.#end = end;\n      if (extended < 0) {\n        done(extended);',
  ],
  [
    'V63',
    'hands out space that is not there',
    '} else if (end <= this.#end) {',
    '} else if (!this.#isGrowing) {',
  ],
  [
    'V65',
    'is closed while it grows',
    'if (this.#isGrowing) this.#settling = () => done(0);\n    else done(0);',
    'done(0);',
  ],
  ['V9', "ends the file where a guest's sector may be", '(end + 1) * SECTOR_SIZE', 'end * SECTOR_SIZE'],
  [
    'V54',
    'puts blocks into the metadata',
    'endOfBlocks(bat, shape, parts.metadataEnd)',
    'endOfBlocks(bat, shape, 4)',
  ],
]);

const writer = inFile('block-writer.ts', [
  [
    'V51',
    'sets bits before the data is there',
    '    dirty.users++;\n',
    '    dirty.users++;\n    setRange(dirty.bits, from, to);\n',
  ],
  ['V51', 'sets no bits', '      setRange(dirty.bits, from, to);\n', ''],
  ['V63', 'answers early unasked', 'if (!answersEarly || layer', 'if (layer'],
  ['V55', 'reserves a block twice', 'if (reserving) {', 'if (reserving && block < 0) {'],
  ['V60', 'takes a block for zeroes that has data', '    if (known && !isThere) known.isZero = false;\n', ''],
  [
    'V59',
    'sets bits of data that could not be written',
    '      if (result < 0) {\n        zeroed',
    '      if (result < -1000) {\n        zeroed',
  ],
  ['V63', 'forgets what a failed write left', '        zeroed.spoil(block);\n', ''],
  [
    'V63',
    'takes a part of what is written for all of it',
    'zeroed.covers(block, place, from, to)',
    'zeroed.covers(block, place, from, from + 1)',
  ],
  ['V63', 'writes after a failed sync', 'this.#failure = -errno.EIO;', ''],
  [
    'V51',
    'writes a bitmap that lacks older bits',
    '      bits,\n      written: bits.slice(),',
    '      bits: new Uint8Array(bits.length),\n      written: bits.slice(),',
  ],
]);

const zeroed = inFile('zeroed-blocks.ts', [
  ['V63', 'takes blocks of earlier for zeroes', 'if (place < this.#from || this', 'if (this'],
  [
    'V63',
    'takes the space of a device for zeroes',
    'this.#from = leaf.file.isRegular ? from : Number.POSITIVE_INFINITY;',
    'this.#from = from;',
  ],
  [
    'V63',
    "does not look at the ancestors' sectors",
    'return isAbsent(this.#ancestors, start + from, start + to);',
    'return true;',
  ],
  [
    'V63',
    'looks at the parent only',
    'for (const layer of layers) {',
    'for (const layer of layers.slice(0, 1)) {',
  ],
  ['V63', 'looks at the first of the sectors only', 'at < end; at += found.sectors', 'at < end; at += end'],
  ['V63', 'takes a bitmap that is not in memory for clear', 'found.missingBitmap !== undefined || ', ''],
]);

const changes = inFile('block-changes.ts', [
  [
    'V63',
    'commits without a sync',
    'sync: (done) => this.#flushes.flush(done),\n      zeroed,',
    'sync: (done) => done(0),\n      zeroed,',
  ],
  [
    'V63',
    'goes on after a failed sync of new space',
    'sync: (done) => this.#flushes.flush(done),\n    });\n    const zeroed',
    'sync: (done) => files.fsync(layer.file.fd, done),\n    });\n    const zeroed',
  ],
  [
    'V63',
    'flushes what is not in the file',
    'if (this.#parts.answersEarly) this.#commits.settle(sync);\n    else sync(0);',
    'sync(0);',
  ],
  ['V63', 'syncs again after a failed sync', 'if (code < 0) this.#lose();', ''],
  [
    'V60',
    "lets a child's zeroes show its parent",
    'if (hasParent || request.noHole || this',
    'if (request.noHole || this',
  ],
  [
    'V65',
    'closes before all is committed',
    'yield* wait<number>((done) => this.#commits.settle(done));',
    'yield* wait<number>((done) => done(0));',
  ],
  ['V65', 'does not sync at close', 'yield* file.sync();', ''],
  [
    'V65',
    'puts the footer into the last block',
    'this.#space.next * SECTOR_SIZE',
    '(this.#space.next - 1) * SECTOR_SIZE',
  ],
  ['V65', 'writes no footer at close', 'yield* file.write(position, footer.bytes);', ''],
]);

const reading = inFile('map-range.ts', [
  [
    'V43',
    'looks below the end of an image',
    'if (at >= layer.sectors) break;',
    'if (at >= layer.sectors) continue;',
  ],
]);
const disk = inFile('disk.ts', [
  [
    'V62',
    'lets overlapping writes pass each other',
    'this.#order.begin(request, () =>\n      change',
    'void (() => {})(); [0].forEach(() =>\n      change',
  ],
]);
const layers = inFile('layer.ts', [
  ['V42', 'shows what is under a clear bit', 'if (isSet(bits, from)) found.position', 'found.position'],
]);
const places = inFile('block-places.ts', [
  [
    'V24',
    'takes overlapping blocks',
    'return distance < this.#length ? found - 1 : undefined;',
    'return distance < 1 ? found - 1 : undefined;',
  ],
]);

/** Breaks what keeps a VHD whole: above all the order in which it is written. */
export const VHD_MUTANTS: readonly Mutant[] = [
  ...commits,
  ...space,
  ...writer,
  ...zeroed,
  ...changes,
  ...reading,
  ...disk,
  ...layers,
  ...places,
];
