// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { PassThrough, pipeline, type Readable } from 'node:stream';
import { ATTEMPT_SECONDS } from '../replication/attempt-seconds.js';
import { SILENCE_SECONDS } from '../server/silence.js';
import { allowedAddresses } from './allowed-addresses.js';
import { type Input, inputFromFile } from './input.js';
import { playRole, type PlayOptions, type TransferredImage } from './play-role.js';
import { Primary } from './primary.js';

export interface SendImageOptions extends PlayOptions {
  /** The backup's `HOST:PORT`. */
  readonly address: string;
  /** The path of a regular file or block device, or a stream. */
  readonly image: string | Readable;
  /** Send the image alone, to a backup that is another program; false unless given. */
  readonly raw?: boolean;
  /**
   * Connects only to these of the backup's IPv4 addresses, or to those in ranges such as `10.0.0.0/24`, and to none of a backup
   * without one (EACCES); to any unless given.
   */
  readonly allow?: readonly string[];
  /** Give up a backup whose host does not respond for this many seconds; 30 unless given, 0 leaves that to the kernel. */
  readonly silenceSeconds?: number;
  /**
   * How long an address may leave an attempt without an answer when the backup's name has several, in whole seconds from 1; 10
   * unless given.
   */
  readonly attemptSeconds?: number;
  /** Give up when the backup takes no byte for this many seconds; 0, never, unless given. */
  readonly idleSeconds?: number;
}

/**
 * Sends an image to a backup, as `tapdisk-ts primary` does: tries to connect once a second until the backup is available, to
 * each IPv4 address of its name in turn, and checks that both have the same bytes.
 *
 * @throws (rejects with) TransferError: of the file, the name, the connection, or when the backup's copy differs; the
 *   signal's reason
 */
export async function sendImage(options: SendImageOptions): Promise<TransferredImage> {
  const { address, image, raw = false, idleSeconds = 0, silenceSeconds = SILENCE_SECONDS } = options;
  const { attemptSeconds = ATTEMPT_SECONDS } = options;
  const allow = allowedAddresses(options.allow ?? []);
  const input: Input =
    typeof image === 'string'
      ? await inputFromFile(image)
      : { name: 'a stream', stream: byteStream(image), size: undefined };
  return playRole(
    options,
    (parts) =>
      new Primary({
        ...parts,
        name: address,
        input,
        raw,
        idleSeconds,
        silenceSeconds,
        attemptSeconds,
        allow,
      }),
  );
}

/** A stream of objects that are pieces, as Readable.from makes, as one of bytes; an error of it is the other's too. */
function byteStream(stream: Readable): Readable {
  if (!stream.readableObjectMode) return stream;
  return pipeline(stream, new PassThrough(), () => {});
}
