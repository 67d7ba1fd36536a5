// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { optional } from './command-line/parameter.js';
import type { ValueType } from './command-line/value-type.js';
import { UsageError } from './usage-error.js';

/** What can be ignored: what a terminal or a login sends at its end. SIGTERM is left to end a program in order. */
const IGNORABLE = { HUP: 'SIGHUP', INT: 'SIGINT' } as const;

export type IgnorableSignal = (typeof IGNORABLE)[keyof typeof IGNORABLE];

const signalList: ValueType<readonly IgnorableSignal[]> = {
  placeholder: 'SIGNALS',
  parse(text) {
    return text.split(',').map((name) => {
      const short = name.toUpperCase().replace(/^SIG/, '');
      if (!Object.hasOwn(IGNORABLE, short))
        throw new UsageError(
          `expected one or more of ${Object.keys(IGNORABLE).join(', ')}, with commas between`,
        );
      return IGNORABLE[short as keyof typeof IGNORABLE];
    });
  },
};

/** The option of commands that run for long. Node resets what it inherits from nohup(1) before a script runs. */
export const ignoreSignalsOption = optional(signalList, {
  help: 'Ignore HUP, INT or both (HUP,INT). nohup has no effect on Node programs.',
});

/** Handlers with those of ignored signals taken out: a handler that does nothing is in their place. */
export function withoutIgnored(
  handlers: Partial<Record<NodeJS.Signals, () => void>>,
  ignored: readonly IgnorableSignal[] = [],
): Partial<Record<NodeJS.Signals, () => void>> {
  return { ...handlers, ...Object.fromEntries(ignored.map((signal) => [signal, () => {}])) };
}
