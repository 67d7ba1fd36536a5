// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { UsageError } from '../usage-error.js';

/** What `primary` and `backup` have in common on the command line. */
export interface TransferOptions {
  readonly json: boolean;
  readonly verbose: boolean;
  /** The status socket's path; the default one when undefined; none when false. */
  readonly status: string | false | undefined;
  /** In seconds; 0: for ever. */
  readonly idleSeconds: number;
}

/** A day, in seconds. */
const MAX_IDLE_SECONDS = 86_400;

/** Their options as node:util's parseArgs takes them. */
export const transferOptionShapes = {
  json: { type: 'boolean', default: false },
  verbose: { type: 'boolean', short: 'v', default: false },
  status: { type: 'string' },
  'no-status': { type: 'boolean', default: false },
  'idle-timeout': { type: 'string', default: '0' },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

export const TRANSFER_OPTIONS_HELP = `\
      --idle-timeout S  give the other side up when it moves no byte for S seconds (0, which means never, unless given)
      --json            report with a JSON object a line instead of text
      --status PATH     answer status requests on this Unix socket instead of one that tapdisk-ts status finds
      --no-status       answer no status requests
  -v, --verbose         report what the connect module logs, too
  -h, --help            print this

All reports go to standard error: a line that changes on a terminal, plain lines elsewhere. SIGUSR1 has the state reported.
`;

/** @throws UsageError */
export function transferOptions(values: {
  json: boolean;
  verbose: boolean;
  status?: string;
  'no-status': boolean;
  'idle-timeout': string;
}): TransferOptions {
  if (values.status !== undefined && values['no-status']) {
    throw new UsageError('--status and --no-status contradict each other');
  }
  if (values.status === '') throw new UsageError('--status names no path');
  return {
    json: values.json,
    verbose: values.verbose,
    status: values['no-status'] ? false : values.status,
    idleSeconds: seconds('--idle-timeout', values['idle-timeout'], MAX_IDLE_SECONDS),
  };
}

/** The one argument that there must be. */
export function onlyArgument(positionals: readonly string[], name: string): string {
  const [argument, ...more] = positionals;
  if (argument === undefined) throw new UsageError(`${name} is missing`);
  if (more.length > 0) throw new UsageError(`one ${name} is wanted, but there is also ${more.join(' ')}`);
  return argument;
}

function seconds(option: string, text: string, most: number): number {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (value <= most) return value;
  throw new UsageError(`${option} is ${text}, but must be a whole number from 0 to ${most}`);
}
