// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// The status page in a browser, of two daemons that replicate a disk, one of which dies and comes back.

import { mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import t, { type Test } from 'tap';
import { freePort } from '../../../scripts/free-port.js';
import { command } from '../../cli/command.js';
import { DaemonChild, nbdClient } from '../../daemon/daemon-child.js';
import { shortDirectory } from '../../short-directory.js';
import { chromiumPath, startChromium, violations, watch } from './chromium.js';

/** A name that would run a program, were it ever read as HTML. */
const NASTY = '<img src=x onerror=document.title=name>.img';
const PHONE = { width: 360, height: 740 };
const LAPTOP = { width: 1280, height: 800 };
const WALL = { width: 2560, height: 1440 };

if (chromiumPath === undefined)
  process.stderr.write('\n*** not tried, as chromium is not installed: the status page\n\n');
t.setTimeout(180_000);

interface Side {
  readonly control: string;
  readonly base: string;
  daemon: DaemonChild;
  nbd: string;
  start(): Promise<void>;
  /** Runs a command of `tapdisk-ts`, again until it succeeds. */
  run(...argv: string[]): Promise<void>;
}

async function side(t: Test, name: string, port: number): Promise<Side> {
  const directory = join(shortDirectory(t), name);
  const control = join(directory, 'ctl');
  mkdirSync(directory);
  const image = join(directory, NASTY);
  writeFileSync(image, '');
  truncateSync(image, 4 << 20);
  const metrics = `127.0.0.1:${await freePort()}`;
  const remus = `remus:127.0.0.1:${port},role=${name},journal=4M,fifos=no`;
  const argv = ['--control-directory', control, '--disk', `3=${remus}|aio:${image}`, '--disk', 'data=ram:1'];
  const started = (): DaemonChild =>
    new DaemonChild(t, [...argv, '--nbd', '127.0.0.1:0', '--metrics', metrics]);
  const made: Side = {
    control,
    base: `http://${metrics}`,
    daemon: started(),
    nbd: '',
    async start() {
      made.daemon = started();
      made.nbd = (await made.daemon.ready())['nbd'] ?? '';
    },
    async run(...words) {
      for (;;) {
        const { status, stderr } = await command(...words, '--control-directory', control);
        if (status === 0) return;
        if (!/connected|connecting/.test(stderr)) throw new Error(`${words.join(' ')}: ${stderr}`);
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    },
  };
  made.nbd = (await made.daemon.ready())['nbd'] ?? '';
  return made;
}

/** Waits for a text within a part of the page. */
async function shows(page: Page, selector: string, text: string | RegExp): Promise<void> {
  await page.locator(selector).filter({ hasText: text }).first().waitFor({ timeout: 30_000 });
}

/** Waits for a card to have this state, and no other that contains its word: `unprotected` has `protected` in it. */
async function showsState(page: Page, card: string, word: string): Promise<void> {
  await shows(page, `${card} .state .word`, new RegExp(`^${word}$`));
}

const skip = chromiumPath === undefined ? 'chromium is not installed' : false;
t.test('the status page, in a browser', { skip }, async (t) => {
  const port = await freePort();
  const [backup, primary, browser] = await Promise.all([
    side(t, 'backup', port),
    side(t, 'primary', port),
    startChromium(t),
  ]);
  const context = await browser.newContext({ viewport: LAPTOP });
  const page = await context.newPage();
  const watched = watch(page, primary.base);
  const onBackup = await context.newPage();
  const watchedBackup = watch(onBackup, backup.base);
  await Promise.all([page.goto(primary.base), onBackup.goto(backup.base)]);

  await t.test('it loads, and shows disks, replication and the scheduler', async (t) => {
    await shows(page, '#connection', 'Live');
    await showsState(page, '#disk-3', 'running');
    await showsState(page, '#replication-3', 'protected');
    await shows(page, '#scheduler', /\d+ events/);
    t.match(await page.locator('#disk-0 h3').textContent(), 'data');
    t.match(await page.locator('#disk-3 .stack').textContent(), NASTY, 'a name is a text');
    t.equal(await page.locator('img').count(), 0, 'and never an element');
    t.equal(await page.title(), 'tapdisk-ts');
  });

  await t.test('it shows what changes, within seconds', async (t) => {
    const client = await nbdClient(t, primary.nbd, '0');
    await client.write(0, Buffer.alloc(64 << 10, 1));
    const [pid] = [String(primary.daemon.pid)];
    await command('ctl', 'attach', '-p', pid, '-m', '7', '--control-directory', primary.control);
    await showsState(page, '#disk-7', 'closed');
    await shows(page, '#disks-summary', '3 disks, 2 open');
    await command('ctl', 'detach', '-p', pid, '-m', '7', '--control-directory', primary.control);
    await shows(page, '#disks-summary', '2 disks, 2 open');
    t.equal(await page.locator('#disk-7').count(), 0);
  });

  await t.test('it can be used by keyboard alone', async (t) => {
    await page.keyboard.press('Tab');
    t.equal(await page.locator(':focus').textContent(), 'Skip to the disks');
    await page.keyboard.press('Enter');
    await page.keyboard.press('Tab');
    t.match(await page.locator(':focus').textContent(), /^data · disk 0/);
    await page.keyboard.press('Space');
    t.equal(await page.locator('#disk-0 .plot').first().isVisible(), false, 'folded');
    await page.keyboard.press('Space');
    await page.keyboard.press('Tab');
    const plot = page.locator('#disk-0 .plot:focus');
    t.match(await plot.getAttribute('aria-label'), /^Throughput/);
    t.match(await plot.getAttribute('aria-valuetext'), /^now: read /);
    await page.keyboard.press('ArrowLeft');
    t.match(await plot.getAttribute('aria-valuetext'), /^\d\d:\d\d:\d\d: read .*, written /);
    const momentAfter = async (key: string): Promise<string | null> => {
      await page.keyboard.press(key);
      return plot.getAttribute('aria-valuetext');
    };
    const first = await momentAfter('Home');
    t.match(first, /^\d\d:\d\d:\d\d: /);
    const last = await momentAfter('End');
    t.not(last, first);
    t.not(await momentAfter('Shift+ArrowLeft'), last);
    t.match(await momentAfter('Escape'), /^now: /, 'the present again');
    await page.locator('#event-filter').focus();
    await page.keyboard.type('listening TIMEOUT-and-no-such');
    await shows(page, '#scheduler caption', /^0 of \d+ events/);
    for (let count = 0; count < 40; count++) await page.keyboard.press('Backspace');
    await page.keyboard.type('listening');
    await shows(page, '#scheduler caption', /^[1-9] of \d+ events/);
    t.equal(await page.locator('[tabindex]:not([tabindex="0"]):not([tabindex="-1"])').count(), 0);
  });

  await t.test(
    'a page that nobody sees costs the daemon nothing, and goes on when it is seen again',
    async (t) => {
      const pages = async (): Promise<number> =>
        ((await (await fetch(`${primary.base}/snapshot.json`)).json()) as { daemon: { pages: number } })
          .daemon.pages;
      const setHidden = async (isHidden: boolean): Promise<void> => {
        await page.evaluate(
          `Object.defineProperty(document, 'hidden', { value: ${isHidden}, configurable: true })`,
        );
        await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))");
      };
      t.equal(await pages(), 1);
      await setHidden(true);
      while ((await pages()) !== 0) await new Promise(setImmediate);
      await setHidden(false);
      while ((await pages()) !== 1) await new Promise(setImmediate);
      await shows(page, '#connection', 'Live');
    },
  );

  for (const [name, size, colorScheme] of [
    ['a phone', PHONE, 'light'],
    ['a laptop', LAPTOP, 'dark'],
    ['a wall', WALL, 'light'],
  ] as const) {
    await t.test(`on ${name}, in ${colorScheme}, axe finds nothing, and nothing is cut off`, async (t) => {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize(size);
      t.same(await violations(page), []);
      // It scrolls in one direction only, once the plots have their new width.
      const isWide = 'document.documentElement.scrollWidth > innerWidth';
      while (await page.evaluate(isWide)) await new Promise(setImmediate);
    });
  }
  t.same(watched.errors, [], 'no error in the console');

  await t.test('a failover is seen as it happens, at both sides', async (t) => {
    primary.daemon.kill('SIGKILL');
    await primary.daemon.exit();
    await shows(page, '#connection', /No news since \d\d:\d\d:\d\d: what is shown is old/);
    await shows(onBackup, '#replication-3 .facts', /Role\s*backup/);
    await backup.run('replication', 'promote', '--minor', '3');
    await showsState(onBackup, '#replication-3', 'unprotected');
    await shows(onBackup, '#replication-3 .facts', /Role\s*primary/);
    await shows(onBackup, '#changes tr', /backup\s*unprotected\s*primary/);
    t.match(await onBackup.title(), /^unprotected/);
  });

  await t.test('when the daemon restarts the page reconnects, and reports it', async (t) => {
    await primary.start();
    await shows(page, '#connection', `the daemon was restarted (pid`);
    await showsState(page, '#replication-3', 'stale');
    await shows(page, '#replication-3 .command', 'tapdisk-ts replication rejoin');
    await primary.run('replication', 'rejoin', '--minor', '3');
    await showsState(onBackup, '#replication-3', 'protected');
    await showsState(page, '#replication-3', 'backup');
    t.same(await violations(page), []);
  });
  t.same([...watched.foreign, ...watchedBackup.foreign], [], 'no request to anywhere else');
  t.same(watchedBackup.errors, [], 'no error in the console of the other side');
});
