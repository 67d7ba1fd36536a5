// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { errno, errnoName } from '../../../src/posix/index.js';
import { Random } from '../../../src/testing/index.js';
import { FAULT_KINDS } from '../../../src/testing/simulation/faults.js';
import { nameOf, Scene } from '../../../src/testing/simulation/scene.js';
import { dial, listenOn, outcome, readText } from '../fixture.js';

/** A fault of a kind, in a scene of its own. */
function fault(kind: string, seed: number, prepare: (scene: Scene) => void = () => {}) {
  const scene = new Scene(seed, { traceLines: 1000 });
  prepare(scene);
  return { scene, hosts: scene.hosts, undo: happen(kind, scene, seed) };
}

/** Makes a fault of a kind. @returns what undoes it */
function happen(kind: string, scene: Scene, seed: number): () => void {
  const makeFault = FAULT_KINDS.find(({ name }) => name === kind);
  if (makeFault === undefined) throw new Error(`there is no ${kind}`);
  return makeFault(scene, new Random(seed));
}

const SEEDS = Array.from({ length: 24 }, (_, index) => index + 1);

/** What happens with each seed, so that both a choice and the other are seen. */
async function eachOf(seeds: readonly number[], what: (seed: number) => Promise<string> | string) {
  const seen = new Set<string>();
  for (const seed of seeds) seen.add(await what(seed));
  return [...seen].toSorted();
}

/** Two hosts with a connection from the first to the second. */
async function connection({ world, hosts: [near, far] }: Scene) {
  const listener = listenOn(far);
  const one = dial(near, far);
  await world.run(0.1);
  return { one, other: far.posix.accept(listener) };
}

/** The outcome of a connect from the first host to the second, without a listener and with one. */
async function dialled({ world, hosts: [near, far] }: Scene, port: number): Promise<string> {
  listenOn(far, 5, port);
  return await outcome(world, near, dial(near, far, port));
}

t.test('a crash hits one of the hosts in any of the ways, until it is restarted', async (t) => {
  const ways = await eachOf(SEEDS, async (seed) => {
    const { scene, hosts, undo } = fault('crash', seed);
    const states = hosts.map((host) => (host.isAlive ? 'alive' : 'dead')).join();
    const [, how] = /crashes: (.*)$/m.exec(scene.world.trace.toString()) ?? [];
    undo();
    t.ok(hosts.every((host) => host.isAlive));
    return `${states}: ${how}`;
  });
  const kinds = ['end of file', 'reset', 'silence'];
  t.same(
    ways,
    ['alive,dead', 'dead,alive'].flatMap((states) => kinds.map((how) => `${states}: ${how}`)),
  );
});

t.test('a host that was restarted since its crash is left alone when that is undone', async (t) => {
  const { hosts, undo } = fault('crash', 1);
  const dead = hosts.find((host) => !host.isAlive);
  dead?.restart();
  const process = dead?.posix;
  undo();
  t.equal(dead?.posix, process);
});

t.test('a host that is restarted at once has another process, but stays down if it was', async (t) => {
  const hit = await eachOf(SEEDS, (seed) => {
    const processes: unknown[] = [];
    const { hosts } = fault('restartAtOnce', seed, (scene) => {
      processes.push(...scene.hosts.map(({ posix }) => posix));
    });
    t.ok(hosts.every((host) => host.isAlive));
    return hosts.map((host, index) => (host.posix === processes[index] ? 'same' : 'other')).join();
  });
  t.same(hit, ['other,same', 'same,other']);
  const { hosts } = fault('restartAtOnce', 1, (scene) => {
    for (const host of scene.hosts) host.crash();
  });
  t.notOk(hosts.some((host) => host.isAlive));
});

