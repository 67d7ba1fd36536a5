// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type Browser, chromium, type Page } from 'playwright-core';
import type { Test } from 'tap';
import { programPath } from '../../../scripts/program-path.js';

/** Debian's browser; undefined where it is not installed. */
export const chromiumPath = programPath('chromium');

/** The browser, until the test has ended. */
export async function startChromium(t: Test): Promise<Browser> {
  const browser = await chromium.launch({
    ...(chromiumPath !== undefined && { executablePath: chromiumPath }),
    // Its own sandbox needs what containers and root do not have; it opens pages of this machine only.
    args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
  });
  t.teardown(() => browser.close());
  return browser;
}

/** What a page should not do, as it happens. */
export interface Watched {
  /** Messages of the console that are errors or warnings, and what was thrown. */
  readonly errors: string[];
  /** Requests to anywhere but its own origin. */
  readonly foreign: string[];
}

export function watch(page: Page, origin: string): Watched {
  const watched: Watched = { errors: [], foreign: [] };
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') watched.errors.push(message.text());
  });
  page.on('pageerror', (error) => watched.errors.push(error.message));
  page.on('request', (request) => {
    if (new URL(request.url()).origin !== origin) watched.foreign.push(request.url());
  });
  return watched;
}

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** What axe finds wrong with a page: each rule with the first element that breaks it. */
export async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  const found = (await page.evaluate('axe.run(document).then(({ violations }) => violations)')) as {
    readonly id: string;
    readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[];
  }[];
  return found.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}: ${nodes[0]?.failureSummary}`);
}
