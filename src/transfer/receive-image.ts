// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { Backup } from './backup.js';
import { outputToFile } from './output-file.js';
import { playRole, type PlayOptions, type TransferredImage } from './play-role.js';

export interface ReceiveImageOptions extends PlayOptions {
  /** `HOST:PORT` to listen on; port 0 takes a free one, which the event `listening` tells. */
  readonly address: string;
  /** The path of the copy. What is there already stays until the new copy is complete. */
  readonly file: string;
  /** Also take an image from a primary that is another program; false unless given. */
  readonly acceptsRaw?: boolean;
  /** A larger image is refused; any size is accepted unless given. */
  readonly maxBytes?: number;
  /** Give a primary up that sends fewer bytes a second, over 10 s; 0, none, unless given. */
  readonly minRate?: number;
  /** Give a primary up that sends no byte for so many seconds; 0, never, unless given. */
  readonly idleSeconds?: number;
}

/**
 * Takes one image from a primary, as `tapdisk-ts backup --once` does. A transfer that breaks off leaves nothing, and the
 * next one is waited for.
 *
 * @throws (rejects with) TransferError: of the file, the name, or the listener; the signal's reason
 */
export async function receiveImage(options: ReceiveImageOptions): Promise<TransferredImage> {
  const { address, file, acceptsRaw = false, idleSeconds = 0, maxBytes, minRate } = options;
  const output = await outputToFile(file);
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
        maxBytes,
        minRate,
      }),
  );
}
