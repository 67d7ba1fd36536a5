// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import tap from 'tap';
import { freePort } from '../../scripts/free-port.js';
import { errno, NodePosix, type SocketAddress } from '../../src/posix/index.js';
import { errnoCode, inWords } from '../../src/posix/errno.js';
import { AddressRange } from '../../src/server/address-range.js';
import { LOG_INFO } from '../../src/server/logger.js';
import { ManualClock } from '../disks/bench.js';
import { foreignBackup, foreignPrimary } from './foreign.js';
import { backupOn, listeningBackup, MemoryOutput, openInput, primaryOn, serverTest } from './world.js';

// A retry takes a second of real time, so that these tests run beside each other.
tap.jobs = 8;

/** Some calls answer what they would in a network that is not at hand. */
class FaultyPosix extends NodePosix {
  /** What connect answers next, in turn. */
  readonly connects: number[] = [];
  /** What socket answers, if it is negative. */
  sockets = 0;
  /** What shutdown answers, if it is negative. */
  shutdowns = 0;

  override socket(domain: number, type: number, protocol?: number): number {
    return this.sockets < 0 ? this.sockets : super.socket(domain, type, protocol);
  }
  override shutdown(fd: number, how: number): number {
    return this.shutdowns < 0 ? this.shutdowns : super.shutdown(fd, how);
  }
  override connect(fd: number, address: SocketAddress): number {
    return this.connects.shift() ?? super.connect(fd, address);
  }
}

serverTest('a primary that starts first retries every second', async (t, server) => {
  const name = `127.0.0.1:${await freePort()}`;
  const { primary, log } = primaryOn(server, { name });
  await primary.start();
  t.match(await log.event('retrying'), { code: 'ECONNREFUSED', message: 'connection refused', attempts: 1 });
  t.match(primary.status(), {
    state: 'in_progress',
    phase: 'waiting to try again',
    lastError: 'connection refused',
  });
  const output = new MemoryOutput();
  const { backup } = backupOn(server, { name, output, once: true });
  await backup.start();
  t.same(await primary.ended, { kind: 'complete' });
  t.ok(primary.status().attempts >= 2);
  t.equal(primary.status().lastError, null);
  await backup.ended;
  t.same(output.copies.map(String), ['image']);
});

const unreachable = new FaultyPosix();
serverTest(
  'a host that cannot be reached for now is tried again, though the connect module gives up on it',
  async (t, server) => {
    const { backup, log } = backupOn(server, { once: true });
    await backup.start();
    unreachable.connects.push(-errno.EHOSTUNREACH);
    const { primary, log: primaryLog } = primaryOn(server, { name: (await log.event('listening')).address });
    await primary.start();
    t.match(await primaryLog.event('retrying'), { code: 'EHOSTUNREACH' });
    t.match(primary.status(), { state: 'closed', phase: 'waiting to try again' });
    t.same(await primary.ended, { kind: 'complete' });
    await backup.ended;
  },
  unreachable,
);

const cut = new FaultyPosix();
serverTest(
  'a connection that is gone when the image has been sent fails the primary',
  async (t, server) => {
    const { backup, log } = backupOn(server);
    await backup.start();
    cut.shutdowns = -errno.ENOTCONN;
    const { primary, log: primaryLog } = primaryOn(server, { name: (await log.event('listening')).address });
    await primary.start();
    t.same(await primary.ended, { kind: 'failed' });
    t.match(await primaryLog.event('failed'), { code: 'ENOTCONN', message: /broke after 5 bytes/ });
    await log.event('broken');
    await backup.stop('SIGTERM');
  },
  cut,
);

const ended = new FaultyPosix();
serverTest(
  'a connection that is gone after the other program has ended its side fails the primary too',
  async (t, server) => {
    const name = await foreignBackup(t, (socket) => void socket.end().resume());
    ended.shutdowns = -errno.ENOTCONN;
    const { primary, log } = primaryOn(server, { name, raw: true });
    await primary.start();
    t.same(await primary.ended, { kind: 'failed' });
    t.match(await log.event('failed'), { code: 'ENOTCONN', message: /broke after 5 bytes/ });
  },
  ended,
);

const forbidden = new FaultyPosix();
serverTest(
  'a connect that can never work fails the primary',
  async (t, server) => {
    forbidden.connects.push(-errno.EACCES);
    const { primary, log } = primaryOn(server, { name: '127.0.0.1:9' });
    await primary.start();
    t.same(await primary.ended, { kind: 'failed' });
    const message = 'cannot connect to 127.0.0.1:9: permission denied';
    t.match(await log.event('failed'), { code: 'EACCES', message });
    t.same(log.names(), ['connecting', 'failed'], 'one fault, one report');
  },
  forbidden,
);

