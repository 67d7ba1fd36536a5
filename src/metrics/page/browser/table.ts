// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { element, setChildren, setText, Views } from './elements.js';

interface Row {
  readonly root: HTMLTableRowElement;
  readonly cells: readonly HTMLTableCellElement[];
}

/** A table with rows by key; those that are numbers stand on the right. It scrolls by itself where it is too wide. */
export class Table<Key> {
  readonly root: HTMLElement;
  readonly #body = element('tbody');
  readonly #rows: Views<Key, Row>;
  readonly #caption: HTMLElement;

  constructor(caption: string, columns: readonly { readonly name: string; readonly isNumber?: boolean }[]) {
    this.#caption = element('caption', {}, caption);
    const classOf = (isNumber = false): Record<string, string> => (isNumber ? { class: 'number' } : {});
    const headings = columns.map(({ name, isNumber }) =>
      element('th', { scope: 'col', ...classOf(isNumber) }, name),
    );
    this.#rows = new Views(() => {
      const cells = columns.map(({ isNumber }) => element('td', classOf(isNumber)));
      return { root: element('tr', {}, ...cells), cells };
    });
    const table = element(
      'table',
      {},
      this.#caption,
      element('thead', {}, element('tr', {}, ...headings)),
      this.#body,
    );
    this.root = element(
      'div',
      { class: 'table', tabindex: '0', role: 'region', 'aria-label': caption },
      table,
    );
  }

  set(rows: readonly (readonly [key: Key, texts: readonly string[]])[], caption?: string): void {
    const views = this.#rows.of(rows.map(([key]) => key));
    views.forEach(({ cells }, index) => {
      const texts = rows[index]?.[1] ?? [];
      cells.forEach((cell, column) => setText(cell, texts[column] ?? ''));
    });
    setChildren(
      this.#body,
      views.map((view) => view.root),
    );
    if (caption !== undefined) setText(this.#caption, caption);
  }
}
