// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { DEFAULT_DIALECT, DIALECTS } from '../../scheduler/dialect.js';
import { defineTable } from '../command-line/command-table.js';
import { flag, optional, withDefault } from '../command-line/parameter.js';
import { oneOf, type ValueType, wholeNumber } from '../command-line/value-type.js';
import { UsageError } from '../usage-error.js';

export interface SeedRange {
  readonly first: number;
  readonly last: number;
}

export const DEFAULT_SEEDS: SeedRange = { first: 1, last: 1000 };

const seed = wholeNumber('SEED', 0, Number.MAX_SAFE_INTEGER);

const seedRange: ValueType<SeedRange> = {
  placeholder: 'FIRST..LAST',
  parse(text) {
    const [from, to, ...more] = text.split('..');
    if (!from || !to || more.length > 0) throw new UsageError('expected FIRST..LAST, for example 1..1000');
    const range = { first: seed.parse(from), last: seed.parse(to) };
    if (range.first > range.last) throw new UsageError('expected the smaller seed first');
    return range;
  },
};

export const simulateTable = defineTable({
  name: 'simulate',
  needsOutput: true,
  summary: 'run primaries and backups in a simulated network with faults',
  description: [
    "Runs primaries and backups on this package's scheduler, server and connect module in a simulated world: they start, die, restart and lose their connections at random, and at the end all faults are healed.",
    'Checked: no callback for an unregistered event or a closed descriptor; every start ends in exactly one of established, failed and killed; both sides are connected soon after the last fault; nothing is left after a kill; every byte received is the byte that was sent. The seed determines everything, so a failure can be replayed. Time is simulated; nothing sleeps.',
  ],
  arguments: {},
  options: {
    seeds: optional(seedRange, {
      help: 'The seeds to run.',
      defaultText: `${DEFAULT_SEEDS.first}..${DEFAULT_SEEDS.last}`,
    }),
    seed: optional(seed, { help: 'Run one seed.', excludes: ['seeds'] }),
    dialect: withDefault(oneOf('DIALECT', DIALECTS), DEFAULT_DIALECT, {
      help: 'Use the scheduler of this tapdisk version.',
    }),
    trace: flag({ help: 'Print every call, segment and log line of the run.', requires: ['seed'] }),
  },
  exitStatus: { 0: 'All seeds passed.', 1: 'A seed failed.' },
});