t.test('a link is cut in either direction or both, until it is healed', async (t) => {
  const ways = await eachOf(SEEDS, (seed) => {
    const { scene, hosts, undo } = fault('cut', seed);
    const link = scene.world.link(...hosts);
    t.notOk(link.isWhole);
    undo();
    t.ok(link.isWhole);
    const [, way] = /10\.0\.0\.1 net link (\S+) 10\.0\.0\.2 is cut/.exec(scene.world.trace.toString()) ?? [];
    return `${way}`;
  });
  t.same(ways, ['<', '<>', '>']);
});

t.test('a link that refuses does so until it is healed', async (t) => {
  const { scene, undo } = fault('refuse', 1);
  t.equal(await dialled(scene, 9000), 'ECONNREFUSED');
  undo();
  t.equal(await dialled(scene, 9001), 'connected');
});

t.test('the other host is unreachable for one of several reasons, at once or after a while', async (t) => {
  const ways = await eachOf(
    Array.from({ length: 80 }, (_, index) => index),
    async (seed) => {
      const { scene, undo } = fault('unreachable', seed);
      const { world, hosts } = scene;
      const [near, far] = hosts;
      listenOn(far);
      const fd = near.posix.socket(2, 1);
      const now = near.posix.connect(fd, { family: 2, address: far.name, port: 9000 });
      const why = now === -errno.EINPROGRESS ? await outcome(world, near, fd) : errnoName(now);
      const seconds = Math.round(world.nowSeconds * 10) / 10;
      undo();
      t.equal(await outcome(world, near, dial(near, far)), 'connected');
      return `${why} ${seconds}`;
    },
  );
  const errors = ['ECONNABORTED', 'EHOSTUNREACH', 'ENETUNREACH', 'ETIMEDOUT'];
  t.same(ways, errors.flatMap((why) => [0, 0.5, 3].map((seconds) => `${why} ${seconds}`)).toSorted());
});

t.test('a reset ends the connections between the hosts', async (t) => {
  const scene = new Scene(1);
  const { one, other } = await connection(scene);
  happen('reset', scene, 1)();
  const [near, far] = scene.hosts;
  t.equal(readText(near.posix, one), 'ECONNRESET');
  t.equal(readText(far.posix, other), 'ECONNRESET');
  t.equal(await outcome(scene.world, near, dial(near, far)), 'connected');
});

t.test('a slow link is as fast as before once that is undone', async (t) => {
  let slowest = 0;
  for (const seed of SEEDS) {
    const { scene, hosts, undo } = fault('slow', seed);
    const [near, far] = hosts;
    const secondsToConnect = async (port: number): Promise<number> => {
      const start = scene.world.nowSeconds;
      listenOn(far, 5, port);
      t.equal(await outcome(scene.world, near, dial(near, far, port)), 'connected');
      return scene.world.nowSeconds - start;
    };
    const seconds = await secondsToConnect(9000);
    t.ok(seconds < 2 * (1.5 + 1) + 0.1, `${seconds} s`);
    slowest = Math.max(slowest, seconds);
    undo();
    await scene.world.run(5);
    t.ok((await secondsToConnect(9001)) < 0.01);
  }
  t.ok(slowest > 1, `the slowest took ${slowest} s`);
});

t.test('a slow link has up to 1.5 s of latency, 1 s of jitter, and 5 to 100 kB/s', async (t) => {
  const shapes: object[] = [];
  const link = { shape: (shape: object) => shapes.push(shape) };
  const scene = { world: { link: () => link }, hosts: [] } as unknown as Scene;
  const slow = FAULT_KINDS.find(({ name }) => name === 'slow');
  slow?.(scene, { between: (low: number) => low } as never);
  slow?.(scene, { between: (_: number, high: number) => high } as never);
  t.same(shapes, [
    { latencySeconds: 0, jitterSeconds: 0, bytesPerSecond: 5000 },
    { latencySeconds: 1.5, jitterSeconds: 1, bytesPerSecond: 100_000 },
  ]);
});

