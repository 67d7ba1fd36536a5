// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { type EventCallback, type EventDescription, TIMEOUT } from '../../src/scheduler/event.js';
import type { EventRegistrar } from '../../src/scheduler/registrar.js';
import { Trace } from '../../src/daemon/trace.js';
import { nullLogger } from '../../src/server/logger.js';
import { ManualClock } from '../control/world.js';
import { shortDirectory } from '../short-directory.js';

t.test('a trace is written at least once a second, by its own event', async (t) => {
  const file = join(shortDirectory(t), 'trace.json');
  const trace = new Trace(file, 1 << 20, new ManualClock(), nullLogger);
  const flushes: (() => void)[] = [];
  const registrar: EventRegistrar = {
    registerEvent<Private>(
      mode: number,
      fd: number,
      timeoutSeconds: number,
      callback: EventCallback<Private>,
    ) {
      t.strictSame([mode, fd, timeoutSeconds], [TIMEOUT, -1, 1]);
      flushes.push(() => callback(1, TIMEOUT, undefined as Private));
      return 1;
    },
    unregisterEvent() {},
    setMaxTimeout: () => 0,
  };
  trace.follow(registrar);
  const event: EventDescription = { id: 1, mode: TIMEOUT, fd: -1, timeoutSeconds: 1, deadlineSeconds: 0 };
  trace.observer.entering?.(event, TIMEOUT);
  trace.observer.left?.(event, TIMEOUT);
  const names = (): string[] =>
    (JSON.parse(readFileSync(file, 'utf8')) as { name: string }[]).map(({ name }) => name);
  t.strictSame(names(), ['process_name']);
  const { size } = statSync(file);
  for (const flush of flushes) flush();
  while (statSync(file).size === size) await new Promise(setImmediate);
  t.strictSame(names(), ['process_name', 'TIMEOUT']);
  await trace.close();
});
