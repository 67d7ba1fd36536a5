// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { shownText } from '../server/shown-text.js';

/** After this many seconds without a byte a transfer counts as stalled. */
export const STALL_SECONDS = 2;

/** What is shown to people where the phase of a transfer is a word of its protocol. */
const names: ReadonlyMap<string, string> = new Map([
  ['looking up', 'resolving name'],
  ['waiting to try again', 'waiting to retry'],
  ['greeting', 'waiting for greeting'],
  ['awaiting', 'waiting for confirmation'],
  ['waiting', 'waiting for data'],
  ['opening', 'opening output'],
  ['storing', 'flushing to disk'],
  ['refusing', 'reporting failure'],
]);

/** What a primary or backup does, by the phase of its status. */
export function activity(phase: string): string {
  return names.get(phase) ?? shownText(phase);
}
