// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { CommandGroup } from '../command-line/command.js';
import {
  type CompletedOption,
  type CompletedValue,
  type CompletionNode,
  completionNodes,
} from './completion-node.js';

/** The completion script of a program for fish. */
export function fishCompletion(program: CommandGroup): string {
  const nodes = completionNodes(program);
  const path = `__${program.name.replaceAll('-', '_')}_path`;
  const [, ...paths] = nodes.map((node) => fishQuoted(node.path));
  return `# fish completion for ${program.name}
function ${path}
    set -l path ${program.name}
    for word in (commandline -opc)[2..]
        switch "$path $word"
            case ${paths.join(' ')}
                set path "$path $word"
        end
    end
    echo $path
end
complete -c ${program.name} -f
${nodes.flatMap((node) => nodeLines(node, program.name, path)).join('\n')}
`;
}

function nodeLines(node: CompletionNode, program: string, pathFunction: string): string[] {
  const condition = fishQuoted(`test (${pathFunction}) = "${node.path}"`);
  const start = `complete -c ${program} -n ${condition}`;
  return [
    ...node.commands.map(({ name, summary }) => `${start} -a ${name} -d ${fishQuoted(summary)}`),
    ...node.options.map((option) => `${start} ${optionFlags(option)}`),
    ...node.operands
      .filter(({ completion }) => completion)
      .map((operand) => `${start} ${valueFlags(operand)}`),
  ];
}

function optionFlags({ name, short, help, value }: CompletedOption): string {
  const letter = short === undefined ? '' : `-s ${short} `;
  const takes = value === undefined ? '' : ` -r ${valueFlags(value)}`;
  return `${letter}-l ${name.slice(2)}${takes} -d ${fishQuoted(help)}`;
}

function valueFlags({ completion }: CompletedValue): string {
  if (completion === undefined) return '-f';
  if (typeof completion === 'object') return `-f -a ${fishQuoted(completion.join(' '))}`;
  return completion === 'file' ? '-F' : "-f -a '(__fish_complete_directories)'";
}

function fishQuoted(text: string): string {
  return `'${text.replaceAll(/[\\']/g, String.raw`\$&`)}'`;
}
