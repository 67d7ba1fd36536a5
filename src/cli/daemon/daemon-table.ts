// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { ignoreSignalsOption } from '../ignored-signals.js';
import { DEFAULT_GRACE_SECONDS } from '../../daemon/daemon-options.js';
import { DEFAULT_DIALECT, DIALECTS } from '../../scheduler/dialect.js';
import { DEFAULT_TRACE_LIMIT_MIB } from '../../metrics/trace-file.js';
import { DEFAULT_NBD_LIMITS } from '../../nbd/limits.js';
import { MIN_REQUEST_MEMORY_BYTES } from '../../nbd/request-memory.js';
import { defineTable } from '../command-line/command-table.js';
import { flag, optional, repeated, withDefault } from '../command-line/parameter.js';
import { file, oneOf, wholeNumber } from '../command-line/value-type.js';
import { controlDirectoryOption } from '../control-values.js';
import { LOG_FORMATS } from '../line-logger.js';
import {
  diskDescription,
  diskName,
  diskReference,
  hostName,
  LOG_LEVELS,
  nbdAddress,
  serverAddress,
  tlsClient,
} from './value-types.js';

const MAX_TRACE_LIMIT_MIB = 1 << 20;
const MIN_MEMORY_MIB = MIN_REQUEST_MEMORY_BYTES >> 20;
const MAX_MEMORY_MIB = 1 << 20;
const DEFAULT_MEMORY_MIB = DEFAULT_NBD_LIMITS.maxRequestMemoryBytes >> 20;
const MAX_CONNECTIONS = 65_536;
const TLS_VERSIONS = ['1.2', '1.3'] as const;
/** A day. */
const MAX_SECONDS = 86_400;

