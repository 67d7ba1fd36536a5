// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { ReplicationRequest } from '../../control/replication-request.js';
import { absolutePath } from '../../posix/exact-text.js';
import type { CommandIo } from '../command-io.js';
import type { Values } from '../command-line/command-table.js';
import { CheckFailed, type CtlValues, ctlRun } from '../ctl/ctl-context.js';
import { formatBytes, formatSeconds } from '../../server/format.js';
import { type Outcome, outcomeIn } from './answers.js';
import type * as tables from './replication-tables.js';
import { statusesOf } from './status-commands.js';

/** The values that all commands for one disk have. */
interface DiskValues extends CtlValues {
  readonly minor: number | undefined;
  readonly json: boolean;
}

/** Makes a command that has one disk do something, and reports the outcome. */
function diskCommand<Given extends DiskValues>(
  name: string,
  requestOf: (values: Given) => ReplicationRequest,
): (values: Given, io: CommandIo) => Promise<number> {
  return ctlRun<Given>(
    name,
    async (values, context) => {
      const { statuses, haveAll } = await statusesOf(values, context);
      const [disk, ...others] = statuses;
      if (disk === undefined) {
        if (haveAll) throw new CheckFailed('no replicated disk');
        // Which daemon did not answer has been reported, and that it has none would be a guess.
        return;
      }
      if (others.length > 0) {
        const places = [disk, ...others].map(({ pid, minor }) => `${minor} of daemon ${pid}`);
        throw new CheckFailed(
          `several disks are replicated: ${places.join(', ')}; name one with --minor and --pid`,
        );
      }
      const text = await context.client.replication(disk.pid, disk.minor, requestOf(values));
      const outcome = outcomeIn(text);
      context.print(values.json ? JSON.stringify(outcome) : outcomeText(outcome));
    },
    'replication',
  );
}

function outcomeText({ message, sectorsLost = 0, lostSinceSeconds = null }: Outcome): string {
  if (sectorsLost === 0) return message;
  const since = lostSinceSeconds === null ? '' : `, since ${formatSeconds(lostSinceSeconds)}`;
  return `${message}; changes of this side: ${sectorsLost} sectors (${formatBytes(sectorsLost * 512)})${since}`;
}

export const runFlush = diskCommand<Values<typeof tables.flushTable>>('flush', () => ({ command: 'flush' }));
export const runPromote = diskCommand<Values<typeof tables.promoteTable>>('promote', ({ dryRun }) => ({
  command: 'promote',
  dryRun,
}));
export const runRejoin = diskCommand<Values<typeof tables.rejoinTable>>('rejoin', ({ dryRun }) => ({
  command: 'rejoin',
  dryRun,
}));
export const runDiscard = diskCommand<Values<typeof tables.discardTable>>('discard', ({ dryRun, keep }) => ({
  command: 'discard',
  dryRun,
  keep: absolutePath(keep),
}));
export const runResync = diskCommand<Values<typeof tables.resyncTable>>('resync', ({ full }) => ({
  command: 'resync',
  full,
}));
export const runVerify = diskCommand<Values<typeof tables.verifyTable>>('verify', () => ({
  command: 'verify',
}));
export const runPause = diskCommand<Values<typeof tables.pauseTable>>('pause', () => ({ command: 'pause' }));
export const runResume = diskCommand<Values<typeof tables.resumeTable>>('resume', () => ({
  command: 'resume',
}));
export const runDrill = diskCommand<Values<typeof tables.drillTable>>('drill', ({ end }) => ({
  command: end ? 'end-drill' : 'drill',
}));
