// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { EventQueue } from '../../src/testing/event-queue.js';
import { checkPathConditions, LAN, LOOPBACK, Path, type PathConditions } from '../../src/testing/path.js';
import { Random } from '../../src/testing/index.js';

const STILL: PathConditions = { latencySeconds: 0.5, jitterSeconds: 0, bytesPerSecond: 1000 };

/** A path, and what has come or was lost on it, with the milliseconds at which it did. */
function path(conditions: Partial<PathConditions> = {}, seed = 1) {
  const queue = new EventQueue();
  const way = new Path(queue, new Random(seed), { ...STILL, ...conditions });
  const events: string[] = [];
  const at = (what: string) => (): void => void events.push(`${what} ${queue.nowMicroseconds / 1000}`);
  const send = (name: string, bytes: number): void => way.send(bytes, at(name), at(`${name} lost`));
  return { queue, way, events, send };
}

t.test('a segment takes the time of its bytes and 66 more, and the latency', async (t) => {
  const { queue, events, send } = path();
  send('a', 934);
  queue.advance(1e9);
  queue.advance(2e9);
  t.same(events, ['a 1500']);
});

t.test('a segment departs after those before it, and their latencies overlap', async (t) => {
  const { queue, events, send } = path();
  send('a', 934);
  send('b', 34);
  while (queue.size > 0) queue.advance(1e9);
  send('c', 34);
  while (queue.size > 0) queue.advance(1e9);
  t.same(events, ['a 1500', 'b 1600', 'c 2200'], 'an idle path sends at once');
});

t.test(
  'unless shaped, a network is a local one of 1 Gbit/s, and a host is ten times nearer to itself',
  async (t) => {
    t.same(LAN, { latencySeconds: 0.0001, jitterSeconds: 0.00005, bytesPerSecond: 125_000_000 });
    t.same(LOOPBACK, { latencySeconds: 0.00001, jitterSeconds: 0.000005, bytesPerSecond: Infinity });
  },
);

t.test('jitter is up to its bound, and overtakes nothing', async (t) => {
  let longest = 0;
  for (let seed = 1; seed <= 50; seed++) {
    const { queue, events, send } = path({ jitterSeconds: 1, bytesPerSecond: Infinity }, seed);
    for (const name of ['a', 'b', 'c']) send(name, 100);
    while (queue.size > 0) queue.advance(1e9);
    const names = events.map((event) => event.split(' ')[0]);
    const times = events.map((event) => Number(event.split(' ')[1]));
    t.same(names, ['a', 'b', 'c']);
    t.ok(Math.min(...times) >= 500 && Math.max(...times) <= 1500, events.join());
    longest = Math.max(longest, ...times);
  }
  t.ok(longest > 1400, `the longest took ${longest} ms`);
});

t.test('what is sent while a path is cut is lost, and what is under way then, too', async (t) => {
  const { queue, way, events, send } = path({ bytesPerSecond: Infinity });
  send('under way', 1);
  queue.advance(100_000);
  way.isCut = true;
  send('while cut', 1);
  queue.advance(550_000);
  way.isCut = false;
  while (queue.size > 0) queue.advance(1e9);
  t.same(events, ['under way lost 500', 'while cut lost 600']);
  send('after', 1);
  queue.advance(1e9);
  t.same(events.slice(2), ['after 1100']);
});

t.test('new conditions count for what is sent from then on', async (t) => {
  const { queue, way, events, send } = path({ bytesPerSecond: Infinity });
  send('a', 1);
  way.conditions = { ...way.conditions, latencySeconds: 0.1 };
  send('b', 1);
  while (queue.size > 0) queue.advance(1e9);
  t.same(events, ['a 500', 'b 500'], 'but not sooner than what went before');
});

t.test('latency and jitter are from 0 to below 1e9 s, bandwidth is above 0', async (t) => {
  for (const conditions of [LAN, LOOPBACK, STILL]) t.equal(checkPathConditions(conditions), conditions);
  t.doesNotThrow(() => checkPathConditions({ latencySeconds: 0, jitterSeconds: 0, bytesPerSecond: 1e-9 }));
  t.ok(LOOPBACK.latencySeconds < LAN.latencySeconds, 'a host is nearer to itself than to others');
  for (const [name, value] of [
    ['latencySeconds', -1e-9],
    ['latencySeconds', 1e9],
    ['jitterSeconds', -1e-9],
    ['jitterSeconds', 1e9],
    ['bytesPerSecond', 0],
    ['bytesPerSecond', Number.NaN],
  ] as const)
    t.throws(() => checkPathConditions({ ...STILL, [name]: value }), {
      name: 'RangeError',
      message: new RegExp(`^${name} is ${value}, but must be `),
    });
});
