// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { replyFormats } from '../../src/nbd/replies.js';

const request = {
  command: 0,
  cookie: { high: 0x11121314, low: 0x21222324 },
  place: { high: 0x31323334, low: 0x41424344 },
};
const status = { ...request, command: 7 };
const write = { ...request, command: 1 };
const COOKIE = '11121314 21222324';
const PLACE = '31323334 41424344';
const OFFSET = '00000003 00000005';
const offset = 3 * 2 ** 32 + 5;

const hex = (bytes: Buffer | undefined): string => bytes?.toString('hex') ?? '';
const expected = (text: string): string => text.replaceAll(' ', '');

t.test('a simple reply has an error and a cookie', async (t) => {
  const format = replyFormats.simple;
  t.equal(hex(format.result(request, 0x01020304, 'text')), expected(`67446698 01020304 ${COOKIE}`));
  t.equal(hex(format.data(request, offset, 9, true)), expected(`67446698 00000000 ${COOKIE}`));
  t.equal(format.chunks, undefined);
});

t.test('a structured reply has chunks for READ and BLOCK_STATUS, and is simple for others', async (t) => {
  const format = replyFormats.structured;
  t.equal(hex(format.result(write, 5, 'EIO')), expected(`67446698 00000005 ${COOKIE}`));
  for (const each of [request, status])
    t.equal(
      hex(format.result(each, 5, 'EIO')),
      expected(`668e33ef 0001 8001 ${COOKIE} 00000009 00000005 0003 45494f`),
    );
  t.equal(
    hex(format.data(request, offset, 0x200, false)),
    expected(`668e33ef 0000 0001 ${COOKIE} 00000208 ${OFFSET}`),
  );
  t.equal(
    hex(format.chunks?.hole(request, offset, 0x200, true)),
    expected(`668e33ef 0001 0002 ${COOKIE} 0000000c ${OFFSET} 00000200`),
  );
  const extents = [
    { length: 0x1000, flags: 3 },
    { length: 0x200, flags: 0 },
  ];
  t.equal(
    hex(format.chunks?.status(status, 1, extents)),
    expected(`668e33ef 0001 0005 ${COOKIE} 00000014 00000001 00001000 00000003 00000200 00000000`),
  );
});

t.test('an extended reply repeats the offset, and has chunks for all', async (t) => {
  const format = replyFormats.extended;
  t.equal(
    hex(format.result(write, 0, '')),
    expected(`6e8a278c 0001 0000 ${COOKIE} ${PLACE} 00000000 00000000`),
  );
  t.equal(
    hex(format.result(write, 5, 'EIO')),
    expected(`6e8a278c 0001 8001 ${COOKIE} ${PLACE} 00000000 00000009 00000005 0003 45494f`),
  );
  t.equal(
    hex(format.data(request, offset, 0x200, true)),
    expected(`6e8a278c 0001 0001 ${COOKIE} ${PLACE} 00000000 00000208 ${OFFSET}`),
  );
  t.equal(
    hex(format.chunks?.hole(request, offset, 0x200, false)),
    expected(`6e8a278c 0000 0002 ${COOKIE} ${PLACE} 00000000 0000000c ${OFFSET} 00000200`),
  );
  t.equal(
    hex(format.chunks?.status(status, 1, [{ length: 2 ** 33 + 512, flags: 3 }])),
    expected(
      `6e8a278c 0001 0006 ${COOKIE} ${PLACE} 00000000 00000018
       00000001 00000001 00000002 00000200 00000000 00000003`.replaceAll('\n', ''),
    ),
  );
});
