// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import {
  decodeMetadata,
  encodeMetadata,
  type Metadata,
  METADATA_BYTES,
  NO_DISK,
  NO_ID,
} from '../../../../src/replication/disk/format/metadata-record.js';
import { Fields, seal } from '../../../../src/replication/disk/format/fields.js';

const FLAGS = {
  promoted: 1,
  stale: 2,
  splitBrain: 4,
  peerIsOwn: 8,
  hasState: 16,
  clean: 32,
  inconsistent: 64,
  listens: 128,
  rejoining: 256,
} as const;
const NO_FLAGS = Object.fromEntries(Object.keys(FLAGS).map((flag) => [flag, false])) as Record<
  keyof typeof FLAGS,
  boolean
>;

const METADATA: Metadata = {
  update: 0x1_0000_0001,
  diskId: '000102030405060708090a0b0c0d0e0f',
  sectors: 0x2_0000_0002,
  image: { fileSystem: 3, inode: 4, modifiedMicroseconds: 0x5_0000_0005 },
  role: 'backup',
  grainSectors: 128,
  generation: '1011121314151617',
  sent: 6,
  acked: 7,
  firstLiveSegment: 8,
  resyncId: '2021222324252627',
  appliedCheckpoint: 9,
  mapSalt: '3031323334353637',
  ancestors: [
    { generation: '4041424344454647', low: 10, high: 11 },
    { generation: '5051525354555657', low: 12, high: 13 },
  ],
  ...NO_FLAGS,
};

const hexOf = (bytes: Uint8Array, from: number, length: number): string =>
  Buffer.from(bytes).toString('hex', from, from + length);
const u64 = (bytes: Uint8Array, at: number): number => Number(Buffer.from(bytes).readBigUInt64LE(at));

t.test('every field is where the documentation of the format says', async (t) => {
  const bytes = encodeMetadata(METADATA);
  t.equal(bytes.length, 512);
  t.equal(METADATA_BYTES, 512);
  t.equal(Buffer.from(bytes).toString('latin1', 0, 8), 'TDRMETA1');
  t.equal(hexOf(bytes, 12, 4), '00000000');
  t.equal(u64(bytes, 16), METADATA.update);
  t.equal(hexOf(bytes, 24, 16), METADATA.diskId);
  t.same(
    [40, 48, 56, 64].map((at) => u64(bytes, at)),
    [METADATA.sectors, 3, 4, 0x5_0000_0005],
  );
  t.equal(hexOf(bytes, 72, 8), ['02000000', '80000000'].join(''));
  t.equal(hexOf(bytes, 80, 8), METADATA.generation);
  t.same(
    [88, 96, 104].map((at) => u64(bytes, at)),
    [6, 7, 8],
  );
  t.equal(hexOf(bytes, 112, 16), METADATA.resyncId + METADATA.mapSalt);
  t.equal(u64(bytes, 128), 9);
  t.equal(hexOf(bytes, 136, 8), ['02000000', '00000000'].join(''));
  for (const [index, { generation, low, high }] of METADATA.ancestors.entries()) {
    const at = 144 + 24 * index;
    t.same([hexOf(bytes, at, 8), u64(bytes, at + 8), u64(bytes, at + 16)], [generation, low, high]);
  }
  t.equal(hexOf(bytes, 192, 320), '00'.repeat(320));
});

t.test('what was written is read again', async (t) => {
  t.same(decodeMetadata(encodeMetadata(METADATA)), METADATA);
  const primary: Metadata = {
    ...METADATA,
    role: 'primary',
    image: undefined,
    diskId: NO_DISK,
    generation: NO_ID,
    ancestors: [],
  };
  t.same(decodeMetadata(encodeMetadata(primary)), primary, 'what is not there, too');
  t.equal(hexOf(encodeMetadata(primary), 48, 24), '00'.repeat(24), 'no image is all zeroes');
});

for (const [flag, bit] of Object.entries(FLAGS)) {
  t.test(`${flag} is the flag ${bit}`, async (t) => {
    const bytes = encodeMetadata({ ...METADATA, [flag]: true });
    t.equal(Buffer.from(bytes).readUInt32LE(12), bit);
    t.same(decodeMetadata(bytes), { ...METADATA, [flag]: true });
  });
}

t.test('of more than eight ancestors the youngest are kept', async (t) => {
  const ancestors = Array.from({ length: 9 }, (_, index) => ({
    generation: `${index}`.repeat(16),
    low: index,
    high: index,
  }));
  t.same(decodeMetadata(encodeMetadata({ ...METADATA, ancestors }))?.ancestors, ancestors.slice(0, 8));
});

t.test('a record with an unknown role, or more than eight ancestors, is none', async (t) => {
  for (const [at, value, sound] of [
    [72, 0, false],
    [72, 1, true],
    [72, 3, false],
    [136, 8, true],
    [136, 9, false],
  ] as const) {
    const bytes = encodeMetadata(METADATA);
    new Fields(bytes, at).putU32(value);
    t.equal(decodeMetadata(bytes), undefined, 'without its crc');
    seal(bytes);
    t.equal(decodeMetadata(bytes) !== undefined, sound, `${value} at ${at}`);
  }
});
