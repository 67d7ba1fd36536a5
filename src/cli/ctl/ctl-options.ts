// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { parseArgs, type ParseArgsConfig } from 'node:util';
import { UsageError } from '../usage-error.js';
import { controlDirectory, imageName, wholeNumber } from '../option-values.js';

/** What a command line of `ctl` asks for. */
export interface CtlOptions {
  readonly command: CtlCommand;
  readonly directory: string;
  readonly json: boolean;
  readonly force: boolean;
  readonly readOnly: boolean;
  readonly shared: boolean;
  readonly pid?: number | undefined;
  readonly minor?: number | undefined;
  readonly args?: string | undefined;
  readonly type?: string | undefined;
  readonly file?: string | undefined;
}

type OptionName = 'pid' | 'minor' | 'args' | 'force' | 'read-only' | 'shared' | 'json' | 'type' | 'file';

const spellings = {
  pid: { type: 'string', short: 'p' },
  minor: { type: 'string', short: 'm' },
  args: { type: 'string', short: 'a' },
  force: { type: 'boolean', short: 'f' },
  'read-only': { type: 'boolean', short: 'R' },
  shared: { type: 'boolean' },
  json: { type: 'boolean' },
  type: { type: 'string', short: 't' },
  file: { type: 'string', short: 'f' },
} as const satisfies Record<OptionName, NonNullable<ParseArgsConfig['options']>[string]>;

/** Which options each command must have, and which it may. */
const commands = {
  list: { needs: [], takes: ['pid', 'minor', 'type', 'file', 'json'] },
  pid: { needs: [], takes: ['pid', 'json'] },
  attach: { needs: ['pid', 'minor'], takes: [] },
  open: { needs: ['pid', 'minor', 'args'], takes: ['read-only', 'shared', 'json'] },
  close: { needs: ['pid', 'minor'], takes: ['force'] },
  detach: { needs: ['pid', 'minor'], takes: [] },
  pause: { needs: ['pid', 'minor'], takes: [] },
  unpause: { needs: ['pid', 'minor'], takes: ['args'] },
  stats: { needs: [], takes: ['pid', 'json'] },
} as const satisfies Record<string, { needs: readonly OptionName[]; takes: readonly OptionName[] }>;

export type CtlCommand = keyof typeof commands;

export const CTL_USAGE = `Usage: tapdisk-ts ctl COMMAND [OPTION]...

Asks the daemons of a control directory, ours or C's tapdisk2, as tap-ctl does.

  list     [-p PID] [-m MINOR] [-t TYPE] [-f FILE] [--json]
  pid      [-p PID] [--json]
  attach   -p PID -m MINOR
  open     -p PID -m MINOR -a TYPE:FILE [-R|--read-only] [--shared] [--json]
  close    -p PID -m MINOR [-f|--force]
  detach   -p PID -m MINOR
  pause    -p PID -m MINOR
  unpause  -p PID -m MINOR [-a TYPE:FILE]
  stats    [-p PID] [--json]

Every command takes --control-directory DIRECTORY (default for root: /var/run/blktap-control). A PID that is left out
means every daemon there is.

Exit status: 0 done; 1 a daemon refused, or could not be asked; 2 the command line is wrong.
`;

/** @returns undefined when help is asked for
 *  @throws UsageError, or parseArgs's own error */
export function parseCtlOptions(argv: readonly string[]): CtlOptions | undefined {
  const [command = '', ...rest] = argv;
  if (command === '--help' || command === '-h' || rest.includes('--help')) return undefined;
  if (!isCommand(command)) {
    const known = Object.keys(commands).join(', ');
    throw new UsageError(
      command ? `there is no command '${command}': there are ${known}` : `a command is missing: ${known}`,
    );
  }
  const { needs, takes } = commands[command];
  const names: readonly OptionName[] = [...needs, ...takes];
  const options = Object.fromEntries(names.map((name) => [name, spellings[name]]));
  const { values }: { values: Readonly<Record<string, unknown>> } = parseArgs({
    args: rest,
    options: { ...options, 'control-directory': { type: 'string' } },
  });
  for (const name of needs) {
    if (values[name] === undefined) throw new UsageError(`${command} needs --${name}`);
  }
  return {
    command,
    directory: controlDirectory(text(values['control-directory'])),
    json: values['json'] === true,
    force: values['force'] === true,
    readOnly: values['read-only'] === true,
    shared: values['shared'] === true,
    pid: wholeNumber('pid', text(values['pid']), 1, 2 ** 31 - 1),
    minor: wholeNumber('minor', text(values['minor']), 0, 65_534),
    args: imageName(text(values['args'])),
    type: text(values['type']),
    file: text(values['file']),
  };
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function isCommand(command: string): command is CtlCommand {
  return Object.hasOwn(commands, command);
}
