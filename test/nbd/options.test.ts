// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import {
  choosesAllocation,
  encodeAllocationContext,
  listsAllocation,
  parseContextRequest,
  parseStatusFilter,
} from '../../src/nbd/meta-context.js';
import {
  encodeExportRequest,
  encodeOption,
  encodeOptionReply,
  encodeServerName,
  encodeTextInfo,
  parseExportRequest,
  parseName,
  parseOptionHeader,
} from '../../src/nbd/options.js';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(/\s/g, ''), 'hex');

t.test('options and their replies have a magic, a number and a length', async (t) => {
  const encoded = encodeOption(7, Buffer.from('ab'));
  t.same(encoded, hex('49484156454f5054 00000007 00000002 6162'));
  t.same(parseOptionHeader(encoded), { option: 7, length: 2 });
  t.equal(parseOptionHeader(hex('49484156454f5055 00000007 00000002')), undefined);
  t.same(encodeOptionReply(7, 3, 'ab'), hex('0003e889045565a9 00000007 00000003 00000002 6162'));
  t.same(encodeOptionReply(7, 1), hex('0003e889045565a9 00000007 00000001 00000000'));
  t.same(encodeServerName('ab', 'c'), hex('00000002 6162 63'));
  t.same(encodeTextInfo(2, 'ab'), hex('0002 6162'));
});

t.test('a name has at most 4096 bytes of UTF-8, and no NUL', async (t) => {
  t.same(parseName(Buffer.from('x'.repeat(4096))), { name: 'x'.repeat(4096) });
  t.equal(parseName(Buffer.from('x'.repeat(4097))), 'a name has at most 4096 bytes');
  t.equal(parseName(hex('c328')), 'a name is UTF-8');
  t.equal(parseName(hex('00')), 'a name has no NUL');
  t.same(parseName(Buffer.alloc(0)), { name: '' });
});

t.test('an export request is understood as it was made, and nothing else is one', async (t) => {
  for (const request of [
    { name: '', infos: [] },
    { name: 'disk ä', infos: [3, 0x102] },
  ])
    t.same(parseExportRequest(encodeExportRequest(request)), request);
  t.same(encodeExportRequest({ name: 'ab', infos: [3, 0x102] }), hex('00000002 6162 0002 0003 0102'));
  t.equal(parseExportRequest(Buffer.alloc(5)), "5 bytes are too few for a name's length and a count");
  t.same(parseExportRequest(hex('00000001 61 0000')), { name: 'a', infos: [] });
  t.equal(parseExportRequest(hex('00000002 61 0000')), "the name's length 2 does not fit into 7 bytes");
  t.equal(parseExportRequest(hex('00000001 61 0001 00')), '1 bytes are not 1 kinds of information');
});

t.test('a request for contexts has a name and queries, to its last byte', async (t) => {
  const one = hex('00000001 61 00000001 00000002 6263');
  t.same(parseContextRequest(one), { name: 'a', queries: ['bc'] });
  t.same(parseContextRequest(hex('00000000 00000000')), { name: '', queries: [] });
  t.same(parseContextRequest(hex('00000000 00000002 00000000 00000001 62')), {
    name: '',
    queries: ['', 'b'],
  });
  t.equal(parseContextRequest(Buffer.alloc(0)), 'a string that is longer than the data');
  t.equal(parseContextRequest(hex('000000')), 'a string that is longer than the data');
  t.equal(parseContextRequest(hex('00000002 61')), 'a string that is longer than the data');
  t.equal(parseContextRequest(hex('00000001 61')), 'no count of queries');
  t.equal(parseContextRequest(hex('00000001 61 000001')), 'no count of queries');
  t.equal(parseContextRequest(one.subarray(0, -1)), 'a string that is longer than the data');
  t.equal(parseContextRequest(Buffer.concat([one, Buffer.alloc(3)])), '3 bytes after the last query');
  t.equal(parseContextRequest(hex('00000001 ff 00000000')), 'a name is UTF-8');
  t.equal(parseContextRequest(hex('00000000 00000001 00000001 ff')), 'a name is UTF-8');
});

t.test(
  'the one context is listed by its name, its namespace or no query, and chosen by its name',
  async (t) => {
    for (const [queries, isListed, isChosen] of [
      [[], true, false],
      [['base:allocation'], true, true],
      [['base:'], true, false],
      [['other', 'base:'], true, false],
      [['other', 'base:allocation'], true, true],
      [['other'], false, false],
      [['base'], false, false],
    ] as const) {
      t.equal(listsAllocation(queries), isListed, queries.join());
      t.equal(choosesAllocation(queries), isChosen, queries.join());
    }
    const name = Buffer.from('base:allocation');
    t.same(encodeAllocationContext(), Buffer.concat([hex('00000001'), name]));
    t.same(encodeAllocationContext(0), Buffer.concat([hex('00000000'), name]));
    t.same(parseStatusFilter(hex('0000000100000002 00000003')), { length: 2 ** 32 + 2, context: 3 });
  },
);
