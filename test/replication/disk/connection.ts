// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { AF_INET, SOCK_STREAM } from '../../../src/posix/index.js';
import type { TimerHost } from '../../../src/replication/disk/timer.js';
import { type SimulatedHost, SimulatedWorld } from '../../../src/testing/index.js';

/** One end of a connection. */
export interface End {
  readonly host: SimulatedHost;
  /** What has its events. */
  readonly timers: TimerHost;
  readonly fd: number;
}

export interface Connection {
  readonly world: SimulatedWorld;
  /** The end that connected. */
  readonly near: End;
  /** The end that accepted. */
  readonly far: End;
  /** What has come to an end that nothing else reads. */
  readonly come: (end: End) => Buffer;
}

/** A connection between two simulated hosts, each with a server that runs. */
export async function connection(): Promise<Connection> {
  const world = new SimulatedWorld({ seed: 1, traceLines: 0 });
  const [one, other] = [world.host('10.0.0.1'), world.host('10.0.0.2')];
  const address = { family: AF_INET, address: '10.0.0.2', port: 9000 } as const;
  const listener = other.posix.socket(AF_INET, SOCK_STREAM);
  other.posix.bind(listener, address);
  other.posix.listen(listener, 1);
  const fd = one.posix.socket(AF_INET, SOCK_STREAM);
  one.posix.connect(fd, address);
  await world.complete(other.posix.select({ read: [listener] }, 5));
  const accepted = other.posix.accept(listener);
  other.posix.close(listener);
  await world.run(0.01);
  const end = (host: SimulatedHost, itsFd: number): End => ({
    host,
    timers: { registrar: host.serve(), posix: host.posix },
    fd: itsFd,
  });
  const come = ({ host, fd: itsFd }: End): Buffer => {
    const chunks: Buffer[] = [];
    for (;;) {
      const buffer = Buffer.alloc(65_536);
      const count = host.posix.read(itsFd, buffer);
      if (count <= 0) return Buffer.concat(chunks);
      chunks.push(buffer.subarray(0, count));
    }
  };
  return { world, near: end(one, fd), far: end(other, accepted), come };
}
