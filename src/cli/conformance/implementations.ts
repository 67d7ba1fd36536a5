// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { Adapter } from '../../conformance/adapter.js';
import { type Implementation, inProcess, ownScheduler } from '../../conformance/implementation.js';
import { exitNow } from '../../posix/node/exit-now.js';
import { onSignals } from '../../server/signals.js';
import { exitOfSignal } from '../exit-status.js';
import type { ProgramLine } from './value-types.js';

/** Something to check, which is there while it is used. */
export interface Candidate {
  /** Its name in a report. */
  readonly name: string;
  use<Result>(work: (implementation: Implementation) => Promise<Result>): Promise<Result>;
}

/** What the command line names: this package's own if it is asked for or there is no other, then one for each `--cmd`. */
export function candidates(cmd: readonly ProgramLine[], own: boolean, timeoutSeconds: number): Candidate[] {
  const ownOne: Candidate = { name: 'tapdisk-ts', use: (work) => work(inProcess(ownScheduler)) };
  const others = cmd.map(({ line, program, args }): Candidate => ({
    name: line,
    use: (work) => withAdapter({ program, args, timeoutSeconds }, work),
  }));
  return own || others.length === 0 ? [ownOne, ...others] : others;
}

async function withAdapter<Result>(
  options: ConstructorParameters<typeof Adapter>[0],
  use: (adapter: Adapter) => Promise<Result>,
): Promise<Result> {
  // Adapters are in groups of their own, which a terminal's signals do not reach: they end as this process exits.
  const exit = (signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP') => () => exitNow(exitOfSignal(signal));
  using _signals = onSignals({ SIGINT: exit('SIGINT'), SIGTERM: exit('SIGTERM'), SIGHUP: exit('SIGHUP') });
  await using adapter = new Adapter(options);
  return await use(adapter);
}
