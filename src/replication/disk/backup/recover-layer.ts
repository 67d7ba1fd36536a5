// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { recoverJournal, type Recovered } from '../journal/recover.js';
import type { SegmentFile } from '../journal/segment-file.js';
import { NO_ID } from '../format/metadata-record.js';
import { Layer } from './layer.js';
import { RecordPiece } from './record-piece.js';
import { SectorMap } from './sector-map.js';
import type { ResyncSlots } from './checkpoint-store.js';

export interface RecoveredLayer extends Recovered {
  /** All that is committed and not known to be on the image; undefined: nothing. */
  readonly layer: Layer | undefined;
  /** The last checkpoint number in the journal. */
  readonly lastNumber: number;
  /** Whether the marker's resync file is needed. */
  readonly needsResync: boolean;
}

/**
 * Puts together what was committed, from the journal and the resync file that its newest marker names.
 *
 * @param applied the image has the checkpoints up to this number: they must not be written over later ones again
 * @param loadSlots reads that file, whose table has to have the given crc
 * @throws (rejects with) StateError for damage, or what `loadSlots` throws
 */
export async function recoverLayer(
  files: readonly [SegmentFile, SegmentFile],
  firstLive: number,
  applied: number,
  loadSlots: (id: string, crc: number) => Promise<ResyncSlots>,
): Promise<RecoveredLayer> {
  /** The committed checkpoints by number, ascending. */
  const checkpoints = new Map<number, SectorMap>();
  let firstSegment = Infinity;
  let lastNumber = applied;
  const recovered = await recoverJournal(files, firstLive, ({ header, extents, file, position }) => {
    lastNumber = Math.max(lastNumber, header.checkpoint);
    firstSegment = Math.min(firstSegment, file.segment);
    if (header.kind === 'abort') {
      checkpoints.delete(header.checkpoint);
      return;
    }
    const map = checkpoints.get(header.checkpoint) ?? new SectorMap();
    checkpoints.set(header.checkpoint, map);
    const piece = RecordPiece.stored(file, position);
    for (const { sector, sectors, dataAt } of extents) {
      if (dataAt < 0) map.set(sector, sector + sectors, undefined, 0);
      else map.set(sector, sector + sectors, piece, dataAt);
    }
  });
  const { marker } = recovered;
  if (marker === undefined) return { ...recovered, layer: undefined, lastNumber, needsResync: false };
  const needsResync = marker.resyncId !== NO_ID && marker.resyncCheckpoint > applied;
  const slots = needsResync ? await loadSlots(marker.resyncId, marker.resyncCrc) : undefined;
  lastNumber = Math.max(lastNumber, marker.resyncCheckpoint);
  const layer = new Layer(marker.epoch, lastNumber);
  layer.firstSegment = firstSegment;
  layer.resyncId = slots?.id;
  const isBefore = (number: number): boolean => needsResync && number < marker.resyncCheckpoint;
  for (const number of [...checkpoints.keys()]) if (number <= applied) checkpoints.delete(number);
  for (const [number, map] of checkpoints) if (isBefore(number)) layer.map.merge(map);
  if (slots) layer.map.merge(slots.map);
  for (const [number, map] of checkpoints) if (!isBefore(number)) layer.map.merge(map);
  return { ...recovered, layer, lastNumber, needsResync };
}
