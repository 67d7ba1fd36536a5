// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t, { type Test } from 'tap';
import { NodePosix } from '../../src/posix/index.js';
import { type Dialect, POLL_READ_FD, POLL_WRITE_FD, TIMEOUT } from '../../src/scheduler/index.js';
import { nullLogger, TapdiskServer } from '../../src/server/index.js';
import { SchedulerMeter } from '../../src/metrics/scheduler-meter.js';
import { MAX_VIEWED_EVENTS, SchedulerViewer } from '../../src/metrics/scheduler-view.js';
import { ManualClock } from '../control/world.js';

const loopLag = { meanSeconds: 0.001, p50Seconds: 0.001, p99Seconds: 0.002, maxSeconds: 0.003 };

/** A server of a dialect on a clock that the test moves, and one who views it. */
function world(t: Test, dialect: Dialect) {
  const clock = new ManualClock();
  const posix = new NodePosix({ clock });
  const meter = new SchedulerMeter(clock);
  const server = new TapdiskServer({ posix, logger: nullLogger, observer: meter, dialect });
  t.teardown(() => {
    server.stop();
    for (const { fd } of posix.openDescriptors()) posix.close(fd);
  });
  const viewer = new SchedulerViewer({ server, clock, meter, loopLag: { measures: () => loopLag } });
  return { clock, posix, server, meter, viewer };
}

t.test("a view of tapdisk2's scheduler lists events with what they wait for and what for", async (t) => {
  const { clock, posix, server, viewer } = world(t, 'tapdisk2');
  clock.seconds = 2 ** 31 - 5.5;
  const fd = posix.eventfd(3);
  server.registerEvent(POLL_READ_FD, fd, 0, function completions() {});
  server.registerEvent(TIMEOUT, -1, 10, () => {});
  server.registerEvent(POLL_WRITE_FD | TIMEOUT, 77, 11, () => {});
  clock.seconds += 3;
  const view = viewer.view();
  t.strictSame(view.events, [
    {
      id: 1,
      mode: 'READ',
      fd,
      timeoutSeconds: null,
      dueInSeconds: null,
      masked: false,
      purpose: 'eventfd 3: completions',
    },
    {
      id: 2,
      mode: 'TIMEOUT',
      fd: null,
      timeoutSeconds: 10,
      dueInSeconds: 7,
      masked: false,
      purpose: '',
    },
    {
      id: 3,
      mode: 'WRITE|TIMEOUT',
      fd: 77,
      timeoutSeconds: 11,
      dueInSeconds: 8,
      masked: false,
      purpose: '',
    },
  ]);
  t.equal(view.dialect, 'tapdisk2');
  t.equal(view.eventCount, 3);
  t.strictSame(view.loopLag, loopLag);
  t.strictSame(JSON.parse(JSON.stringify(view)), view, 'JSON holds all of it');
});

t.test("a view of tapdisk3's scheduler has masks, fractions, and timeouts without an end", async (t) => {
  const { clock, server, viewer } = world(t, 'tapdisk3');
  const { tapdisk3 } = server;
  const masked = tapdisk3.registerEvent(TIMEOUT, -1, 1_500_000, () => {});
  tapdisk3.maskEvent(masked, true);
  tapdisk3.registerEvent(TIMEOUT, -1, -1, () => {});
  clock.seconds += 2;
  const view = viewer.view();
  t.equal(view.dialect, 'tapdisk3');
  t.match(view.events, [
    { id: 1, masked: true, timeoutSeconds: 1.5, dueInSeconds: -0.5 },
    { id: 2, masked: false, timeoutSeconds: 'infinite', dueInSeconds: 'never' },
  ]);
  t.strictSame(JSON.parse(JSON.stringify(view)), view, 'JSON holds all of it');
});

t.test('a view of many events has the first ones, and their total number', async (t) => {
  const { server, viewer } = world(t, 'tapdisk2');
  for (let count = 0; count <= MAX_VIEWED_EVENTS; count++) server.registerEvent(TIMEOUT, -1, 60, () => {});
  const { events, eventCount } = viewer.view();
  t.equal(events.length, MAX_VIEWED_EVENTS);
  t.equal(events.at(-1)?.id, MAX_VIEWED_EVENTS);
  t.equal(eventCount, MAX_VIEWED_EVENTS + 1);
});

t.test('the rate covers the time since a view one second old', async (t) => {
  const { clock, meter, viewer } = world(t, 'tapdisk2');
  const event = { id: 1, mode: TIMEOUT, fd: -1, timeoutSeconds: 1, deadlineSeconds: 0 };
  const fire = (count: number, seconds: number): void => {
    for (; count > 0; count--) {
      meter.entering();
      clock.seconds += seconds;
      meter.left(event, TIMEOUT);
    }
  };
  const rate = (): unknown[] => {
    const { callbacks, callbacksPerSecond, callbackShare, rateSeconds } = viewer.view();
    return [callbacks, callbacksPerSecond, callbackShare, rateSeconds];
  };
  t.strictSame(rate(), [0, 0, 0, 0], 'no time has passed');
  fire(4, 0.5);
  clock.seconds += 2;
  t.strictSame(rate(), [4, 1, 0.5, 4]);
  fire(1, 0.25);
  t.strictSame(rate(), [5, 5 / 4.25, 2.25 / 4.25, 4.25], 'the last view is not a second old');
  clock.seconds += 0.75;
  t.strictSame(rate(), [5, 1, 0.25, 1], 'now it is');
  clock.seconds += 10;
  t.strictSame(rate(), [5, 0, 0, 10]);
});

t.test('a view contains the slowest callbacks', async (t) => {
  const { clock, posix, server, viewer } = world(t, 'tapdisk2');
  const fd = posix.eventfd(1);
  const id = server.registerEvent(POLL_READ_FD, fd, 0, () => {
    clock.seconds += 0.5;
    server.unregisterEvent(id);
  });
  await server.iterate();
  t.strictSame(viewer.view().slowest, [
    { seconds: 0.5, eventId: id, mode: 'READ', fd, atSeconds: clock.seconds },
  ]);
});
