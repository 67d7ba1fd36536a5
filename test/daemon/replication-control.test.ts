// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t, { type Test } from 'tap';
import type { ReplicationRequest } from '../../src/control/replication-request.js';
import { RemusDriver } from '../../src/disks/drivers/index.js';
import type { VbdRegistry } from '../../src/disks/index.js';
import { Drills } from '../../src/daemon/drills.js';
import { type NumberedEvent, ReplicationControl } from '../../src/daemon/replication-control.js';
import type { NbdExport } from '../../src/nbd/index.js';
import { errno } from '../../src/posix/index.js';
import type { ReplicationEvent } from '../../src/replication/disk/events.js';
import { diskWorld } from '../disks/drivers/disk-world.js';
import { openPair, replicationOf, untilStatus, written } from '../disks/drivers/remus-world.js';

/** Disks, what operators ask of those that are replicated, and the events that were passed on. */
function controlled(
  t: Test,
  uriOf = (name: string): string | undefined => `nbd://${name}`,
  maxKept?: { readonly events: number; readonly changes: number },
) {
  const world = diskWorld(t);
  const drills = new Drills(uriOf);
  const passedOn: (readonly [minor: number, event: ReplicationEvent])[] = [];
  const onEvent = (minor: number, event: ReplicationEvent) => void passedOn.push([minor, event]);
  const control = new ReplicationControl({
    registry: world.registry,
    drills,
    onEvent,
    ...(maxKept && { maxKept }),
  });
  t.teardown(() => control[Symbol.dispose]());
  const ask = (command: ReplicationRequest['command'], minor?: number, more = {}): Promise<unknown> =>
    control.handle(minor, { command, ...more });
  return { world, drills, control, passedOn, ask };
}

/** A backup at minor 0 and its primary at minor 1, with a first checkpoint. */
async function pair(
  t: Test,
  uriOf?: (name: string) => string | undefined,
  maxKept?: { readonly events: number; readonly changes: number },
) {
  const all = controlled(t, uriOf, maxKept);
  return { ...all, ...(await openPair(all.world)) };
}

t.test('without a replicated disk each command reports it', async (t) => {
  const { ask, control, world } = controlled(t);
  await world.open('ram:1');
  t.same(await ask('status'), []);
  t.same(control.statuses(), []);
  await t.rejects(ask('flush'), { errno: -errno.ENOENT, message: 'no replicated disk' });
  await t.rejects(ask('flush', 0), {
    errno: -errno.EINVAL,
    message: 'disk 0 is not replicated; replicated disks: none',
  });
});

t.test('with several disks one must be named, except for status', async (t) => {
  const { ask, control } = await pair(t);
  t.match(await ask('status'), [
    { minor: 0, role: 'backup' },
    { minor: 1, role: 'primary' },
  ]);
  t.same(
    control.statuses().map(({ minor }) => minor),
    [0, 1],
  );
  t.match(await ask('status', 1), [{ minor: 1, role: 'primary' }]);
  await t.rejects(ask('flush'), {
    errno: -errno.EINVAL,
    message: 'name one of the replicated disks 0, 1 with --minor',
  });
  await t.rejects(ask('flush', 2), { message: 'disk 2 is not replicated; replicated disks: 0, 1' });
});

t.test('a flush commits a checkpoint, or fails', async (t) => {
  const { ask, primary } = await pair(t);
  t.equal(await written(primary, 8, 7), 0);
  const { message, epoch } = (await ask('flush', 1)) as { message: string; epoch: number };
  t.ok(epoch > 0);
  t.equal(message, `checkpoint ${epoch} is committed`);
  await t.rejects(ask('flush', 0), { message: /not committed: see the status/ });
});

t.test('a command that is refused rejects with the reason', async (t) => {
  const { ask, world } = await pair(t);
  const given = { message: /missing --keep FILE/, errno: -errno.EINVAL };
  await t.rejects(ask('discard', 1), given);
  await t.rejects(ask('discard', 1, { keep: 'relative' }), given);
  await t.rejects(ask('promote', 1), { name: 'SystemError' });
  t.match(await ask('pause', 1), { result: 0 });
  t.match(await ask('status', 1), [{ paused: true }]);
  t.match(await ask('resume', 1), { result: 0 });
  t.match(await ask('status', 1), [{ paused: false }]);
  await untilStatus(replicationOf(world, 1), ({ state }) => state === 'protected');
  t.match(await ask('verify', 1), { result: 0 });
});

