// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { createHash } from 'node:crypto';
import { isoTime } from '../../posix/clock.js';
import { pinningVectors, type Rule } from '../rules.js';
import type { Assignment } from '../suite-run.js';
import { conforms, tallyOf } from '../vector-result.js';
import { type Column, DEFAULT_PAGE_FAILURES, failureId } from './column.js';
import { failureSection } from './failure.js';
import { html, Markup } from './markup.js';
import { ruleSection } from './rule-section.js';
import { STYLE } from './style.js';
import { summarySection } from './summary-section.js';

/** What a page is made of. */
export interface ConformancePageParts {
  /** At least one. */
  readonly columns: readonly Column[];
  /** What all of them ran, in the order of their results. */
  readonly assignments: readonly Assignment[];
  readonly rules: readonly Rule[];
  /** When it ran, in seconds of the wall clock. */
  readonly atSeconds: number;
  /** Of this package. */
  readonly version: string;
  /** {@link DEFAULT_PAGE_FAILURES} unless given. */
  readonly shownFailures?: number | undefined;
}

/**
 * Rules × implementations as one HTML document, which needs nothing from elsewhere and no script: the failed vectors follow
 * the table, each step by step with its traces side by side.
 */
export async function conformancePage(parts: ConformancePageParts): Promise<string> {
  const { columns, assignments, rules, atSeconds, version } = parts;
  const { shownFailures = DEFAULT_PAGE_FAILURES } = parts;
  const failures = await Promise.all(
    columns.map((column, index) => columnFailures(column, index, assignments, rules, shownFailures)),
  );
  const shown = new Set(failures.flatMap(({ ids }) => ids));
  const time = isoTime(atSeconds);
  const implementations = columns.length === 1 ? '1 implementation' : `${columns.length} implementations`;
  const page = html`<!DOCTYPE html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta
          http-equiv="Content-Security-Policy"
          content="default-src 'none'; img-src data:; style-src 'sha256-${styleHash()}'; base-uri 'none'; form-action 'none'"
        />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <link rel="icon" href="data:," />
        <title>Conformance: ${verdictText(columns)}</title>
        ${new Markup(`<style>${STYLE}</style>`)}
      </head>
      <body>
        <header>
          <h1>Conformance</h1>
          <p>
            ${implementations}, ${assignments.length} vectors,
            <time datetime="${time}">${time.slice(0, 16).replace('T', ' ')} UTC</time>, tapdisk-ts ${version}
          </p>
          <nav aria-label="Sections">
            <a href="#summary">Summary</a> <a href="#rules">Rules</a> <a href="#failures">Failures</a>
          </nav>
        </header>
        <main>
          ${summarySection(columns)} ${ruleSection(rules, columns, shown)}
          <section aria-labelledby="failures">
            <h2 id="failures">Failures</h2>
            ${failures.map(({ markup }) => markup)}
          </section>
        </main>
      </body>
    </html> `;
  return page.text;
}

/** The failed vectors of an implementation, and the ids of those that are shown. */
async function columnFailures(
  { name, results }: Column,
  column: number,
  assignments: readonly Assignment[],
  rules: readonly Rule[],
  most: number,
): Promise<{ readonly markup: Markup; readonly ids: readonly string[] }> {
  const failed = [...results.entries()].filter(([, { outcome }]) => outcome === 'failed');
  const sections: Markup[] = [];
  const ids: string[] = [];
  for (const [index, result] of failed.slice(0, most)) {
    const id = failureId(column, index);
    const pinned = rules.filter((rule) => pinningVectors(rule).includes(result.name));
    ids.push(id);
    sections.push(await failureSection(id, result, assignments[index] as Assignment, pinned));
  }
  const hidden = failed.slice(most).map(([, result]) => html`<li><code>${result.name}</code></li>`);
  const more =
    hidden.length > 0
      ? html`<details class="more">
          <summary>${hidden.length} more failed and are only named (--show N)</summary>
          <ul>
            ${hidden}
          </ul>
        </details>`
      : undefined;
  const none = failed.length === 0 ? html`<p>None.</p>` : undefined;
  const markup = html`<h3 id="failures-${column + 1}"><code>${name}</code></h3>
    ${none}${sections}${more} `;
  return { markup, ids };
}

function verdictText(columns: readonly Column[]): string {
  const conforming = columns.filter(({ results }) => conforms(tallyOf(results)));
  if (columns.length === 1) return conforming.length === 1 ? 'conforms' : 'does not conform';
  return `${conforming.length} of ${columns.length} conform`;
}

/** Of the style, which the page's own policy admits by it and nothing else. */
function styleHash(): string {
  return createHash('sha256').update(STYLE).digest('base64');
}
