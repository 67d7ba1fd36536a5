// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { ImageIdentity } from '../local-disk.js';
import { MAX_ANCESTORS, type Reach } from '../standing.js';
import { Fields, isSealed, seal } from './fields.js';

/** What a side remembers of itself; the format is in docs/replication-protocol.md. */
export interface Metadata {
  /** Counts the updates. */
  readonly update: number;
  /** 32 hexadecimal digits, all 0 for a backup that never had a primary. */
  readonly diskId: string;
  readonly sectors: number;
  /** What the image was when it was bound; undefined: not a file. */
  readonly image: ImageIdentity | undefined;
  readonly role: 'primary' | 'backup';
  readonly grainSectors: number;
  /** 16 hexadecimal digits; {@link NO_ID} before there is one. */
  readonly generation: string;
  readonly sent: number;
  /** Primary: acked; backup: the epoch that the image has at least. */
  readonly acked: number;
  readonly firstLiveSegment: number;
  /** A first sync that was begun; {@link NO_ID} with a state. */
  readonly resyncId: string;
  /** Backup: the image has all of the journal's checkpoints up to this number, durably. */
  readonly appliedCheckpoint: number;
  readonly mapSalt: string;
  readonly ancestors: readonly Reach[];
  readonly promoted: boolean;
  readonly stale: boolean;
  readonly splitBrain: boolean;
  /** The peer was an own one: it must stay one. */
  readonly peerIsOwn: boolean;
  readonly hasState: boolean;
  /** The image was closed in order, and has not been written since. */
  readonly clean: boolean;
  readonly inconsistent: boolean;
  readonly listens: boolean;
  readonly rejoining: boolean;
}

export const NO_ID = '0'.repeat(16);
export const NO_DISK = '0'.repeat(32);

/** How the metadata say that the image is not a file. */
const NO_IMAGE: ImageIdentity = { fileSystem: 0, inode: 0, modifiedMicroseconds: 0 };

const MAGIC = 'TDRMETA1';
export const METADATA_BYTES = 512;
const ROLES = ['primary', 'backup'] as const;
const FLAGS = [
  'promoted',
  'stale',
  'splitBrain',
  'peerIsOwn',
  'hasState',
  'clean',
  'inconsistent',
  'listens',
  'rejoining',
] as const satisfies readonly (keyof Metadata)[];

export function encodeMetadata(metadata: Metadata): Uint8Array {
  const bytes = new Uint8Array(METADATA_BYTES);
  const { image = NO_IMAGE, ancestors } = metadata;
  let flags = 0;
  for (const [bit, flag] of FLAGS.entries()) if (metadata[flag]) flags |= 1 << bit;
  const fields = new Fields(bytes)
    .putText(MAGIC)
    .putU32(0)
    .putU32(flags)
    .putU64(metadata.update)
    .putHex(metadata.diskId)
    .putU64(metadata.sectors)
    .putU64(image.fileSystem)
    .putU64(image.inode)
    .putU64(image.modifiedMicroseconds)
    .putU32(ROLES.indexOf(metadata.role) + 1)
    .putU32(metadata.grainSectors)
    .putHex(metadata.generation)
    .putU64(metadata.sent)
    .putU64(metadata.acked)
    .putU64(metadata.firstLiveSegment)
    .putHex(metadata.resyncId)
    .putHex(metadata.mapSalt)
    .putU64(metadata.appliedCheckpoint)
    .putU32(Math.min(ancestors.length, MAX_ANCESTORS))
    .skip(4);
  for (const { generation, low, high } of ancestors.slice(0, MAX_ANCESTORS)) {
    fields.putHex(generation).putU64(low).putU64(high);
  }
  seal(bytes);
  return bytes;
}

/** The record of a copy, or undefined for one that is damaged. */
export function decodeMetadata(bytes: Uint8Array): Metadata | undefined {
  if (!isSealed(bytes, MAGIC)) return undefined;
  const fields = new Fields(bytes, MAGIC.length + 4);
  const flags = fields.getU32();
  const isSet = (flag: (typeof FLAGS)[number]): boolean => (flags & (1 << FLAGS.indexOf(flag))) !== 0;
  const update = fields.getU64();
  const diskId = fields.getHex(16);
  const sectors = fields.getU64();
  const image = {
    fileSystem: fields.getU64(),
    inode: fields.getU64(),
    modifiedMicroseconds: fields.getU64(),
  };
  const role = ROLES[fields.getU32() - 1];
  const grainSectors = fields.getU32();
  const generation = fields.getHex(8);
  const sent = fields.getU64();
  const acked = fields.getU64();
  const firstLiveSegment = fields.getU64();
  const resyncId = fields.getHex(8);
  const mapSalt = fields.getHex(8);
  const appliedCheckpoint = fields.getU64();
  const count = fields.getU32();
  fields.skip(4);
  if (role === undefined || count > MAX_ANCESTORS) return undefined;
  const ancestors = Array.from({ length: count }, () => ({
    generation: fields.getHex(8),
    low: fields.getU64(),
    high: fields.getU64(),
  }));
  return {
    update,
    diskId,
    sectors,
    image: image.inode === 0 ? undefined : image,
    role,
    grainSectors,
    generation,
    sent,
    acked,
    firstLiveSegment,
    resyncId,
    appliedCheckpoint,
    mapSalt,
    ancestors,
    promoted: isSet('promoted'),
    stale: isSet('stale'),
    splitBrain: isSet('splitBrain'),
    peerIsOwn: isSet('peerIsOwn'),
    hasState: isSet('hasState'),
    clean: isSet('clean'),
    inconsistent: isSet('inconsistent'),
    listens: isSet('listens'),
    rejoining: isSet('rejoining'),
  };
}
