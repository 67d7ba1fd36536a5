// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// `npx tsx scripts/screenshots.ts [--seconds N]`: takes the pictures of the status page in docs/images, of two daemons that
// replicate a disk under load, one of which is killed at the end. Needs Chromium. Run by hand when the page has changed.

import { mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import type { NbdClient } from '../src/nbd/index.js';
import { Random } from '../src/testing/random.js';
import type { Actor } from './demo/actor.js';
import { withDisk } from './demo/disk-client.js';
import { Stage } from './demo/stage.js';
import { freePort } from './free-port.js';
import { programPath } from './program-path.js';
import { repositoryFile } from './repository-files.js';
import { positiveOption, scriptOptions } from './script-options.js';

const PHONE = { width: 360, height: 780 };
const LAPTOP = { width: 1280, height: 900 };
const WALL = { width: 2560, height: 1440 };
const IMAGE_BYTES = 64 << 20;

const USAGE = `npx tsx scripts/screenshots.ts [--seconds N]

  --seconds N  how long the page collects values before its picture is taken (default: 180)`;
const { values } = scriptOptions(USAGE, { options: { seconds: { type: 'string', default: '180' } } });
const seconds = positiveOption('--seconds', values.seconds);
const stage = new Stage((line) => console.log(line));
const images = repositoryFile('docs/images');
mkdirSync(images, { recursive: true });

function file(name: string): string {
  return path.join(stage.directory, name);
}

async function vhd(...argv: string[]): Promise<void> {
  const status = await stage.start('vhd', ['vhd', ...argv]).exit;
  if (status !== 0) throw new Error(`vhd ${argv.join(' ')} ended with ${status}`);
}

/** A daemon with one side of the replicated disk, and where its page is. */
async function daemon(
  role: string,
  port: number,
  ...argv: string[]
): Promise<{ actor: Actor; page: string }> {
  const image = file(`${role}.img`);
  writeFileSync(image, '');
  truncateSync(image, IMAGE_BYTES);
  const actor = stage.start(role, [
    'daemon',
    ...['--control-directory', file(`${role}.ctl`), '--nbd', file(`${role}.nbd`), '--metrics', '127.0.0.1:0'],
    ...['--disk', `mail=remus:127.0.0.1:${port},role=${role},interval=2s,fifos=no|aio:${image}`],
    ...argv,
  ]);
  const [, page = ''] = / metrics=(\S+)/.exec(await actor.line(/^ready/)) ?? [];
  return { actor, page: `http://${page}` };
}

/** Reads and writes at random places, more and less of them in turn, until it is told to stop. */
async function load(client: NbdClient, seed: number, until: () => boolean): Promise<void> {
  const random = new Random(seed);
  for (let round = 0; !until(); round++) {
    const depth = 1 + Math.round(3 * (1 + Math.sin(round / 120)));
    const requests = Array.from({ length: depth }, () => {
      const bytes = random.pick([4096, 16_384, 65_536]);
      const at = bytes * random.integer(0, client.facts.size / bytes - 1);
      return random.chance(0.7) ? client.read(at, bytes) : client.write(at, Buffer.alloc(bytes, round));
    });
    await Promise.all(requests);
    await new Promise((resolve) => setTimeout(resolve, 20 + 20 * random.integer(0, 3)));
  }
}

async function open(
  browser: Browser,
  url: string,
  size: typeof LAPTOP,
  scheme: 'light' | 'dark',
): Promise<Page> {
  const context = await browser.newContext({ viewport: size, colorScheme: scheme });
  const page = await context.newPage();
  await page.goto(url);
  await page.locator('#connection[data-state=live]').waitFor();
  // Two samples more, and the histories are there.
  await new Promise((resolve) => setTimeout(resolve, 2500));
  return page;
}

async function take(page: Page, name: string, whole = false): Promise<void> {
  await page.screenshot({ path: path.join(images, `${name}.png`), fullPage: whole });
  stage.tell(`docs/images/${name}.png`);
}

try {
  const executablePath = programPath('chromium');
  if (executablePath === undefined) throw new Error('chromium is not installed');
  await vhd('create', file('base.vhd'), '256M');
  await vhd('snapshot', file('base.vhd'), file('leaf.vhd'));
  const port = await freePort();
  const backup = await daemon('backup', port);
  const primary = await daemon('primary', port, '--disk', `builds=vhd:${file('leaf.vhd')}`);
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  let isOver = false;
  const loads = ['mail', 'builds'].map((name, index) =>
    withDisk(file('primary.nbd'), name, (client) => load(client, index + 1, () => isOver)),
  );
  stage.tell(`load for ${seconds} s`);
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  await take(await open(browser, primary.page, LAPTOP, 'light'), 'page', true);
  await take(await open(browser, primary.page, PHONE, 'dark'), 'page-phone');
  await take(await open(browser, primary.page, WALL, 'dark'), 'page-wall');
  isOver = true;
  await Promise.all(loads);
  primary.actor.kill('SIGKILL');
  await primary.actor.exit;
  const promote = ['replication', 'promote', '--control-directory', file('backup.ctl')];
  while ((await stage.start('promote', promote).exit) !== 0)
    stage.tell('the backup waits for its primary to be lost');
  const promoted = await open(browser, backup.page, LAPTOP, 'light');
  await promoted.locator('#replication').screenshot({ path: path.join(images, 'page-failover.png') });
  stage.tell('docs/images/page-failover.png');
  await browser.close();
} finally {
  await stage.close();
}
