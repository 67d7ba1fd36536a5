// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { defineTable } from '../command-line/command-table.js';
import { required } from '../command-line/parameter.js';
import { oneOf } from '../command-line/value-type.js';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;

export const completionTable = defineTable({
  name: 'completion',
  needsOutput: true,
  summary: 'print a completion script for a shell',
  description: [
    'Prints a script that teaches a shell to complete the commands, options and values of tapdisk-ts.',
  ],
  arguments: { shell: required(oneOf('SHELL', SHELLS), { help: 'The shell.' }) },
  options: {},
  notes: [
    'bash: source <(tapdisk-ts completion bash)',
    "zsh: tapdisk-ts completion zsh > DIRECTORY/_tapdisk-ts, with DIRECTORY in the shell's fpath",
    'fish: tapdisk-ts completion fish > ~/.config/fish/completions/tapdisk-ts.fish',
  ],
  exitStatus: { 0: 'Printed.' },
});