export const daemonTable = defineTable({
  name: 'daemon',
  summary: 'serve disks to NBD clients, controlled by ctl or tap-ctl',
  description: [
    "Serves disks over NBD, with tap-ctl's control socket and Prometheus metrics, in the foreground until SIGINT or SIGTERM. Once everything is open and listening it prints a line that begins with 'ready', followed by a line with the NBD URI of each disk.",
  ],
  arguments: {},
  options: {
    controlDirectory: controlDirectoryOption,
    disk: repeated(diskName, {
      help: 'Open a disk at startup. DISK is its minor number, or a name for its NBD export; a named disk gets the lowest free number.',
    }),
    readOnlyDisk: repeated(diskName, { help: 'Open a disk at startup, read-only.' }),
    nbd: repeated(nbdAddress, {
      help: "Serve the disks over NBD on a Unix socket (a path with a slash) or at HOST:PORT. 'systemd' requires sockets passed by systemd, which are always served.",
    }),
    description: repeated(diskDescription, {
      help: 'The description that NBD clients see of a disk opened at startup.',
      requires: ['nbd'],
    }),
    defaultDisk: optional(diskReference, {
      help: 'The disk for NBD clients that name none. Default: the only disk.',
      requires: ['nbd'],
    }),
    tlsCert: optional(file(), {
      help: 'Require TLS for NBD, with this PEM certificate.',
      requires: ['tlsKey', 'nbd'],
    }),
    tlsKey: optional(file(), { help: 'The PEM private key of the certificate.', requires: ['tlsCert'] }),
    tlsCa: optional(file(), {
      help: 'Accept only NBD clients with a certificate signed by the authority in this PEM file.',
      requires: ['tlsCert'],
    }),
    tlsAllow: repeated(tlsClient, {
      help: 'Accept only NBD clients whose certificate has this SHA-256 fingerprint or, with --tls-ca, these parts in its subject, such as CN=NAME.',
      requires: ['tlsCert'],
    }),
    tlsPsk: optional(file(), {
      help: 'Require TLS for NBD, with pre-shared keys: a file with lines NAME:KEY, the keys in hexadecimal digits, as psktool writes it.',
      requires: ['nbd'],
      excludes: ['tlsCert'],
    }),
    tlsMin: optional(oneOf('VERSION', TLS_VERSIONS), {
      help: 'The oldest TLS version to accept.',
      defaultText: '1.3',
      requires: ['nbd'],
    }),
    maxConnections: withDefault(wholeNumber('COUNT', 1, MAX_CONNECTIONS), DEFAULT_NBD_LIMITS.maxConnections, {
      help: 'The maximum number of NBD connections that use disks.',
    }),
    maxConnectionsPerPeer: withDefault(
      wholeNumber('COUNT', 1, MAX_CONNECTIONS),
      DEFAULT_NBD_LIMITS.maxConnectionsPerPeer,
      { help: 'The maximum number of NBD connections from one IP address.' },
    ),
    handshakeTimeout: withDefault(
      wholeNumber('SECONDS', 1, MAX_SECONDS),
      DEFAULT_NBD_LIMITS.handshakeTimeoutSeconds,
      { help: 'How long an NBD client may take to choose a disk.' },
    ),
    idleTimeout: withDefault(wholeNumber('SECONDS', 0, MAX_SECONDS), DEFAULT_NBD_LIMITS.idleTimeoutSeconds, {
      help: 'Disconnect NBD clients that send no request for this long; 0 means never.',
    }),
    maxRequestMemory: withDefault(wholeNumber('MIB', MIN_MEMORY_MIB, MAX_MEMORY_MIB), DEFAULT_MEMORY_MIB, {
      help: 'The maximum memory for data of NBD requests, across all connections.',
    }),
    metrics: optional(serverAddress, {
      help: 'Serve a status page at http://ADDRESS/, and metrics to Prometheus at http://ADDRESS/metrics; or both at a path.',
    }),
    metricsHost: repeated(hostName, {
      help: 'Also serve them to requests for this host, a name or an address without a port. Requests for any other host, except the one in ADDRESS, are refused.',
      requires: ['metrics'],
    }),
    metricsTokenFile: optional(file(), {
      help: 'Serve them only to clients that send the token in this file: as a bearer token, or in a browser as ?token=TOKEN.',
      requires: ['metrics'],
    }),
    logLevel: withDefault(oneOf('LEVEL', LOG_LEVELS), 'info', {
      help: 'Log lines of at least this severity.',
    }),
    logFormat: withDefault(oneOf('FORMAT', LOG_FORMATS), 'text', {
      help: 'Log text lines, which begin with the time unless they go to the systemd journal, or one JSON object per line.',
    }),
    dialect: withDefault(oneOf('DIALECT', DIALECTS), DEFAULT_DIALECT, {
      help: 'Use the scheduler of this tapdisk version.',
    }),
    ignoreSignals: ignoreSignalsOption,
    trace: optional(file(), { help: 'Write events and callbacks to this file, in the trace event format.' }),
    traceLimit: withDefault(wholeNumber('MIB', 1, MAX_TRACE_LIMIT_MIB), DEFAULT_TRACE_LIMIT_MIB, {
      help: 'The maximum size of the trace file.',
      requires: ['trace'],
    }),
    onState: optional(file('PROGRAM'), {
      help: 'Run this program whenever the state of a replicated disk changes (docs/replication.md). It is killed after 30 s.',
    }),
    pidFile: optional(file(), {
      help: 'Write the process id to this file once everything is ready, and remove the file at exit.',
    }),
    exitWhenIdle: flag({ help: 'Shut down in order when the last NBD client has disconnected.' }),
    exitWithParent: flag({ help: 'Shut down in order when the parent process has exited.' }),
    grace: withDefault(wholeNumber('SECONDS', 0, MAX_SECONDS), DEFAULT_GRACE_SECONDS, {
      help: 'How long an orderly shutdown may take; 0 means no limit.',
    }),
  },
  notes: [
    'SIGINT, SIGTERM and SIGHUP shut down in order; repeated, they exit immediately. With TLS, SIGHUP instead reloads certificates and keys for new connections. SIGUSR1 prints the current state to standard error.',
  ],
  exitStatus: {
    0: 'Shut down in order.',
    1: 'A resource was not available, or a disk could not be closed.',
  },
  signalStatus: 'Terminated immediately by a second signal, N.',
});
