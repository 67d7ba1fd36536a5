// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { DaemonOptions, DiskOption, TlsOptions } from '../../daemon/daemon-options.js';
import { fingerprintIn } from '../../nbd/tls-clients.js';
import type { Values } from '../command-line/command-table.js';
import { controlDirectory } from '../control-values.js';
import { UsageError } from '../usage-error.js';
import type { daemonTable } from './daemon-table.js';
import { PASSED_SOCKETS, priorityNamed } from './value-types.js';

/**
 * What a command line asks a daemon for.
 *
 * @param sockets the listening sockets that were passed to the process
 * @throws UsageError
 */
export function daemonOptions(
  values: Values<typeof daemonTable>,
  sockets: readonly number[] = [],
): DaemonOptions {
  const { metrics, trace: file } = values;
  const nbd = values.nbd.filter((address) => address !== PASSED_SOCKETS);
  if (nbd.length < values.nbd.length && sockets.length === 0)
    throw new UsageError(`--nbd ${PASSED_SOCKETS}: no sockets were passed (LISTEN_PID and LISTEN_FDS)`);
  if (values.exitWhenIdle && values.nbd.length === 0 && sockets.length === 0)
    throw new UsageError(
      '--exit-when-idle requires --nbd, or sockets passed by systemd: it waits for an NBD client',
    );
  // With port 0 each gets a port of its own.
  const twice = nbd.find((address, index) => nbd.indexOf(address) < index && !address.endsWith(':0'));
  if (twice !== undefined) throw new UsageError(`--nbd ${twice} is given twice`);
  const disks = allDisks(values);
  const { description, defaultDisk } = values;
  const described = description.map(([disk, text]) => [minorOf(disks, disk, '--description'), text] as const);
  return {
    directory: controlDirectory(values.controlDirectory),
    disks,
    ...(described.length > 0 && { descriptions: new Map(described) }),
    ...(defaultDisk !== undefined && { defaultDisk: minorOf(disks, defaultDisk, '--default-disk') }),
    nbd,
    sockets,
    tls: tlsOptions(values),
    maxConnections: values.maxConnections,
    maxConnectionsPerPeer: values.maxConnectionsPerPeer,
    handshakeTimeoutSeconds: values.handshakeTimeout,
    idleTimeoutSeconds: values.idleTimeout,
    metrics,
    metricsHosts: values.metricsHost,
    metricsTokenFile: values.metricsTokenFile,
    maxRequestMemoryBytes: values.maxRequestMemory * (1 << 20),
    logLevel: priorityNamed(values.logLevel),
    dialect: values.dialect,
    trace: file === undefined ? undefined : { file, limitBytes: values.traceLimit * (1 << 20) },
    graceSeconds: values.grace,
    pidFile: values.pidFile,
    exitWhenIdle: values.exitWhenIdle,
    exitWithParent: values.exitWithParent,
    onState: values.onState,
  };
}

function tlsOptions(values: Values<typeof daemonTable>): TlsOptions | undefined {
  const { tlsCert: cert, tlsKey: key, tlsCa: ca, tlsAllow: allow, tlsPsk: psk, tlsMin } = values;
  const version = tlsMin === undefined ? {} : ({ minVersion: `TLSv${tlsMin}` } as const);
  if (psk !== undefined) return { psk, ...version };
  if (cert === undefined || key === undefined) {
    if (tlsMin !== undefined) throw new UsageError('--tls-min requires --tls-cert or --tls-psk');
    return undefined;
  }
  const subject = allow.find((client) => fingerprintIn(client) === undefined);
  if (subject !== undefined && ca === undefined)
    throw new UsageError(
      `--tls-allow ${subject} requires --tls-ca: anybody can make a certificate with that subject`,
    );
  return { cert, key, ca, ...version, ...(allow.length > 0 && { allow }) };
}

function allDisks({ disk, readOnlyDisk }: Values<typeof daemonTable>): DiskOption[] {
  const disks = [
    ...disk.map((each) => ({ ...each, readOnly: false })),
    ...readOnlyDisk.map((each) => ({ ...each, readOnly: true })),
  ];
  const minors = new Set<number>();
  const names = new Set<string>();
  for (const { minor, exportName } of disks) {
    if (minor !== undefined && minors.has(minor)) throw new UsageError(`minor ${minor} is used by two disks`);
    if (exportName !== undefined && names.has(exportName))
      throw new UsageError(`name ${exportName} is used by two disks`);
    if (minor !== undefined) minors.add(minor);
    if (exportName !== undefined) names.add(exportName);
  }
  return disks.map(({ minor = lowestFree(minors), ...rest }) => {
    minors.add(minor);
    return { minor, ...rest };
  });
}

function lowestFree(minors: ReadonlySet<number>): number {
  let free = 0;
  while (minors.has(free)) free += 1;
  return free;
}

/** The minor number of one of the disks. */
function minorOf(disks: readonly DiskOption[], reference: string, option: string): number {
  const found = disks.find(({ minor, exportName }) => reference === (exportName ?? String(minor)));
  if (found) return found.minor;
  const there = disks.map(({ minor, exportName }) => exportName ?? minor).join(', ');
  throw new UsageError(
    `${option}: unknown disk ${reference}: expected one of ${there || 'those opened with --disk'}`,
  );
}
