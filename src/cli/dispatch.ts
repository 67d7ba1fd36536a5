// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { readFileSync } from 'node:fs';
import { type Command, commands } from './commands.js';
import type { CommandIo } from './command-io.js';
import { EXIT_OK, EXIT_USAGE } from './exit-status.js';
import { isUsageError, UsageError } from './usage-error.js';
import { packageFile } from '../conformance/package-file.js';

/** Runs the command that the arguments name; answers the exit status. */
export async function dispatch(argv: readonly string[], io: CommandIo): Promise<number> {
  const [first, ...rest] = argv;
  if (first === '--help' || first === '-h' || (first === 'help' && rest.length === 0)) {
    io.stdout.write(help());
    return EXIT_OK;
  }
  if (first === '--version' || first === '-V') {
    io.stdout.write(`tapdisk-ts ${version()}\n`);
    return EXIT_OK;
  }
  if (first === 'help') return dispatch([...rest, '--help'], io);
  const command = commands.find(({ name }) => name === first);
  try {
    if (command === undefined) throw new UsageError(noSuchCommand(first));
    const run = await command.load();
    return await run(rest, io);
  } catch (error) {
    if (!isUsageError(error)) throw error;
    const name = ['tapdisk-ts', ...(command === undefined ? [] : [command.name])].join(' ');
    io.stderr.write(`${name}: ${firstSentence(error.message)}\nTry ${name} --help.\n`);
    return EXIT_USAGE;
  }
}

function help(): string {
  const width = Math.max(...commands.map(({ name }) => name.length));
  const line = ({ name, summary }: Command): string => `  ${name.padEnd(width)}  ${summary}`;
  return `Usage: tapdisk-ts COMMAND [ARGUMENT]...

Tapdisk2's poll scheduler and its asynchronous connect module, at work: replication of disk images, and a disk daemon.

Commands:
${commands.map(line).join('\n')}

  -h, --help     print this; tapdisk-ts COMMAND --help tells all about a command
  -V, --version  print the version

Exit status: 0 done; 1 it could not be done; 2 the command line is wrong; more in each command's help.
`;
}

function version(): string {
  const text = readFileSync(packageFile('package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

function noSuchCommand(name: string | undefined): string {
  const names = commands.map((command) => command.name).join(', ');
  if (name === undefined) return `a command is wanted: ${names}`;
  return `there is no command ${JSON.stringify(name)}; there are ${names}`;
}

/** parseArgs goes on about arguments that begin with a dash. */
function firstSentence(message: string): string {
  return message.replace(/\. To specify a positional argument.*$/s, '');
}
