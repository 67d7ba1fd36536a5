// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t, { type Test } from 'tap';
import { driverTypes, standardDriverTypes } from '../../../src/disks/drivers/index.js';
import type { ChainLink, Driver, Vbd } from '../../../src/disks/index.js';
import { DiskHistory } from '../../../src/metrics/page/disk-history.js';
import { CHAIN_SECONDS, type NumberedChange, PageParts } from '../../../src/metrics/page/page-parts.js';
import { type Report, type VbdReport, vbdReport } from '../../../src/metrics/report.js';
import type { SchedulerView } from '../../../src/metrics/scheduler-view.js';
import { diskWorld } from '../../disks/drivers/disk-world.js';
import { freePort, imageOf } from '../../disks/drivers/remus-world.js';
import { exampleReport } from '../example-report.js';

const schedulerView: SchedulerView = {
  dialect: 'tapdisk2',
  atSeconds: 0,
  events: [],
  eventCount: 0,
  callbacks: 0,
  callbacksPerSecond: 0,
  callbackShare: 0,
  rateSeconds: 0,
  slowest: [],
  loopLag: exampleReport.loopLag,
};

/** Disks, `layered:` among them, whose images the test gives; and the parts of a page that shows them. */
function world(t: Test) {
  let looks = 0;
  let chain: () => readonly ChainLink[] = () => [];
  const layered: Driver = {
    open: (_, done) => done(0),
    info: () => ({ sectors: 2048, sectorSize: 512, info: 0 }),
    close: (done) => done(0),
    queueRead: (request) => request.complete(0),
    queueWrite: (request) => request.complete(0),
    flush: (done) => done(0),
    chain: () => {
      looks += 1;
      return chain();
    },
  };
  const types = driverTypes([...standardDriverTypes.values(), { name: 'layered', create: () => layered }]);
  const disks = diskWorld(t, { types });
  const histories = new Map<Vbd, DiskHistory>();
  const changes: NumberedChange[] = [];
  const parts = new PageParts({
    registry: disks.registry,
    names: {
      types,
      exportName: (minor) => (minor === 1 ? 'data' : undefined),
      uri: (minor) => (minor === 1 ? 'nbd://host/data' : undefined),
    },
    version: '1.2.3',
    changes: () => changes,
    schedulerView: () => schedulerView,
  });
  /** All parts, with what is special in the report. */
  const shown = (at = 1000, report: Partial<Report> = {}): Record<string, unknown> => {
    const vbds = disks.registry.vbds();
    for (const vbd of vbds) if (!histories.has(vbd)) histories.set(vbd, new DiskHistory());
    const whole = { ...exampleReport, vbds: vbds.map(vbdReport), ...report };
    const texts = parts.texts(at, whole, histories, 3);
    return Object.fromEntries([...texts].map(([key, text]) => [key, JSON.parse(text) as unknown]));
  };
  return {
    disks,
    changes,
    shown,
    looks: () => looks,
    setChain: (links: () => readonly ChainLink[]) => void (chain = links),
  };
}

t.test('the daemon is shown with when it started, its memory and its connections', async (t) => {
  const { shown } = world(t);
  const parts = shown(1000.5);
  t.same(Object.keys(parts), ['daemon', 'scheduler']);
  t.same(parts['daemon'], {
    pid: 71,
    version: '1.2.3',
    startedAt: 988,
    residentMiB: 64,
    descriptors: 9,
    controlConnections: 1,
    nbdConnections: 2,
    pages: 3,
  });
});

t.test('a disk is shown with its drivers, its size and what went wrong', async (t) => {
  const { disks, shown } = world(t);
  await disks.open('ram:1', { readOnly: true });
  const vbd = await disks.open('log:|ram:2');
  const [first, second] = disks.registry.vbds().map(vbdReport) as [VbdReport, VbdReport];
  const { read, write } = second.kinds;
  const kinds = { ...second.kinds, read: { ...read, failed: 2 }, write: { ...write, failed: 3 } };
  const parts = shown(1000, { vbds: [first, { ...second, retries: 7, kinds }] });
  t.same(parts['disk:0'], {
    minor: 0,
    state: 'running',
    isOpen: true,
    readOnly: true,
    bytes: 1 << 20,
    stack: [{ driver: 'ram', argument: '1' }],
    chain: [],
    failed: 0,
    retries: 0,
    sample: new DiskHistory().last,
  });
  t.match(parts['disk:1'], {
    minor: 1,
    exportName: 'data',
    uri: 'nbd://host/data',
    readOnly: false,
    bytes: 2 << 20,
    stack: [
      { driver: 'log', argument: '' },
      { driver: 'ram', argument: '2' },
    ],
    failed: 5,
    retries: 7,
  });
  await vbd.close();
  const closed = shown()['disk:1'] as object;
  t.match(closed, { state: 'closed', isOpen: false, stack: [], exportName: 'data' });
  t.notOk('uri' in closed, 'a closed disk is nowhere');
});

