// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t, { type Test } from 'tap';
import { errno } from '../../../src/posix/index.js';
import { POLL_READ_FD } from '../../../src/scheduler/index.js';
import { CheckedStreams } from '../../../src/testing/invariants/checked-streams.js';
import { Violations } from '../../../src/testing/invariants/violations.js';
import { Session } from '../../../src/testing/simulation/session.js';
import { connected } from '../fixture.js';

/** A session at each end of a connection; of them only the one may end its stream. */
async function sessions(t: Test, seed: number) {
  const joined = await connected({ seed });
  const { world, near, far, one, other } = joined;
  const violations = new Violations(world);
  const streams = new CheckedStreams(violations);
  const ends: string[] = [];
  const servers = new Map<typeof near, ReturnType<typeof near.serve>>();
  const session = (host: typeof near, fd: number, isTalkative: boolean) => {
    const events = host.serve();
    servers.set(host, events);
    const made = new Session(
      {
        events,
        posix: host.posix,
        random: world.random,
        streams,
        owner: host.name,
        over: (why) => {
          const seconds = Math.floor(world.nowSeconds);
          ends.push(`${host === near ? 'near' : 'far'} ${why} after ${seconds} s`);
          t.same(events.scheduler.events(), [], 'its events are gone');
          host.posix.close(fd);
        },
      },
      fd,
      isTalkative,
    );
    made.start();
    return made;
  };
  return {
    ...joined,
    violations,
    ends,
    talker: session(near, one, true),
    listener: session(far, other, false),
    talkerServer: servers.get(near),
    talkerEvents: () => [...(servers.get(near)?.scheduler.events() ?? [])],
  };
}

t.test('both sides of a session get what the other one sends, for as long as it lasts', async (t) => {
  const { world, talker, listener, violations, ends } = await sessions(t, 1);
  talker.neverEnd();
  await world.run(30);
  t.same(ends, []);
  t.same(violations.list, []);
  t.equal(talker.incoming.source, listener.outgoing);
  t.equal(listener.incoming.source, talker.outgoing);
  // What was written in the last beat may be under way, or wait for the other side to read on.
  for (const { incoming, outgoing } of [talker, listener]) {
    t.ok(outgoing.taken >= 4 + 20, 'its first burst, and something each beat');
    t.ok(incoming.received >= 4 + 20);
  }
  await world.shutDown();
});

t.test(
  'a side that has ended its stream goes on to read until the other side ends the session',
  async (t) => {
    let count = 0;
    const beats = new Set<number>();
    for (let seed = 1; seed <= 40; seed++) {
      const { world, near, far, one, other, talker, listener, violations, ends } = await sessions(t, seed);
      await world.run(() => talker.isShut || world.nowSeconds > 10);
      if (talker.isShut) {
        count += 1;
        beats.add(Math.round(world.nowSeconds));
        t.notOk(listener.isShut);
        const { taken } = talker.outgoing;
        await world.run(() => ends.length > 1 || world.nowSeconds > 30);
        t.match(ends, [/^far end of file after/, /^near end of file after/], `seed ${seed}`);
        t.equal(talker.outgoing.taken, taken, 'nothing was written after its end');
        t.equal(listener.incoming.received, taken);
      } else {
        t.same(ends, []);
        near.posix.close(one);
        far.posix.close(other);
      }
      t.same(violations.list, []);
      await world.shutDown();
    }
    t.ok(count > 4 && count < 25, `${count} of 40 ended their stream`);
    t.same(beats, new Set([0, 1, 2, 3, 4]), 'after up to four beats');
  },
);

t.test('a connection on which nothing comes is given up after the fifth beat', async (t) => {
  const { world, near, far, talker, ends } = await sessions(t, 1);
  talker.neverEnd();
  await world.run(3);
  world.link(near, far).cut();
  await world.run(20);
  t.equal(ends.length, 2);
  for (const end of ends) t.match(end, /nothing comes any more after [78] s/);
});

t.test('a connection on which nothing ever comes is given up at the fifth beat', async (t) => {
  const { world, near, far, ends } = await sessions(t, 1);
  world.link(near, far).cut();
  await world.run(20);
  t.same(ends.toSorted(), ['far nothing comes any more after 5 s', 'near nothing comes any more after 5 s']);
});

t.test('a side reads most of the time, and pauses now and then', async (t) => {
  const { world, talker, talkerEvents } = await sessions(t, 1);
  talker.neverEnd();
  let reads = 0;
  const beats = 100;
  for (let beat = 0; beat < beats; beat++) {
    await world.run(1);
    if (talkerEvents().some(({ mode }) => mode === POLL_READ_FD)) reads += 1;
  }
  t.ok(reads > 0.7 * beats && reads < beats, `${reads} of ${beats}`);
  await world.shutDown();
});

t.test('a session that was stopped reports nothing, and has no event', async (t) => {
  const { world, near, far, one, other, talker, listener, ends } = await sessions(t, 1);
  await world.run(1.5);
  talker.stop();
  listener.stop();
  near.posix.close(one);
  far.posix.close(other);
  await world.run(20);
  t.same(ends, []);
  t.same(await world.shutDown(), [`${far.name}: descriptor 3: tcp listening 10.0.0.2:9000`]);
});

t.test('a session that is stopped twice gives each of its events back once', async (t) => {
  const { world, talker, talkerServer, talkerEvents } = await sessions(t, 1);
  await world.run(0.2);
  const ids = talkerEvents().map(({ id }) => id);
  t.ok(ids.length >= 2);
  const given: number[] = [];
  Object.assign(talkerServer ?? {}, { unregisterEvent: (id: number) => given.push(id) });
  talker.stop();
  talker.stop();
  t.same(
    given.toSorted((one, other) => one - other),
    ids.toSorted((one, other) => one - other),
  );
});

t.test('a session whose peer has reset it reports what failed', async (t) => {
  const { world, near, one, ends } = await sessions(t, 1);
  await world.run(1.5);
  near.posix.abort(one);
  await world.run(5);
  t.match(
    ends.find((end) => end.startsWith('far')),
    /^far (reading|writing) failed after 1 s/,
  );
});

t.test('a session that has not started has no event to give back', async (t) => {
  const { world, near, one } = await connected();
  const given: number[] = [];
  const events = { unregisterEvent: (id: number) => given.push(id) } as never;
  const streams = new CheckedStreams(new Violations(world));
  const { posix } = near;
  const over = (): void => {};
  new Session({ events, posix, random: world.random, streams, owner: near.name, over }, one, true).stop();
  t.same(given, []);
});

t.test('a side that says so never ends its stream', async (t) => {
  for (let seed = 1; seed <= 12; seed++) {
    const { world, talker, ends } = await sessions(t, seed);
    talker.neverEnd();
    await world.run(6);
    t.notOk(talker.isShut);
    t.same(ends, []);
  }
});

t.test('a session goes on after calls that would have to wait, and reads of one byte', async (t) => {
  const { world, near, talker, listener, ends, violations } = await sessions(t, 1);
  talker.neverEnd();
  near.failCalls({ calls: ['read'], error: errno.EAGAIN, times: 1 });
  near.failCalls({ calls: ['write'], error: errno.EAGAIN, times: 1 });
  await world.run(1);
  world.random.integer = (low) => low;
  const { received } = listener.incoming;
  await world.run(5);
  t.ok(listener.incoming.received > received);
  t.same([ends, violations.list], [[], []]);
});
