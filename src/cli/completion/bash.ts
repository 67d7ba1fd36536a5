// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { CommandGroup } from '../command-line/command.js';
import {
  type CompletedOption,
  type CompletedValue,
  type CompletionNode,
  completionNodes,
  shellQuoted,
} from './completion-node.js';

/** The completion script of a program for bash 4 and later. */
export function bashCompletion(program: CommandGroup): string {
  const nodes = completionNodes(program);
  const name = `_${program.name.replaceAll('-', '_')}`;
  const [, ...paths] = nodes.map(({ path }) => shellQuoted(path));
  return `# bash completion for ${program.name}
${name}() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} path=${program.name} i
  COMPREPLY=()
  # --option=value is three words here.
  if [[ $current == = ]]; then
    current=
  elif [[ $previous == = ]]; then
    previous=\${COMP_WORDS[COMP_CWORD-2]}
  fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$path \${COMP_WORDS[i]}" in
      ${paths.join(' | ')})
        path+=" \${COMP_WORDS[i]}" ;;
    esac
  done
  case "$path $previous" in
${nodes.flatMap(optionCases).join('\n')}
  esac
  case $path in
${nodes.map(nodeCase).join('\n')}
  esac
}
complete -F ${name} ${program.name}
`;
}

/** What follows an option that takes a value. */
function optionCases({ path, options }: CompletionNode): string[] {
  return options.flatMap((option) => {
    if (option.value === undefined) return [];
    const patterns = optionWords(option).map((word) => shellQuoted(`${path} ${word}`));
    return [`    ${patterns.join(' | ')})\n      ${valueWords(option.value)}return ;;`];
  });
}

/** What follows a command: its options after a dash, else what its argument may be. */
function nodeCase({ path, commands, options, operands }: CompletionNode): string {
  const words = options.flatMap(optionWords).join(' ');
  const first = operands[0];
  const operand =
    commands.length > 0
      ? wordList(commands.map(({ name }) => name))
      : first === undefined
        ? ''
        : valueWords(first);
  return `    ${shellQuoted(path)})
      if [[ $current == -* ]]; then
        ${wordList(words.split(' '))}
      else
        ${operand || ': '}
      fi ;;`;
}

function optionWords({ name, short }: CompletedOption): string[] {
  return short === undefined ? [name] : [name, `-${short}`];
}

/** Commands that set COMPREPLY, and end with a separator; nothing where nothing can be offered. */
function valueWords({ completion }: CompletedValue): string {
  if (completion === undefined) return '';
  if (typeof completion === 'object') return wordList(completion);
  const kind = completion === 'file' ? '-f' : '-d';
  return `compopt -o filenames; mapfile -t COMPREPLY < <(compgen ${kind} -- "$current"); `;
}

function wordList(words: readonly string[]): string {
  return `mapfile -t COMPREPLY < <(compgen -W ${shellQuoted(words.join(' '))} -- "$current"); `;
}