t.test('calls of one host fail now and then, until that is over', async (t) => {
  const tries = 100;
  const shares: number[] = [];
  for (const seed of SEEDS) {
    const { hosts, undo } = fault('failCalls', seed);
    const failures = (): number[] =>
      hosts.map(({ posix }) => {
        let failed = 0;
        for (let count = 0; count < tries; count++) {
          const fd = posix.eventfd();
          if (fd < 0) failed += 1;
          else posix.close(fd);
        }
        return failed;
      });
    const [one = 0, other = 0] = failures();
    t.ok(one === 0 || other === 0, 'one host is hit');
    shares.push((one + other) / tries);
    undo();
    t.same(failures(), [0, 0]);
  }
  const hit = shares.filter((share) => share > 0);
  t.ok(hit.length >= SEEDS.length / 4 && hit.length < SEEDS.length, 'every call, or only some other one');
  t.ok(Math.min(...hit) > 0.02 && Math.max(...hit) < 0.6, `shares: ${hit.join()}`);
});

t.test('one of the next 30 calls of a host fails, unless that is undone before', async (t) => {
  const hit = await eachOf(SEEDS, (seed) => {
    const { hosts, undo } = fault('failOneCall', seed);
    const failures = hosts.map(({ posix }) => {
      let failed = 0;
      for (let count = 0; count < 60; count++) if (posix.shutdown(3, 0) !== -errno.EBADF) failed += 1;
      return failed;
    });
    undo();
    return failures.join();
  });
  t.same(hit, ['0,1', '1,0']);
  const { hosts, undo } = fault('failOneCall', 2);
  undo();
  for (const { posix } of hosts)
    for (let count = 0; count < 60; count++) t.equal(posix.shutdown(3, 0), -errno.EBADF);
});

t.test('descriptors of one process run out, until they are given back', async (t) => {
  const full = await eachOf(SEEDS, (seed) => {
    const { hosts, undo } = fault('exhaustDescriptors', seed);
    const states = hosts.map(({ posix }) => {
      const fd = posix.eventfd();
      if (fd >= 0) posix.close(fd);
      return fd === -errno.EMFILE ? 'full' : 'room';
    });
    undo();
    for (const { posix } of hosts) t.same(posix.openDescriptors(), []);
    return states.join();
  });
  t.same(full, ['full,room', 'room,full']);
});

t.test('the clock of one host is set back by up to 2 s, or forward by up to 4 s', async (t) => {
  const shifts: number[] = [];
  for (const seed of SEEDS) {
    const { hosts } = fault('setClock', seed);
    const [one, other] = hosts;
    const stranger = new Scene(seed).stranger.clock.now();
    const shift = one.clock.now() + other.clock.now() - 2 * stranger;
    t.ok(one.clock.now() === stranger || other.clock.now() === stranger, 'of one');
    t.ok(shift >= -2 && shift <= 4, `${shift} s`);
    shifts.push(shift);
  }
  t.ok(Math.min(...shifts) < 0 && Math.max(...shifts) > 0);
});

t.test('a name is not found, or late, until it is restored', async (t) => {
  const ways = await eachOf(SEEDS, async (seed) => {
    const { scene, hosts, undo } = fault('loseNames', seed);
    const resolved = async (): Promise<string[]> => {
      const texts: string[] = [];
      for (const host of hosts) {
        const start = scene.world.nowSeconds;
        const found = await scene.world.complete(hosts[0].posix.resolve(nameOf(host), '9001'));
        const seconds = Math.round(scene.world.nowSeconds - start);
        texts.push(typeof found === 'number' ? `${found}` : `${found[0]?.address} after ${seconds} s`);
      }
      return texts;
    };
    const restored = hosts.map((host) => `${host.name} after 0 s`);
    const changed = (await resolved()).filter((text) => !restored.includes(text));
    t.equal(changed.length, 1, 'one name');
    undo();
    t.same(await resolved(), restored);
    return changed.join().replace(/^10.* after/, 'found after');
  });
  t.equal(ways.length, 4, `three failures, and one that is late: ${ways.join('; ')}`);
  t.ok(ways.includes('found after 3 s'));
});

