// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { CheckedStreams, SimulatedWorld, Violations } from '../../../src/testing/index.js';

function streams(): { streams: CheckedStreams; violations: Violations } {
  const violations = new Violations(new SimulatedWorld());
  return { streams: new CheckedStreams(violations), violations };
}

/** A stream of so many bytes, as it was sent. */
function sent(all: CheckedStreams, length: number): Uint8Array {
  const outgoing = all.outgoing('sender');
  const bytes = outgoing.next(length);
  outgoing.took(length);
  return bytes;
}

t.test(
  'a stream that arrives as it was sent is known by its first bytes, in whatever pieces it comes',
  async (t) => {
    const { streams: all, violations } = streams();
    sent(all, 10);
    const outgoing = all.outgoing('primary');
    const bytes = Buffer.concat([outgoing.next(300).subarray(0, 100)]);
    outgoing.took(100);
    const rest = outgoing.next(900);
    outgoing.took(900);
    const incoming = all.incoming('backup');
    for (const byte of bytes) incoming.receive(Uint8Array.of(byte));
    incoming.receive(rest);
    incoming.end();
    t.equal(incoming.source, outgoing);
    t.equal(outgoing.sender, 'primary');
    t.equal(incoming.received, 1000);
    t.same(violations.list, []);
  },
);

t.test('a stream is known by its number, however large that is', async (t) => {
  const { streams: all, violations } = streams();
  for (let number = 1; number < 300; number++) all.outgoing('sender');
  const outgoing = all.outgoing('primary');
  t.equal(outgoing.number, 300);
  const incoming = all.incoming('backup');
  const bytes = outgoing.next(10);
  outgoing.took(10);
  incoming.receive(bytes);
  t.equal(incoming.source, outgoing);
  t.same([...bytes.subarray(0, 4)], [300 % 256, 1, 0, 0]);
  t.same(violations.list, []);
});

t.test('the bytes of a stream are of every value, and mostly not those of the next stream', async (t) => {
  const { streams: all } = streams();
  const [one, other] = [1, 2].map(() => sent(all, 10_000)) as [Uint8Array, Uint8Array];
  t.equal(new Set(one).size, 256);
  const same = one.filter((byte, position) => byte === other[position]).length;
  t.ok(same < 200, `${same} of 10,000 are the same`);
});

t.test('a byte that is not the one that was sent', async (t) => {
  const { streams: all, violations } = streams();
  const bytes = sent(all, 100);
  bytes[50] = (bytes[50] as number) ^ 1;
  const incoming = all.incoming('backup');
  incoming.receive(bytes);
  incoming.receive(bytes);
  incoming.end();
  t.match(violations.list, [/backup: the stream it reads has a wrong byte at 50$/], 'told once');
});

t.test('bytes in another order, or twice', async (t) => {
  for (const [first, second] of [
    [
      [0, 40],
      [60, 100],
    ],
    [
      [0, 60],
      [40, 100],
    ],
  ] as const) {
    const { streams: all, violations } = streams();
    const bytes = sent(all, 100);
    const incoming = all.incoming('backup');
    incoming.receive(bytes.subarray(...first));
    incoming.receive(bytes.subarray(...second));
    t.match(violations.list, [/has a wrong byte at (?:40|60)$/]);
  }
});

t.test('more bytes than were written', async (t) => {
  const { streams: all, violations } = streams();
  const outgoing = all.outgoing('primary');
  const bytes = outgoing.next(20);
  outgoing.took(19);
  all.incoming('backup').receive(bytes);
  t.match(violations.list, [/has more than the 19 bytes that were written$/]);
});

t.test('an end of file before all bytes have arrived', async (t) => {
  const { streams: all, violations } = streams();
  const incoming = all.incoming('backup');
  incoming.receive(sent(all, 100).subarray(0, 99));
  t.same(violations.list, []);
  incoming.end();
  t.match(violations.list, [/ends after 99 bytes; 100 were written$/]);
});

t.test('a stream that arrives twice, or was never sent', async (t) => {
  const { streams: all, violations } = streams();
  const bytes = sent(all, 10);
  all.incoming('one').receive(bytes);
  all.incoming('other').receive(bytes);
  all.incoming('third').receive(Uint8Array.of(99, 0, 0, 1, 5));
  t.match(violations.list, [
    /other: the stream it reads has the number 1, which no stream has, or one that came before$/,
    /third: .* has the number 16777315,/,
  ]);
});

t.test('an end of file within the first bytes is no violation', async (t) => {
  const { streams: all, violations } = streams();
  const incoming = all.incoming('backup');
  incoming.receive(sent(all, 100).subarray(0, 3));
  incoming.end();
  all.incoming('another').end();
  t.same(violations.list, []);
});
