// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { DEFAULT_MAX_DESCRIPTORS } from '../posix/shared/descriptor-table.js';
import type { BufferSizes } from './endpoint-host.js';
import { EventQueue } from './event-queue.js';
import { SimulatedHost } from './host.js';
import { Kernel } from './kernel.js';
import { Link } from './link.js';
import { Machine } from './machine.js';
import { type NameRecord, NameService } from './name-service.js';
import { Network } from './network.js';
import { checkPathConditions, LAN } from './path.js';
import { Random } from './random.js';
import { Trace } from './trace.js';
import {
  DEFAULT_LIMIT_SECONDS,
  DEFAULT_MAX_EVENTS_AT_ONCE,
  type HostOptions,
  type RunLimits,
  type WorldOptions,
} from './world-options.js';
import type { WorldState } from './world-state.js';

/** The day on which worlds begin unless set otherwise: 14 October 2014, 10:14 in China. */
const DEFAULT_START_SECONDS = 1_413_252_840;
/** How many turns of Node's event loop a server that is not in select gets. */
const MAX_IDLE_TURNS = 1000;

/**
 * A world with a clock, hosts and a network of its own, none of them real.
 *
 * Virtual time moves only while {@link SimulatedWorld.run} is awaited, from one event to the next, and only when the
 * world is quiescent: everything that waited for an answer of the world (a select, a name lookup) has been given the
 * chance to go on until nothing is left but such waiting, and every server started with {@link SimulatedHost.serve} is in
 * select. Node's event loop turns in between; nothing sleeps, and no timer of Node's is used.
 *
 * Guaranteed: the same seed, and the same calls from outside at the same virtual times, give the same trace byte for byte.
 * Not guaranteed: that the trace of a seed stays the same from one version to the next.
 */
export class SimulatedWorld {
  readonly trace: Trace;
  /** For draws of a test's own; they are part of the seed's sequence. */
  readonly random: Random;
  readonly #state: WorldState;
  readonly #network: Network;
  readonly #buffers: BufferSizes;
  readonly #hosts = new Map<string, SimulatedHost>();
  readonly #machines = new Map<SimulatedHost, Machine>();
  #failure: { readonly host: SimulatedHost; readonly error: unknown } | undefined;
  #isRunning = false;
  readonly #maxEventsAtOnce: number;

