// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { DaemonOptions, DiskOption } from '../../daemon/daemon-options.js';
import type { Values } from '../command-line/command-table.js';
import { controlDirectory } from '../control-values.js';
import { UsageError } from '../usage-error.js';
import type { daemonTable } from './daemon-table.js';
import { priorityNamed } from './value-types.js';

/** What a command line asks a daemon for. @throws UsageError */
export function daemonOptions(values: Values<typeof daemonTable>): DaemonOptions {
  const { nbd, metrics, tlsCert: cert, tlsKey: key, trace: file } = values;
  return {
    directory: controlDirectory(values.controlDirectory),
    disks: allDisks(values),
    nbd,
    tls: cert === undefined || key === undefined ? undefined : { cert, key },
    metrics,
    maxRequestMemoryBytes: values.maxRequestMemory * (1 << 20),
    logLevel: priorityNamed(values.logLevel),
    dialect: values.dialect,
    trace: file === undefined ? undefined : { file, limitBytes: values.traceLimit << 20 },
    graceSeconds: values.grace,
    onState: values.onState,
  };
}

function allDisks({ disk, readOnlyDisk }: Values<typeof daemonTable>): DiskOption[] {
  const disks = [
    ...disk.map((each) => ({ ...each, readOnly: false })),
    ...readOnlyDisk.map((each) => ({ ...each, readOnly: true })),
  ];
  const minors = new Set<number>();
  for (const { minor } of disks) {
    if (minors.has(minor)) throw new UsageError(`minor ${minor} is used by two disks`);
    minors.add(minor);
  }
  return disks;
}
