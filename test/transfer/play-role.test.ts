// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t, { type Test } from 'tap';
import { errno } from '../../src/posix/index.js';
import { TapdiskServer } from '../../src/server/index.js';
import type { AwaitOptions } from '../../src/server/one-firing.js';
import { type PlayOptions, playRole, type RoleParts } from '../../src/transfer/play-role.js';
import type { TransferEvent, TransferOutcome } from '../../src/transfer/transfer-event.js';
import type { TransferStatus } from '../../src/transfer/transfer-status.js';

const digest = { bytes: 5, sha256: '0'.repeat(64) };
const complete: TransferEvent = {
  event: 'complete',
  ...digest,
  confirmed: true,
  seconds: 2,
  rate: 2.5,
  file: 'memory',
};
const failed = (message: string): TransferEvent => ({ event: 'failed', code: 'EIO', message, bytes: 0 });

/** A role that reports these events once it is started, and ends when it is told to, or is stopped. */
function played(options: PlayOptions, ...events: readonly TransferEvent[]) {
  let end!: (outcome: TransferOutcome) => void;
  let parts!: RoleParts;
  const stops: string[] = [];
  const result = playRole(options, (given) => {
    parts = given;
    return {
      start: async () => {
        for (const event of events) given.observer.onEvent(event);
      },
      stop: (signal) => {
        stops.push(signal);
        end({ kind: 'stopped', signal });
      },
      status: () => ({ phase: 'playing' }) as TransferStatus,
      ended: new Promise((resolve) => (end = resolve)),
    };
  });
  return { result, parts, stops, end };
}

t.test('a role that has ended resolves to its image, or rejects with its last failure', async (t) => {
  const reported: TransferEvent[] = [];
  const onEvent = (event: TransferEvent): void => void reported.push(event);
  const outcomeOf = (kind: 'complete' | 'failed' | 'not-ours', ...events: TransferEvent[]) => {
    const { result, end } = played({ onEvent }, ...events);
    end({ kind });
    return result;
  };
  const [first, last] = [failed('first'), failed('last')];
  t.same(await outcomeOf('complete', complete), { ...digest, confirmed: true, seconds: 2 });
  await t.rejects(outcomeOf('failed', first, last, { event: 'nothing', peer: 'HOST' }), {
    name: 'TransferError',
    code: 'EIO',
    message: 'last',
  });
  await t.rejects(outcomeOf('failed'), {
    name: 'TransferError',
    code: 'ECANCELED',
    message: 'the transfer ended without an image',
  });
  await t.rejects(outcomeOf('not-ours', first), {
    code: 'EADDRNOTAVAIL',
    message: 'this host does not have the address to listen on',
  });
  t.same(reported, [complete, first, last, { event: 'nothing', peer: 'HOST' }, first]);
});

t.test('a signal stops the role once, and is what it rejects with', async (t) => {
  const controller = new AbortController();
  const { result, stops } = played({ signal: controller.signal }, complete);
  controller.abort(new Error('enough'));
  await t.rejects(result, { message: 'enough' });
  t.same(stops, ['abort']);
});

t.test('the server of a role takes no signals of the process, and ends with it', async (t) => {
  const listeners = process.listenerCount('SIGINT');
  const { result, parts, end } = played({}, complete);
  t.equal(process.listenerCount('SIGINT'), listeners);
  t.ok((parts.registrar as TapdiskServer).isRunning);
  end({ kind: 'complete' });
  await result;
  t.notOk((parts.registrar as TapdiskServer).isRunning);
  t.equal(
    parts.registrar.registerEvent(1, 0, 0, () => {}),
    -errno.ECANCELED,
  );
});

/** Has a server sleep for no time `times` times, and then until that is aborted; returns what happens. */
function sleeping(t: Test, times: number): string[] {
  const happened: string[] = [];
  t.intercept(TapdiskServer.prototype, 'sleep', {
    value: (seconds: number, { signal }: AwaitOptions) =>
      new Promise<void>((resolve, reject) => {
        if (happened.push(`sleep ${seconds}`) <= times) resolve();
        else signal?.addEventListener('abort', () => reject(new Error(`${happened.push('aborted')}`)));
      }),
  });
  return happened;
}

t.test('the status is reported every second until the role has ended, where it is asked for', async (t) => {
  const happened = sleeping(t, 2);
  const reported: unknown[] = [];
  const onProgress = (status: TransferStatus): void => void reported.push(status);
  for (const options of [{ onProgress }, {}]) {
    const { result, end } = played(options, complete);
    await new Promise(setImmediate);
    end({ kind: 'complete' });
    await result;
    t.same(happened, ['sleep 1', 'sleep 1', 'sleep 1', 'aborted']);
    t.same(reported, [{ phase: 'playing' }, { phase: 'playing' }]);
  }
});
