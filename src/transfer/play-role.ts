// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { whenAborted } from '../posix/when-aborted.js';
import type { NodePosix } from '../posix/index.js';
import type { EventRegistrar } from '../scheduler/registrar.js';
import { type Logger, nullLogger } from '../server/logger.js';
import { TapdiskServer } from '../server/tapdisk-server.js';
import { TransferError } from './transfer-error.js';
import type { TransferEvent, TransferObserver, TransferOutcome } from './transfer-event.js';
import type { TransferStatus } from './transfer-status.js';
import type { Digest } from './wire.js';

/** How a transfer is watched and stopped, in a program. */
export interface PlayOptions {
  /** Called with each event, in their order. */
  readonly onEvent?: (event: TransferEvent) => void;
  /** Called every second with what is going on. */
  readonly onProgress?: (status: TransferStatus) => void;
  /** Breaks the transfer off. */
  readonly signal?: AbortSignal;
  /** What the connect module says; nowhere unless given. */
  readonly logger?: Logger;
}

/** An image that was transferred whole. */
export interface TransferredImage extends Digest {
  /** Both sides say that it is the same image: not when the other one is another program. */
  readonly confirmed: boolean;
  /** How long it took. */
  readonly seconds: number;
}

/** A role that a program plays: primary or backup. */
export interface PlayedRole {
  start(): Promise<void>;
  stop(signal: string): void | Promise<void>;
  status(): TransferStatus;
  readonly ended: Promise<TransferOutcome>;
}

export interface RoleParts {
  readonly registrar: EventRegistrar;
  readonly posix: NodePosix;
  readonly logger: Logger;
  readonly observer: TransferObserver;
}

const PROGRESS_SECONDS = 1;

/**
 * Plays a role on a server of its own until it has transferred one image.
 *
 * @throws (rejects with) TransferError, or the signal's reason
 */
export async function playRole(
  options: PlayOptions,
  create: (parts: RoleParts) => PlayedRole,
): Promise<TransferredImage> {
  const { onEvent, onProgress, signal, logger = nullLogger } = options;
  signal?.throwIfAborted();
  let image: TransferredImage | undefined;
  let failure = new TransferError('ECANCELED', 'the transfer ended without an image');
  const keep = (event: TransferEvent): void => {
    if (event.event === 'complete') {
      const { bytes, sha256, confirmed, seconds } = event;
      image = { bytes, sha256, confirmed, seconds };
    } else if (event.event === 'failed') failure = new TransferError(event.code, event.message);
    onEvent?.(event);
  };
  await using server = new TapdiskServer({ logger });
  const observer: TransferObserver = { onEvent: keep, onProgress() {} };
  const role = create({ registrar: server, posix: server.posix, logger, observer });
  const stop = (): void => void role.stop('abort');
  const forget = whenAborted(signal, stop);
  void server.run({ signals: false });
  const watching = new AbortController();
  if (onProgress) void watch(server, () => onProgress(role.status()), watching.signal);
  try {
    const [outcome] = await Promise.all([role.ended, role.start()]);
    signal?.throwIfAborted();
    if (outcome.kind === 'not-ours')
      throw new TransferError('EADDRNOTAVAIL', 'this host does not have the address to listen on');
    if (image === undefined) throw failure;
    return image;
  } finally {
    forget();
    watching.abort();
  }
}

async function watch(server: TapdiskServer, report: () => void, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await server.sleep(PROGRESS_SECONDS, { signal }).then(report, () => {});
  }
}
