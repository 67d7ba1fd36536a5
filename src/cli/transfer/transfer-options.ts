// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { type IgnorableSignal, ignoreSignalsOption } from '../ignored-signals.js';
import { SILENCE_SECONDS } from '../../server/silence.js';
import { flag, optional, repeated, withDefault } from '../command-line/parameter.js';
import { file, wholeNumber } from '../command-line/value-type.js';
import { addressRange } from './address-range-value.js';

/** A day, in seconds. */
const MAX_IDLE_SECONDS = 86_400;

/** What `primary` and `backup` have in common on the command line. */
export const transferOptions = {
  idleTimeout: withDefault(wholeNumber('SECONDS', 0, MAX_IDLE_SECONDS), 0, {
    help: 'Give up if the other side transfers nothing for this long; 0 means never.',
  }),
  silenceTimeout: withDefault(wholeNumber('SECONDS', 0, MAX_IDLE_SECONDS), SILENCE_SECONDS, {
    help: "Give up if the other side's host does not respond for this long, for example after a crash; 0 leaves this to the kernel, which takes hours. A peer that is merely slow does respond.",
  }),
  allow: repeated(addressRange, {
    help: 'Allow only this address, or those that share its first BITS bits. Default: any.',
  }),
  json: flag({ help: 'Report one JSON object per line instead of text.' }),
  status: optional(file('PATH'), {
    help: 'Serve status requests on this Unix socket instead of one that tapdisk-ts status finds.',
    excludes: ['noStatus'],
  }),
  noStatus: flag({ help: 'Do not serve status requests.' }),
  ignoreSignals: ignoreSignalsOption,
  verbose: flag({ short: 'v', help: 'Also print the log of the connect module.' }),
} as const;

export const REPORTS_NOTE =
  'Reports go to standard error: a line that is updated in place on a terminal, plain lines with the time elsewhere. SIGUSR1 prints the current state.';

/** The values of {@link transferOptions}. */
export interface TransferOptions {
  readonly json: boolean;
  readonly verbose: boolean;
  /** The status socket's path; a default one when undefined. */
  readonly status: string | undefined;
  readonly noStatus: boolean;
  readonly ignoreSignals: readonly IgnorableSignal[] | undefined;
  /** In seconds; 0: never. */
  readonly idleTimeout: number;
  /** In seconds; 0: never. */
  readonly silenceTimeout: number;
}
