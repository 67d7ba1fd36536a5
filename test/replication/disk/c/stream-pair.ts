// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { AF_INET, SOCK_STREAM } from '../../../../src/posix/index.js';
import {
  DEFAULT_REPLICATION_OPTIONS,
  type ReplicationOptions,
} from '../../../../src/replication/disk/options.js';
import type { CConnection } from '../../../../src/replication/disk/sessions.js';
import type { TimerHost } from '../../../../src/replication/disk/timer.js';
import { PeerStream } from '../../../../src/replication/disk/wire/peer-stream.js';
import { type SimulatedHost, SimulatedWorld } from '../../../../src/testing/index.js';
import { BACKUP, CSide, PORT } from './c-side.js';

/** A connection in a world of its own: our end is a stream, the other one is read and written by the test. */
export class StreamPair {
  readonly world = new SimulatedWorld({ seed: 1, traceLines: 0 });
  readonly near: SimulatedHost;
  readonly far: CSide;
  readonly host: TimerHost;
  stream!: PeerStream;

  private constructor() {
    this.near = this.world.host('10.0.0.1');
    this.far = new CSide(this.world, this.world.host(BACKUP));
    this.host = { registrar: this.near.serve(), posix: this.near.posix };
  }

  static async open(): Promise<StreamPair> {
    const pair = new StreamPair();
    const { posix } = pair.near;
    pair.far.listen();
    const fd = posix.socket(AF_INET, SOCK_STREAM);
    posix.connect(fd, { family: AF_INET, address: BACKUP, port: PORT });
    await pair.far.until(() => pair.far.accept(), 3);
    pair.stream = new PeerStream(pair.host, fd, { bytes: () => {}, drained: () => {}, ended: () => {} });
    return pair;
  }

  /** What a session takes over. */
  connection(options: Partial<ReplicationOptions> = {}, rest: Uint8Array = new Uint8Array()): CConnection {
    return {
      host: this.host,
      stream: this.stream,
      rest,
      sectors: 4096,
      options: {
        ...DEFAULT_REPLICATION_OPTIONS,
        address: `${BACKUP}:${PORT}`,
        directory: '/srv/state',
        ...options,
      },
    };
  }
}

/** The descriptors and events that a process still has, apart from those that its server lives on. */
export function leftovers(host: SimulatedHost): string[] {
  return host.leftovers().filter((line) => /: (?:descriptor|event)/.test(line) && !line.includes('eventfd'));
}
