// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { allEntries } from '../../../scripts/command-documents.js';
import { programPath } from '../../../scripts/program-path.js';
import { isGroup } from '../../../src/cli/command-line/command.js';
import { optionName } from '../../../src/cli/command-line/parameter-names.js';
import { shortDirectory } from '../../short-directory.js';
import { command } from '../command.js';

/** Command lines, the last word to be completed, with what a shell offers for them. */
const lines: [line: string, offered: string[]][] = [
  ['tapdisk-ts pri', ['primary']],
  ['tapdisk-ts ctl pa', ['pause']],
  ['tapdisk-ts primary --id', ['--idle-timeout']],
  ['tapdisk-ts daemon --log-level n', ['notice']],
  ['tapdisk-ts daemon --log-level=de', ['debug']],
  ['tapdisk-ts daemon --grace 3 --log-level em', ['emerg']],
  ['tapdisk-ts ctl open -p 1 --sh', ['--shared']],
  ['tapdisk-ts completion z', ['zsh']],
  ['tapdisk-ts primary -i im', ['image file', 'images']],
  ['tapdisk-ts daemon --control-directory im', ['images']],
  ['tapdisk-ts record im', ['image file', 'images']],
  ['tapdisk-ts primary --idle-timeout im', []],
  ['tapdisk-ts frob zz', []],
];

type Shell = 'bash' | 'zsh' | 'fish';

/** What the shell, in a directory, offers for lines; the script to complete with is in a file. */
const offers: Record<Shell, (directory: string, script: string, lines: readonly string[]) => string[][]> = {
  bash(directory, script, all) {
    // As the shell does it: = is a word of its own.
    const asks = all.map((line) => {
      const words = line.split(/ |(?<==)|(?==)/).map((word) => `'${word}'`);
      return `COMP_WORDS=(${words.join(' ')}); COMP_CWORD=${words.length - 1}; _tapdisk_ts; printf '%s\\n' "\${COMPREPLY[@]}" ---`;
    });
    // compopt is for shells that a person types into.
    const source = `compopt() { :; }\nsource ${script}\n${asks.join('\n')}\n`;
    return chunks(execFileSync('bash', ['--norc', '-c', source], { cwd: directory, encoding: 'utf8' }));
  },

  zsh(directory, script, all) {
    // A zsh on a terminal of its own, in which each line is typed, completed and cleared again.
    const setUp = `
autoload -U compinit; compinit -D -u; source ${script}; unsetopt autolist
compadd() {
  [[ -n \${(M)@:#-[ADO]} ]] && { builtin compadd "$@"; return }
  local -a hits; builtin compadd -A hits "$@"; print -rl -- $hits >> ${directory}.out; builtin compadd "$@"
}
separate() { print -- --- >> ${directory}.out }
complete() { zle complete-word; separate; zle kill-whole-line }; zle -N complete; bindkey '^I' complete
`;
    writeFileSync(`${directory}.setup`, setUp);
    const typed = all.map((line) => `${line}\\t`).join('');
    const driver = `zmodload zsh/zpty; zpty z zsh -f -i
zpty -w -n z $' source ${directory}.setup\\n${typed}exit\\n'; while zpty -r z line; do :; done`;
    execFileSync('zsh', ['-f', '-c', driver], { cwd: directory, timeout: 60_000 });
    return chunks(readFileSync(`${directory}.out`, 'utf8'));
  },

  fish(directory, script, all) {
    const asks = all.map((line) => `complete -C '${line}' | string split -f 1 \\t; echo ---`);
    const source = `source ${script}\n${asks.join('\n')}\n`;
    const env = { ...process.env, HOME: directory };
    return chunks(
      execFileSync('fish', ['--no-config', '-c', source], { cwd: directory, env, encoding: 'utf8' }),
    );
  },
};

function chunks(output: string): string[][] {
  return output
    .split('---\n')
    .slice(0, -1)
    .map((chunk) => chunk.split('\n').filter((word) => word !== ''));
}

/** A directory with a file, another directory, and beside it the script. */
async function completing(t: Test, shell: Shell): Promise<string[][]> {
  const parent = shortDirectory(t);
  const directory = join(parent, 'd');
  mkdirSync(join(directory, 'images'), { recursive: true });
  writeFileSync(join(directory, 'image file'), '');
  const { stdout } = await command('completion', shell);
  const script = join(parent, 'script');
  writeFileSync(script, stdout);
  return offers[shell](
    directory,
    script,
    lines.map(([line]) => line),
  );
}

for (const shell of ['bash', 'zsh', 'fish'] as const) {
  const skip = programPath(shell) === undefined ? `${shell} is not installed` : false;
  if (skip) process.stderr.write(`\n*** not tried: completion, as ${skip}\n\n`);
  t.test(`${shell} completes commands, options, values and files`, { skip }, async (t) => {
    const offered = await completing(t, shell);
    t.equal(offered.length, lines.length);
    for (const [index, [line, expected]] of lines.entries()) {
      const words = (offered[index] ?? []).map((word) =>
        word.replaceAll(/^--[a-z-]+=(?=.)|[/ =]$|\\(?= )/g, ''),
      );
      t.strictSame([...new Set(words)].toSorted(), expected.toSorted(), line);
    }
  });

  t.test(`the script for ${shell} has every command and option`, async (t) => {
    const { stdout } = await command('completion', shell);
    for (const { path, entry } of allEntries()) {
      t.ok(stdout.includes(path.replaceAll(' ', shell === 'zsh' ? '_' : ' ')), path);
      if (isGroup(entry)) continue;
      for (const key of Object.keys(entry.table.options)) {
        const name = optionName(key);
        t.ok(stdout.includes(shell === 'fish' ? `-l ${name.slice(2)} ` : name), `${path} ${name}`);
      }
    }
  });
}
