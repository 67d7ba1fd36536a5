// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { meansTheSame } from '../comparison.js';
import type { TraceEntry } from '../vector.js';
import { html, type Markup } from './markup.js';

/** A step of a script, or an entry of a trace: its kind, then the rest as JSON. */
export function entryText([kind, ...members]: readonly unknown[]): string {
  return [kind, ...members.map(spacedJson)].join(' ');
}

/** The same of an entry, with what differs from the other trace's entry marked: a member, or a member of an object. */
export function entryMarkup(entry: TraceEntry, other: TraceEntry | undefined): Markup[] {
  return entry.map((member, index) => {
    const gap = index === 0 ? '' : ' ';
    const beside = other?.[index];
    if (other === undefined || meansTheSame(member, beside)) return html`${gap}${memberText(member, index)}`;
    if (!isObject(member) || !isObject(beside)) return html`${gap}<mark>${memberText(member, index)}</mark>`;
    return html`${gap}${objectMarkup(member, beside)}`;
  });
}

function objectMarkup(object: object, other: object): Markup {
  const beside = new Map(Object.entries(other));
  const members = Object.entries(object).map(([key, value], index) => {
    const text = `${JSON.stringify(key)}: ${spacedJson(value)}`;
    const gap = index === 0 ? '' : ', ';
    return meansTheSame(value, beside.get(key)) ? html`${gap}${text}` : html`${gap}<mark>${text}</mark>`;
  });
  return html`{${members}}`;
}

function memberText(member: unknown, index: number): string {
  return index === 0 ? String(member) : spacedJson(member);
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** JSON with a blank after each comma and colon, where a narrow column can break it. */
function spacedJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(spacedJson).join(', ')}]`;
  if (!isObject(value)) return JSON.stringify(value) ?? 'undefined';
  const members = Object.entries(value).map(
    ([key, member]) => `${JSON.stringify(key)}: ${spacedJson(member)}`,
  );
  return `{${members.join(', ')}}`;
}
