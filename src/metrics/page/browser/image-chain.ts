// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { formatBytes } from '../../../server/format.js';
import type { ImagePart } from '../wire.js';
import { element } from './elements.js';

/** A chain of images as a tree: the root on top, each child within its parent, the one that takes the writes at the end. */
export class ImageChain {
  readonly root = element('div', { class: 'chain' });
  #shown = '';

  set(chain: readonly ImagePart[]): void {
    const text = JSON.stringify(chain);
    if (text === this.#shown) return;
    this.#shown = text;
    this.root.hidden = chain.length === 0;
    let inner: HTMLElement | undefined;
    chain.forEach((image, index) => {
      const item = element('li', {}, imageLine(image, index === 0));
      if (inner) item.append(inner);
      inner = element('ul', {}, item);
    });
    this.root.replaceChildren(element('h4', {}, 'Images'), ...(inner ? [inner] : []));
  }
}

function imageLine({ path, bytes, blocks, allocatedBlocks }: ImagePart, isLeaf: boolean): HTMLElement {
  const used = blocks === undefined ? '' : `, ${allocatedBlocks ?? 0} of ${blocks} blocks`;
  const role = isLeaf ? ', takes the writes' : '';
  return element('span', {}, element('code', {}, path), ` ${formatBytes(bytes)}${used}${role}`);
}