const away = new FaultyPosix();
serverTest(
  'a primary can be stopped while it connects, and while it waits to try again',
  async (t, server) => {
    for (const error of [errno.ECONNREFUSED, errno.EHOSTUNREACH]) {
      away.connects.push(-error);
      const { input, stream } = openInput();
      const { primary, log } = primaryOn(server, { name: '127.0.0.1:9', input });
      await primary.start();
      await log.event('retrying');
      primary.stop('SIGTERM');
      primary.stop('SIGINT');
      t.ok(stream.destroyed, 'its input is closed');
      t.same(await primary.ended, { kind: 'stopped', signal: 'SIGTERM' });
      t.same(log.names(), ['connecting', 'retrying', 'stopped']);
    }
  },
  away,
);

const exhausted = new FaultyPosix();
serverTest(
  'a table without a free descriptor fails either role',
  async (t, server) => {
    const { backup, log } = backupOn(server);
    exhausted.sockets = -errno.EMFILE;
    await backup.start();
    t.same(await backup.ended, { kind: 'failed' });
    t.match(await log.event('failed'), { code: 'EMFILE', message: /^cannot listen on 127\.0\.0\.1:0: / });
    const { primary, log: primaryLog } = primaryOn(server, { name: '127.0.0.1:9' });
    await primary.start();
    t.same(await primary.ended, { kind: 'failed' });
    t.match(await primaryLog.event('failed'), { code: 'EMFILE', message: /^cannot start to connect: / });
  },
  exhausted,
);

serverTest('a backup at another host’s address is told to be the primary', async (t, server) => {
  const { backup, log } = backupOn(server, { name: '192.0.2.1:9000' });
  await backup.start();
  t.same(await backup.ended, { kind: 'not-ours' });
  t.equal(backup.status().phase, 'ended');
  t.match(await log.event('failed'), {
    code: 'EADDRNOTAVAIL',
    bytes: 0,
    message: /^this host does not have the address 192\.0\.2\.1:9000.*tapdisk-ts primary 192\.0\.2\.1:9000$/,
  });
});

serverTest('a port in use is named, and the backup that holds it continues', async (t, server) => {
  const first = backupOn(server);
  await first.backup.start();
  const { address } = await first.log.event('listening');
  const lines: string[] = [];
  const logger = { log: (_: number, line: string) => void lines.push(line) };
  const second = backupOn(server, { name: address, logger });
  await second.backup.start();
  t.same(await second.backup.ended, { kind: 'failed' });
  t.match(await second.log.event('failed'), {
    code: 'EADDRINUSE',
    message: `cannot listen on ${address}: address already in use`,
  });
  t.same(
    lines.filter((line) => line.startsWith('cannot accept')),
    [],
  );
  const { primary } = primaryOn(server, { name: address });
  await primary.start();
  t.same(await primary.ended, { kind: 'complete' });
  await first.backup.stop('SIGTERM');
});

const named = new NodePosix({
  lookup: async (host) => {
    if (host === 'six.test') return [{ address: '::1' }];
    if (host === 'both.test') return [{ address: '::1' }, { address: '127.0.0.1' }];
    throw Object.assign(new Error('not found'), { code: 'ENOTFOUND' });
  },
});
serverTest(
  'names are looked up, and one without an IPv4 address is reported',
  async (t, server) => {
    const { backup, address } = await listeningBackup(server, { name: 'both.test:0', once: true });
    t.match(address, /^127\.0\.0\.1:\d+$/);
    const failures: [string, string][] = [
      ['none.test:9', 'cannot find none.test:9: Name or service not known'],
      ['six.test:9', 'cannot find six.test:9: it has only IPv6 addresses; IPv4 is required'],
    ];
    for (const [name, message] of failures) {
      const { primary, log: primaryLog } = primaryOn(server, { name });
      await primary.start();
      t.same(await primary.ended, { kind: 'failed' });
      t.match(await primaryLog.event('failed'), { code: 'ENOENT', message });
      const other = backupOn(server, { name });
      await other.backup.start();
      t.same(await other.backup.ended, { kind: 'failed' });
    }
    const { primary } = primaryOn(server, { name: `both.test:${address.split(':')[1]}` });
    await primary.start();
    t.same(await primary.ended, { kind: 'complete' });
    await backup.ended;
  },
  named,
);

let answerLookup!: () => void;
const slow = new NodePosix({
  lookup: () =>
    new Promise((resolve) => {
      answerLookup = () => resolve([{ address: '127.0.0.1' }]);
    }),
});
serverTest(
  'a role can be stopped while its name is looked up',
  async (t, server) => {
    const { primary } = primaryOn(server, { name: 'slow.test:9' });
    const primaryStarted = primary.start();
    t.match(primary.status(), { phase: 'looking up', address: 'slow.test:9' });
    primary.stop('SIGTERM');
    answerLookup();
    await primaryStarted;
    t.same(await primary.ended, { kind: 'stopped', signal: 'SIGTERM' });
    const { backup } = backupOn(server, { name: 'slow.test:0' });
    const backupStarted = backup.start();
    await backup.stop('SIGTERM');
    answerLookup();
    await backupStarted;
    t.same(await backup.ended, { kind: 'stopped', signal: 'SIGTERM' });
  },
  slow,
);