t.test('events are numbered from 1 through all disks, and passed on', async (t) => {
  const { ask, control, passedOn } = await pair(t);
  const events = (await ask('events')) as NumberedEvent[];
  t.ok(events.length > 2);
  t.same(
    events.map(({ number }) => number),
    events.map((_, index) => index + 1),
  );
  t.same(
    events.map(({ minor, event }) => [minor, event]),
    passedOn,
  );
  t.same(await ask('events', undefined, { after: 2 }), events.slice(2));
  t.same(
    await ask('events', 1),
    events.filter(({ minor }) => minor === 1),
  );
  t.same(
    control.changes,
    events.filter(({ event }) => event.kind === 'state'),
  );
});

t.test('the events of a paused disk are reported once each', async (t) => {
  const { passedOn, primary, world } = await pair(t);
  await primary.pause();
  await primary.resume();
  await untilStatus(replicationOf(world, 1), ({ state }) => state === 'protected');
  const before = passedOn.length;
  await new Promise((resolve) => replicationOf(world, 1).pause(resolve));
  const [first, ...others] = passedOn.slice(before).map(([, event]) => event);
  t.ok(first);
  t.notOk(others.includes(first as ReplicationEvent));
});

t.test('the last events and changes of state are kept', async (t) => {
  const { ask, control, passedOn, world } = await pair(t, undefined, { events: 7, changes: 3 });
  const replication = replicationOf(world, 1);
  const count = (): number => passedOn.filter(([, { kind }]) => kind === 'state').length;
  while (passedOn.length <= 7 || count() <= 3) {
    await new Promise((resolve) => replication.pause(resolve));
    await new Promise((resolve) => replication.resume(resolve));
  }
  const events = (await ask('events')) as NumberedEvent[];
  t.equal(events.length, 7);
  t.equal(events.at(-1)?.number, passedOn.length);
  const changes = passedOn.filter(([, { kind }]) => kind === 'state');
  t.same(
    control.changes.map(({ minor, event }) => [minor, event]),
    changes.slice(-3),
  );
});

t.test('unless set otherwise 1000 events and 100 changes of state are kept', async (t) => {
  let report: (event: ReplicationEvent) => void = () => {};
  const driver = Object.create(RemusDriver.prototype, {
    onEvent: { value: (listener: typeof report) => (report = listener) },
  }) as RemusDriver;
  const registry = {
    onOpening(listener: (vbd: { readonly minor: number }, drivers: readonly RemusDriver[]) => void) {
      listener({ minor: 0 }, [driver]);
      return () => {};
    },
    vbds: () => [],
  } as unknown as VbdRegistry;
  const control = new ReplicationControl({ registry, drills: new Drills(() => undefined) });
  const change = { from: 'protected', to: 'catching-up', role: 'primary', reason: '' } as const;
  for (let count = 0; count < 1001; count++) report({ kind: 'state', ...change, atSeconds: count });
  const numbers = ((await control.handle(undefined, { command: 'events' })) as NumberedEvent[]).map(
    ({ number }) => number,
  );
  t.same([numbers.length, numbers[0], numbers.at(-1)], [1000, 2, 1001]);
  t.same([control.changes.length, control.changes[0]?.number], [100, 902]);
});

