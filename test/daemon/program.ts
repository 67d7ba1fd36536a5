// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// The daemon as a process of its own, for tests that send it signals. Beside its own drivers it has `stuck:`, a disk of
// 1 MiB whose requests never end, `unclosable:`, whose closing fails, and `hanging:FIFO`, whose opening hangs in a file call.
import { open } from 'node:fs';
import { command } from '../../src/cli/command-line/command.js';
import { runCommand } from '../../src/cli/command-line/run-command.js';
import { runDaemon } from '../../src/cli/daemon/daemon-command.js';
import { daemonTable } from '../../src/cli/daemon/daemon-table.js';
import { driverTypes, standardDriverTypes } from '../../src/disks/drivers/index.js';
import type { DiskDriverType, DriverType } from '../../src/disks/index.js';
import { LOG_NOTICE } from '../../src/server/logger.js';
import { errno } from '../../src/posix/errno.js';

const stuck: DiskDriverType = {
  name: 'stuck',
  create: () => ({
    open: (_flags, done) => done(0),
    info: () => ({ sectors: 2048, sectorSize: 512, info: 0 }),
    close: (done) => done(0),
    queueRead() {},
    queueWrite() {},
    flush() {},
  }),
};

const unclosable: DriverType = {
  name: 'unclosable',
  create: (context, argument) => ({
    ...stuck.create(context, argument),
    close: (done) => done(-errno.EIO, 'it will not close'),
  }),
};

const hanging: DriverType = {
  name: 'hanging',
  create: (context, fifo) => ({
    ...stuck.create(context, fifo),
    open() {
      context.logger.log(LOG_NOTICE, 'opening the FIFO');
      open(fifo, 'r', () => {});
    },
  }),
};

const types = driverTypes([...standardDriverTypes.values(), stuck, unclosable, hanging]);
const daemon = command(daemonTable, async () => (values, io) => runDaemon(values, io, types));
process.exitCode = await runCommand(daemon, 'tapdisk-ts daemon', process.argv.slice(2), process);