const timed = new FaultyPosix({ clock: new ManualClock() });
serverTest(
  'a connect is tried again after a second, whether the connect module does it or has given up',
  async (t, server) => {
    const clock = timed.clock as ManualClock;
    for (const error of [errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.ENETDOWN, errno.ECONNRESET]) {
      timed.connects.push(-error, -error, -error);
      const { primary, log } = primaryOn(server, { name: '127.0.0.1:9' });
      await primary.start();
      for (const attempts of [1, 2, 3]) {
        t.match(await log.event('retrying', attempts), { attempts, code: errnoCode(error) });
        for (let pass = 0; pass < 3; pass += 1) await server.sleep(0);
        t.match(primary.status(), { attempts, attemptSeconds: null, lastError: inWords(error), seconds: 0 });
        if (attempts < 3) clock.seconds += 1;
        await server.sleep(0);
      }
      primary.stop('SIGTERM');
    }
  },
  timed,
);

const waiting = new FaultyPosix({ clock: new ManualClock() });
serverTest(
  'a status reports how long a connect has had no answer, and how long the role has been played',
  async (t, server) => {
    const clock = waiting.clock as ManualClock;
    waiting.connects.push(-errno.EINPROGRESS);
    const { primary } = primaryOn(server, { name: '127.0.0.1:9' });
    clock.seconds += 2;
    t.match(primary.status(), { attemptSeconds: null, uptimeSeconds: 2, attempts: 0 });
    await primary.start();
    while (primary.status().attempts === 0) await server.sleep(0);
    clock.seconds += 3;
    t.match(primary.status(), {
      phase: 'connecting',
      attemptSeconds: 3,
      uptimeSeconds: 5,
      seconds: 0,
      totalBytes: 5,
      lastError: null,
    });
    primary.stop('SIGTERM');
    t.match(primary.status(), { phase: 'ended', attemptSeconds: null });
  },
  waiting,
);

const again = new FaultyPosix({ clock: new ManualClock() });
serverTest(
  'a primary that tries again is connecting once more',
  async (t, server) => {
    again.connects.push(-errno.ECONNREFUSED, -errno.EINPROGRESS);
    const { primary, log } = primaryOn(server, { name: '127.0.0.1:9' });
    await primary.start();
    await log.event('retrying');
    t.equal(primary.status().phase, 'waiting to try again');
    (again.clock as ManualClock).seconds += 1;
    while (primary.status().attempts < 2) await server.sleep(0);
    t.equal(primary.status().phase, 'connecting');
    primary.stop('SIGTERM');
  },
  again,
);

/** A system that cannot name either end of a connection. */
class Nameless extends NodePosix {
  override getpeername(): number {
    return -errno.ENOTCONN;
  }
  override getsockname(): number {
    return -errno.EBADF;
  }
}
serverTest(
  'if the system cannot name an address, the given one is reported, and no peer is allowed by it',
  async (t, server) => {
    const name = `127.0.0.1:${await freePort()}`;
    const { backup, address } = await listeningBackup(server, { name, once: true });
    t.equal(address, name);
    const { primary, log } = primaryOn(server, { name });
    await primary.start();
    t.match(await log.event('established'), { peer: name });
    t.equal(primary.status().peer, null);
    t.same(await primary.ended, { kind: 'complete' });
    t.same(await backup.ended, { kind: 'complete' });
    const allow = [AddressRange.parse('127.0.0.0/8') as AddressRange];
    const choosy = await listeningBackup(server, { name, allow });
    const socket = await foreignPrimary(name);
    await new Promise((resolve) => socket.once('close', resolve));
    t.same(choosy.log.names(), ['listening']);
    await choosy.backup.stop('SIGTERM');
  },
  new Nameless(),
);

const logged = new FaultyPosix();
serverTest(
  'faults of the connect module are logged as information, since the role reports them',
  async (t, server) => {
    const lines: [number, string][] = [];
    const logger = { log: (priority: number, line: string) => void lines.push([priority, line]) };
    logged.connects.push(-errno.EACCES);
    const { primary, log } = primaryOn(server, { name: '127.0.0.1:9', logger });
    await primary.start();
    await log.event('failed');
    t.ok(lines.some(([, line]) => line.startsWith('replication')));
    t.same(
      lines.filter(([priority]) => priority < LOG_INFO),
      [],
    );
    t.ok(lines.some(([priority]) => priority === LOG_INFO));
  },
  logged,
);

/** A system that notes which descriptors it was asked to close and did not have. */
class NotedCloses extends NodePosix {
  readonly strangers: number[] = [];

  override close(fd: number): number {
    const result = super.close(fd);
    if (result < 0) this.strangers.push(fd);
    return result;
  }
}
const closing = new NotedCloses();
serverTest(
  'a role that ends without a connection closes only what it has opened',
  async (t, server) => {
    const { backup } = await listeningBackup(server);
    await backup.stop('SIGTERM');
    const { primary } = primaryOn(server, { name: '127.0.0.1:9' });
    primary.stop('SIGTERM');
    await primary.ended;
    t.same(closing.strangers, []);
  },
  closing,
);
