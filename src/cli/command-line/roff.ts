// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

/** Text as troff prints it unchanged: dashes that can be copied, and no line that is taken for a request. */
export function roffText(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll(/^(?=[.'])/gm, '\\&');
}

/** An argument of a request, spaces and quotes in it included. */
export function roffArgument(text: string): string {
  return `"${roffText(text).replaceAll('"', '\\(dq')}"`;
}

export const heading = (title: string): string[] => [`.SH ${roffArgument(title)}`];

export const subheading = (title: string): string[] => [`.SS ${roffArgument(title)}`];

export const paragraphs = (texts: readonly string[]): string[] =>
  texts.flatMap((text) => ['.PP', roffText(text)]);

/** Labels in bold, each with its text indented below it. */
export const definitions = (rows: readonly (readonly [label: string, text: string])[]): string[] =>
  rows.flatMap(([label, text]) => ['.TP', `.B ${roffArgument(label.trim())}`, roffText(text)]);
