// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t, { type Test } from 'tap';
import { standardDriverTypes } from '../../../src/disks/drivers/index.js';
import { ObserverList } from '../../../src/metrics/combined-observer.js';
import type { HttpDocument } from '../../../src/metrics/http.js';
import { metricsEndpoint } from '../../../src/metrics/metrics-endpoint.js';
import { MAX_PAGES, StatusPage, type StatusPageOptions } from '../../../src/metrics/page/status-page.js';
import type { DiskPart, History } from '../../../src/metrics/page/wire.js';
import { Recording } from '../../../src/metrics/recording.js';
import { SchedulerMeter } from '../../../src/metrics/scheduler-meter.js';
import { SchedulerViewer } from '../../../src/metrics/scheduler-view.js';
import { vbdReport } from '../../../src/metrics/report.js';
import { AF_INET, errno, NodePosix } from '../../../src/posix/index.js';
import { POLL_READ_FD, Scheduler, TIMEOUT } from '../../../src/scheduler/index.js';
import { nullLogger } from '../../../src/server/logger.js';
import { ManualClock } from '../../control/world.js';
import { diskWorld, pattern, writeSectors } from '../../disks/drivers/disk-world.js';
import { MemoryPoller } from '../../scheduler/memory-poller.js';
import { exampleReport } from '../example-report.js';
import { Page } from './page-client.js';

/** A status page of real disks, whose seconds the test counts. */
function world(t: Test) {
  const clock = new ManualClock();
  const started = clock.seconds;
  const disks = diskWorld(t, { posix: new NodePosix({ clock }) });
  const { posix, server, registry } = disks;
  const poller = new MemoryPoller();
  const scheduler = new Scheduler({ poller, clock });
  const meter = new SchedulerMeter(clock);
  const viewer = new SchedulerViewer({
    server,
    clock,
    meter,
    loopLag: { measures: () => exampleReport.loopLag },
  });
  const made = { reports: 0 };
  const recording = new Recording(new ObserverList(), { clock, name: 'test' });
  const options: StatusPageOptions = {
    registrar: scheduler,
    posix,
    logger: nullLogger,
    registry,
    version: '0',
    names: { types: standardDriverTypes, exportName: () => undefined, uri: () => undefined },
    changes: () => [],
    schedulerView: () => viewer.view(),
    recording,
    report: () => {
      made.reports += 1;
      const uptimeSeconds = clock.seconds - started;
      return { ...exampleReport, uptimeSeconds, vbds: registry.vbds().map(vbdReport) };
    },
  };
  const page = new StatusPage(options);
  const address = { family: AF_INET, address: '127.0.0.1', port: 0 } as const;
  const listener = metricsEndpoint(address, { ...options, registrar: server, page: page.resources });
  t.teardown(() => {
    page[Symbol.dispose]();
    listener[Symbol.dispose]();
  });
  const fetched = (path: string, query = ''): unknown => {
    const document = page.resources.get(path) as HttpDocument;
    return JSON.parse(String(document.body(new URLSearchParams(query))));
  };
  const second = async (): Promise<void> => {
    clock.seconds += 1;
    await scheduler.waitForEvents();
  };
  const port = (): number => {
    if (listener.address.family !== AF_INET) throw new Error('it listens on no port');
    return listener.address.port;
  };
  const asked = (): Page => new Page(t, port());
  /** A page whose answer has begun. */
  const opened = async (): Promise<Page> => {
    const client = asked();
    await client.head();
    return client;
  };
  /** The page of this number, from 0, ends, and the daemon sees it. */
  const closed = async (client: Page, index: number, pagesLeft: number): Promise<void> => {
    const [, ...events] = scheduler.events();
    client.socket.destroy();
    while (scheduler.size > 1 + pagesLeft) {
      poller.answers.push([{ fd: events[index]?.fd ?? -1, conditions: POLL_READ_FD }]);
      await scheduler.waitForEvents();
      await new Promise(setImmediate);
    }
  };
  return { disks, made, fetched, second, port, asked, opened, closed, options, page, recording, scheduler };
}

t.test("a disk's samples are its own, and not of the one that had its minor number before", async (t) => {
  const { disks, fetched, second } = world(t);
  const { registry } = disks;
  const first = await disks.open('ram:1');
  await second();
  await writeSectors(first, 0, pattern(8, 1));
  await second();
  const sample = (): unknown => (fetched('/snapshot.json') as { 'disk:0': DiskPart })['disk:0'].sample;
  t.match(sample(), { writes: 1, writtenBytes: 4096 });
  t.match(fetched('/snapshot.json'), { at: 1_000_000_002.5 }, 'as of when that is');
  await first.close();
  registry.detach(0);
  registry.attach(0);
  await second();
  t.match(sample(), { writes: null, writtenBytes: null }, 'there was no look at it before');
  await second();
  t.match(sample(), { writes: 0, writtenBytes: 0 });
  t.same((fetched('/history.json', 'minor=0') as History).columns.writes, [0]);
});