t.test('one side of a disk drops its connection, if any runs', async (t) => {
  t.doesNotThrow(() => fault('dropConnection', 1), 'nobody runs yet');
  const scene = new Scene(1, { maxDisks: 1 });
  for (const host of scene.hosts) scene.boot(host);
  const [disk] = scene.disks;
  if (disk === undefined) throw new Error('there is no disk');
  await scene.world.run(() => scene.isConnected(disk) || scene.world.nowSeconds > 10);
  t.ok(scene.isConnected(disk));
  happen('dropConnection', scene, 1)();
  t.notOk(scene.isConnected(disk));
  await scene.world.shutDown();
});

t.test('a stranger connects to a backup, and leaves within a second, once', async (t) => {
  const [early, late]: [number[], number[]] = [[], []];
  for (const seed of SEEDS) {
    const { scene, undo } = fault('intrude', seed);
    const { posix } = scene.stranger;
    const ports = scene.disks.map(({ address }) => address.split(':')[1]);
    const descriptors = posix.openDescriptors();
    t.equal(descriptors.length, 1);
    const [, port] = / -> 10\.0\.0\.[12]:(\d+)$/.exec(descriptors[0]?.description ?? '') ?? [];
    t.ok(ports.includes(port), `${port} of ${ports.join()}`);
    if (seed % 2 === 0) undo();
    else {
      await scene.world.run(0.5);
      (posix.openDescriptors().length > 0 ? late : early).push(seed);
      await scene.world.run(0.5);
    }
    t.same(posix.openDescriptors(), []);
    const own = posix.eventfd();
    undo();
    await scene.world.run(1);
    t.equal(posix.openDescriptors().length, 1, 'a number that is open again is not closed');
    posix.close(own);
  }
  t.ok(early.length > 0 && late.length > 0, 'some sooner than others');
});

t.test('a host that is restarted at once crashes in any of the ways', async (t) => {
  const ways = await eachOf(SEEDS, (seed) => {
    const { scene } = fault('restartAtOnce', seed);
    const [, how] = /crashes: (.*)$/m.exec(scene.world.trace.toString()) ?? [];
    return `${how}`;
  });
  t.same(ways, ['end of file', 'reset', 'silence']);
});

t.test('what is over at once can be undone, without any effect', async (t) => {
  for (const kind of ['restartAtOnce', 'reset', 'setClock', 'dropConnection']) {
    const { scene, undo } = fault(kind, 1);
    const before = scene.world.trace.toString();
    undo();
    t.equal(scene.world.trace.toString(), before, kind);
  }
});

t.test('calls fail with up to 0.5 of probability, and select with a fifth of that', async (t) => {
  const asked: number[] = [];
  let fails: (call: string) => unknown = () => {};
  const host = {
    failCalls(options: { error: typeof fails }) {
      fails = options.error;
    },
  };
  for (const bound of ['low', 'high']) {
    const random = {
      chance: (probability: number) => asked.push(probability) > 0,
      pick: (items: readonly unknown[]) => items[0],
      between: (low: number, high: number) => (bound === 'low' ? low : high),
    };
    const failCalls = FAULT_KINDS.find(({ name }) => name === 'failCalls');
    failCalls?.({ hosts: [host] } as never, random as never);
    for (const call of ['read', 'select']) t.ok(fails(call));
  }
  t.same(asked, [0.5, 0.05, 0.01, 0.5, 0.5, 0.1], 'every call or one kind, then each call');
});

t.test('the call that fails is one of the first 30', async (t) => {
  const numbers: number[] = [];
  const host = { failCalls: ({ nth }: { nth: number }) => numbers.push(nth) };
  const failOneCall = FAULT_KINDS.find(({ name }) => name === 'failOneCall');
  for (const integer of [(low: number) => low, (_: number, high: number) => high])
    failOneCall?.({ hosts: [host] } as never, { integer, pick: () => host } as never);
  t.same(numbers, [1, 30]);
});
