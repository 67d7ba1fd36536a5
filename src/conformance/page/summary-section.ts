// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { conforms, tallyLine, tallyOf } from '../vector-result.js';
import type { Column } from './column.js';
import { html, type Markup } from './markup.js';

/** A skipped vector's reason is one of so few, or the rest is only counted. */
const MAX_SKIP_REASONS = 5;

/** A card for each implementation: whether it conforms, and what passed. */
export function summarySection(columns: readonly Column[]): Markup {
  return html`<section aria-labelledby="summary">
    <h2 id="summary">Summary</h2>
    <ul class="cards">
      ${columns.map(card)}
    </ul>
  </section>`;
}

function card({ name, results }: Column, index: number): Markup {
  const tally = tallyOf(results);
  const { passed, failed, skipped } = tally;
  const [tone, word] = conforms(tally) ? ['good', 'conforms'] : ['none', 'nothing passed'];
  const share = (count: number): string => `${((100 * count) / Math.max(1, results.length)).toFixed(2)}%`;
  const verdict =
    failed > 0
      ? html`<a class="verdict bad" href="#failures-${index + 1}">does not conform</a>`
      : html`<span class="verdict ${tone}">${word}</span>`;
  return html`<li>
    <h3><code>${name}</code></h3>
    <p>${verdict}</p>
    <svg class="bar" width="100%" height="10" aria-hidden="true">
      <rect class="good" width="${share(passed)}" height="10" />
      <rect class="bad" x="${share(passed)}" width="${share(failed)}" height="10" />
    </svg>
    <p>${tallyLine(tally)}</p>
    ${skipped > 0 ? skipReasons(results) : undefined}
  </li> `;
}

function skipReasons(results: Column['results']): Markup {
  const counts = new Map<string, number>();
  for (const { outcome, reason = '' } of results)
    if (outcome === 'skipped') counts.set(reason, (counts.get(reason) ?? 0) + 1);
  const shown = [...counts].slice(0, MAX_SKIP_REASONS);
  const rest = counts.size - shown.length;
  return html`<ul class="skips">
    ${shown.map(([reason, count]) => html`<li>${count} skipped: ${reason}</li>`)}${rest > 0 ? html`<li>and for ${rest} more ${rest === 1 ? 'reason' : 'reasons'}</li>` : undefined}
  </ul>`;
}
