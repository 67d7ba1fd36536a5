// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { defaultControlDirectory, ROOT_CONTROL_DIRECTORY } from '../control/control-directory.js';
import { textFits } from '../control/message.js';
import { optional } from './command-line/parameter.js';
import { directory, type ValueType, wholeNumber } from './command-line/value-type.js';
import { UsageError } from './usage-error.js';

/** Names the control directory where the command line does not. */
export const CONTROL_DIRECTORY_VARIABLE = 'TAPDISK_TS_CONTROL_DIRECTORY';

/** The option that the daemon and all that drive it have in common. */
export const controlDirectoryOption = optional(directory(), {
  help: 'The directory of control sockets.',
  defaultText: `${ROOT_CONTROL_DIRECTORY} for root, $XDG_RUNTIME_DIR/blktap-control for others`,
  environment: CONTROL_DIRECTORY_VARIABLE,
});

/** The directory that was given, or the default one. @throws UsageError when there is neither */
export function controlDirectory(
  given: string | undefined,
  byDefault: () => string | undefined = defaultControlDirectory,
): string {
  const found = given ?? byDefault();
  if (found) return found;
  throw new UsageError(
    `missing --control-directory: it has no default for a non-root user without an absolute XDG_RUNTIME_DIR; ${CONTROL_DIRECTORY_VARIABLE} sets one`,
  );
}

/** A daemon's process id. */
export const processId = wholeNumber('PID', 1, 2 ** 31 - 1);

/** A minor number that a control message can name. */
export const minorNumber = wholeNumber('MINOR', 0, 65_534);

/** What a disk is opened with: `aio:/path`. */
export const imageName: ValueType<string> = {
  placeholder: 'TYPE:FILE',
  parse(text) {
    if (!textFits(text))
      throw new UsageError('expected at most 255 bytes, which is what a control message holds');
    if (!text.includes(':'))
      throw new UsageError('missing driver; expected TYPE:FILE, for example aio:/path');
    return text;
  },
};
