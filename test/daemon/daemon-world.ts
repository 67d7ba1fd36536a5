// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Test } from 'tap';
import { parseValues } from '../../src/cli/command-line/parse-values.js';
import { daemonTable } from '../../src/cli/daemon/daemon-table.js';
import { daemonOptions } from '../../src/cli/daemon/daemon-values.js';
import { Daemon, type DaemonParts } from '../../src/daemon/daemon.js';
import type { DaemonOptions } from '../../src/daemon/daemon-options.js';
import { driverTypes, standardDriverTypes } from '../../src/disks/drivers/index.js';
import type { DiskDriverType, DriverContext, DriverType } from '../../src/disks/index.js';
import { shortDirectory } from '../short-directory.js';
import { dialectArguments } from './dialect-arguments.js';

/** The process number of each daemon in a test's own process. */
export const PID = 4242;

/** A disk of 1 MiB whose requests never end, and whose closing is the test's. */
export function scriptedDisk(
  name: string,
  close: (done: (result: number) => void) => void,
  onCreated: (context: DriverContext) => void = () => {},
): DiskDriverType {
  return {
    name,
    create(context) {
      onCreated(context);
      return {
        open: (_flags, done) => done(0),
        info: () => ({ sectors: 2048, sectorSize: 512, info: 0 }),
        close,
        queueRead() {},
        queueWrite() {},
        flush() {},
      };
    },
  };
}

/** `unclosable:`, a disk whose closing throws. */
const unclosable = scriptedDisk('unclosable', () => {
  throw new Error('it will not close');
});

export interface DaemonWorld {
  readonly daemon: Daemon;
  readonly directory: string;
  readonly lines: string[];
  /** To log such a line throws, once unless it lasts, as a bug of ours would in the callback that logs it. */
  readonly fault: { at?: RegExp; lasts?: boolean };
}

export interface DaemonWorldOptions extends Pick<DaemonParts, 'parentPid' | 'timers'> {
  /** Beside the usual ones. */
  readonly types?: readonly DriverType[];
  /** Instead of those of the command line. */
  readonly options?: Partial<DaemonOptions>;
  /** Called with each line as it is logged, in the middle of what it is about. */
  readonly onLine?: (line: string) => void;
}

/** A daemon in this process, until the test has ended. */
export function daemonWorld(t: Test, ...argv: string[]): DaemonWorld {
  return daemonWorldWith(t, {}, ...argv);
}

export function daemonWorldWith(
  t: Test,
  { types = [], options, onLine = () => {}, ...parts }: DaemonWorldOptions,
  ...argv: string[]
): DaemonWorld {
  const directory = shortDirectory(t);
  const lines: string[] = [];
  const fault: DaemonWorld['fault'] = {};
  const words = [...dialectArguments(), ...argv];
  const values = parseValues(daemonTable, words, { TAPDISK_TS_CONTROL_DIRECTORY: directory });
  const logger = {
    log(_: number, message: string) {
      lines.push(message);
      onLine(message);
      if (!fault.at?.test(message)) return;
      if (!fault.lasts) delete fault.at;
      throw new Error('a fault');
    },
  };
  const daemon = new Daemon(
    { ...daemonOptions(values), ...options },
    {
      logger,
      pid: PID,
      types: driverTypes([...standardDriverTypes.values(), unclosable, ...types]),
      ...parts,
    },
  );
  t.teardown(async () => {
    daemon.shutDown();
    await daemon.ended;
  });
  return { daemon, directory, lines, fault };
}
