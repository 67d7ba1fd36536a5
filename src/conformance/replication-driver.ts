// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import {
  CONNECTION_CLOSED,
  CONNECTION_ESTABLISHED,
  CONNECTION_IN_PROGRESS,
  CONNECTION_NONE,
  tdReplicationClientStart,
  tdReplicationConnect,
  tdReplicationConnectInit,
  tdReplicationConnectKill,
  tdReplicationConnectStatus,
  tdReplicationServerRestart,
  tdReplicationServerStart,
} from '../replication/block-replication.js';
import type { TdReplicationConnect } from '../replication/block-replication.js';
import { LOG_DEBUG, LOG_ERR, priorityName } from '../server/logger.js';
import type { Priority } from '../server/logger.js';
import { tracedResult } from './error-names.js';
import { playSteps } from './play-steps.js';
import { LimitReached } from './scheduler-under-test.js';
import type { SchedulerFactory, SchedulerUnderTest } from './scheduler-under-test.js';
import { ScriptedClock } from './scripted-clock.js';
import { ScriptedPoller } from './scripted-poller.js';
import { outcomeResult, ScriptedSockets } from './scripted-sockets.js';
import { TracedRegistrar } from './traced-registrar.js';
import { DEFAULT_LIMIT, DEFAULT_UUID } from './vector.js';
import type { ReplicationAction, ReplicationVector, SelectScript, Trace, TraceEntry } from './vector.js';

const STATUS_NAMES = new Map([
  [CONNECTION_NONE, 'none'],
  [CONNECTION_IN_PROGRESS, 'in_progress'],
  [CONNECTION_ESTABLISHED, 'established'],
  [CONNECTION_CLOSED, 'closed'],
]);
const LOG_NAMES = new Map<Priority, string>([
  [LOG_ERR, 'ERR'],
  [LOG_DEBUG, 'DEBUG'],
]);

/** Runs a script of the replication suite, over the given scheduler, and answers what was observed. */
export async function runReplicationScript(
  vector: ReplicationVector,
  create: SchedulerFactory,
): Promise<Trace> {
  return new ReplicationDriver(vector, create).run();
}

class ReplicationDriver {
  readonly #vector: ReplicationVector;
  readonly #trace: TraceEntry[] = [];
  readonly #clock: ScriptedClock;
  readonly #poller: ScriptedPoller;
  readonly #scheduler: SchedulerUnderTest;
  readonly #connect: TdReplicationConnect;
  #callbacks = 0;
  #fires = 0;

  constructor(vector: ReplicationVector, create: SchedulerFactory) {
    const record = (entry: TraceEntry): void => {
      this.#trace.push(entry);
    };
    this.#vector = vector;
    this.#clock = new ScriptedClock(vector.clock);
    this.#poller = new ScriptedPoller(this.#clock, record);
    this.#scheduler = create(this.#poller, this.#clock);
    this.#scheduler.nextEventId = vector.uuid ?? DEFAULT_UUID;
    const outcomes = vector.syscalls.register ?? [];
    let registrations = 0;
    this.#connect = tdReplicationConnect({
      server: new TracedRegistrar(this.#scheduler, {
        record,
        refuse: () => outcomeResult(outcomes[registrations++]),
        handled: () => this.#handled(),
      }),
      posix: new ScriptedSockets(vector.syscalls, record),
      logger: {
        log: (priority) => record(['log', LOG_NAMES.get(priority) ?? priorityName(priority).toUpperCase()]),
      },
      logPrefix: 'conformance',
      callback: (_connect, rc) => this.#called(rc),
      retryTimeoutS: vector.connect.retryTimeout,
      maxConnections: vector.connect.maxConnections,
      fd: vector.connect.fd,
    });
  }

  run(): Promise<Trace> {
    return playSteps(this.#vector.steps, this.#trace, {
      wait: (script) => this.#wait(script),
      act: (action) => this.#act(action),
    });
  }

  #wait(script: SelectScript): Promise<number> {
    this.#poller.answerNext(script);
    return this.#scheduler.waitForEvents();
  }

  #act(action: ReplicationAction): void {
    const connect = this.#connect;
    switch (action[0]) {
      case 'init':
        return this.#returned('init', tracedResult(tdReplicationConnectInit(connect, action[1])));
      case 'server_start':
        return this.#returned('server_start', tdReplicationServerStart(connect));
      case 'server_restart':
        return this.#returned('server_restart', tdReplicationServerRestart(connect));
      case 'client_start':
        return this.#returned('client_start', tdReplicationClientStart(connect));
      case 'status':
        return this.#returned('status', tdReplicationConnectStatus(connect));
      case 'kill':
        tdReplicationConnectKill(connect);
        return this.#returned('kill', null);
      case 'setStatus':
        connect.status = action[1];
        return undefined;
      case 'elapse':
        return this.#clock.elapse(action[1]);
      case 'uuid':
        this.#scheduler.nextEventId = action[1];
        return undefined;
    }
  }

  #returned(call: string, value: number | string | null): void {
    this.#trace.push(['return', call, value]);
    this.#recordState();
  }

  #recordState(): void {
    const { fd, listenFd, id, status } = this.#connect;
    this.#trace.push(['state', { fd, listenFd, id, status: STATUS_NAMES.get(status) ?? status }]);
  }

  /** The user's callback. */
  #called(rc: number): void {
    this.#trace.push(['callback', rc]);
    const actions = this.#vector.callback?.on?.[this.#callbacks] ?? [];
    this.#callbacks++;
    for (const action of actions) this.#act(action);
  }

  /** A handler of the module returned. */
  #handled(): void {
    this.#recordState();
    this.#fires++;
    if (this.#fires === (this.#vector.limit ?? DEFAULT_LIMIT)) throw new LimitReached();
  }
}
