// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Rule } from '../rules.js';
import { stepEnds } from '../step-ends.js';
import type { Assignment } from '../suite-run.js';
import type { VectorResult } from '../vector-result.js';
import type { TraceEntry, Vector } from '../vector.js';
import { entryMarkup, entryText } from './entry-text.js';
import { html, type Markup } from './markup.js';
import { partedSteps, type Row, type RowKind, type StepGroup } from './step-groups.js';

const KIND_WORDS: Readonly<Record<RowKind, string>> = {
  same: 'same',
  differs: 'differs',
  missing: 'missing',
  unexpected: 'not expected',
};

/**
 * A vector that failed: what it is about, and its traces side by side, open at the step in which they differ first.
 *
 * @param rules those that it pins
 */
export async function failureSection(
  id: string,
  result: VectorResult,
  { item }: Assignment,
  rules: readonly Rule[],
): Promise<Markup> {
  const vector = item.kind === 'vector' ? item.vector : undefined;
  const { traces, reason = '', about, file, name } = result;
  const parted = vector && traces && partedSteps(traces, await stepEnds(vector), vector.steps.length);
  const where = parted === undefined ? '' : whereText(parted.first, vector?.steps.length ?? 0);
  const pins = rules.map((rule) => html`<a href="#rule-${rule.id}">${rule.id}</a> ${rule.title}. `);
  return html`<details class="failure">
    <summary>
      <span class="word bad">failed</span> <code>${name}</code> <span class="where">${where}</span>
    </summary>
    <div id="${id}">
      ${about === undefined ? undefined : html`<p>${about}</p>`}
      ${pins.length > 0 ? html`<p>Pins ${pins}</p>` : undefined}
      ${parted && vector ? stepTables(parted, vector) : html`<pre tabindex="0">${reason}</pre>`}
      ${
        vector &&
        html`<details class="script">
          <summary>The script</summary>
          <pre tabindex="0">${scriptText(vector)}</pre>
        </details>`
      }
      <p class="file">From <code>${file}</code></p>
    </div>
  </details> `;
}

function whereText({ step }: StepGroup, steps: number): string {
  return step === 0 ? 'before the first step' : `in step ${step} of ${steps}`;
}

function stepTables({ before, first, after }: ReturnType<typeof partedSteps>, vector: Vector): Markup {
  const kept = before.filter(({ step }) => step > 0).length;
  const beforeTitle = kept === 1 ? 'Step 1 went as expected' : `Steps 1 to ${kept} went as expected`;
  const afterTitle = after.length === 1 ? 'The last step' : `The ${after.length} steps that followed`;
  const table = (groups: readonly StepGroup[], caption: string): Markup =>
    traceTable(groups, vector, caption);
  const folded = (groups: readonly StepGroup[], title: string): Markup =>
    html`<details class="steps">
      <summary>${title}</summary>
      ${table(groups, title)}
    </details>`;
  return html`${kept > 0 ? folded(before, beforeTitle) : undefined}
  ${table([first], `The first difference, ${whereText(first, vector.steps.length)}`)}
  ${after.length > 0 ? folded(after, afterTitle) : undefined}`;
}

function traceTable(groups: readonly StepGroup[], vector: Vector, caption: string): Markup {
  return html`<table class="trace">
    <caption>
      ${caption}
    </caption>
    <thead>
      <tr>
        <th scope="col">Expected</th>
        <th scope="col">Observed</th>
        <th scope="col">Verdict</th>
      </tr>
    </thead>
    ${groups.map((group) => stepBody(group, vector))}
  </table>`;
}

function stepBody({ step, rows }: StepGroup, vector: Vector): Markup {
  const script = vector.steps[step - 1];
  const title =
    script === undefined
      ? html`Before the first step`
      : html`Step ${step}: <code>${entryText(script)}</code>`;
  const none = html`<tr class="same">
    <td colspan="3">no entries</td>
  </tr>`;
  return html`<tbody>
    <tr class="step">
      <th scope="rowgroup" colspan="3">${title}</th>
    </tr>
    ${rows.length === 0 ? none : rows.map(traceRow)}
  </tbody>`;
}

function traceRow({ kind, expected, actual }: Row): Markup {
  return html`<tr class="${kind}">
    <td>${entryCell(expected, actual?.entry)}</td>
    <td>${entryCell(actual, expected?.entry)}</td>
    <td><span class="word">${KIND_WORDS[kind]}</span></td>
  </tr> `;
}

function entryCell(place: Row['expected'], other: TraceEntry | undefined): Markup {
  if (place === undefined) return html`<span class="nothing">nothing</span>`;
  const { index, entry } = place;
  return html`<span class="index">${index}</span> <code>${entryMarkup(entry, other)}</code>`;
}

/** A script as the adapter gets it, a member a line. */
function scriptText(vector: Vector): string {
  const script = Object.entries(vector).filter(([key]) => key !== 'trace' && key !== 'about');
  const lines = script.flatMap(([key, value]) => {
    if (!Array.isArray(value)) return [`${key}: ${JSON.stringify(value)}`];
    return [`${key}:`, ...value.map((step) => `  ${JSON.stringify(step)}`)];
  });
  return lines.join('\n');
}
