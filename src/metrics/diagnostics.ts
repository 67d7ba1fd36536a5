// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { channel } from 'node:diagnostics_channel';
import type { Clock } from '../posix/clock.js';
import { type EventDescription, modeName } from '../scheduler/event.js';
import type { SchedulerObserver } from '../scheduler/observer.js';

/** The names of the channels of node:diagnostics_channel. */
export const REGISTER_CHANNEL = 'tapdisk-ts:register';
export const UNREGISTER_CHANNEL = 'tapdisk-ts:unregister';
export const FIRE_CHANNEL = 'tapdisk-ts:fire';

/** What is published on {@link REGISTER_CHANNEL} and {@link UNREGISTER_CHANNEL}. */
export interface EventMessage {
  readonly id: number;
  /** As `READ|TIMEOUT`. */
  readonly mode: string;
  readonly fd: number;
  readonly timeoutSeconds: number;
}

/** What is published on {@link FIRE_CHANNEL}, after the callback has returned or thrown. */
export interface FireMessage extends EventMessage {
  /** The one mode that fired. */
  readonly fired: string;
  /** When the callback was entered, in seconds of the scheduler's clock. */
  readonly enteredAtSeconds: number;
  /** How long the callback took. */
  readonly durationSeconds: number;
}

/**
 * Publishes what a scheduler does to Node's diagnostics channels. Give it to a server as its `observer`.
 *
 * Without a subscriber it costs a look at a flag. What a subscriber throws is Node's to report, as an uncaught exception; it
 * does not reach the scheduler.
 */
export function diagnosticsObserver(clock: Clock): SchedulerObserver {
  const register = channel(REGISTER_CHANNEL);
  const unregister = channel(UNREGISTER_CHANNEL);
  const fire = channel(FIRE_CHANNEL);
  /** When each callback that is under way was entered: tapdisk3's scheduler enters some within others. */
  const entered: (number | undefined)[] = [];
  return {
    registered(event) {
      if (register.hasSubscribers) register.publish(describe(event));
    },
    unregistered(event) {
      if (unregister.hasSubscribers) unregister.publish(describe(event));
    },
    entering() {
      entered.push(fire.hasSubscribers ? clock.now() : undefined);
    },
    left(event, mode) {
      const enteredAtSeconds = entered.pop();
      // Somebody who subscribed while the callback ran does not hear of it: nobody knows when it began.
      if (enteredAtSeconds === undefined) return;
      const durationSeconds = clock.now() - enteredAtSeconds;
      const message: FireMessage = {
        ...describe(event),
        fired: modeName(mode),
        enteredAtSeconds,
        durationSeconds,
      };
      fire.publish(message);
    },
  };
}

/** A copy: what a subscriber does to it changes nothing. */
function describe({ id, mode, fd, timeoutSeconds }: EventDescription): EventMessage {
  return { id, mode: modeName(mode), fd, timeoutSeconds };
}
