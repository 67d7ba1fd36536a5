// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t, { type Test } from 'tap';
import { standardDriverTypes } from '../../../src/disks/drivers/index.js';
import { ObserverList } from '../../../src/metrics/combined-observer.js';
import type { HttpDocument } from '../../../src/metrics/http.js';
import { StatusPage } from '../../../src/metrics/page/status-page.js';
import type { DiskPart, History } from '../../../src/metrics/page/wire.js';
import { Recording } from '../../../src/metrics/recording.js';
import { SchedulerMeter } from '../../../src/metrics/scheduler-meter.js';
import { SchedulerViewer } from '../../../src/metrics/scheduler-view.js';
import { vbdReport } from '../../../src/metrics/report.js';
import { NodePosix } from '../../../src/posix/index.js';
import { Scheduler } from '../../../src/scheduler/index.js';
import { nullLogger } from '../../../src/server/logger.js';
import { ManualClock } from '../../control/world.js';
import { diskWorld, pattern, writeSectors } from '../../disks/drivers/disk-world.js';
import { MemoryPoller } from '../../scheduler/memory-poller.js';
import { exampleReport } from '../example-report.js';

/** A status page of real disks, whose seconds the test counts. */
function world(t: Test) {
  const clock = new ManualClock();
  const disks = diskWorld(t, { posix: new NodePosix({ clock }) });
  const { posix, server, registry } = disks;
  const scheduler = new Scheduler({ poller: new MemoryPoller(), clock });
  const meter = new SchedulerMeter(clock);
  const viewer = new SchedulerViewer({
    server,
    clock,
    meter,
    loopLag: { measures: () => exampleReport.loopLag },
  });
  const made = { reports: 0 };
  const page = new StatusPage({
    registrar: scheduler,
    posix,
    logger: nullLogger,
    registry,
    version: '0',
    names: { types: standardDriverTypes, exportName: () => undefined, uri: () => undefined },
    changes: () => [],
    schedulerView: () => viewer.view(),
    recording: new Recording(new ObserverList(), { clock, name: 'test' }),
    report: () => {
      made.reports += 1;
      return { ...exampleReport, vbds: registry.vbds().map(vbdReport) };
    },
  });
  t.teardown(() => page[Symbol.dispose]());
  const fetched = (path: string, query = ''): unknown => {
    const document = page.resources.get(path) as HttpDocument;
    return JSON.parse(String(document.body(new URLSearchParams(query))));
  };
  const second = async (): Promise<void> => {
    clock.seconds += 1;
    await scheduler.waitForEvents();
  };
  return { disks, made, fetched, second };
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
  await first.close();
  registry.detach(0);
  registry.attach(0);
  await second();
  t.match(sample(), { writes: null, writtenBytes: null }, 'there was no look at it before');
  await second();
  t.match(sample(), { writes: 0, writtenBytes: 0 });
  t.same((fetched('/history.json', 'minor=0') as History).columns.writes, [0]);
});

t.test('while no page is open, seconds cost no report of the whole daemon', async (t) => {
  const { disks, made, fetched, second } = world(t);
  await disks.open('ram:1');
  for (let count = 0; count < 3; count++) await second();
  t.equal(made.reports, 0);
  t.same((fetched('/history.json', 'minor=0') as History).at.length, 2, 'the disk is measured all the same');
});
