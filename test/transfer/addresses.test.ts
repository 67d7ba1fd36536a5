// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import tap from 'tap';
import { freePort } from '../../scripts/free-port.js';
import { formatAddress } from '../../src/posix/address.js';
import { errnoCode } from '../../src/posix/errno.js';
import { errno, NodePosix, type SocketAddress } from '../../src/posix/index.js';
import { ATTEMPT_SECONDS } from '../../src/replication/attempt-seconds.js';
import { AddressRange } from '../../src/server/address-range.js';
import type { TapdiskServer } from '../../src/server/index.js';
import { ManualClock } from '../disks/bench.js';
import { SILENT, silence } from '../posix/silent-address.js';
import { listeningBackup, primaryOn, serverTest } from './world.js';

const OWN = '127.0.0.1';
/** Other hosts' addresses; the test's system answers for them. */
const FIRST = '192.0.2.1';
const SECOND = '192.0.2.2';

const port = await freePort();
await silence(tap, port);

/** A system where names have several addresses, and other hosts refuse connections. */
class NamedPosix extends NodePosix {
  /** Where each attempt went. */
  readonly attempts: string[] = [];
  /** What connect returns for another host's address. */
  refusal = -errno.ECONNREFUSED;
  override readonly clock: ManualClock;

  constructor(...addresses: string[]) {
    const clock = new ManualClock();
    super({ clock, lookup: async () => addresses.map((address) => ({ address })) });
    this.clock = clock;
  }

  override connect(fd: number, address: SocketAddress): number {
    const text = formatAddress(address);
    this.attempts.push(text);
    return text.startsWith('127.') ? super.connect(fd, address) : this.refusal;
  }
}

/** Lets the scheduler see what has happened. */
async function settle(server: TapdiskServer): Promise<void> {
  for (let pass = 0; pass < 3; pass += 1) await server.sleep(0);
}

const pair = new NamedPosix(SILENT, '::1', OWN);
serverTest(
  'the addresses of a name are tried in turn until one accepts',
  async (t, server) => {
    const { backup } = await listeningBackup(server, { name: `${OWN}:${port}`, once: true });
    const { primary, log } = primaryOn(server, { name: `pair.test:${port}` });
    await primary.start();
    await settle(server);
    t.match(primary.status(), { phase: 'connecting', address: `${SILENT}:${port}`, attemptSeconds: 0 });
    pair.clock.seconds += ATTEMPT_SECONDS - 1;
    await settle(server);
    t.match(primary.status(), { address: `${SILENT}:${port}`, attempts: 1, attemptSeconds: 9 });
    pair.clock.seconds += 2;
    await settle(server);
    t.same(await log.event('retrying'), {
      event: 'retrying',
      attempts: 1,
      code: 'ETIMEDOUT',
      message: 'connection timed out',
      address: `${SILENT}:${port}`,
    });
    t.same(await primary.ended, { kind: 'complete' });
    t.same(pair.attempts, [`${SILENT}:${port}`, `${OWN}:${port}`]);
    t.equal((await log.event('established')).peer, `${OWN}:${port}`);
    await backup.ended;
  },
  pair,
);

for (const error of [errno.ECONNREFUSED, errno.EHOSTUNREACH]) {
  const refusing = new NamedPosix(FIRST, SECOND);
  refusing.refusal = -error;
  serverTest(
    `an attempt that fails with ${errnoCode(error)} is followed by one at the next address a second later`,
    async (t, server) => {
      const { primary, log } = primaryOn(server, { name: 'pair.test:9' });
      await primary.start();
      for (const [index, address] of [FIRST, SECOND, FIRST].entries()) {
        t.equal((await log.event('retrying', index + 1)).address, `${address}:9`);
        await settle(server);
        t.equal(refusing.attempts.length, index + 1);
        refusing.clock.seconds += 1;
        await server.sleep(0);
      }
      primary.stop('SIGTERM');
    },
    refusing,
  );
}

const limited = new NamedPosix(SILENT, FIRST);
serverTest(
  'the time that an address may leave an attempt without an answer can be set',
  async (t, server) => {
    const { primary, log } = primaryOn(server, { name: `pair.test:${port}`, attemptSeconds: 2 });
    await primary.start();
    await settle(server);
    limited.clock.seconds += 3;
    await settle(server);
    t.equal((await log.event('retrying')).address, `${SILENT}:${port}`);
    t.equal((await log.event('retrying', 2)).address, `${FIRST}:${port}`);
    primary.stop('SIGTERM');
  },
  limited,
);

const single = new NamedPosix(SILENT, '::1');
serverTest(
  'the only IPv4 address of a name is left to the kernel',
  async (t, server) => {
    const { primary, log } = primaryOn(server, { name: `single.test:${port}` });
    await primary.start();
    await settle(server);
    single.clock.seconds += 100;
    await settle(server);
    t.match(primary.status(), { phase: 'connecting', attempts: 1, attemptSeconds: 100 });
    t.same(log.names(), ['connecting']);
    primary.stop('SIGTERM');
  },
  single,
);

const filtered = new NamedPosix(FIRST, SECOND);
serverTest(
  'only allowed addresses are tried, and a name without one is refused',
  async (t, server) => {
    const allow = [AddressRange.parse(SECOND)!];
    const { primary, log } = primaryOn(server, { name: 'pair.test:9', allow });
    await primary.start();
    t.equal((await log.event('connecting')).address, `${SECOND}:9`);
    t.notOk('address' in (await log.event('retrying')), 'there is no other address to tell it from');
    t.same(filtered.attempts, [`${SECOND}:9`]);
    primary.stop('SIGTERM');

    const refused = primaryOn(server, { name: 'pair.test:9', allow: [AddressRange.parse('10.0.0.0/8')!] });
    await refused.primary.start();
    t.same(await refused.primary.ended, { kind: 'failed' });
    t.match(await refused.log.event('failed'), {
      code: 'EACCES',
      message: `pair.test:9 is ${FIRST}:9, ${SECOND}:9, none of which is an address that is allowed`,
    });
  },
  filtered,
);
