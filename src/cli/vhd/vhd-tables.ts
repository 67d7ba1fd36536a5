// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { IMAGE_FORMATS } from '../../disks/drivers/vhd/tools/image-formats.js';
import { VHD_ERROR_KINDS, type VhdErrorKind } from '../../disks/drivers/vhd/vhd-error.js';
import {
  type CommandTable,
  defineTable,
  type Parameters,
  type ValueParameters,
} from '../command-line/command-table.js';
import { flag, optional, repeated, required, withDefault } from '../command-line/parameter.js';
import { file, oneOf } from '../command-line/value-type.js';
import { blockSize, diskSize, image, json, parents } from './vhd-values.js';

const kindSentences: Readonly<Record<VhdErrorKind, string>> = {
  'bad-footer': 'No footer is valid (bad-footer).',
  'bad-header': 'The header is wrong (bad-header).',
  'bad-bat': 'Blocks overlap, or lie where none may (bad-bat).',
  truncated: 'The file ends too soon (truncated).',
  unsupported: 'The image or the change is of a kind that is not supported (unsupported).',
  disabled: 'A journal of vhd-util is in progress (disabled).',
  'parent-missing': 'A parent is missing (parent-missing).',
  'parent-mismatch': 'A parent is not the one that its child was made of (parent-mismatch).',
  'parent-cycle': 'An image is its own ancestor (parent-cycle).',
  'parent-refused': 'A parent lies where none may (parent-refused).',
};

/** The exit statuses of the kinds of errors begin here, in the order of {@link VHD_ERROR_KINDS}. */
export const FIRST_KIND_STATUS = 10;

const kindStatus = Object.fromEntries(
  VHD_ERROR_KINDS.map((kind, index) => [FIRST_KIND_STATUS + index, kindSentences[kind]]),
);

export const createTable = vhdTable({
  name: 'create',
  summary: 'make an image of zeroes',
  description: ['Makes a dynamic image of SIZE, or a fixed one. There must not be such a file.'],
  arguments: {
    image: required(image, { help: 'The new image.' }),
    size: required(diskSize, { help: "The disk's size." }),
  },
  options: {
    fixed: flag({ help: 'Make a fixed image, whose file is as long as the disk.' }),
    maxSize: optional(diskSize, {
      help: 'Leave room to grow up to this size without moving anything.',
      excludes: ['fixed'],
    }),
    blockSize: optional(blockSize, {
      help: 'The size of blocks. tapdisk and vhd-util read only blocks of 2 MiB.',
      defaultText: '2M',
      excludes: ['fixed'],
    }),
    ...json,
  },
});

export const infoTable = vhdTable({
  name: 'info',
  summary: 'show chains of images',
  description: [
    'Shows images and their parents as a tree, the root first: size of the disk, size of the file, allocated blocks, and what is wrong.',
  ],
  arguments: {
    images: repeated(image, { help: 'The images; without parents in common, trees of their own.' }),
  },
  options: { ...parents, ...json },
});

export const checkTable = vhdTable({
  name: 'check',
  summary: 'check an image and its parents',
  description: [
    'Checks footers, header, BAT, batmap, locators and the whole chain; writes nothing. Errors keep an image from being opened, for writing at least; warnings do not.',
  ],
  arguments: { image: required(image, { help: 'The image.' }) },
  options: { bitmaps: flag({ help: 'Read the bitmaps that the batmap vouches for.' }), ...parents, ...json },
  notes: ['The exit status is that of the first error; with only warnings it is 0.'],
});

export const snapshotTable = vhdTable({
  name: 'snapshot',
  summary: 'make a child of an image',
  description: [
    'Makes a differencing image with IMAGE as its parent, which must not be written to any more. Where IMAGE is differencing and empty, its nearest ancestor that is not becomes the parent.',
    'For an image that is being served, use tapdisk-ts ctl snapshot.',
  ],
  arguments: {
    image: required(image, { help: 'The image to go on from.' }),
    child: required(file('CHILD'), { help: 'The new image.' }),
  },
  options: { keepEmpty: flag({ help: 'Make IMAGE the parent even if it is empty.' }), ...parents, ...json },
});

export const coalesceTable = vhdTable({
  name: 'coalesce',
  summary: 'write an image into its parent',
  description: [
    'Writes what CHILD has into its parent. CHILD stays as it is, and may be served read-only meanwhile; its disk does not change. The parent must not be in use by other children, whose disks would change.',
    'It may be stopped at any time, by SIGINT too: done again, it comes to the same end.',
  ],
  arguments: { child: required(file('CHILD'), { help: 'The image whose data goes into its parent.' }) },
  options: {
    relink: repeated(image, { help: 'Make the parent that of this child of CHILD.' }),
    delete: flag({
      help: 'Delete CHILD in the end, unless an image in its directory still has it as its parent.',
    }),
    ...parents,
    ...json,
  },
  more: { 3: 'Stopped before the end.' },
});

export const resizeTable = vhdTable({
  name: 'resize',
  summary: 'make an image larger',
  description: [
    'Makes a dynamic or differencing image larger. If its BAT is too short for SIZE, its first blocks are moved to the end of the file. At any moment the image is whole.',
  ],
  arguments: {
    image: required(image, { help: 'The image.' }),
    size: required(diskSize, { help: 'The new size.' }),
  },
  options: { ...json },
});

export const repairTable = vhdTable({
  name: 'repair',
  summary: 'restore the footers of an image',
  description: [
    'Shows what would be done to an image that was not closed, or does it: both footers are written from the one that is valid. Blocks and their places stay as they are.',
  ],
  arguments: { image: required(image, { help: 'The image.' }) },
  options: {
    write: flag({ help: 'Do it.' }),
    fromCopy: flag({ help: 'Take the copy at the head for the right one.' }),
    ...json,
  },
});

export const convertTable = vhdTable({
  name: 'convert',
  summary: 'copy a disk into another format',
  description: [
    'Copies a disk into a new file. What is zeroes takes no room there. A VHD is read with its parents, and the copy has none.',
  ],
  arguments: {
    source: required(file('SOURCE'), { help: 'The disk.' }),
    target: required(file('TARGET'), { help: 'The new file.' }),
  },
  options: {
    from: optional(oneOf('FORMAT', ['raw', 'vhd'] as const), {
      help: "SOURCE's format.",
      defaultText: 'vhd if it has a valid footer, else raw',
    }),
    to: withDefault(oneOf('FORMAT', IMAGE_FORMATS), 'vhd', { help: "TARGET's format." }),
    ...parents,
    ...json,
  },
  more: { 3: 'Stopped before the end.' },
});

/** All of them fail alike. */
function vhdTable<const Options extends Parameters, const Arguments extends ValueParameters>({
  more = {},
  ...table
}: Omit<CommandTable<Options, Arguments>, 'exitStatus'> & {
  readonly more?: Readonly<Record<number, string>>;
}): CommandTable<Options, Arguments> {
  return defineTable({
    ...table,
    exitStatus: { 0: 'Done.', 1: 'A file could not be read or written.', ...more, ...kindStatus },
  });
}
