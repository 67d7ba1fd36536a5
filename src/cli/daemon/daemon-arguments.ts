// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { parseArgs } from 'node:util';
import { DEFAULT_GRACE_SECONDS, type DaemonOptions, type DiskOption } from '../../daemon/daemon-options.js';
import { DEFAULT_TRACE_LIMIT_MIB } from '../../metrics/trace-file.js';
import { parseNbdAddress } from '../../nbd/index.js';
import { LOG_INFO, type Priority, priorityName } from '../../server/logger.js';
import { controlDirectory, imageName, wholeNumber } from '../option-values.js';
import { UsageError } from '../usage-error.js';

export const DAEMON_USAGE = `Usage: tapdisk-ts daemon [OPTION]...

Serves disks to tap-ctl's control socket, NBD clients and Prometheus, in the foreground, until SIGINT or SIGTERM. When all is
served it prints a line that begins with 'ready'.

  --control-directory DIRECTORY  where the control socket is made (root: /var/run/blktap-control)
  --disk MINOR=TYPE:FILE         a disk to open at the start; may be repeated
  --read-only-disk MINOR=TYPE:FILE
  --nbd ADDRESS                  serve the disks over NBD: a path with a slash in it, or HOST:PORT
  --tls-cert FILE --tls-key FILE require TLS of NBD clients
  --metrics ADDRESS              serve http://ADDRESS/metrics to Prometheus
  --log-level LEVEL              emerg, alert, crit, err, warning, notice, info (default) or debug
  --trace FILE                   write events and callbacks in the trace event format
  --trace-limit MIB              the largest trace file (default ${DEFAULT_TRACE_LIMIT_MIB})
  --grace SECONDS                how long an orderly end may take (default ${DEFAULT_GRACE_SECONDS}; 0: as long as it takes)

Exit status: 0 ended in order; 1 something could not be had, or not be closed; 2 the command line is wrong; 128 and the
signal's number when a second signal ended it at once.
`;

const spellings = {
  'control-directory': { type: 'string' },
  disk: { type: 'string', multiple: true },
  'read-only-disk': { type: 'string', multiple: true },
  nbd: { type: 'string' },
  'tls-cert': { type: 'string' },
  'tls-key': { type: 'string' },
  metrics: { type: 'string' },
  'log-level': { type: 'string' },
  trace: { type: 'string' },
  'trace-limit': { type: 'string' },
  grace: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const;

/**
 * @returns undefined when help is asked for
 * @throws UsageError, or parseArgs's own error
 */
export function parseDaemonOptions(argv: readonly string[]): DaemonOptions | undefined {
  const { values } = parseArgs({ args: [...argv], options: spellings });
  if (values.help) return undefined;
  const { nbd, metrics, trace } = values;
  const limitMib = wholeNumber('trace-limit', values['trace-limit'], 1, 1 << 20) ?? DEFAULT_TRACE_LIMIT_MIB;
  if (trace === undefined && values['trace-limit'] !== undefined)
    throw new UsageError('--trace-limit needs --trace');
  return {
    directory: controlDirectory(values['control-directory']),
    disks: parseDisks(values.disk ?? [], values['read-only-disk'] ?? []),
    nbd: checkedAddress('nbd', nbd),
    tls: tlsFiles(values['tls-cert'], values['tls-key'], nbd),
    metrics: checkedAddress('metrics', metrics),
    logLevel: priority(values['log-level']),
    trace: trace === undefined ? undefined : { file: trace, limitBytes: limitMib << 20 },
    graceSeconds: wholeNumber('grace', values.grace, 0, 86_400) ?? DEFAULT_GRACE_SECONDS,
  };
}

function parseDisks(writable: readonly string[], readOnly: readonly string[]): DiskOption[] {
  const disks = [
    ...writable.map((text) => parseDisk('disk', text, false)),
    ...readOnly.map((text) => parseDisk('read-only-disk', text, true)),
  ];
  const minors = new Set<number>();
  for (const { minor } of disks) {
    if (minors.has(minor)) throw new UsageError(`minor ${minor} is given to two disks`);
    minors.add(minor);
  }
  return disks;
}

function parseDisk(option: string, text: string, readOnly: boolean): DiskOption {
  const parts = /^(?<minor>[^=]*)=(?<name>.*)$/s.exec(text)?.groups;
  const minor = wholeNumber(option, parts?.['minor'], 0, 65_534);
  const name = imageName(parts?.['name']);
  if (minor !== undefined && name !== undefined) return { minor, name, readOnly };
  throw new UsageError(`--${option} is '${text}', but must be MINOR=TYPE:FILE, as in 0=aio:/path`);
}

function checkedAddress(option: string, text: string | undefined): string | undefined {
  const wrong = text === undefined ? undefined : parseNbdAddress(text);
  if (typeof wrong === 'string') throw new UsageError(`--${option}: ${wrong}`);
  return text;
}

function tlsFiles(
  cert: string | undefined,
  key: string | undefined,
  nbd: string | undefined,
): DaemonOptions['tls'] {
  if (cert === undefined && key === undefined) return undefined;
  if (cert === undefined || key === undefined)
    throw new UsageError('--tls-cert and --tls-key need each other');
  if (nbd === undefined) throw new UsageError('--tls-cert and --tls-key are for --nbd, which is missing');
  return { cert, key };
}

function priority(level: string | undefined): Priority {
  if (level === undefined) return LOG_INFO;
  const priorities = ([0, 1, 2, 3, 4, 5, 6, 7] as const).map((value) => ({
    value,
    name: priorityName(value),
  }));
  const found = priorities.find(({ name }) => name === level);
  if (found) return found.value;
  const names = priorities.map(({ name }) => name).join(', ');
  throw new UsageError(`--log-level is '${level}', but must be one of ${names}`);
}
