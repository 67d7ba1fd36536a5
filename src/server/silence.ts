// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import {
  IPPROTO_TCP,
  type Posix,
  SO_KEEPALIVE,
  SOL_SOCKET,
  TCP_KEEPALIVE_PROBES,
  TCP_KEEPIDLE,
} from '../posix/posix.js';
import { AwaitedEvent } from '../scheduler/awaited-event.js';
import { TIMEOUT } from '../scheduler/event.js';
import type { EventRegistrar } from '../scheduler/registrar.js';
import { Standstill } from './standstill.js';

/** A peer whose host does not respond for this long is given up, unless set otherwise. */
export const SILENCE_SECONDS = 30;
/** The least that can be asked for: a second, and the probes that go unanswered. */
export const MIN_SILENCE_SECONDS = TCP_KEEPALIVE_PROBES + 1;
/** How often it is checked whether what was sent is acknowledged. */
const LOOK_SECONDS = 5;

/**
 * Makes the kernel detect that the host of an idle connection's peer is gone: read fails with ETIMEDOUT then.
 *
 * It does not while something that was sent is not acknowledged: for that see {@link SilenceWatch}.
 *
 * @param seconds how long the peer may be silent; 0 leaves the connection as it is
 */
export function probeWhenIdle(posix: Posix, fd: number, seconds: number): void {
  if (seconds === 0) return;
  posix.setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, Math.max(1, seconds - TCP_KEEPALIVE_PROBES));
  posix.setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
}

/** Whether the kernel has sent something again, or a probe, and has no answer yet. */
export function isUnanswered(posix: Posix, fd: number): boolean {
  return (posix.retransmissions?.(fd) ?? 0) > 0;
}

export interface SilenceWatchOptions {
  readonly registrar: EventRegistrar;
  readonly posix: Posix;
  /** An established TCP connection. */
  readonly fd: number;
  /** 0: for ever. */
  readonly seconds: number;
  /** Called every few seconds, for as long as it is silent and watched. */
  readonly onSilent: () => void;
}

/**
 * Notices that the host of a connection's peer does not answer any more, whether the connection is idle or not. A peer that
 * is slow, or takes nothing for hours, answers all the same: its kernel does.
 *
 * The kernel sends again what is not acknowledged, for a quarter of an hour: where it has done so, and no more than that,
 * for all of the time, the peer is silent. (Known by /proc/net; elsewhere the kernel alone gives up.)
 */
export class SilenceWatch implements Disposable {
  readonly #options: SilenceWatchOptions;
  readonly #event: AwaitedEvent;
  readonly #silence = new Standstill();

  constructor(options: SilenceWatchOptions) {
    this.#options = options;
    const { registrar, posix, fd, seconds } = options;
    this.#event = new AwaitedEvent(registrar, 'silence of the peer');
    if (seconds === 0) return;
    probeWhenIdle(posix, fd, seconds);
    this.#event.set(TIMEOUT, -1, LOOK_SECONDS, () => this.#look());
  }

  [Symbol.dispose](): void {
    this.#event.clear();
  }

  #look(): void {
    const { posix, fd, seconds, onSilent } = this.#options;
    const isSilent = isUnanswered(posix, fd);
    const seenSeconds = this.#silence.seconds(isSilent ? 'silent' : undefined, posix.clock.now());
    // It was silent before it was first seen, but not for longer than the time between two looks.
    if (isSilent && seenSeconds + LOOK_SECONDS >= seconds) onSilent();
  }
}
