// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import {
  encodeRequest,
  halvesOf,
  isValidRequest,
  type NbdRequest,
  parseExtendedRequest,
  parseRequest,
} from '../../src/nbd/requests.js';

const bytes = (hex: string): Buffer => Buffer.from(hex.replaceAll(' ', ''), 'hex');

const plain = bytes('25609513 0102 0001 11121314 21222324 00000003 00000005 00010002');
const fields = {
  flags: 0x0102,
  command: 1,
  cookie: { high: 0x11121314, low: 0x21222324 },
  offset: 3 * 2 ** 32 + 5,
  length: 0x10002,
};

t.test('a request has its fields at their places, and is understood as it was made', async (t) => {
  t.same(encodeRequest(fields), plain);
  const place = { high: 3, low: 5 };
  t.same(parseRequest(plain), { ...fields, place, payloadBytes: 0x10002 });
  const read = Buffer.from(plain);
  read[7] = 0;
  t.match(parseRequest(read), { command: 0, payloadBytes: 0 }, 'only a write has data');
  plain.copy(read);
  read[3] = 0x12;
  t.equal(parseRequest(read), undefined, 'another magic');
});

t.test('an extended request has a length of 64 bits, and data exactly if its flag is set', async (t) => {
  const extended = bytes('21e41c71 0020 0007 11121314 21222324 00000003 00000005 00000002 00000009');
  const length = 2 * 2 ** 32 + 9;
  const common = { ...fields, command: 7, length, place: { high: 3, low: 5 } };
  t.same(parseExtendedRequest(extended), { ...common, flags: 32, payloadBytes: length });
  extended[5] = 0xdf;
  t.same(parseExtendedRequest(extended), { ...common, flags: 0xdf, payloadBytes: 0 });
  extended[0] = 0x25;
  t.equal(parseExtendedRequest(extended), undefined, 'another magic');
});

t.test('halves of a number are its upper and its lower 32 bits', async (t) => {
  t.same(halvesOf(0), { high: 0, low: 0 });
  t.same(halvesOf(2 ** 32 - 1), { high: 0, low: 0xffff_ffff });
  t.same(halvesOf(2 ** 32), { high: 1, low: 0 });
  t.same(halvesOf(Number.MAX_SAFE_INTEGER), { high: 0x1f_ffff, low: 0xffff_ffff });
});

t.test('each command has its flags, and FUA is allowed with any', async (t) => {
  const request: NbdRequest = { ...fields, flags: 0, place: { high: 0, low: 0 }, payloadBytes: 0 };
  /** Which single flags are valid, plain and extended. */
  const valid = (command: number): number[][] =>
    [false, true].map((isExtended) =>
      [1, 2, 4, 8, 16, 32, 64].filter((flags) =>
        isValidRequest({ ...request, command, flags, offset: 0, length: 0 }, isExtended),
      ),
    );
  t.same([0, 1, 2, 3, 4, 5, 6, 7].map(valid), [
    [
      [1, 4],
      [1, 4],
    ],
    [[1], [1, 32]],
    [[1], [1]],
    [[1], [1]],
    [[1], [1]],
    [[1], [1]],
    [
      [1, 2, 16],
      [1, 2, 16],
    ],
    [
      [1, 8],
      [1, 8, 32],
    ],
  ]);
  t.same(valid(8), [[], []], 'an unknown command');
  t.equal(isValidRequest({ ...request, command: 8 }, false), false);
});

t.test('a flush has no range, others may have any', async (t) => {
  const request: NbdRequest = { ...fields, flags: 0, place: { high: 0, low: 0 }, payloadBytes: 0 };
  for (const [offset, length, isValid] of [
    [0, 0, true],
    [1, 0, false],
    [0, 1, false],
    [1, 1, false],
  ] as const) {
    t.equal(isValidRequest({ ...request, command: 3, offset, length }, false), isValid);
    t.equal(isValidRequest({ ...request, command: 0, offset, length }, false), true);
  }
});
