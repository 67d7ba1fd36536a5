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
  'bad-header': 'The header is invalid (bad-header).',
  'bad-bat': 'Blocks overlap or are misplaced (bad-bat).',
  truncated: 'The file is too short (truncated).',
  unsupported: 'The image or the change is not supported (unsupported).',
  disabled: 'A vhd-util journal is in progress (disabled).',
  'parent-missing': 'A parent is missing (parent-missing).',
  'parent-mismatch': 'A parent is not the one that its child was created from (parent-mismatch).',
  'parent-cycle': 'An image is its own ancestor (parent-cycle).',
  'parent-refused': 'A parent is in a directory that is not allowed (parent-refused).',
};

/** The exit statuses of the kinds of errors begin here, in the order of {@link VHD_ERROR_KINDS}. */
export const FIRST_KIND_STATUS = 10;

const kindStatus = Object.fromEntries(
  VHD_ERROR_KINDS.map((kind, index) => [FIRST_KIND_STATUS + index, kindSentences[kind]]),
);

export const createTable = vhdTable({
  name: 'create',
  summary: 'create an empty image',
  description: ['Creates a dynamic or a fixed image of SIZE, all zeroes. The file must not exist.'],
  arguments: {
    image: required(image, { help: 'The new image.' }),
    size: required(diskSize, { help: "The disk's size." }),
  },
  options: {
    fixed: flag({ help: 'Create a fixed image, whose file is as large as the disk.' }),
    maxSize: optional(diskSize, {
      help: 'Reserve room to grow up to this size without moving data.',
      excludes: ['fixed'],
    }),
    blockSize: optional(blockSize, {
      help: 'The block size. tapdisk and vhd-util support only 2 MiB.',
      defaultText: '2M',
      excludes: ['fixed'],
    }),
    ...json,
  },
});

export const infoTable = vhdTable({
  name: 'info',
  needsOutput: true,
  summary: 'show chains of images',
  description: [
    'Shows images and their parents as a tree, root first: disk size, file size, allocated blocks, and any errors.',
  ],
  arguments: {
    images: repeated(image, {
      help: 'The images. Those without a common parent are shown as separate trees.',
    }),
  },
  options: { ...parents, ...json },
});

export const checkTable = vhdTable({
  name: 'check',
  summary: 'check an image and its parents',
  description: [
    'Checks footers, header, BAT, batmap, locators and the whole chain; writes nothing. An image with errors cannot be opened, at least not for writing; one with only warnings can.',
  ],
  arguments: { image: required(image, { help: 'The image.' }) },
  options: {
    bitmaps: flag({ help: 'Also read the bitmaps of the blocks that the batmap marks as full.' }),
    ...parents,
    ...json,
  },
  notes: ['The exit status is that of the first error; with only warnings it is 0.'],
});

export const snapshotTable = vhdTable({
  name: 'snapshot',
  summary: 'create a child of an image',
  description: [
    'Creates a differencing image with IMAGE as its parent. IMAGE must not be written to afterwards. If IMAGE is an empty differencing image, its nearest non-empty ancestor becomes the parent instead.',
    'For an image that is being served, use tapdisk-ts ctl snapshot.',
  ],
  arguments: {
    image: required(image, { help: 'The parent image.' }),
    child: required(file('CHILD'), { help: 'The new image.' }),
  },
  options: { keepEmpty: flag({ help: 'Use IMAGE as the parent even if it is empty.' }), ...parents, ...json },
});

export const coalesceTable = vhdTable({
  name: 'coalesce',
  summary: 'merge an image into its parent',
  description: [
    'Writes the data of CHILD into its parent. CHILD is not changed, and may be served read-only meanwhile; its disk stays the same. The parent must not have other children in use: their disks would change.',
    'It can be stopped at any time, for example by SIGINT; run it again to complete it.',
  ],
  arguments: { child: required(file('CHILD'), { help: 'The image to merge into its parent.' }) },
  options: {
    relink: repeated(image, { help: "Make CHILD's parent the parent of this image, a child of CHILD." }),
    delete: flag({
      help: 'Delete CHILD at the end. Refused if an image in its directory has it as its parent and is not named with --relink.',
    }),
    ...parents,
    ...json,
  },
  more: { 3: 'Stopped before completion.' },
});

export const resizeTable = vhdTable({
  name: 'resize',
  summary: 'enlarge an image',
  description: [
    'Enlarges a dynamic or differencing image. If its BAT is too short for SIZE, its first blocks are moved to the end of the file. The image is valid at every moment.',
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
    'Shows how an image that was not closed would be repaired or, with --write, repairs it: both footers are written from the valid one. Blocks are not changed or moved.',
  ],
  arguments: { image: required(image, { help: 'The image.' }) },
  options: {
    write: flag({ help: 'Write the repair.' }),
    fromCopy: flag({ help: 'Trust the footer copy at the start of the file.' }),
    ...json,
  },
});

export const convertTable = vhdTable({
  name: 'convert',
  summary: 'convert a disk to another format',
  description: [
    'Copies a disk to a new file. Zeroes take no space in it. A VHD is read with its parents; the copy has no parent.',
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
  more: { 3: 'Stopped before completion.' },
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
