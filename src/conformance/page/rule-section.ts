// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { pinningVectors, type Rule } from '../rules.js';
import { tallyOf, type VectorResult } from '../vector-result.js';
import type { SuiteName } from '../vector.js';
import { type Column, failureId } from './column.js';
import { html, type Markup } from './markup.js';

const SUITE_TITLES: Readonly<Record<SuiteName, string>> = {
  scheduler: "tapdisk2's scheduler",
  replication: 'Replication',
  'async-io': 'Transfers',
  ramdisk: 'The ramdisk',
  'ramdisk-guarded': 'The guarded ramdisk',
};

/** A row of the table: a rule, or what no rule names. */
interface Subject {
  readonly id: string | undefined;
  readonly title: string;
  readonly names: ReadonlySet<string>;
}

/** The table of rules × implementations, by suite, and at its end the vectors that are not of a single rule. */
export function ruleSection(
  rules: readonly Rule[],
  columns: readonly Column[],
  shown: ReadonlySet<string>,
): Markup {
  const ran = new Set(columns.flatMap(({ results }) => results.map(({ name }) => name)));
  const subjects = rules.map((rule): Subject & { suite: string } => ({
    id: rule.id,
    title: rule.title,
    names: new Set(pinningVectors(rule)),
    suite: suiteTitle(rule),
  }));
  const inRun = subjects.filter(({ names }) => [...names].some((name) => ran.has(name)));
  const pinned = new Set(inRun.flatMap(({ names }) => [...names]));
  const others: Subject = {
    id: undefined,
    title: 'Vectors that no single rule names, such as random runs',
    names: new Set([...ran].filter((name) => !pinned.has(name))),
  };
  const groups = [...new Set(inRun.map(({ suite }) => suite))].map((suite) => ({
    suite,
    members: inRun.filter((subject) => subject.suite === suite) as Subject[],
  }));
  if (others.names.size > 0) groups.push({ suite: 'Other vectors', members: [others] });
  const bodies = groups.map(({ suite, members }) => {
    const rows = members.map((subject) => subjectRow(subject, columns, shown));
    return html`<tbody>
      <tr class="group">
        <th scope="rowgroup" colspan="${columns.length + 1}">${suite}</th>
      </tr>
      ${rows}
    </tbody>`;
  });
  const without = rules.length - inRun.length;
  return html`<section aria-labelledby="rules">
    <h2 id="rules">Rules</h2>
    <p>
      A rule is kept when every vector that pins it passes. A number that is underlined leads to the first
      failure. ${leftOut(without)}
    </p>
    <div class="scroll" role="region" aria-label="Rules by implementation" tabindex="0">
      <table class="rules">
        <thead>
          <tr>
            <th scope="col">Rule</th>
            ${columns.map(({ name }) => html`<th scope="col">${name}</th>`)}
          </tr>
        </thead>
        ${bodies}
      </table>
    </div>
  </section>`;
}

function leftOut(rules: number): string {
  if (rules === 0) return '';
  return rules === 1
    ? 'One rule has no vector in this run and is left out.'
    : `${rules} rules have no vector in this run and are left out.`;
}

function suiteTitle({ suite, dialect }: Rule): string {
  return dialect === 'tapdisk3' ? "tapdisk3's scheduler" : SUITE_TITLES[suite];
}

function subjectRow(subject: Subject, columns: readonly Column[], shown: ReadonlySet<string>): Markup {
  const { id, title } = subject;
  const anchor = id === undefined ? html`` : html` id="rule-${id}"`;
  const label = id === undefined ? html`${title}` : html`<span class="id">${id}</span> ${title}`;
  const cells = columns.map((column, index) => tallyCell(subject, column, index, shown));
  return html`<tr${anchor}><th scope="row">${label}</th>${cells}</tr>
      `;
}

function tallyCell(
  { id, names }: Subject,
  { results }: Column,
  column: number,
  shown: ReadonlySet<string>,
): Markup {
  const own = results.filter(({ name }) => names.has(name));
  const { passed, failed } = tallyOf(own);
  if (passed + failed === 0) return html`<td class="none"><span class="word">not run</span></td>`;
  // Vectors keep or break a rule; those of none pass or fail.
  const [good, bad] = id === undefined ? ['passed', 'failed'] : ['kept', 'broken'];
  const count = `${passed} of ${passed + failed}`;
  if (failed === 0) return html`<td class="good"><span class="word">${good}</span> ${count}</td>`;
  const place = failureId(
    column,
    results.findIndex((result) => isFailureOf(result, names)),
  );
  const linked = shown.has(place) ? html`<a href="#${place}">${count}</a>` : html`${count}`;
  return html`<td class="bad"><span class="word">${bad}</span> ${linked}</td>`;
}

function isFailureOf({ name, outcome }: VectorResult, names: ReadonlySet<string>): boolean {
  return outcome === 'failed' && names.has(name);
}
