// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { seal } from '../../../../src/replication/disk/format/fields.js';
import {
  BLOCK,
  decodeHeader,
  decodeMarker,
  encodeHeader,
  encodeMarker,
  FIRST_MARKER_AT,
  FIRST_RECORD_AT,
  MARKER_SLOTS,
} from '../../../../src/replication/disk/journal/segment-format.js';

const HEADER = {
  segment: 2 ** 33,
  salt: 0xdead_beef,
  previous: { end: 2 ** 34, records: 5, chain: 0xcafe_babe },
};
const MARKER = {
  segment: 2 ** 33,
  sequence: 9,
  generation: '0123456789abcdef',
  epoch: 2 ** 40,
  at: { end: 81_920, records: 2, chain: 77 },
  resyncId: 'fedcba9876543210',
  resyncCrc: 0xffff_fffe,
  resyncCheckpoint: 6,
};

t.test('a segment is two blocks of headers, 16 of markers, and then records', async (t) => {
  t.same([BLOCK, FIRST_MARKER_AT, MARKER_SLOTS, FIRST_RECORD_AT], [4096, 8192, 16, 73_728]);
});

t.test('headers and markers are sectors, read as they were written', async (t) => {
  t.equal(encodeHeader(HEADER).length, 512);
  t.equal(encodeMarker(MARKER).length, 512);
  t.same(decodeHeader(encodeHeader(HEADER)), HEADER);
  t.same(decodeMarker(encodeMarker(MARKER)), MARKER);
  t.match(Buffer.from(encodeHeader(HEADER)).toString('latin1'), /^TDRSEGM1/);
  t.match(Buffer.from(encodeMarker(MARKER)).toString('latin1'), /^TDRMARK1/);
});

t.test('neither is taken for the other, nor for sound when it is damaged', async (t) => {
  t.equal(decodeHeader(encodeMarker(MARKER)), undefined);
  t.equal(decodeMarker(encodeHeader(HEADER)), undefined);
  for (const [encoded, decode] of [
    [encodeHeader(HEADER), decodeHeader],
    [encodeMarker(MARKER), decodeMarker],
  ] as const) {
    encoded[40] = (encoded[40] as number) ^ 1;
    t.equal(decode(encoded), undefined);
    seal(encoded);
    t.not(decode(encoded), undefined);
  }
});
