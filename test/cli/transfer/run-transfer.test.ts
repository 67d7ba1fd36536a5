// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { PassThrough } from 'node:stream';
import t from 'tap';
import { type Role, runTransfer } from '../../../src/cli/transfer/run-transfer.js';
import { TransferError } from '../../../src/transfer/transfer-error.js';
import type { TransferOutcome } from '../../../src/transfer/transfer-event.js';
import { status } from './example-status.js';

const options = {
  json: true,
  verbose: false,
  status: undefined,
  noStatus: true,
  ignoreSignals: undefined,
  idleTimeout: 0,
  silenceTimeout: 0,
};

/** A role that goes on until the test ends it, and the run of it. */
function running() {
  const stderr = new PassThrough();
  const stops: string[] = [];
  let end: (outcome: TransferOutcome) => void = () => {};
  const ended = new Promise<TransferOutcome>((resolve) => (end = resolve));
  let started: () => void = () => {};
  const isStarted = new Promise<void>((resolve) => (started = resolve));
  const role: Role = {
    start: async () => started(),
    stop: (signal) => void stops.push(signal),
    status: () => status,
    ended,
  };
  const limits: number[] = [];
  const exitWithin = (seconds: number): void => void limits.push(seconds);
  const io = { stdin: new PassThrough(), stdout: stderr, stderr, exitWithin };
  const exits: number[] = [];
  const exit = runTransfer(
    'primary',
    options,
    io,
    async () => role,
    (exitStatus) => exits.push(exitStatus),
  );
  const reports = (): Record<string, unknown>[] =>
    String(stderr.read() ?? '')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  return { end, exit, exits, isStarted, limits, reports, stops };
}

t.test('the exit status is what came of the role', async (t) => {
  for (const [outcome, exitStatus] of [
    [{ kind: 'complete' }, 0],
    [{ kind: 'failed' }, 1],
    [{ kind: 'not-ours' }, 3],
    [{ kind: 'stopped', signal: 'SIGTERM' }, 128 + 15],
    [{ kind: 'stopped', signal: 'SIGHUP' }, 128 + 1],
  ] as const) {
    const { end, exit } = running();
    end(outcome);
    t.equal(await exit, exitStatus, outcome.kind);
  }
});

t.test('the first signal stops the role in order, and the second one ends the process', async (t) => {
  const { end, exit, exits, isStarted, stops } = running();
  await isStarted;
  process.emit('SIGINT', 'SIGINT');
  t.same([stops, exits], [['SIGINT'], []]);
  process.emit('SIGTERM', 'SIGTERM');
  t.same([stops, exits], [['SIGINT'], [128 + 15]], 'with the status of that signal');
  end({ kind: 'stopped', signal: 'SIGINT' });
  t.equal(await exit, 128 + 2);
});

t.test('what hangs keeps a transfer that is not complete for a second at most', async (t) => {
  for (const [outcome, expected] of [
    [{ kind: 'complete' }, []],
    [{ kind: 'failed' }, [1]],
    [{ kind: 'stopped', signal: 'SIGTERM' }, [1]],
  ] as const) {
    const { end, exit, limits } = running();
    end(outcome);
    await exit;
    t.same(limits, expected, outcome.kind);
  }
});

t.test('SIGUSR1 prints the state and the tables of events and descriptors', async (t) => {
  const { end, exit, isStarted, reports } = running();
  await isStarted;
  process.emit('SIGUSR1', 'SIGUSR1');
  const [dump] = reports();
  t.match(dump, { event: 'dump', phase: status.phase, text: /^1 events\n.*TIMEOUT .* 1 s /s });
  end({ kind: 'complete' });
  await exit;
  t.notOk(process.listenerCount('SIGUSR1'), 'no handler stays');
});

t.test('what a role lacks is reported as its failure; an internal error is not', async (t) => {
  const stderr = new PassThrough();
  const io = { stdin: new PassThrough(), stdout: stderr, stderr };
  const lacking = runTransfer('primary', options, io, () =>
    Promise.reject(new TransferError('ENOENT', 'no such image')),
  );
  t.equal(await lacking, 1);
  t.same(JSON.parse(String(stderr.read())), {
    event: 'failed',
    code: 'ENOENT',
    message: 'no such image',
    bytes: 0,
  });
  const faulty = runTransfer('primary', options, io, () => Promise.reject(new TypeError('a fault')));
  await t.rejects(faulty, { name: 'TypeError', message: 'a fault' });
});
