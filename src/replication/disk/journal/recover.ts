// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { damaged } from '../state-file.js';
import type { JournalStart } from './journal.js';
import {
  hasTableCrc,
  openRecordHeader,
  type RecordExtent,
  recordExtents,
  type RecordHeader,
} from './record.js';
import { NOTHING, type SegmentFile } from './segment-file.js';
import { BLOCK, FIRST_RECORD_AT, type Marker, type SegmentEnd } from './segment-format.js';

/** A record that was committed, or was dropped by an abort before. */
export interface RecoveredRecord {
  readonly header: RecordHeader;
  readonly extents: readonly RecordExtent[];
  readonly file: SegmentFile;
  /** Of the record in its file. */
  readonly position: number;
}

/** What a journal's files say that is committed. */
export interface Recovered {
  readonly start: JournalStart;
  /** The newest; undefined: nothing since the segments before the first live one. */
  readonly marker: Marker | undefined;
}

/**
 * Reads all that is committed and not known to be on the image, oldest first.
 *
 * @param take called for each record
 * @throws (rejects with) StateError: -EBADMSG for a record that is not what was committed, or a file call's error
 */
export async function recoverJournal(
  files: readonly [SegmentFile, SegmentFile],
  firstLive: number,
  take: (record: RecoveredRecord) => void,
): Promise<Recovered> {
  const committed = files.flatMap((file) => {
    const marker = file.segment >= firstLive ? file.newestMarker : undefined;
    return marker === undefined ? [] : [{ file, marker }];
  });
  const newest = committed.toSorted((a, b) => b.file.segment - a.file.segment)[0];
  const sequence = Math.max(...files.flatMap(({ markers }) => markers.map((one) => one.sequence)));
  if (newest === undefined) {
    return { start: { current: undefined, firstLive, sequence }, marker: undefined };
  }
  const { file: current, marker } = newest;
  const { previous, segment } = current;
  if (previous.end !== NOTHING.end && segment > firstLive) {
    const before = files.find((file) => file.segment === segment - 1);
    if (before === undefined) {
      throw damaged(current.file.path, `segment ${segment - 1}, which it follows, is in neither file`);
    }
    await readRecords(before, previous, take);
    before.at = previous;
  }
  await readRecords(current, marker.at, take);
  current.at = marker.at;
  return { start: { current, firstLive, sequence }, marker };
}

async function readRecords(
  file: SegmentFile,
  until: SegmentEnd,
  take: (record: RecoveredRecord) => void,
): Promise<void> {
  const { path } = file.file;
  const { salt, segment } = file;
  if (until.end > file.bytes) throw damaged(path, `its records end at ${until.end}, after the file`);
  let position = FIRST_RECORD_AT;
  let chain = salt;
  for (let number = 0; number < until.records; number++) {
    const block = new Uint8Array(BLOCK);
    await file.file.readAt(position, block);
    const opened = openRecordHeader(block, { salt, chain });
    if (opened?.header.number !== number || opened.header.segment !== segment) {
      throw damaged(path, `the record at ${position} is not the one that was committed`);
    }
    const { header, tableCrc } = opened;
    if (position + header.bytes > until.end) throw damaged(path, `the record at ${position} is too long`);
    const record = new Uint8Array(header.bytes);
    await file.file.readAt(position, record);
    const extents = hasTableCrc(record, tableCrc) ? recordExtents(record, header.extents) : undefined;
    if (extents === undefined) throw damaged(path, `the content of the record at ${position} is wrong`);
    chain = opened.chain;
    take({ header, extents, file, position });
    position += header.bytes;
  }
  if (position !== until.end || chain !== until.chain) {
    throw damaged(path, `the records up to ${position} are not those that were committed`);
  }
}