  /** @throws RangeError for an option that is out of range */
  constructor(options: WorldOptions = {}) {
    const queue = new EventQueue();
    const { seed = 1, maxWakeLatencySeconds = 0.000_05, shortTransfers = 0 } = options;
    this.#maxEventsAtOnce = options.maxEventsAtOnce ?? DEFAULT_MAX_EVENTS_AT_ONCE;
    this.random = new Random(seed);
    this.trace = new Trace(options.traceLines);
    const names = new NameService((seconds, action) => {
      queue.after(seconds * 1e6, () => {
        action();
        this.#state.mayProgress = true;
      });
    });
    this.#state = {
      queue,
      random: this.random,
      trace: this.trace,
      names,
      startSeconds: options.startSeconds ?? DEFAULT_START_SECONDS + this.random.integer(0, 63) / 64,
      maxWakeLatencySeconds,
      shortTransfers,
      mayProgress: false,
    };
    this.#network = new Network(
      queue,
      this.random,
      this.trace,
      checkPathConditions({ ...LAN, ...options.link }),
    );
    this.#buffers = { sendBytes: 65_536, receiveBytes: 65_536, segmentBytes: 16_384, ...options.buffers };
  }

  /** Virtual seconds since the world began. */
  get nowSeconds(): number {
    return this.#state.queue.nowMicroseconds / 1e6;
  }

  /** The host with an address, which is made when there is none. @throws Error when an address belongs to another host */
  host(address: string, options: HostOptions = {}): SimulatedHost {
    const known = this.#hosts.get(address);
    if (known !== undefined) return known;
    const { addresses = [], maxDescriptors = DEFAULT_MAX_DESCRIPTORS, privileged = true } = options;
    const machine = new Machine(this.#network, {
      name: address,
      addresses: [address, ...addresses],
      buffers: this.#buffers,
      privileged,
    });
    this.#network.add(machine);
    const kernel = new Kernel(this.#state, machine, maxDescriptors);
    const host = new SimulatedHost(kernel, (failed, error) => {
      this.#failure ??= { host: failed, error };
      this.#state.mayProgress = true;
    });
    for (const own of machine.addresses) this.#hosts.set(own, host);
    this.#machines.set(host, machine);
    return host;
  }

  /** The hosts in the order in which they were made. */
  get hosts(): readonly SimulatedHost[] {
    return [...this.#machines.keys()];
  }

  /** The link between two hosts, or a host and itself. */
  link(one: SimulatedHost, other: SimulatedHost): Link {
    return new Link(this.#network, this.#machineOf(one), this.#machineOf(other));
  }

  /** Cuts every link between the hosts of one group and all others. */
  partition(...group: readonly SimulatedHost[]): void {
    for (const one of group) {
      for (const other of this.hosts) if (!group.includes(other)) this.link(one, other).cut();
    }
  }

  /** Makes every link whole again; how they are shaped stays. */
  heal(): void {
    for (const [index, one] of this.hosts.entries()) {
      for (const other of this.hosts.slice(index)) this.link(one, other).heal();
    }
  }

  /** What a name stands for, from now on; undefined: it does not exist. Lookups under way have the old answer. */
  name(name: string, record: NameRecord | undefined): void {
    this.#state.names.set(name, record);
  }

  /** Adds a line to the trace. */
  note(who: string, what: string): void {
    this.trace.add(this.#state.queue.nowMicroseconds, who, what);
  }

  /** Runs an action at a virtual moment: `delaySeconds` from now. */
  after(delaySeconds: number, action: () => void): void {
    this.#state.queue.after(delaySeconds * 1e6, () => {
      action();
      // It may have resolved a promise of its own.
      this.#state.mayProgress = true;
    });
  }

  /**
   * Lets the world go on: for so many virtual seconds, or until a condition holds (which is looked at after every event).
   *
   * @throws (rejects with) what a server's callback or a host's program throws; an Error when the condition does not come
   *   true in time or nothing is left to happen, when time stands still, when a server waits for the real world
   */
  async run(until: number | (() => boolean), limits: RunLimits = {}): Promise<void> {
    if (typeof until === 'number') {
      await this.#runTo(until, () => false);
      return;
    }
    const { limitSeconds = DEFAULT_LIMIT_SECONDS } = limits;
    if (await this.#runTo(limitSeconds, until)) return;
    throw new Error(`the condition did not come true in ${limitSeconds} s of virtual time`);
  }

  /** Lets the world go on until a promise is settled, and returns its value. @throws what it rejects with, and as run */
  async complete<Value>(promise: PromiseLike<Value>, limits: RunLimits = {}): Promise<Value> {
    let isSettled = false;
    const settle = (): void => {
      isSettled = true;
    };
    promise.then(settle, settle);
    await this.run(() => isSettled, limits);
    return promise;
  }

  /** Stops every server and lets the connections end; returns what is left all the same, a line each. */
  async shutDown(limits: RunLimits = {}): Promise<string[]> {
    for (const host of this.hosts) host.stop();
    await this.#runTo(limits.limitSeconds ?? DEFAULT_LIMIT_SECONDS, () => this.#state.queue.size === 0);
    return this.hosts.flatMap((host) => host.leftovers());
  }

  async #runTo(seconds: number, isDone: () => boolean): Promise<boolean> {
    if (!(seconds >= 0)) throw new RangeError(`the world cannot run for ${String(seconds)} seconds`);
    if (this.#isRunning) throw new Error('the world is running already: await one run before the next');
    this.#isRunning = true;
    try {
      return await this.#advance(this.#state.queue.nowMicroseconds + seconds * 1e6, isDone);
    } finally {
      this.#isRunning = false;
    }
  }

  async #advance(limitMicroseconds: number, isDone: () => boolean): Promise<boolean> {
    const { queue } = this.#state;
    let instant = queue.nowMicroseconds;
    let eventsAtOnce = 0;
    for (;;) {
      await this.#settle();
      if (isDone()) return true;
      do {
        if (!queue.advance(limitMicroseconds)) return false;
        eventsAtOnce = queue.nowMicroseconds === instant ? eventsAtOnce + 1 : 1;
        instant = queue.nowMicroseconds;
        if (eventsAtOnce >= this.#maxEventsAtOnce) {
          throw new Error(
            `time stands still at ${this.nowSeconds} s: the same events happen again and again`,
          );
        }
      } while (!this.#state.mayProgress && !isDone());
    }
  }

  /** Waits until the world is quiescent. */
  async #settle(): Promise<void> {
    for (let turns = 0; ; turns++) {
      do {
        this.#state.mayProgress = false;
        // A turn of Node's event loop runs everything that has been resolved, and what follows from it, to its end.
        await new Promise((resolve) => setImmediate(resolve));
      } while (this.#state.mayProgress);
      if (this.#failure !== undefined) this.#throwFailure();
      const busy = this.hosts.find((host) => host.isBusy);
      if (busy === undefined) return;
      if (turns > MAX_IDLE_TURNS) {
        throw new Error(
          `the server on ${busy.name} is not in select: something in it waits for the real world`,
        );
      }
    }
  }

  #throwFailure(): never {
    const { host, error } = this.#failure as { host: SimulatedHost; error: unknown };
    this.#failure = undefined;
    throw new Error(`${host.name} failed at ${this.nowSeconds} s: ${String(error)}`, { cause: error });
  }

  #machineOf(host: SimulatedHost): Machine {
    const machine = this.#machines.get(host);
    if (machine === undefined) throw new Error(`${host.name} is a host of another world`);
    return machine;
  }
}
