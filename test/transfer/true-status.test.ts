// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { TransferEvent, TransferObserver } from '../../src/transfer/transfer-event.js';
import type { TransferStatus } from '../../src/transfer/transfer-status.js';
import { freePort } from '../../scripts/free-port.js';
import { backupOn, EventLog, primaryOn, serverTest } from './world.js';

/** Notes what a role's status says whenever something happens: `complete: ended`, with ` +peer` while it has one. */
class StatusLog extends EventLog implements TransferObserver {
  readonly statuses: string[] = [];
  status: () => TransferStatus | undefined = () => undefined;

  override onEvent(event: TransferEvent): void {
    const { phase, peer } = this.status() ?? {};
    this.statuses.push(`${event.event}: ${phase}${peer ? ' +peer' : ''}`);
    super.onEvent(event);
  }
}

serverTest('the status at an event is that of its moment', async (t, server) => {
  const name = `127.0.0.1:${await freePort()}`;
  const primaryLog = new StatusLog();
  const { primary } = primaryOn(server, { name, observer: primaryLog });
  primaryLog.status = () => primary.status();
  await primary.start();
  await primaryLog.event('retrying');
  const backupLog = new StatusLog();
  const { backup } = backupOn(server, { name, observer: backupLog });
  backupLog.status = () => backup.status();
  await backup.start();
  await primary.ended;
  await backupLog.event('listening', 2);
  await backup.stop('SIGTERM');
  const [first, second, ...others] = primaryLog.statuses;
  t.same([first, second], ['connecting: connecting', 'retrying: waiting to try again']);
  t.same(
    others.filter((line) => !line.startsWith('retrying')),
    ['established: greeting +peer', 'complete: ended'],
  );
  t.same(backupLog.statuses, [
    'listening: listening',
    'established: waiting +peer',
    'complete: listening',
    'listening: listening',
    'stopped: stopping',
  ]);
});

serverTest('a role that fails has ended when it reports the failure', async (t, server) => {
  const log = new StatusLog();
  const { primary } = primaryOn(server, { name: 'host.invalid:9', observer: log });
  log.status = () => primary.status();
  await primary.start();
  await primary.ended;
  t.same(log.statuses, ['failed: ended']);
});