t.test('without an open page no whole report is made each second', async (t) => {
  const { disks, made, fetched, second } = world(t);
  await disks.open('ram:1');
  for (let count = 0; count < 3; count++) await second();
  t.equal(made.reports, 0);
  t.same((fetched('/history.json', 'minor=0') as History).at.length, 2, 'the disk is measured all the same');
});

t.test(
  'a page gets all parts, and then each second those that changed and the keys of those that are gone',
  async (t) => {
    const { disks, opened, second } = world(t);
    const disk = await disks.open('ram:1');
    await second();
    const page = await opened();
    const first = await page.next();
    t.equal(first.event, 'snapshot');
    t.equal(first.message.at, 1_000_000_001.5);
    t.match(first.message.set, { daemon: { pages: 1 }, 'disk:0': { state: 'running' }, scheduler: {} });
    t.same(first.message.gone, []);
    await writeSectors(disk, 0, pattern(8, 1));
    await second();
    const { event, message } = await page.next();
    t.equal(event, 'change');
    t.equal(message.at, 1_000_000_002.5);
    t.match(message.set, { 'disk:0': { sample: { writes: 1 } } });
    t.notOk('daemon' in message.set, 'what has not changed is not sent again');
    await disk.close();
    disks.registry.detach(0);
    await second();
    t.same((await page.next()).message.gone, ['disk:0']);
  },
);

t.test('all pages have the same parts, whenever they were opened', async (t) => {
  const { disks, opened, second } = world(t);
  const one = await opened();
  t.notOk('disk:0' in (await one.next()).message.set);
  await disks.open('ram:1');
  const other = await opened();
  t.notOk('disk:0' in (await other.next()).message.set, 'the first one does not have it yet');
  await second();
  for (const page of [one, other])
    t.match((await page.next()).message.set, { daemon: { pages: 2 }, 'disk:0': { state: 'running' } });
});

t.test('a page that is alone has what there is now, not what one before it was sent', async (t) => {
  const { closed, disks, opened, second } = world(t);
  const one = await opened();
  await one.next();
  await closed(one, 0, 0);
  await disks.open('ram:1');
  await second();
  t.match((await (await opened()).next()).message.set, { 'disk:0': { state: 'running' } });
});

t.test('the scheduler is recorded from the first page until the last one ends', async (t) => {
  const { closed, opened, recording } = world(t);
  t.equal(recording.isOn, false);
  const pages = [await opened(), await opened()] as const;
  t.equal(recording.isOn, true);
  await closed(pages[0], 0, 1);
  t.equal(recording.isOn, true);
  await closed(pages[1], 0, 0);
  t.equal(recording.isOn, false);
  await opened();
  t.equal(recording.isOn, true);
});

t.test('it leaves nothing behind: no event, no page, no download, no recording', async (t) => {
  const { made, opened, page, port, recording, scheduler, second } = world(t);
  t.match([...scheduler.events()], [{ mode: TIMEOUT, timeoutSeconds: 1 }]);
  const client = await opened();
  await client.next();
  const download = await fetch(`http://127.0.0.1:${port()}/trace.json`);
  t.equal(scheduler.size, 3, 'it waits for the client to take more');
  page[Symbol.dispose]();
  page[Symbol.dispose]();
  t.equal(scheduler.size, 0);
  // However it ends, it ends.
  await download.text().catch(() => {});
  t.equal(recording.isOn, false);
  await t.rejects(client.next(), { message: /^the stream ended/ });
  const { reports } = made;
  await second();
  t.equal(made.reports, reports, 'nothing is measured any more');
});

t.test('without room for its event a page is not updated, which is logged', async (t) => {
  const { options } = world(t);
  const lines: string[] = [];
  const logger = { log: (_: number, line: string) => lines.push(line) };
  const withRegistrar = (id: number): StatusPage =>
    new StatusPage({
      ...options,
      registrar: { registerEvent: () => id, unregisterEvent() {}, setMaxTimeout: () => 0 },
      logger,
    });
  using _updated = withRegistrar(1);
  t.same(lines, []);
  using _page = withRegistrar(-errno.EBUSY);
  t.same(lines, ['metrics: the status page is not updated: no events left']);
});

t.test('only disks that are there have a history, and only by their numbers', async (t) => {
  const { disks, page, second } = world(t);
  await disks.open('ram:1');
  await second();
  const document = page.resources.get('/history.json') as HttpDocument;
  t.equal(document.contentType, 'application/json');
  const found = (query: string): boolean => document.body(new URLSearchParams(query)) !== undefined;
  t.ok(found('minor=0'));
  for (const query of ['', 'minor=', 'minor=1', 'minor=0x0', 'minor=000000', 'minor=-0', 'minor=0.'])
    t.notOk(found(query), query);
  disks.registry.attach(9);
  t.notOk(found('minor=9'), 'nobody has measured it yet');
});

t.test('beyond the number of pages a further one is asked to come again', async (t) => {
  const { asked, opened } = world(t);
  for (let count = 0; count < MAX_PAGES; count++) await opened();
  t.match(await asked().head(), /^HTTP\/1\.1 503 Service Unavailable\r\n/);
});