t.test('a disk that the report does not have yet, or that nobody measures, is not shown', async (t) => {
  const { disks, shown } = world(t);
  await disks.open('ram:1');
  t.notOk('disk:0' in shown(1000, { vbds: [] }));
  const parts = new PageParts({
    registry: disks.registry,
    names: { types: standardDriverTypes, exportName: () => undefined, uri: () => undefined },
    version: '',
    changes: () => [],
    schedulerView: () => schedulerView,
  });
  const report = { ...exampleReport, vbds: disks.registry.vbds().map(vbdReport) };
  t.notOk(parts.texts(1000, report, new Map(), 0).has('disk:0'));
});

t.test(
  'the images of a disk are looked at every ten seconds, and when it has been opened anew',
  async (t) => {
    const { disks, looks, setChain, shown } = world(t);
    const vbd = await disks.open('layered:a');
    const chain = (at: number): unknown => (shown(at)['disk:0'] as { chain: unknown }).chain;
    setChain(() => [
      { path: '/leaf', sectors: 8, blocks: 4, allocatedBlocks: 1 },
      { path: '/base', sectors: 6 },
    ]);
    const images = [
      { path: '/leaf', bytes: 4096, blocks: 4, allocatedBlocks: 1 },
      { path: '/base', bytes: 3072 },
    ];
    t.strictSame(chain(1000), images);
    setChain(() => []);
    t.strictSame(chain(1000 + CHAIN_SECONDS - 0.5), images);
    t.equal(looks(), 1);
    t.strictSame(chain(1000 + CHAIN_SECONDS), []);
    t.equal(looks(), 2);
    t.strictSame(chain(990), [], 'nor as long as it takes, when the clock was set back');
    t.equal(looks(), 3);
    await vbd.close();
    t.strictSame(chain(991), []);
    t.equal(looks(), 3, 'a closed disk has no images');
    await disks.registry.open(0, 'layered:a', { readOnly: false, shared: false });
    chain(992);
    t.equal(looks(), 4, 'of the same name again, but perhaps of other images');
    await vbd.pause();
    await vbd.resume('layered:b');
    chain(993);
    t.equal(looks(), 5, 'resumed with another image');
  },
);

t.test('a driver that cannot name its images gives the reason in their place', async (t) => {
  const { disks, setChain, shown } = world(t);
  await disks.open('log:|layered:a');
  setChain(() => {
    throw new TypeError('no chain');
  });
  const [image] = (shown()['disk:0'] as { chain: { path: string; bytes: number }[] }).chain;
  t.match(image, { path: /^the driver has a fault: .*no chain/, bytes: 0 });
});

t.test('a replicated disk is shown as the control socket reports it, and each change of state', async (t) => {
  const { changes, disks, shown } = world(t);
  await disks.open('ram:1');
  await disks.open(`remus:127.0.0.1:${freePort()},role=backup,journal=4M|aio:${imageOf(disks, 'b')}`);
  changes.push({
    number: 17,
    minor: 1,
    event: {
      kind: 'state',
      from: 'backup',
      to: 'protected',
      role: 'primary',
      reason: 'promoted',
      atSeconds: 990.5,
    },
  });
  const parts = shown();
  t.notOk('replication:0' in parts);
  const status = vbdReport(disks.registry.get(1) as Vbd).replication;
  t.match(parts['replication:1'], {
    minor: 1,
    role: 'backup',
    state: status?.state,
    address: status?.address,
  });
  t.same(parts['change:17'], {
    minor: 1,
    at: 990.5,
    from: 'backup',
    to: 'protected',
    role: 'primary',
    reason: 'promoted',
  });
});
