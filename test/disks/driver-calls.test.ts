// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { DriverRegistrar } from '../../src/disks/driver-calls.js';
import { TIMEOUT } from '../../src/scheduler/event.js';
import { nullLogger } from '../../src/server/logger.js';
import { TapdiskServer } from '../../src/server/tapdisk-server.js';

t.test('a driver’s event is listed under the name of its function', async (t) => {
  await using server = new TapdiskServer({ logger: nullLogger });
  const registrar = new DriverRegistrar(server, nullLogger);
  registrar.registerEvent(TIMEOUT, -1, 5, function flushJournal() {});
  registrar.registerEvent(TIMEOUT, -1, 5, () => {});
  const names = [...server.scheduler.events()].map(({ callbackName }) => callbackName);
  t.same(names, ['flushJournal', '']);
});
