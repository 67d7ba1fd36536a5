// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { UsageError } from './usage-error.js';
import { defaultControlDirectory } from '../control/control-directory.js';
import { textFits } from '../control/message.js';

/** The directory that was given, or the default one. @throws UsageError when there is neither */
export function controlDirectory(
  given: string | undefined,
  byDefault: () => string | undefined = defaultControlDirectory,
): string {
  const directory = given ?? byDefault();
  if (directory) return directory;
  throw new UsageError(
    '--control-directory is missing: only root has a default, and who has XDG_RUNTIME_DIR set',
  );
}

/** @throws UsageError unless it is a whole number from `low` to `high` */
export function wholeNumber(
  name: string,
  given: string | undefined,
  low: number,
  high: number,
): number | undefined {
  if (given === undefined) return undefined;
  const value = /^\d{1,15}$/.test(given) ? Number(given) : NaN;
  if (value >= low && value <= high) return value;
  throw new UsageError(`--${name} is '${given}', but must be a whole number from ${low} to ${high}`);
}

/** @throws UsageError for a name that a control message has no room for, or that has no driver */
export function imageName(given: string | undefined): string | undefined {
  if (given === undefined) return undefined;
  if (!textFits(given))
    throw new UsageError(`'${given}' is longer than 255 bytes, and a control message has no room for it`);
  if (!given.includes(':'))
    throw new UsageError(`'${given}' has no driver: a name is TYPE:FILE, as in aio:/path`);
  return given;
}
