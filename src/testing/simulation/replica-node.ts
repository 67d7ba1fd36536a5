// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { AwaitedEvent } from '../../scheduler/awaited-event.js';
import { LOG_INFO } from '../../server/logger.js';
import type { TapdiskServer } from '../../server/tapdisk-server.js';
import type { SimulatedHost } from '../host.js';
import type { CheckedStreams } from '../invariants/checked-streams.js';
import { type ConnectModule, WatchedConnect } from '../invariants/watched-connect.js';
import { WatchedRegistrar } from '../invariants/watched-registrar.js';
import type { Random } from '../random.js';
import type { SimulatedPosix } from '../simulated-posix.js';
import { Session } from './session.js';

export interface ReplicaNodeOptions {
  readonly host: SimulatedHost;
  readonly server: TapdiskServer<SimulatedPosix>;
  readonly random: Random;
  readonly streams: CheckedStreams;
  /** `host:port` of the backup; the host that has the address is the backup, the other one the primary. */
  readonly address: string;
  /** The connect module to run; the one of this package unless given. */
  readonly module?: ConnectModule;
}

/** What server_start returns to the host that does not have the address. */
const BE_CLIENT = -2;
const AGAIN_SECONDS = 1;

/**
 * One side of a replicated disk, as a driver uses the connect module: it becomes server or client by what server_start
 * answers, exchanges checked streams on each connection, and starts over when one ends or the module gives up.
 *
 *     resting --begin--> (looking the name up) --> starting --callback 0--> in session --over--> resting or starting
 *        ^----------------- anything that fails; again a second later ---------'
 */
export class ReplicaNode {
  readonly connect: WatchedConnect;
  readonly #options: ReplicaNodeOptions;
  readonly #posix: SimulatedPosix;
  readonly #events: WatchedRegistrar;
  #session: Session | undefined;
  #role: 'unknown' | 'server' | 'client' = 'unknown';
  readonly #next: AwaitedEvent;
  #isCalm = false;
  #isStopped = false;

  constructor(options: ReplicaNodeOptions) {
    const { host, server, streams } = options;
    this.#options = options;
    this.#posix = host.posix;
    this.#events = new WatchedRegistrar(server, host, streams.violations);
    this.#next = new AwaitedEvent(this.#events);
    this.connect = new WatchedConnect(server, host, streams.violations, {
      callback: (rc) => (rc === 0 ? this.#established() : this.#again(`connecting failed with ${rc}`)),
      ...(options.module && { module: options.module }),
    });
  }

  /** The session on the established connection, if there is one. */
  get session(): Session | undefined {
    return this.#session;
  }

  /** The name of its host. */
  get name(): string {
    return this.#options.host.name;
  }

  /** Whether the process it belongs to is the one that its host runs. */
  get isAlive(): boolean {
    return this.#options.host.isAlive && this.#options.host.posix === this.#posix;
  }

  /** Events that it has registered for itself. */
  get eventCount(): number {
    return this.#events.size;
  }

  /** Looks its peer's name up and starts. */
  begin(): void {
    this.#begin().catch((error: unknown) => this.#options.streams.violations.caught(this.name, error));
  }

  /** From now on it keeps a connection for as long as the other side does. */
  calmDown(): void {
    this.#isCalm = true;
    this.#session?.neverEnd();
  }

  /** Kills the connection, or the attempt, and starts over a second later. */
  drop(): void {
    if (this.#isStopped) return;
    this.#endSession();
    this.connect.kill();
    this.#again('dropped');
  }

  /** Ends everything: nothing of it may be left. */
  stop(): void {
    this.#isStopped = true;
    this.#endSession();
    this.#next.clear();
    this.connect.kill();
  }

  async #begin(): Promise<void> {
    const [name = '', port = ''] = this.#options.address.split(':');
    await this.#posix.resolve(name, port);
    // The lookup may have taken so long that the process is another one, or has been stopped.
    if (this.#isStopped || !this.isAlive) return;
    if (this.connect.isStarted || this.connect.isEstablished) return;
    if (this.connect.init(this.#options.address) !== 0) this.#again('init failed');
    else this.#start();
  }

  #start(): void {
    let rc = this.connect.serverStart();
    this.#role = rc === BE_CLIENT ? 'client' : 'server';
    if (rc === BE_CLIENT) rc = this.connect.clientStart();
    if (rc !== 0) this.#again(`starting failed with ${rc}`);
  }

  #established(): void {
    const { host, random, streams } = this.#options;
    this.#session = new Session(
      {
        events: this.#events,
        posix: this.#posix,
        random,
        streams,
        owner: host.name,
        over: (why) => this.#sessionOver(why),
      },
      this.connect.fd,
      this.#role === 'client' && !this.#isCalm,
    );
    this.#session.start();
  }

  #sessionOver(why: string): void {
    this.#session = undefined;
    if (this.#role === 'server') {
      this.#say(`session over: ${why}`);
      this.connect.serverRestart();
    } else {
      this.connect.kill();
      this.#again(`session over: ${why}`);
    }
  }

  #endSession(): void {
    this.#session?.stop();
    this.#session = undefined;
  }

  #again(why: string): void {
    this.#say(why);
    if (!this.#next.isSet && !this.#isStopped) this.#next.setTimer(AGAIN_SECONDS, () => this.begin());
  }

  #say(what: string): void {
    this.#options.host.logger.log(LOG_INFO, what);
  }
}
