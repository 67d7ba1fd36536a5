// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onSignals } from '../../src/server/signals.js';
import { Actor } from './actor.js';

/**
 * Where a demonstration takes place: a temporary directory, and processes. When it is closed, the processes have ended and the
 * directory is gone. A signal to this process stops it.
 */
export class Stage {
  readonly directory = mkdtempSync(join(tmpdir(), 'tapdisk-ts-demo-'));
  readonly #print: (line: string) => void;
  readonly #actors: Actor[] = [];
  readonly #started = performance.now();
  readonly #signals: Disposable;
  /** Fulfilled when a signal has come. */
  readonly stopped: Promise<void>;
  #onStopped: () => void = () => {};
  #stoppedBy: string | undefined;

  constructor(print: (line: string) => void) {
    this.#print = print;
    this.stopped = new Promise((resolve) => {
      this.#onStopped = resolve;
    });
    this.#signals = onSignals({ SIGINT: () => this.stop('SIGINT'), SIGTERM: () => this.stop('SIGTERM') });
  }

  /** Ends all processes, and so the act that waits for them; none can be started any more. */
  stop(signal: string): void {
    this.#stoppedBy = signal;
    this.#onStopped();
    for (const actor of this.#actors) actor.kill();
  }

  /** The signal that ended it early. */
  get stoppedBy(): string | undefined {
    return this.#stoppedBy;
  }

  say(line: string): void {
    this.#print(line);
  }

  /** Says what happens, with the time since the start. */
  tell(what: string): void {
    const seconds = (performance.now() - this.#started) / 1000;
    this.#print(`${seconds.toFixed(1).padStart(6)} s  ${what}`);
  }

  /** Starts `tapdisk-ts` with arguments, as a process of its own. */
  start(name: string, argv: readonly string[]): Actor {
    if (this.#stoppedBy !== undefined) throw new Error(`stopped by ${this.#stoppedBy}`);
    const actor = new Actor(name, argv);
    this.#actors.push(actor);
    return actor;
  }

  async close(): Promise<void> {
    for (const actor of this.#actors) actor.kill();
    for (const actor of this.#actors) await actor.exit;
    rmSync(this.directory, { recursive: true, force: true });
    // Not before: whoever is impatient sends a second signal.
    this.#signals[Symbol.dispose]();
  }
}
