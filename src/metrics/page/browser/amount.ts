// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { element, setText } from './elements.js';

/** How much of a whole there is, as a bar with its words. */
export class Amount {
  readonly root: HTMLElement;
  readonly #bar = element('progress', { max: '1' });
  readonly #text = element('span');

  constructor(label: string) {
    this.#bar.setAttribute('aria-label', label);
    this.root = element(
      'div',
      { class: 'amount' },
      element('span', { class: 'muted' }, label),
      this.#bar,
      this.#text,
    );
  }

  /** @param part from 0 to 1 */
  set(part: number, text: string): void {
    this.#bar.value = Math.min(Math.max(part, 0), 1);
    setText(this.#text, text);
  }
}
