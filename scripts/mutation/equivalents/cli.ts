// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import {
  ALWAYS_THERE,
  descriptorOrErrno,
  OUR_FAULT,
  SYSTEM_ERRORS,
  type Equivalents,
  type Equivalent,
} from './shared.js';

const WRITTEN_AHEAD = 'How much is written back ahead decides how long the pause is, and nothing else.';
const ALWAYS_OPENS = 'The image can be opened: it was read just before.';

export const cli: Equivalents = {
  'src/cli/table-text.ts': [
    ['if (excess <= 0) break;', 'if (excess < 0) break;', 'From a table that just fits nothing is cut.'],
    [
      "const width = Math.max(clip.minWidth, widest(cells.map((row) => row[column] ?? '')) - excess);",
      'const width = Math.max(clip.minWidth, widest(cells.map((row) => row[column])) - excess);',
      ALWAYS_THERE,
    ],
  ],
  'src/cli/command-line/parse-values.ts': [
    [
      "given.set(key, [...before, value ?? '']);",
      'given.set(key, [...before, value]);',
      'Of an option without a value only the number of times counts.',
    ],
  ],
  'src/cli/transfer/progress-bar.ts': [
    [
      'const before = step <= last ? step : 2 * last - step;',
      'const before = step < last ? step : 2 * last - step;',
      'At the far end both are the same.',
    ],
  ],
  'src/cli/vhd/progress.ts': ['#percent = -1;', 'this.#percent = -1;'].map((before): Equivalent => [
    before,
    before.replace('-1', '-2'),
    'Every number below 0 is no percentage.',
  ]),
  'src/cli/command-line/value-type.ts': [
    [
      'const mode = /^0?[0-7]{3}$/.test(value) ? Number.parseInt(value, 8) : 0;',
      'const mode = /^0?[0-7]{3}$/.test(value) ? Number.parseInt(value, 8) : 1;',
      'Permissions without those of the owner are refused, whatever they are.',
    ],
  ],
  'src/cli/ctl/daemon-commands.ts': [';', 'throw error;'].map((thrown): Equivalent => [
    'if (!(error instanceof TypeError)) throw error;',
    thrown === ';' ? 'if (!(error instanceof TypeError)) ;' : 'if (false) throw error;',
    OUR_FAULT,
  ]),
  'src/cli/ctl/snapshot-command.ts': [
    ...[';', 'syncAhead(images.from);'].map((after): Equivalent => [
      'await syncAhead(images.from);',
      after,
      WRITTEN_AHEAD,
    ]),
    ...descriptorOrErrno('if (fd < 0) return;'),
    ['if (fd < 0) return;', 'if (false) return;', ALWAYS_OPENS],
    ['if (fd < 0) return;', 'if (fd < 0) ;', ALWAYS_OPENS],
    ...[';', 'new Promise<number>((done) => calls.files.fdatasync(fd, done));'].map((after): Equivalent => [
      'await new Promise<number>((done) => calls.files.fdatasync(fd, done));',
      after,
      WRITTEN_AHEAD,
    ]),
    [
      'await new Promise<number>((done) => calls.files.close(fd, done));',
      'new Promise<number>((done) => calls.files.close(fd, done));',
      'The file is closed all the same, while the disk is being paused.',
    ],
  ],
  'src/cli/simulate/simulate-command.ts': [
    [
      'const WHOLE_TRACE_LINES = 1_000_000;',
      'const WHOLE_TRACE_LINES = 2000000;',
      'No run has so many lines.',
    ],
    [
      'if (trace) io.stdout.write(result.trace.toString());',
      'if (true) io.stdout.write(result.trace.toString());',
      'What is not traced has no lines.',
    ],
  ],
  'src/cli/status/status-command.ts': [
    ['if (code === undefined) throw error;', 'if (code === undefined) ;', SYSTEM_ERRORS],
    ['if (code === undefined) throw error;', 'if (false) throw error;', SYSTEM_ERRORS],
  ],
  'src/cli/exit-status.ts': [
    [
      'return 128 + (signalNumbers[signal] ?? 0);',
      'return 128 + (signalNumbers[signal] ?? 1);',
      'No other signal stops a command.',
    ],
  ],
  'src/cli/transfer/calm-reporter.ts': [
    [
      "const cause = 'code' in event ? `${event.event} ${event.code}` : event.event;",
      'const cause = true ? `${event.event} ${event.code}` : event.event;',
      'A cause without a code is one of its own, whatever its name.',
    ],
  ],
};
