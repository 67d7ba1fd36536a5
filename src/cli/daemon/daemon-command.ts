// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { withoutIgnored } from '../ignored-signals.js';
import type { CommandIo } from '../command-io.js';
import type { Values } from '../command-line/command-table.js';
import { EXIT_FAILED, EXIT_OK, exitOfSignal } from '../exit-status.js';
import { standardDriverTypes } from '../../disks/drivers/index.js';
import { exitNow } from '../../posix/node/exit-now.js';
import { LOG_ERR, LOG_NOTICE, type Logger } from '../../server/logger.js';
import { onSignals } from '../../server/signals.js';
import type { DriverTypes } from '../../disks/index.js';
import { Daemon } from '../../daemon/daemon.js';
import type { DaemonOptions } from '../../daemon/daemon-options.js';
import { lineLogger, needsTimes } from '../line-logger.js';
import type { daemonTable } from './daemon-table.js';
import { daemonOptions } from './daemon-values.js';
import { takePassedSockets } from '../../daemon/passed-sockets.js';
import { notifyManager } from '../../daemon/readiness.js';

/**
 * Runs `tapdisk-ts daemon` in the foreground until a signal ends it; returns the exit status.
 *
 * SIGINT, SIGTERM and SIGHUP shut it down in order; a second one of them exits the process immediately. With TLS, SIGHUP has
 * certificates and keys read again instead. SIGUSR1 writes its state to standard error.
 *
 * Sockets that systemd has passed to the process are taken over.
 *
 * @throws (rejects with) UsageError, Error for passed sockets that make no sense
 */
export async function runDaemon(
  values: Values<typeof daemonTable>,
  io: CommandIo,
  types: DriverTypes = standardDriverTypes,
): Promise<number> {
  const sockets = takePassedSockets(process.env, process.pid);
  return run(daemonOptions(values, sockets), values, io, types);
}

async function run(
  options: DaemonOptions,
  { logFormat: format, ignoreSignals }: Pick<Values<typeof daemonTable>, 'logFormat' | 'ignoreSignals'>,
  io: CommandIo,
  types: DriverTypes,
): Promise<number> {
  // The reader of our output may have gone. There is nowhere to report that, and it must not take the disks down.
  io.stdout.on('error', () => {});
  io.stderr.on('error', () => {});
  const logger = lineLogger({
    level: options.logLevel,
    format,
    times: needsTimes(io),
    write: (line) => io.stderr.write(line),
  });
  let daemon: Daemon;
  try {
    daemon = new Daemon(options, { logger, pid: process.pid, types });
  } catch (error) {
    logger.log(LOG_ERR, `cannot start: ${(error as Error).message}`);
    return EXIT_FAILED;
  }
  using _signals = onSignals({
    ...withoutIgnored(
      { ...endingSignals(daemon, logger), ...(options.tls && { SIGHUP: () => daemon.reload() }) },
      ignoreSignals,
    ),
    SIGUSR1: () => io.stderr.write(daemon.dump()),
    SIGCONT: () => daemon.continued(),
  });
  let failedToStart = false;
  try {
    // A start that hangs is given up with all the rest.
    const ready = await Promise.race([daemon.start(), daemon.ended]);
    if (typeof ready === 'string') {
      const disks = daemon.diskUris().map(([minor, uri]) => `disk ${minor} ${uri}\n`);
      io.stdout.write(`${ready}\n${disks.join('')}`);
      void notifyManager(['READY=1'], logger);
    }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    failedToStart = code !== 'ECANCELED';
    if (failedToStart) logger.log(LOG_ERR, `cannot start: ${message}`);
    daemon.shutDown();
  }
  const failures = await daemon.ended;
  logger.log(LOG_NOTICE, 'ended');
  if (daemon.openDisks().length > 0) {
    // What still hangs would keep the process alive.
    daemon.abandon();
    exitNow(EXIT_FAILED);
  }
  io.exitWithin?.(daemon.secondsLeft);
  return failedToStart || failures > 0 ? EXIT_FAILED : EXIT_OK;
}

function endingSignals(daemon: Daemon, logger: Logger): Partial<Record<NodeJS.Signals, () => void>> {
  let ending = false;
  const on = (signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP') => (): void => {
    if (ending) {
      logger.log(
        LOG_ERR,
        `${signal} again: exiting immediately; not closed: ${daemon.openDisks().join('; ') || 'none'}`,
      );
      daemon.abandon();
      exitNow(exitOfSignal(signal));
    }
    ending = true;
    logger.log(LOG_NOTICE, `${signal}: shutting down; repeat to exit immediately`);
    daemon.shutDown();
    void notifyManager(['STOPPING=1'], logger);
  };
  return { SIGINT: on('SIGINT'), SIGTERM: on('SIGTERM'), SIGHUP: on('SIGHUP') };
}