t.test('a drill shows the last checkpoint as a read-only export until it is ended', async (t) => {
  const { ask, drills, primary } = await pair(t);
  t.equal(await written(primary, 8, 7), 0);
  const { epoch } = (await ask('flush', 1)) as { epoch: number };
  t.same(await ask('drill', 0), {
    message: `checkpoint ${epoch} is at nbd://drill-0 until the drill is ended`,
    uri: 'nbd://drill-0',
    epoch,
  });
  await t.rejects(ask('drill', 0), { message: /a drill is in progress at nbd:/ });
  const own = { name: 'own' } as NbdExport;
  const exports = drills.beside({ list: () => [own], find: (name) => (name === 'own' ? own : 'unknown') });
  t.same(
    exports.list().map(({ name }) => name),
    ['own', 'drill-0'],
  );
  t.equal(exports.find('own'), own);
  t.equal(exports.find('drill-1'), 'unknown');
  const drill = exports.find('drill-0');
  if (typeof drill === 'string') throw new Error('the drill is not among the exports');
  const { device } = drill;
  t.match(drill.description, `checkpoint ${epoch} of disk 0, read-only`);
  t.match(device, { readOnly: true, canDiscard: false, isOpen: true });
  t.same(device.info, { sectors: 2048, sectorSize: 512, info: 0 });
  const bytes = Buffer.alloc(4096);
  t.equal(await new Promise<number>((resolve) => device.queueRead(8, bytes, resolve)), 0);
  t.ok(bytes.equals(Buffer.alloc(4096, 7)));
  t.equal(await new Promise<number>((resolve) => device.queueWrite(8, bytes, resolve)), -errno.EROFS);
  t.equal(await new Promise<number>((resolve) => device.flush(resolve)), 0);
  let closed = 0;
  const forget = drill.onClosed(() => (closed += 100));
  drill.onClosed(() => (closed += 1));
  forget();
  t.same(await ask('end-drill', 0), { message: `the drill of checkpoint ${epoch} has ended` });
  t.equal(closed, 1);
  t.notOk(device.isOpen);
  t.equal(exports.find('drill-0'), 'unknown');
  await t.rejects(ask('end-drill', 0), { errno: -errno.ENOENT, message: 'no drill of disk 0' });
  await ask('drill', 0);
  const again = exports.find('drill-0');
  if (typeof again === 'string') throw new Error('the drill is not among the exports');
  again.onClosed(() => (closed += 1));
  drills.endAll();
  drills.endAll();
  t.equal(closed, 2);
  t.equal(exports.find('drill-0'), 'unknown');
});

t.test('a drill is refused without NBD, and of what is no backup', async (t) => {
  const { ask } = await pair(t, () => undefined);
  await t.rejects(ask('drill', 0), { errno: -errno.EOPNOTSUPP, message: /start the daemon with --nbd/ });
  const { ask: askOther } = await pair(t);
  await t.rejects(askOther('drill', 1), {
    message: 'only a backup with a committed checkpoint can have a drill',
  });
});

t.test('a dry run only says what would be, and a promotion is one without it', async (t) => {
  const { ask, primary, world } = await pair(t);
  await primary.close();
  await untilStatus(replicationOf(world, 0), ({ connection }) => connection !== 'established');
  t.match(await ask('promote', 0, { dryRun: true }), { message: /^would become the primary/ });
  t.match(await ask('status', 0), [{ role: 'backup' }]);
  t.match(await ask('promote', 0), { message: /^is the primary now/ });
  t.match(await ask('status', 0), [{ role: 'primary' }]);
});

t.test('a disk refuses what it cannot do, and compares all of it only if asked to', async (t) => {
  const { ask, world } = await pair(t);
  for (const [command, minor, message] of [
    ['promote', 1, 'this side is the primary already'],
    ['rejoin', 0, 'this side is a backup already'],
    ['rejoin', 1, 'this side is not stale: its changes would be lost (see discard)'],
    ['resync', 0, 'only the primary can begin a resync'],
    ['verify', 0, 'only the primary can verify'],
  ] as const)
    await t.rejects(ask(command, minor), { name: 'SystemError', message }, command);
  await t.rejects(ask('discard', 1, { keep: '/kept' }), { message: 'there is no split brain to end' });
  t.match(await ask('resync', 1), { message: 'the backup gets what the map says by itself' });
  t.match(await ask('resync', 1, { full: true }), { message: 'compares every grain' });
  await untilStatus(replicationOf(world, 1), ({ state }) => state === 'protected');
});

t.test(
  'without listeners events are kept all the same, and those of disks opened after its end are not',
  async (t) => {
    const { world } = controlled(t);
    const control = new ReplicationControl({ registry: world.registry, drills: new Drills(() => undefined) });
    await openPair(world);
    const eventsOf = async (minor: number): Promise<number> =>
      ((await control.handle(minor, { command: 'events' })) as NumberedEvent[]).length;
    t.ok((await eventsOf(1)) > 0);
    control[Symbol.dispose]();
    await openPair(world, ['d', 'c']);
    t.equal(await eventsOf(3), 0);
  },
);
