// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// The page of conformance in a browser.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import t from 'tap';
import { chromiumPath, startChromium, violations, watch } from '../../metrics/page/chromium.js';
import { shortDirectory } from '../../short-directory.js';
import { examplePage } from './example-page.js';

const SIZES = [
  { width: 360, height: 740 },
  { width: 1280, height: 800 },
  { width: 2560, height: 1440 },
];

if (chromiumPath === undefined)
  process.stderr.write('\n*** not tried, as chromium is not installed: the page of conformance\n\n');
const skip = chromiumPath === undefined ? 'chromium is not installed' : false;
t.setTimeout(120_000);

t.test('the page of conformance, in a browser', { skip }, async (t) => {
  const file = join(shortDirectory(t), 'page.html');
  writeFileSync(file, (await examplePage()).page);
  const browser = await startChromium(t);
  const page = await browser.newPage();
  const url = pathToFileURL(file).href;
  const watched = watch(page, new URL(url).origin);
  const isShown = (selector: string): Promise<boolean> => page.locator(selector).first().isVisible();

  await t.test(
    'a number that is underlined leads to the failure, and opens it, without a mouse',
    async (t) => {
      await page.goto(url);
      t.equal(await isShown('#failure-2-2'), false, 'what failed is folded');
      await page.focus('#rule-E2 a');
      await page.keyboard.press('Enter');
      await page.waitForURL('**#failure-2-2');
      t.equal(await isShown('#failure-2-2'), true);
      await page.focus('#failure-2-2 details.steps summary');
      t.equal(await isShown('#failure-2-2 details.steps table'), false);
      await page.keyboard.press('Space');
      t.equal(await isShown('#failure-2-2 details.steps table'), true);
    },
  );

  for (const colorScheme of ['light', 'dark'] as const) {
    for (const size of SIZES) {
      await t.test(
        `${colorScheme}, ${size.width} wide: axe finds nothing, and nothing sticks out`,
        async (t) => {
          await page.emulateMedia({ colorScheme, media: 'screen' });
          await page.setViewportSize(size);
          await page.goto(url);
          t.strictSame(await violations(page), [], 'folded');
          await page.evaluate('document.querySelectorAll("details").forEach((each) => { each.open = true })');
          t.strictSame(await violations(page), [], 'unfolded');
          const width = await page.evaluate('document.documentElement.scrollWidth');
          t.ok((width as number) <= size.width, `it is ${String(width)} wide`);
        },
      );
    }
  }

  await t.test('print unfolds everything', async (t) => {
    await page.emulateMedia({ media: 'print' });
    await page.goto(url);
    t.equal(await isShown('#failure-2-2'), true);
    t.equal(await isShown('#failure-2-2 details.steps table'), true);
    t.equal(await isShown('nav'), false);
  });

  t.strictSame(watched, { errors: [], foreign: [] }, 'no error, no request to elsewhere');
});
