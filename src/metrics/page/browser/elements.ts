// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// Everything that comes from the daemon gets into the page as text, by these functions: none of it is ever read as HTML.

type Child = Node | string;

/** An element with a class, attributes and children; strings become text. */
export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Readonly<Record<string, string>> = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/** The element of the page with this id. @throws Error when there is none */
export function byId(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no #${id}`);
  return found;
}

/** Sets a text only if it differs: a screen reader announces every change. */
export function setText(node: Node, text: string): void {
  if (node.textContent !== text) node.textContent = text;
}

export function setAttribute(node: Element, name: string, value: string): void {
  if (node.getAttribute(name) !== value) node.setAttribute(name, value);
}

/** Has these children in this order; those that are in their place already keep it, and so the focus. */
export function setChildren(parent: Element, children: readonly Element[]): void {
  children.forEach((child, index) => {
    if (parent.children[index] !== child) parent.insertBefore(child, parent.children[index] ?? null);
  });
  while (parent.children.length > children.length) parent.lastElementChild?.remove();
}

/** Views by key, made when a key is new, let go when it is gone. */
export class Views<Key, View extends { readonly root: Element }> {
  readonly #views = new Map<Key, View>();
  readonly #make: (key: Key) => View;

  constructor(make: (key: Key) => View) {
    this.#make = make;
  }

  /** The views of these keys, in their order. */
  of(keys: readonly Key[]): View[] {
    const wanted = new Set(keys);
    for (const key of this.#views.keys()) if (!wanted.has(key)) this.#views.delete(key);
    return keys.map((key) => {
      const view = this.#views.get(key) ?? this.#make(key);
      this.#views.set(key, view);
      return view;
    });
  }
}
