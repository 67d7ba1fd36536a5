// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { type EventCallback, modeName } from '../scheduler/event.js';
import type { EventRegistrar } from '../scheduler/registrar.js';
import { tracedResult } from './error-names.js';
import { modeNames } from './mode-names.js';
import type { TraceEntry } from './vector.js';

export interface RegistrarTracing {
  record(entry: TraceEntry): void;
  /** A negative errno to answer in the registrar's place, or 0 to let the registration through. */
  refuse(): number;
  /** A handler that was registered with this private data was entered and has returned. */
  handled(privateData: unknown): void;
}

/** Leaves an entry for each registration, unregistration and firing on its way to another registrar. */
export class TracedRegistrar implements EventRegistrar {
  private readonly registrar: EventRegistrar;
  private readonly tracing: RegistrarTracing;

  constructor(registrar: EventRegistrar, tracing: RegistrarTracing) {
    this.registrar = registrar;
    this.tracing = tracing;
  }

  registerEvent<Private = undefined>(
    mode: number,
    fd: number,
    timeoutSeconds: number,
    callback: EventCallback<Private>,
    privateData?: Private,
  ): number {
    const { tracing } = this;
    const traced: EventCallback<Private> = (id, fired, data) => {
      tracing.record(['fire', id, modeName(fired)]);
      callback(id, fired, data);
      tracing.handled(data);
    };
    const refused = tracing.refuse();
    const answer =
      refused < 0 ? refused : this.registrar.registerEvent(mode, fd, timeoutSeconds, traced, privateData);
    tracing.record([
      'register',
      { mode: modeNames(mode), fd, timeout: timeoutSeconds },
      tracedResult(answer),
    ]);
    return answer;
  }

  unregisterEvent(id: number): void {
    this.registrar.unregisterEvent(id);
    this.tracing.record(['unregister', id]);
  }

  setMaxTimeout(timeoutSeconds: number): number {
    return this.registrar.setMaxTimeout(timeoutSeconds);
  }
}
