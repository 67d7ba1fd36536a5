// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { shownLines } from '../../server/shown-text.js';
import { escapeMarkup } from '../escape-markup.js';

/** A piece of HTML, which is put into others as it is. Only {@link html} makes it of text from outside. */
export class Markup {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

type Content = string | number | Markup | readonly Markup[] | undefined;

/**
 * A piece of HTML, written as a template. Whatever text is put into it is escaped, so that it is shown as it is, both in an
 * element and as an attribute's value between double quotes; marks that change the direction of what follows are made visible.
 */
export function html(strings: TemplateStringsArray, ...contents: readonly Content[]): Markup {
  return new Markup(String.raw({ raw: strings }, ...contents.map(textOf)));
}

function textOf(content: Content): string {
  if (content === undefined) return '';
  if (content instanceof Markup) return content.text;
  if (typeof content === 'object') return content.map(({ text }) => text).join('');
  return escapeMarkup(shownLines(String(content)));
}
