// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { ImageDescription } from '../../disks/drivers/vhd/tools/describe.js';
import { formatBytes } from '../../server/format.js';

/** An image with those whose parent it is. */
export interface ImageNode {
  readonly image: ImageDescription;
  readonly children: ImageNode[];
}

/** Joins chains, each from a leaf to its root, where they have images in common. */
export function imageTree(chains: readonly (readonly ImageDescription[])[]): readonly ImageNode[] {
  const nodes = new Map<string, ImageNode>();
  const roots = new Set<ImageNode>();
  for (const chain of chains) {
    let above: ImageNode | undefined;
    for (const image of chain.toReversed()) {
      const known = nodes.get(image.identity);
      const node = known ?? { image, children: [] };
      nodes.set(image.identity, node);
      if (!above) roots.add(node);
      else if (!above.children.includes(node)) above.children.push(node);
      // An image that was a leaf of its own before belongs below its parent.
      if (above) roots.delete(node);
      above = node;
    }
  }
  return [...roots];
}

/** A line an image, and one a fault, each image indented below its parent. */
export function treeLines(nodes: readonly ImageNode[], depth = 0): string[] {
  return nodes.flatMap(({ image, children }) => [
    `${'  '.repeat(depth)}${imageLine(image)}`,
    ...image.faults.map(
      ({ kind, field, problem, remedy }) =>
        `${'  '.repeat(depth + 1)}! ${kind}: ${field}: ${problem}; ${remedy}`,
    ),
    ...treeLines(children, depth + 1),
  ]);
}

function imageLine(image: ImageDescription): string {
  const { file, kind, virtualSize, fileSize, blocks, allocatedBlocks, isHidden, isClosed } = image;
  const parts = [
    kind,
    ...(virtualSize === undefined ? [] : [formatBytes(virtualSize)]),
    `file ${formatBytes(fileSize)}`,
    ...(blocks === undefined ? [] : [`${allocatedBlocks} of ${blocks} blocks`]),
    ...(isHidden === true ? ['hidden'] : []),
    ...(isClosed === false ? ['not closed'] : []),
  ];
  return `${file}  ${parts.join(', ')}`;
}
