// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { chmodSync } from 'node:fs';
import t from 'tap';
import { NodePosix } from '../../src/posix/index.js';
import type { SelectSets } from '../../src/posix/posix.js';
import { CLOSE_INTERVAL_SECONDS, CLOSE_REPEATS, ControlClient } from '../../src/control/control-client.js';
import { parseReplicationRequest, REPLICATION_COMMANDS } from '../../src/control/replication-request.js';
import { VBD_CLOSED, VBD_PAUSED } from '../../src/disks/state.js';
import { controlWorld, PID } from './world.js';

t.test('a disk is attached, opened, paused, resumed, closed and detached', async (t) => {
  const { client } = controlWorld(t);
  const state = async (): Promise<number> => (await client.list(PID))[0]?.state ?? NaN;
  t.same(await client.list(PID), []);
  await client.attach(PID, 7);
  t.same(await client.open(PID, 7, 'held:a', 0), { sectors: 2048, sectorSize: 512, info: 0 });
  t.equal((await state()) & VBD_PAUSED, 0);
  await client.pause(PID, 7);
  t.equal((await state()) & VBD_PAUSED, VBD_PAUSED);
  await client.resume(PID, 7);
  t.equal((await state()) & VBD_PAUSED, 0);
  await client.close(PID, 7);
  t.equal((await state()) & VBD_CLOSED, VBD_CLOSED);
  await client.detach(PID, 7);
  t.same(await client.list(PID), []);
});

t.test('a close that fails with EAGAIN is repeated after a pause, up to a limit', async (t) => {
  const { directory, registry, client, held } = controlWorld(t);
  await client.attach(PID, 7);
  await client.open(PID, 7, 'held:a', 0);
  registry.get(7)?.queueRead(0, new Uint8Array(512), () => {});
  await held.somethingHeld();
  const pauses: number[] = [];
  class CountingPosix extends NodePosix {
    override select(sets: SelectSets, seconds: number): Promise<Required<SelectSets> | number> {
      if (Object.keys(sets).length === 0) pauses.push(seconds);
      return super.select(sets, seconds);
    }
  }
  const patient = new ControlClient(new CountingPosix(), directory);
  await t.rejects(patient.close(PID, 7), { code: 'EAGAIN' });
  t.same(
    pauses,
    Array.from({ length: CLOSE_REPEATS }, () => CLOSE_INTERVAL_SECONDS),
  );
  held.finishRequests();
  await client.close(PID, 7);
});

t.test('a replication request without text is not JSON', async (t) => {
  t.throws(() => parseReplicationRequest(undefined), { message: /is JSON/ });
});

t.test('a replication request has a known command, and of the rest what has the right type', async (t) => {
  const parse = (request: unknown) => parseReplicationRequest(JSON.stringify(request));
  for (const command of REPLICATION_COMMANDS)
    t.same(parse({ command }), { command, dryRun: false, full: false });
  t.same(parse({ command: 'discard', dryRun: true, full: true, keep: '/k', after: 3 }), {
    command: 'discard',
    dryRun: true,
    full: true,
    keep: '/k',
    after: 3,
  });
  t.same(parse({ command: 'events', dryRun: 1, full: 'yes', keep: 7, after: '3', other: 1 }), {
    command: 'events',
    dryRun: false,
    full: false,
  });
  for (const [text, message] of [
    ['{', /is JSON/],
    ['7', /is an object/],
    ['null', /is an object/],
    ['{}', /has one of the commands status, events/],
    ['{"command":"toString"}', /has one of the commands status, events/],
  ] as const)
    t.throws(() => parseReplicationRequest(text), { code: 'EINVAL', message }, text);
});

t.test('a socket that others could have put there is not asked', async (t) => {
  const { directory, client, control } = controlWorld(t);
  chmodSync(directory, 0o777);
  await t.rejects(client.pid(PID), { name: 'ControlError', code: 'EPERM' });
  t.equal(control.accepted, 0);
  chmodSync(directory, 0o700);
  t.equal(await client.pid(PID), PID);
});
