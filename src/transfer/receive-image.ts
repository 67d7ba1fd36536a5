// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { SILENCE_SECONDS } from '../server/silence.js';
import { allowedAddresses } from './allowed-addresses.js';
import { Backup } from './backup.js';
import { outputToFile } from './output-file.js';
import { playRole, type PlayOptions, type TransferredImage } from './play-role.js';

export interface ReceiveImageOptions extends PlayOptions {
  /** `HOST:PORT` to listen on; port 0 takes a free one, which the event `listening` reports. */
  readonly address: string;
  /** The path of the copy. What is there already stays until the new copy is complete. */
  readonly file: string;
  /** Also take an image from a primary that is another program; false unless given. */
  readonly acceptsRaw?: boolean;
  /** A larger image is refused; any size is accepted unless given. */
  readonly maxBytes?: number;
  /** Give up a primary that sends fewer bytes a second, over 10 s; 0, none, unless given. */
  readonly minRate?: number;
  /** Accepts only these IPv4 addresses, or ranges such as `10.0.0.0/24`; everybody unless given. */
  readonly allow?: readonly string[];
  /** The copy's mode. Unless given, that of the file before; 0600 for a new one. */
  readonly mode?: number;
  /** Keep the copy before, as `FILE.previous`; false unless given. */
  readonly keepsPrevious?: boolean;
  /** Called with what of the file before cannot be kept. */
  readonly onWarning?: (message: string) => void;
  /** Give up a primary whose host does not respond for this many seconds; 30 unless given, 0 leaves that to the kernel. */
  readonly silenceSeconds?: number;
  /** Give up a primary that sends no byte for this many seconds; 0, never, unless given. */
  readonly idleSeconds?: number;
}

/**
 * Takes one image from a primary, as `tapdisk-ts backup --once` does. A transfer that breaks off leaves nothing, and the
 * next one is waited for.
 *
 * @throws (rejects with) TransferError: of the file, the name, `allow` (EINVAL), or the listener; the signal's reason
 */
export async function receiveImage(options: ReceiveImageOptions): Promise<TransferredImage> {
  const { address, file, acceptsRaw = false, idleSeconds = 0, maxBytes, minRate } = options;
  const allow = allowedAddresses(options.allow ?? []);
  const { mode, keepsPrevious = false, onWarning: warn, silenceSeconds = SILENCE_SECONDS } = options;
  const output = await outputToFile(file, { mode, keepsPrevious, warn });
  return playRole(
    options,
    (parts) =>
      new Backup({
        ...parts,
        name: address,
        output,
        once: true,
        acceptsRaw,
        idleSeconds,
        silenceSeconds,
        maxBytes,
        minRate,
        allow,
      }),
  );
}
