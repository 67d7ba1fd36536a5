// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import {
  CONNECTION_CLOSED,
  CONNECTION_ESTABLISHED,
  CONNECTION_IN_PROGRESS,
  CONNECTION_NONE,
  tdReplicationClientStart,
  tdReplicationConnect,
  type TdReplicationConnect,
  tdReplicationConnectInit,
  tdReplicationConnectKill,
  tdReplicationConnectStatus,
  tdReplicationServerRestart,
  tdReplicationServerStart,
} from '../replication/block-replication.js';
import { tracedResult } from './error-names.js';
import { logName } from './log-names.js';
import { ModuleRun } from './module-run.js';
import type { SchedulerFactory } from './scheduler-under-test.js';
import { ScriptedSockets } from './scripted-sockets.js';
import type { ReplicationAction, ReplicationVector, Trace } from './vector.js';

const STATUS_NAMES = new Map([
  [CONNECTION_NONE, 'none'],
  [CONNECTION_IN_PROGRESS, 'in_progress'],
  [CONNECTION_ESTABLISHED, 'established'],
  [CONNECTION_CLOSED, 'closed'],
]);

/** Runs a script of the replication suite, over the given scheduler, and returns what was observed. */
export async function runReplicationScript(
  vector: ReplicationVector,
  create: SchedulerFactory,
): Promise<Trace> {
  return new ReplicationDriver(vector, create).run();
}

class ReplicationDriver {
  readonly #vector: ReplicationVector;
  readonly #run: ModuleRun<ReplicationAction>;
  readonly #connect: TdReplicationConnect;
  #callbacks = 0;

  constructor(vector: ReplicationVector, create: SchedulerFactory) {
    this.#vector = vector;
    this.#run = new ModuleRun(vector, create, () => this.#recordState());
    const { record, registrar } = this.#run;
    this.#connect = tdReplicationConnect({
      server: registrar,
      posix: new ScriptedSockets(vector.syscalls, record),
      logger: { log: (priority) => record(['log', logName(priority)]) },
      logPrefix: 'conformance',
      callback: (_connect, rc) => this.#called(rc),
      retryTimeoutS: vector.connect.retryTimeout,
      maxConnections: vector.connect.maxConnections,
      fd: vector.connect.fd,
    });
  }

  run(): Promise<Trace> {
    return this.#run.play((action) => this.#act(action));
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
      case 'uuid':
        return this.#run.schedule(action);
    }
  }

  #returned(call: string, value: number | string | null): void {
    this.#run.record(['return', call, value]);
    this.#recordState();
  }

  #recordState(): void {
    const { fd, listenFd, id, status } = this.#connect;
    this.#run.record(['state', { fd, listenFd, id, status: STATUS_NAMES.get(status) ?? status }]);
  }

  /** The user's callback. */
  #called(rc: number): void {
    this.#run.record(['callback', rc]);
    const actions = this.#vector.callback?.on?.[this.#callbacks] ?? [];
    this.#callbacks++;
    for (const action of actions) this.#act(action);
  }
}
