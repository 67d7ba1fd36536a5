// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { element, setChildren, setText } from './elements.js';

/** A list of names with their values; names whose value is undefined are left out. */
export class Facts {
  readonly root = element('dl', { class: 'facts' });
  readonly #rows = new Map<string, { readonly row: HTMLElement; readonly value: HTMLElement }>();

  set(facts: Readonly<Record<string, string | undefined>>): void {
    const rows: HTMLElement[] = [];
    for (const [name, text] of Object.entries(facts)) {
      if (text === undefined) continue;
      const known = this.#rows.get(name) ?? this.#make(name);
      setText(known.value, text);
      rows.push(known.row);
    }
    setChildren(this.root, rows);
  }

  #make(name: string) {
    const value = element('dd');
    const made = { row: element('div', { 'data-name': name }, element('dt', {}, name), value), value };
    this.#rows.set(name, made);
    return made;
  }
}
