// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { withoutIgnored } from '../ignored-signals.js';
import { monotonicClock, wallClock } from '../../posix/clock.js';
import { exitNow } from '../../posix/node/exit-now.js';
import { TIMEOUT } from '../../scheduler/event.js';
import { onSignals } from '../../server/signals.js';
import { TapdiskServer } from '../../server/tapdisk-server.js';
import { TransferError } from '../../transfer/transfer-error.js';
import type { TransferOutcome } from '../../transfer/transfer-event.js';
import type { TransferStatus } from '../../transfer/transfer-status.js';
import type { CommandIo } from '../command-io.js';
import { EXIT_FAILED, EXIT_NOT_OURS, EXIT_OK, exitOfSignal } from '../exit-status.js';
import { CalmReporter } from './calm-reporter.js';
import { JsonReporter } from './json-reporter.js';
import type { Reporter, ReporterOptions } from './reporter.js';
import { needsTimes } from '../line-logger.js';
import { startStatusServer } from './status-socket.js';
import { TextReporter } from './text-reporter.js';
import type { TransferOptions } from './transfer-options.js';

/** A role, as it is played from start to end. */
export interface Role {
  start(): Promise<void>;
  /** Breaks off. */
  stop(signal: string): void | Promise<void>;
  status(): TransferStatus;
  readonly ended: Promise<TransferOutcome>;
}

/** How long what is left of a transfer that was not completed may keep its process, in seconds. */
const LINGER_SECONDS = 1;

/** Makes a role; throws (rejects with) a TransferError when something that it needs is not there. */
export type CreateRole = (server: TapdiskServer, reporter: Reporter) => Promise<Role>;

/**
 * Plays a role on a scheduler of its own until it ends, or a signal ends it. Returns the exit status.
 *
 * @param exit ends the process at a second signal
 */
export async function runTransfer(
  name: TransferStatus['role'],
  options: TransferOptions,
  io: CommandIo,
  createRole: CreateRole,
  exit: (status: number) => void = exitNow,
): Promise<number> {
  let role: Role | undefined;
  const reporting: ReporterOptions = {
    stream: io.stderr,
    clock: monotonicClock,
    verbose: options.verbose,
    times: needsTimes(io) ? wallClock : undefined,
    role: name,
    status: () => role?.status(),
  };
  const plain = options.json ? new JsonReporter(reporting) : new TextReporter(reporting);
  const reporter = name === 'backup' ? new CalmReporter(plain, reporting) : plain;
  await using server = new TapdiskServer({ logger: reporter });
  try {
    role = await createRole(server, reporter);
    const outcome = await play(name, role, server, reporter, options, exit);
    // A call that hangs, such as a read of the input, is not waited for.
    if (outcome.kind !== 'complete') io.exitWithin?.(LINGER_SECONDS);
    return exitStatus(outcome);
  } catch (error) {
    if (!(error instanceof TransferError)) throw error;
    const { code, message } = error;
    reporter.onEvent({ event: 'failed', code, message, bytes: 0 });
    return EXIT_FAILED;
  } finally {
    reporter.end();
  }
}

async function play(
  name: TransferStatus['role'],
  role: Role,
  server: TapdiskServer,
  reporter: Reporter,
  { status: path, noStatus, ignoreSignals }: TransferOptions,
  exit: (status: number) => void,
): Promise<TransferOutcome> {
  using _status = noStatus
    ? undefined
    : await startStatusServer({
        registrar: server,
        posix: server.posix,
        logger: reporter,
        role: name,
        path,
        status: () => role.status(),
      });
  using _signals = onSignals({
    ...withoutIgnored(endingSignals(role, exit), ignoreSignals),
    SIGUSR1: () => reporter.dump(server.dump()),
  });
  server.registerEvent(TIMEOUT, -1, 1, () => reporter.tick());
  const run = server.run({ signals: false });
  const outcome = await Promise.race([
    Promise.all([role.ended, role.start()]).then(([end]) => end),
    run.then(() => {
      throw new Error('the server stopped before the role had ended');
    }),
  ]);
  server.stop();
  await run;
  return outcome;
}

/** The first signal shuts down in order, a second one exits at once. */
function endingSignals(
  role: Role,
  exit: (status: number) => void,
): Partial<Record<NodeJS.Signals, () => void>> {
  let isStopping = false;
  const handler = (signal: NodeJS.Signals) => (): void => {
    if (isStopping) return exit(exitOfSignal(signal));
    isStopping = true;
    void role.stop(signal);
  };
  return { SIGINT: handler('SIGINT'), SIGTERM: handler('SIGTERM'), SIGHUP: handler('SIGHUP') };
}

function exitStatus(outcome: TransferOutcome): number {
  switch (outcome.kind) {
    case 'complete':
      return EXIT_OK;
    case 'failed':
      return EXIT_FAILED;
    case 'not-ours':
      return EXIT_NOT_OURS;
    case 'stopped':
      return exitOfSignal(outcome.signal);
  }
}
