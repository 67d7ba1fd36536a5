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

/** The completion script of a program for zsh: a file of its fpath, or to be sourced. */
export function zshCompletion(program: CommandGroup): string {
  const nodes = completionNodes(program);
  const main = functionName(program.name);
  return `#compdef ${program.name}

${nodes.map(nodeFunction).join('\n')}
if [[ $funcstack[1] == ${main} ]]; then
  ${main} "$@"
else
  compdef ${main} ${program.name}
fi
`;
}

function functionName(path: string): string {
  return `_${path.replaceAll(' ', '_')}`;
}

function nodeFunction(node: CompletionNode): string {
  const body = node.commands.length > 0 ? groupBody(node) : commandBody(node);
  return `${functionName(node.path)}() {\n${body}}\n`;
}

function groupBody({ path, commands, options }: CompletionNode): string {
  const described = commands.map(({ name, summary }) => shellQuoted(`${name}:${summary}`));
  const cases = commands.map(({ name }) => `        ${name}) ${functionName(`${path} ${name}`)} ;;`);
  return `  local context state state_descr line
  local -A opt_args
  _arguments -C ${options.map(optionSpec).join(' ')} ':command:->command' '*::argument:->argument'
  case $state in
    command)
      local -a commands=(${described.join(' ')})
      _describe command commands ;;
    argument)
      case $line[1] in
${cases.join('\n')}
      esac ;;
  esac
`;
}

function commandBody({ options, operands }: CompletionNode): string {
  const specs = [...options.map(optionSpec), ...operands.map(operandSpec)];
  return `  _arguments -s \\\n    ${specs.join(' \\\n    ')}\n`;
}

/** `'(-i --input)'{-i+,--input=}'[Send this file.]:FILE:_files'` */
function optionSpec({ name, short, help, value, repeatable }: CompletedOption): string {
  const description = `[${help.replaceAll(/[\][\\]/g, String.raw`\$&`)}]${value === undefined ? '' : valueSpec(value)}`;
  const long = value === undefined ? name : `${name}=`;
  const once = repeatable ? '*' : `(${short === undefined ? name : `-${short} ${name}`})`;
  if (short === undefined) return shellQuoted(`${once}${long}${description}`);
  const letter = value === undefined ? `-${short}` : `-${short}+`;
  return `${shellQuoted(once)}{${letter},${long}}${shellQuoted(description)}`;
}

function operandSpec(operand: CompletedValue): string {
  return shellQuoted(`${operand.repeatable ? '*' : ''}${valueSpec(operand)}`);
}

/** `:FILE:_files` */
function valueSpec({ placeholder, completion }: CompletedValue): string {
  const message = placeholder.replaceAll(/[:\\]/g, String.raw`\$&`);
  if (completion === undefined) return `:${message}: `;
  if (typeof completion === 'object') return `:${message}:(${completion.join(' ')})`;
  return `:${message}:${completion === 'file' ? '_files' : '_files -/'}`;
}
