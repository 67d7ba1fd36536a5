// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { element, setAttribute, setText } from './elements.js';
import { markOf, type Mood } from './words.js';

/** A state in a word, with a mark that has a shape and a colour. */
export class StateMark {
  readonly root = element('span', { class: 'state' });
  readonly #mark = element('span', { 'aria-hidden': 'true' });
  readonly #word = element('span', { class: 'word' });

  constructor() {
    this.root.append(this.#mark, this.#word);
  }

  set(word: string, mood: Mood): void {
    setText(this.#mark, markOf(mood));
    setText(this.#word, word);
    setAttribute(this.root, 'data-mood', mood);
  }
}
