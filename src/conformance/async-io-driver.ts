// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import {
  TD_ASYNC_READ,
  TD_ASYNC_WRITE,
  type TdAsyncIo,
  tdAsyncIo,
  tdAsyncIoInit,
  tdAsyncIoIsRunning,
  tdAsyncIoKill,
  tdAsyncIoStart,
} from '../replication/async-io.js';
import { tracedResult } from './error-names.js';
import { ModuleRun } from './module-run.js';
import type { SchedulerFactory } from './scheduler-under-test.js';
import { ScriptedTransfers } from './scripted-transfers.js';
import type { AsyncIoVector, ScriptedTransfer, Trace, TransferAction } from './vector.js';

/** Runs a script of the suite `async-io`, over the given scheduler, and returns what was observed. */
export function runAsyncIoScript(vector: AsyncIoVector, create: SchedulerFactory): Promise<Trace> {
  return new AsyncIoDriver(vector, create).run();
}

/** A transfer's struct, and what a script says of it. */
interface Labelled {
  readonly label: string;
  readonly taio: TdAsyncIo;
  values: ScriptedTransfer;
  callbacks: number;
}

class AsyncIoDriver {
  readonly #vector: AsyncIoVector;
  readonly #run: ModuleRun<TransferAction>;
  readonly #labelled = new Map<string, Labelled>();

  constructor(vector: AsyncIoVector, create: SchedulerFactory) {
    this.#vector = vector;
    this.#run = new ModuleRun(vector, create, (taio) => {
      for (const one of this.#labelled.values()) if (one.taio === taio) this.#recordState(one);
    });
    const posix = new ScriptedTransfers(vector.syscalls, this.#run.record);
    for (const [label, values] of Object.entries(vector.ios)) {
      const taio = tdAsyncIo({ server: this.#run.registrar, posix });
      const one = { label, taio, values, callbacks: 0 };
      this.#labelled.set(label, one);
      this.#fillIn(one);
    }
  }

  run(): Promise<Trace> {
    return this.#run.play((action) => this.#act(action));
  }

  #act(action: TransferAction): void {
    if (action[0] === 'elapse' || action[0] === 'uuid') return this.#run.schedule(action);
    const one = this.#labelled.get(action[1]);
    if (one === undefined) throw new Error(`no transfer has the label ${action[1]}`);
    switch (action[0]) {
      case 'init':
        tdAsyncIoInit(one.taio);
        this.#fillIn(one);
        return this.#returned(one, 'init', null);
      case 'start':
        return this.#returned(one, 'start', tdAsyncIoStart(one.taio));
      case 'kill':
        tdAsyncIoKill(one.taio);
        return this.#returned(one, 'kill', null);
      case 'status':
        return this.#returned(one, 'status', tdAsyncIoIsRunning(one.taio));
      case 'set':
        one.values = { ...one.values, ...action[2] };
        return this.#fillIn(one);
    }
  }

  /** What the caller fills in. The buffer's contents do not count; it has room for more than the transfer may move. */
  #fillIn(one: Labelled): void {
    const { taio, values } = one;
    taio.fd = values.fd;
    taio.timeoutS = values.timeout;
    taio.mode = modeNumber(values.mode);
    taio.size = values.size;
    if (taio.buff.length <= values.size) taio.buff = new Uint8Array(values.size + 1);
    taio.callback = (_taio, realsize, errnoval) => this.#called(one, realsize, errnoval);
  }

  #called(one: Labelled, realsize: number, errnoval: number): void {
    const error = errnoval > 0 ? String(tracedResult(-errnoval)).slice(1) : tracedResult(errnoval);
    this.#run.record(['callback', one.label, realsize, error]);
    const actions = this.#vector.ios[one.label]?.on?.[one.callbacks] ?? [];
    one.callbacks++;
    for (const action of actions) this.#act(action);
  }

  #returned(one: Labelled, call: string, value: number | null): void {
    this.#run.record(['return', call, one.label, value]);
    this.#recordState(one);
  }

  #recordState({ label, taio }: Labelled): void {
    const { running, used, ioId, timeoutId } = taio;
    this.#run.record(['state', label, { running, used, ioId, timeoutId }]);
  }
}

function modeNumber(mode: ScriptedTransfer['mode']): number {
  if (typeof mode === 'number') return mode;
  return mode === 'read' ? TD_ASYNC_READ : TD_ASYNC_WRITE;
}
