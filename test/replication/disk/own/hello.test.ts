// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { decodeHello, encodeHello } from '../../../../src/replication/disk/own/hello.js';
import type { Reach } from '../../../../src/replication/disk/standing.js';
import { standing } from './hand-peer.js';

const reach = (low: number): Reach => ({ generation: '0123456789abcdef', low, high: low + 1 });
const HELLO = {
  version: 'tapdisk-ts replication 1',
  standing: standing('primary', { line: [reach(7), reach(3)], resyncId: 'f'.repeat(16), promoted: true }),
};

t.test('a hello is read as it was written', async (t) => {
  t.same(decodeHello(encodeHello(HELLO)), HELLO);
  const backup = { version: 'x', standing: standing('backup') };
  t.same(decodeHello(encodeHello(backup)), backup);
  const full = { ...HELLO, standing: { ...HELLO.standing, line: Array.from({ length: 9 }, () => reach(1)) } };
  t.equal(decodeHello(encodeHello(full)).standing.line.length, 9, 'with eight ancestors');
});

t.test('only what belongs to a hello is taken over', async (t) => {
  const more = { ...HELLO, more: 1, standing: { ...HELLO.standing, more: 2 } };
  t.same(decodeHello(Buffer.from(JSON.stringify(more))), HELLO);
});

const WRONG: Readonly<Record<string, readonly unknown[]>> = {
  role: ['neither', null, 1, undefined],
  diskId: ['d'.repeat(31), 'd'.repeat(33), 'D'.repeat(32), 5, undefined],
  sectors: [-1, 1.5, 2 ** 53, '1', null, undefined],
  grainSectors: [-1, '128', undefined],
  hasState: [1, 'true', null, undefined],
  takesFirstSync: [0, undefined],
  promoted: [0, undefined],
  rejoining: [0, undefined],
  full: [0, undefined],
  line: [null, {}, 'x', Array.from({ length: 10 }, () => reach(1)), undefined],
  resyncId: ['f'.repeat(15), 'g'.repeat(16), 'f'.repeat(17), 1, undefined],
};
for (const [name, values] of Object.entries(WRONG)) {
  t.test(`a standing whose ${name} is impossible is refused by its name`, async (t) => {
    for (const value of values) {
      const body = Buffer.from(JSON.stringify({ ...HELLO, standing: { ...HELLO.standing, [name]: value } }));
      t.throws(() => decodeHello(body), {
        name: 'ProtocolError',
        message: new RegExp(`hello's ${name} cannot be`),
      });
    }
  });
}

t.test('so is one with an impossible line', async (t) => {
  for (const [entry, name] of [
    [null, 'line'],
    [[], 'line'],
    [{ ...reach(1), generation: 'x' }, 'generation'],
    [{ ...reach(1), low: -1 }, 'low'],
    [{ ...reach(1), high: '2' }, 'high'],
  ] as const) {
    const body = Buffer.from(JSON.stringify({ ...HELLO, standing: { ...HELLO.standing, line: [entry] } }));
    t.throws(() => decodeHello(body), { name: 'ProtocolError', message: new RegExp(`${name} cannot be`) });
  }
});

t.test('a version has 1 to 64 printable characters', async (t) => {
  const decode = (version: unknown) =>
    decodeHello(Buffer.from(JSON.stringify({ ...HELLO, version }))).version;
  for (const version of ['x', '~'.repeat(64), ' ']) t.equal(decode(version), version);
  for (const version of ['', 'x'.repeat(65), 'a\nb', '\u00e9', 5, null])
    t.throws(() => decode(version), /version cannot be/);
});

t.test('what is no hello at all is refused', async (t) => {
  const refused = (text: string, message: RegExp) =>
    t.throws(() => decodeHello(Buffer.from(text)), { name: 'ProtocolError', message });
  refused('{', /not valid JSON/);
  for (const text of ['null', '1', '[]', '"text"']) refused(text, /hello's hello cannot be/);
  refused('{}', /standing cannot be nothing/);
  refused(JSON.stringify({ standing: 'x'.repeat(100) }), /cannot be "x{39}$/);
  const padded = (length: number): string => JSON.stringify(HELLO).padEnd(length);
  t.same(decodeHello(Buffer.from(padded(4096))), HELLO);
  refused(padded(4097), /4097 bytes, expected at most 4096/);
});
