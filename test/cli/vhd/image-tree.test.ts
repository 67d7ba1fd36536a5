// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { imageTree, treeLines } from '../../../src/cli/vhd/image-tree.js';
import type { ImageDescription } from '../../../src/disks/drivers/vhd/tools/describe.js';

const image = (file: string, more: Partial<ImageDescription> = {}): ImageDescription => ({
  ...{ file, identity: file, kind: 'raw', virtualSize: 1024, fileSize: 512, faults: [] },
  ...more,
});

t.test('chains that have images in common are one tree, in their order', async (t) => {
  const [root, left, right, leaf] = ['root', 'left', 'right', 'leaf'].map((name) => image(name));
  if (!root || !left || !right || !leaf) return;
  const tree = imageTree([[left, root], [root], [leaf, right, root], [right, root], [image('other')]]);
  t.same(
    treeLines(tree).map((line) => line.split(/(?<=\w) /)[0]),
    ['root', '  left', '  right', '    leaf', 'other'],
  );
});

t.test('an image that was listed as a root before its parent is known belongs below it', async (t) => {
  const tree = imageTree([[image('child')], [image('child'), image('parent')]]);
  t.same(
    treeLines(tree).map((line) => line.split(/(?<=\w) /)[0]),
    ['parent', '  child'],
  );
});

t.test('a line has what is known of an image, and its faults are below it', async (t) => {
  const fault = { kind: 'format', field: 'cookie', problem: 'it is wrong', remedy: 'repair it' } as const;
  t.same(
    treeLines(
      imageTree([
        [
          image('child', { blocks: 4, allocatedBlocks: 2, isHidden: true, isClosed: false }),
          image('parent', {
            virtualSize: undefined,
            isHidden: false,
            isClosed: true,
            faults: [fault as never],
          }),
        ],
      ]),
    ),
    [
      'parent  raw, file 512 B',
      '  ! format: cookie: it is wrong; repair it',
      '  child  raw, 1.0 KiB, file 512 B, 2 of 4 blocks, hidden, not closed',
    ],
  );
});
