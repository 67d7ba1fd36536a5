// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { Meter } from '../../src/transfer/meter.js';

function meterAt(seconds: number) {
  const clock = { seconds, now: () => clock.seconds };
  let moves = 0;
  const meter = new Meter(clock, () => {
    moves += 1;
  });
  return { clock, meter, moves: () => moves };
}

t.test('the rate is the recent one while the transfer runs', async (t) => {
  const { clock, meter } = meterAt(100);
  for (let second = 0; second < 10; second++) {
    clock.seconds += 1;
    meter.add(1000);
  }
  t.equal(meter.rate, 1000);
  for (let second = 0; second < 3; second++) {
    clock.seconds += 1;
    meter.add(5000);
  }
  t.equal(meter.rate, 5000);
});

t.test('after the end the rate is that of the whole transfer and the time is fixed', async (t) => {
  const { clock, meter } = meterAt(100);
  meter.add(1000);
  clock.seconds += 4;
  meter.add(1000);
  meter.stop();
  clock.seconds += 100;
  meter.stop();
  t.equal(meter.bytes, 2000);
  t.equal(meter.seconds, 4);
  t.equal(meter.rate, 500);
});

t.test('a pause shows the rate 0 and its length, and does not affect the rate after it', async (t) => {
  const { clock, meter } = meterAt(100);
  clock.seconds += 1;
  t.equal(meter.quietSeconds, 1, 'no byte has moved yet');
  meter.add(1000);
  t.equal(meter.quietSeconds, 0);
  clock.seconds += 30;
  t.equal(meter.rate, 0);
  t.equal(meter.quietSeconds, 30);
  meter.add(1000);
  clock.seconds += 0.5;
  meter.add(1000);
  t.equal(meter.rate, 4000);
  meter.stop();
  clock.seconds += 5;
  t.equal(meter.quietSeconds, 0);
});

t.test('a transfer that has taken no time, or goes back in time, has no rate', async (t) => {
  const { clock, meter } = meterAt(100);
  meter.add(1000);
  t.equal(meter.rate, 0);
  clock.seconds -= 5;
  t.equal(meter.seconds, 0);
  t.equal(meter.rate, 0);
});

t.test('observers are notified of every move', async (t) => {
  const { meter, moves } = meterAt(0);
  meter.add(1);
  meter.add(2);
  t.equal(moves(), 2);
});

t.test('the rate is taken over one second at least and two at most', async (t) => {
  const { clock, meter } = meterAt(100);
  const rates: number[] = [];
  for (const bytes of [1000, 3000, 2000, 10, 90]) {
    clock.seconds += 0.5;
    meter.add(bytes);
    rates.push(meter.rate);
  }
  // Since 100, 100, 100, 101 and 101: a window ends when the next one has lasted a second.
  t.same(rates, [2000, 4000, 4000, 2010, 1400]);
});

t.test('two seconds without a byte are a pause, less is not', async (t) => {
  for (const [quiet, during, after] of [
    [1.75, 500, 1000],
    [2, 0, 5000],
  ] as const) {
    const { clock, meter } = meterAt(100);
    clock.seconds += 0.25;
    meter.add(1000);
    clock.seconds += quiet;
    t.equal(meter.rate, during, `${quiet} s`);
    meter.add(500);
    clock.seconds += 0.25;
    meter.add(750);
    t.equal(meter.rate, after, `after ${quiet} s`);
  }
});
