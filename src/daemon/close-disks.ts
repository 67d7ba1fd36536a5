// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { SystemError } from '../posix/system-error.js';
import { AwaitedEvent } from '../scheduler/awaited-event.js';
import type { EventRegistrar } from '../scheduler/registrar.js';
import { LOG_ERR, LOG_INFO, type Logger } from '../server/logger.js';
import type { Vbd } from '../disks/index.js';

/**
 * Pauses and closes VBDs, one after the other: each waits for its requests in flight and brings them to stable storage.
 * Nobody else may open or resume them meanwhile.
 *
 * @returns how many could not be closed well; each is logged
 */
export async function closeDisks(
  vbds: readonly Vbd[],
  registrar: EventRegistrar,
  logger: Logger,
): Promise<number> {
  let failures = 0;
  for (const vbd of vbds) {
    const { name } = vbd;
    const fail = (reason: string): void => {
      failures += 1;
      logger.log(LOG_ERR, `vbd ${vbd.minor}: closing ${name} failed: ${reason}`);
    };
    try {
      const failure = await closeDisk(vbd, registrar);
      if (failure) fail(failure.message);
      else if (name !== '') logger.log(LOG_INFO, `vbd ${vbd.minor}: closed ${name}`);
    } catch (error) {
      // A driver that throws is our bug. The other disks must be closed nevertheless.
      fail(String(error));
    }
  }
  return failures;
}

/** Leads a VBD, from whatever phase it is in, to `closed`. Returns the first error of its driver. */
async function closeDisk(vbd: Vbd, registrar: EventRegistrar): Promise<SystemError | undefined> {
  let first: SystemError | undefined;
  const note = async (ended: Promise<void>): Promise<void> => {
    try {
      await ended;
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      first ??= error;
    }
  };
  for (;;) {
    switch (vbd.phase) {
      case 'closed':
      case 'dead':
        return first;
      case 'running':
      case 'pausing':
        await note(vbd.pause());
        break;
      case 'paused':
        await note(vbd.close());
        break;
      case 'draining':
      case 'closing':
        await closing(vbd);
        break;
      case 'opening':
      case 'resuming':
        vbd.abortOpen();
        await nextSecond(registrar);
    }
  }
}

function closing(vbd: Vbd): Promise<void> {
  return new Promise((resolve) => {
    vbd.onClosed(resolve);
  });
}

/** The end of an opening is reported only to its caller, so it is polled. */
function nextSecond(registrar: EventRegistrar): Promise<void> {
  return new Promise((resolve) => {
    new AwaitedEvent(registrar, 'closing of the disks').setTimer(1, resolve);
  });
}
