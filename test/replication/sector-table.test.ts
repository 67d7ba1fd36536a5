// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { FlightTable, isSectorRange, runsOf } from '../../src/replication/sector-table.js';

t.test('sectors have unsigned numbers of 64 bits', async (t) => {
  t.ok(isSectorRange(0n, 0));
  t.ok(isSectorRange(2n ** 64n - 1n, 1));
  t.ok(isSectorRange(2n ** 64n, 0), 'of no sectors none is outside');
  t.notOk(isSectorRange(2n ** 64n - 1n, 2));
  t.notOk(isSectorRange(-1n, 1));
  t.notOk(isSectorRange(0n, -1));
  t.notOk(isSectorRange(0n, 1.5));
  t.notOk(isSectorRange(0n, Infinity));
});

t.test('a table is cut into runs of consecutive sectors, by rising number', async (t) => {
  const data = new Uint8Array(1);
  const runs = (...sectors: bigint[]): bigint[][] => runsOf(new Map(sectors.map((sector) => [sector, data])));
  t.same(runs(), []);
  t.same(runs(5n), [[5n]]);
  t.same(runs(9n, 3n, 10n, 4n, 7n), [[3n, 4n], [7n], [9n, 10n]]);
  t.same(runs(1n, 0n), [[0n, 1n]]);
  t.same(runs(2n ** 63n, 2n ** 63n - 1n), [[2n ** 63n - 1n, 2n ** 63n]]);
});

t.test('a sector is in flight until each of its writes has ended, with the data of the first', async (t) => {
  const flights = new FlightTable();
  const [one, other] = [Uint8Array.of(1), Uint8Array.of(2)];
  flights.add(7n, one);
  flights.add(7n, other);
  flights.add(3n, other);
  t.same(flights.sectors(), [3n, 7n, 7n]);
  t.equal(flights.data(7n), one);
  flights.remove(7n);
  t.same(flights.sectors(), [3n, 7n]);
  t.equal(flights.data(7n), one);
  flights.remove(7n);
  t.equal(flights.data(7n), undefined);
  flights.remove(7n);
  t.same(flights.sectors(), [3n]);
  flights.add(7n, undefined);
  t.same([flights.data(7n), flights.sectors()], [undefined, [3n, 7n]], 'as C does it, a sector has no data');
});
