// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { once } from 'node:events';
import { statSync, truncateSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { ControlClient } from '../../src/control/control-client.js';
import type { ReplicationRequest } from '../../src/control/replication-request.js';
import type { DaemonOptions } from '../../src/daemon/daemon-options.js';
import { clientSeconds, Services } from '../../src/daemon/services.js';
import { standardDriverTypes } from '../../src/disks/drivers/index.js';
import { FLAG_READ_ONLY } from '../../src/nbd/protocol.js';
import { NodePosix } from '../../src/posix/index.js';
import { packageVersion } from '../../src/server/package-file.js';
import { diskWorld } from '../disks/drivers/disk-world.js';
import { freePort, openPair } from '../disks/drivers/remus-world.js';
import { shortDirectory } from '../short-directory.js';
import { nbdClient } from './daemon-child.js';
import { daemonWorld, PID } from './daemon-world.js';
import { metricsStatus } from './metrics-status.js';

t.test('clients have half of the time for the end, and five seconds at most', async (t) => {
  for (const [graceSeconds, seconds] of [
    [1, 0],
    [2, 1],
    [5, 2],
    [9, 4],
    [10, 5],
    [60, 5],
  ] as const)
    t.equal(clientSeconds(graceSeconds), seconds, `of ${graceSeconds} s`);
  t.equal(clientSeconds(0), undefined, "without a limit they have NBD's own time");
});

/** The addresses of a line of a daemon that is ready. */
function addressesIn(ready: string): { readonly nbd: string; readonly metrics: string } {
  const [, nbd = '', metrics = ''] = / nbd=(\S+) metrics=(\S+)/.exec(ready) ?? [];
  return { nbd, metrics };
}

t.test('the control directory is made, and only its owner may write there', async (t) => {
  const directory = join(shortDirectory(t), 'a', 'b');
  const { daemon } = daemonWorld(t, '--control-directory', directory);
  t.match(await daemon.start(), new RegExp(`control=${directory}/ctl${PID}$`));
  t.equal(statSync(directory).mode & 0o022, 0);
});

t.test('no disk is opened while another process serves the control socket', async (t) => {
  const { daemon, directory, lines } = daemonWorld(t, '--disk', '0=ram:1');
  const other = createServer((socket) => socket.destroy()).listen(join(directory, `ctl${PID}`));
  t.teardown(() => other.close());
  await once(other, 'listening');
  await t.rejects(daemon.start(), { code: 'EADDRINUSE', message: /ctl4242 is served by another process/ });
  t.same(daemon.openDisks(), []);
  t.notOk(lines.some((line) => line.includes('opened')));
});

t.test('no disk is opened when the control directory cannot be made', async (t) => {
  const { daemon } = daemonWorld(t, '--control-directory', '/proc/tapdisk-ts', '--disk', '0=ram:1');
  await t.rejects(daemon.start(), { code: 'ENOENT' });
  t.same(daemon.openDisks(), []);
});

t.test('metrics are served under the names that are given for them', async (t) => {
  const { daemon } = daemonWorld(t, '--metrics', '127.0.0.1:0', '--metrics-host', 'metrics.example');
  const [, port = ''] = /metrics=\S+:(\d+)/.exec(await daemon.start()) ?? [];
  const at = { host: '127.0.0.1', port };
  t.equal(await metricsStatus(at, 'metrics.example'), 200);
  t.equal(await metricsStatus(at, 'other.example'), 421);
});

t.test('metrics can be served at a path, and are gone with their daemon', async (t) => {
  const path = join(shortDirectory(t), 'metrics');
  const { daemon } = daemonWorld(t, '--metrics', path);
  await daemon.start();
  const status = () => metricsStatus({ socketPath: path }, 'localhost');
  t.equal(await status(), 200);
  daemon.shutDown();
  await daemon.ended;
  await t.rejects(status(), { code: 'ENOENT' });
});

t.test('the status page shows disks under their names, with their addresses', async (t) => {
  const { daemon } = daemonWorld(
    ...([t, '--disk', 'data=ram:1', '--nbd', '127.0.0.1:0', '--metrics', '127.0.0.1:0'] as const),
  );
  const { nbd, metrics } = addressesIn(await daemon.start());
  const page = await fetch(`http://${metrics}/`);
  t.match([page.status, page.headers.get('content-type')], [200, /^text\/html/]);
  const snapshot: unknown = await (await fetch(`http://${metrics}/snapshot.json`)).json();
  t.match(snapshot, {
    daemon: { pid: PID, version: packageVersion() },
    'disk:0': { exportName: 'data', uri: `nbd://${nbd}/data` },
  });
});

/** A daemon with a backup, disk 0, and its primary, disk 1. */
async function replicatedDaemon(t: Test) {
  const images = shortDirectory(t);
  const address = `127.0.0.1:${freePort()}`;
  const argv = (['backup', 'primary'] as const).flatMap((role) => {
    const image = join(images, role);
    writeFileSync(image, '', { mode: 0o600 });
    truncateSync(image, 1 << 20);
    const more = role === 'backup' ? 'journal=4M' : 'interval=0';
    return ['--disk', `${role}=remus:${address},role=${role},${more}|aio:${image}`];
  });
  const world = daemonWorld(t, ...argv, '--nbd', '127.0.0.1:0', '--metrics', '127.0.0.1:0');
  const { nbd, metrics } = addressesIn(await world.daemon.start());
  const client = new ControlClient(new NodePosix(), world.directory);
  const ask = async (command: ReplicationRequest['command'], minor?: number): Promise<unknown> =>
    JSON.parse(await client.replication(PID, minor, { command }));
  for (;;) {
    const [, primary] = (await ask('status')) as { readonly state: string }[];
    if (primary?.state === 'protected') return { ...world, nbd, metrics, ask };
  }
}

t.test('a drill is an export until it is ended, or the daemon ends', async (t) => {
  const { daemon, ask, lines, nbd } = await replicatedDaemon(t);
  t.notOk(
    lines.some((line) => line.includes('on-state')),
    'no program is asked for',
  );
  t.match(await ask('drill', 0), { uri: `nbd://${nbd}/drill-0` });
  const client = await nbdClient(t, nbd, 'drill-0');
  t.equal(client.facts.size, 1 << 20);
  t.equal(client.facts.flags & FLAG_READ_ONLY, FLAG_READ_ONLY);
  daemon.shutDown();
  t.equal(await daemon.ended, 0);
  t.equal(daemon.report().descriptors, 0);
});

t.test('the status page shows the changes of replicated disks', async (t) => {
  const { ask, metrics } = await replicatedDaemon(t);
  const events = (await ask('events')) as { number: number; minor: number; event: { kind: string } }[];
  const changes = events.filter(({ event }) => event.kind === 'state');
  t.ok(changes.length > 0);
  const snapshot = (await (await fetch(`http://${metrics}/snapshot.json`)).json()) as object;
  for (const { number, minor } of changes)
    t.match((snapshot as Record<string, unknown>)[`change:${number}`], { minor });
});

/** Services of their own, without disks and a daemon, and how to connect to a path of theirs. */
function servicesIn(t: Test, options: Partial<DaemonOptions> = {}) {
  const world = diskWorld(t);
  const { registry, posix, server: registrar, directory } = world;
  const unused = (): never => {
    throw new Error('nothing is served');
  };
  const services = new Services(
    { directory, disks: [], logLevel: 6, graceSeconds: 60, ...options },
    {
      ...{ registrar, posix, logger: registrar.logger, registry, pid: PID, types: standardDriverTypes },
      ...{ report: unused, schedulerView: unused, onIdle: unused, recording: undefined as never },
    },
  );
  return { ...world, services };
}

t.test('services that are closed keep no events of disks that are opened afterwards', async (t) => {
  const { services, ...world } = servicesIn(t);
  const eventsOf = async (minor: number): Promise<number> =>
    ((await services.replication.handle(minor, { command: 'events' })) as unknown[]).length;
  await openPair(world);
  t.ok((await eventsOf(1)) > 0);
  services.close();
  await openPair(world, ['d', 'c']);
  t.equal(await eventsOf(3), 0);
});

t.test(
  'services are listed in the order of their options, and none is left once they are closed',
  async (t) => {
    const directory = shortDirectory(t);
    const paths = ['a', 'b', 'c', 'metrics'].map((name) => join(directory, name));
    const [a = '', b = '', c = '', metrics = ''] = paths;
    const { services, posix, server } = servicesIn(t, { directory, nbd: [a, b, c], metrics });
    const before = [posix.openDescriptors(), server.scheduler.size];
    t.same(services.connections, { control: 0, controlAccepted: 0, nbd: 0 });
    t.same(services.diskUris(0), []);
    await services.reserve();
    const control = join(directory, `ctl${PID}`);
    t.same(await services.listen(), [
      ['nbd', a],
      ['nbd', b],
      ['nbd', c],
      ['metrics', metrics],
      ['control', control],
    ]);
    t.same(
      services.diskUris(0),
      [a, b, c].map((path) => `nbd+unix:///0?socket=${path}`),
    );
    services.close();
    t.same([posix.openDescriptors(), server.scheduler.size], before);
  },
);

t.test('clients are gone once they are stopped, or all is closed', async (t) => {
  for (const areStopped of [true, false]) {
    const directory = shortDirectory(t);
    const [nbd, metrics] = [join(directory, 'nbd'), join(directory, 'metrics')];
    const { services, posix } = servicesIn(t, { directory, nbd, metrics });
    const before = posix.openDescriptors();
    await services.listen();
    const sockets: Socket[] = [];
    for (const path of [metrics, join(directory, `ctl${PID}`), nbd]) {
      const socket = connect(path).on('error', () => {});
      await once(socket, 'connect');
      sockets.push(socket);
    }
    const [ofMetrics, ...others] = sockets.map((socket) => once(socket, 'close'));
    await once(sockets[2] as Socket, 'data');
    t.match(services.connections, { nbd: 1 });
    if (areStopped) {
      await services.stopClients(1);
      t.same(services.connections.nbd, 0);
      await Promise.all(others);
      t.notOk(sockets[0]?.destroyed);
    }
    services.close();
    await Promise.all([ofMetrics, ...others]);
    t.same(posix.openDescriptors(), before);
  }
});
