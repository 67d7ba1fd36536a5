// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// What holds of Node's sockets holds of the simulated ones: the same bodies as in test/posix, in virtual time.

import t from 'tap';
import { AF_INET, AF_INET6 } from '../../src/posix/index.js';
import { type SimulatedPosix, SimulatedWorld } from '../../src/testing/index.js';
import { behaviours } from '../posix/arms/index.js';
import { closeAll, type World } from '../posix/arms/world.js';

interface Arm {
  readonly world: SimulatedWorld;
  readonly sockets: World;
}

const MAX_DESCRIPTORS = 40;
/** Every run of the suite sees the same worlds; each of these has other delays and other cuts of the streams. */
const SEEDS = [1, 2, 3];

function reset(posix: unknown, fd: number): void {
  (posix as SimulatedPosix).abort(fd);
}

/** Two programs on two hosts. */
function acrossTheNetwork(seed: number): Arm {
  const world = new SimulatedWorld({ seed, traceLines: 0 });
  const sockets: World = {
    a: world.host('10.0.0.1', { maxDescriptors: MAX_DESCRIPTORS }).posix,
    b: world.host('10.0.0.2').posix,
    maxDescriptorsOfA: MAX_DESCRIPTORS,
    hostA: { family: AF_INET, address: '10.0.0.1', port: 0 },
    hostB: { family: AF_INET, address: '10.0.0.2', port: 0 },
    loopback6: undefined,
    foreign: { family: AF_INET, address: '10.0.0.3', port: 0 },
    unixPath: () => undefined,
    reset,
  };
  return { world, sockets };
}

/** Two programs on one host, as Node's arm has them. */
function onOneHost(seed: number): Arm {
  const world = new SimulatedWorld({ seed, traceLines: 0 });
  const host = world.host('10.0.0.1', { maxDescriptors: MAX_DESCRIPTORS });
  let paths = 0;
  const sockets: World = {
    a: host.posix,
    b: host.spawn(),
    maxDescriptorsOfA: MAX_DESCRIPTORS,
    hostA: { family: AF_INET, address: '127.0.0.1', port: 0 },
    hostB: { family: AF_INET, address: '127.0.0.1', port: 0 },
    loopback6: { family: AF_INET6, address: '::1', port: 0 },
    foreign: { family: AF_INET, address: '192.0.2.1', port: 0 },
    unixPath: () => `/run/socket-${++paths}`,
    reset,
  };
  return { world, sockets };
}

const RUNS = SEEDS.flatMap((seed) => [acrossTheNetwork, onOneHost].map((arm) => ({ arm, seed })));

for (const { title, body } of behaviours) {
  t.test(title, async (t) => {
    // What takes long enough to be noticed is run once.
    const runs = title.startsWith('64 MiB') ? RUNS.slice(0, 1) : RUNS;
    for (const { arm, seed } of runs) {
      const { world, sockets } = arm(seed);
      t.comment(`${arm.name}, seed ${seed}`);
      await world.complete(body(t, sockets));
      closeAll(sockets);
      t.same(await world.shutDown(), [], 'nothing is left behind');
    }
  });
}
