// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { constants } from 'node:fs';
import { SECTOR_SIZE, type SectorRange } from '../../../driver.js';
import type { ReadHoles } from '../../../../posix/file-holes.js';
import { writeWhole } from '../../../../posix/whole-transfer.js';
import type { HoleRanges } from '../../hole-ranges.js';
import { holesOf } from '../file-holes.js';
import { type DiskCalls, type DiskExtent, VhdDisk } from '../disk.js';
import { ImageFile, result } from '../image-file.js';
import { openToRead, type ParentRules } from '../parent-search.js';
import { immediate, type Steps, wait } from '../steps.js';
import type { CopyControl, WriteSectors } from './block-copy.js';
import { createImage } from './create.js';
import { createFile } from './create-file.js';
import type { ImageFormat } from './image-formats.js';

export interface ConvertOptions extends ParentRules, CopyControl {
  readonly source: string;
  /** A VHD is read with its parents. */
  readonly sourceFormat: 'raw' | 'vhd';
  /** Must not exist. */
  readonly target: string;
  readonly targetFormat: ImageFormat;
  /** For a VHD: 16 bytes. */
  readonly uuid: Uint8Array;
  readonly unixSeconds: number;
  /** Finds the holes of a raw or fixed source, or of such a root of its chain: they are not read. Without it everything is. */
  readonly readHoles?: ReadHoles;
}

export interface ConvertResult {
  /** Of the disk, in bytes. */
  readonly size: number;
  /** How much was not zeroes. */
  readonly writtenBytes: number;
}

/** How much is read at once. */
const WINDOW_SECTORS = 4096;
/** How much is looked at for holes at once. */
const LOOK_SECTORS = 32 * WINDOW_SECTORS;
/** Zeroes are left out in pieces of what file systems allocate. */
const GRAIN_BYTES = 4096;
const zeroes = new Uint8Array(GRAIN_BYTES);

/** The disk that is converted. */
interface Source {
  readonly sectors: number;
  extents(sector: number, sectors: number): Steps<readonly DiskExtent[]>;
  read(sector: number, sectors: number): Steps<Uint8Array>;
  /** All of it is still there, also what was not read. @throws FileError */
  check(): Steps<void>;
}

/**
 * Copies a disk into a new file of a format; what is zeroes takes no room there. Without its end there is no file: one that
 * stops or fails is deleted.
 *
 * @returns undefined when it stopped
 * @throws VhdError, FileError
 */
export function* convert(calls: DiskCalls, options: ConvertOptions): Steps<ConvertResult | undefined> {
  const { target } = options;
  let isMade = false;
  let copied: ConvertResult | undefined;
  try {
    copied = yield* withSource(calls, options, function* (source) {
      yield* makeTarget(calls, options, source.sectors * SECTOR_SIZE);
      isMade = true;
      const all = yield* withTarget(calls, options, (write) =>
        copy(source, { path: target, write }, options),
      );
      yield* source.check();
      return all;
    });
  } finally {
    if (isMade && !copied) yield* wait<number>((done) => calls.files.unlink(target, done));
  }
  return copied;
}

function* makeTarget(calls: DiskCalls, options: ConvertOptions, size: number): Steps<void> {
  const { target: path, targetFormat, uuid, unixSeconds } = options;
  if (targetFormat === 'raw') {
    yield* createFile(calls, path, function* (file) {
      yield* file.truncate(size);
    });
  } else {
    yield* createImage(calls, { path, size, isFixed: targetFormat === 'vhd-fixed', uuid, unixSeconds });
  }
}

function* withSource<T>(
  calls: DiskCalls,
  options: ConvertOptions,
  use: (source: Source) => Steps<T>,
): Steps<T> {
  const { source: path } = options;
  if (options.sourceFormat === 'raw') {
    const file = yield* openToRead(calls, path);
    try {
      return yield* use(rawSource(file, yield* holesOf(file, options.readHoles)));
    } finally {
      yield* file.close();
    }
  }
  const disk = yield* VhdDisk.open(calls, path, { ...options, readOnly: true });
  try {
    if (options.readHoles) yield* disk.findHoles(options.readHoles);
    return yield* use(diskSource(disk, path));
  } finally {
    yield* disk.close();
  }
}

/** The sector that the file's end cuts belongs to the disk; the rest of it is zeroes. */
function rawSource(file: ImageFile, holes: HoleRanges): Source {
  return {
    sectors: Math.ceil(file.length / SECTOR_SIZE),
    extents: (sector, sectors) => immediate([...allocatedIn(holes, sector, sectors)]),
    *read(sector, sectors) {
      const position = sector * SECTOR_SIZE;
      const bytes = new Uint8Array(sectors * SECTOR_SIZE);
      bytes.set(yield* file.readWhole(position, Math.min(bytes.length, file.length - position)));
      return bytes;
    },
    check: () => file.checkLength(file.length),
  };
}

/** All extents of a range, of holes or not. */
function* allocatedIn(
  holes: HoleRanges,
  start: number,
  sectors: number,
): Generator<DiskExtent, void, undefined> {
  const end = start + sectors;
  for (let sector = start; sector < end;) {
    for (const extent of holes.extents({ sector, sectors: end - sector })) {
      yield { sector, sectors: extent.sectors, isAllocated: extent.allocated };
      sector += extent.sectors;
    }
  }
}

function diskSource(disk: VhdDisk, path: string): Source {
  return {
    sectors: disk.sectors,
    *extents(sector, sectors) {
      let extents: readonly DiskExtent[] = [];
      yield* result(path, 'read', (done) =>
        disk.extents({ sector, sectors }, (code, found) => {
          extents = found;
          done(code);
        }),
      );
      return extents;
    },
    *read(sector, sectors) {
      const buffer = new Uint8Array(sectors * SECTOR_SIZE);
      yield* result(path, 'read', (done) => disk.read({ sector, sectors, buffer, complete: done }, done));
      return buffer;
    },
    check: () => disk.checkRoot(),
  };
}

function* withTarget<T>(
  calls: DiskCalls,
  { target, targetFormat }: ConvertOptions,
  use: (write: WriteSectors) => Steps<T>,
): Steps<T> {
  if (targetFormat === 'raw') {
    const file = yield* ImageFile.open(calls, target, constants.O_RDWR);
    try {
      const used = yield* use((sector, bytes, done) =>
        writeWhole(calls.files, file.fd, bytes, sector * SECTOR_SIZE, done),
      );
      yield* file.sync();
      return used;
    } finally {
      yield* file.close();
    }
  }
  const disk = yield* VhdDisk.open(calls, target, { readOnly: false, answersEarly: true });
  try {
    return yield* use((sector, buffer, done) =>
      disk.write({ sector, sectors: buffer.length / SECTOR_SIZE, buffer, complete: done }, done),
    );
  } finally {
    yield* disk.close();
  }
}

function* copy(
  source: Source,
  target: { readonly path: string; readonly write: WriteSectors },
  { onProgress, shouldStop }: CopyControl,
): Steps<ConvertResult | undefined> {
  let writtenBytes = 0;
  let doneSectors = 0;
  const show = (end: number): void => {
    if (end > doneSectors) onProgress?.(end, source.sectors);
    doneSectors = end;
  };
  for (let at = 0; at < source.sectors; at += LOOK_SECTORS) {
    const end = Math.min(at + LOOK_SECTORS, source.sectors);
    for (const { sector, sectors } of windowsOf(yield* source.extents(at, end - at))) {
      if (shouldStop?.()) return undefined;
      const bytes = yield* source.read(sector, sectors);
      for (const [from, to] of runsOfData(bytes)) {
        const part = bytes.subarray(from, to);
        const first = sector + from / SECTOR_SIZE;
        yield* result(target.path, 'write', (done) => target.write(first, part, done));
        writtenBytes += part.length;
      }
      show(sector + sectors);
    }
    if (shouldStop?.()) return undefined;
    show(end);
  }
  return { size: source.sectors * SECTOR_SIZE, writtenBytes };
}

/** What is allocated, in parts that no border of a window is in. */
function* windowsOf(extents: readonly DiskExtent[]): Generator<SectorRange, void, undefined> {
  for (const extent of extents) {
    const end = extent.isAllocated ? extent.sector + extent.sectors : extent.sector;
    for (let { sector } = extent; sector < end;) {
      const next = Math.min((Math.floor(sector / WINDOW_SECTORS) + 1) * WINDOW_SECTORS, end);
      yield { sector, sectors: next - sector };
      sector = next;
    }
  }
}

/** The parts that are not zeroes, in bytes. */
function* runsOfData(bytes: Uint8Array): Generator<[from: number, to: number], void> {
  let from = -1;
  for (let at = 0; at < bytes.length; at += GRAIN_BYTES) {
    const grain = bytes.subarray(at, at + GRAIN_BYTES);
    const isZero = Buffer.compare(grain, zeroes.subarray(0, grain.length)) === 0;
    if (!isZero && from < 0) from = at;
    if (isZero && from >= 0) {
      yield [from, at];
      from = -1;
    }
  }
  if (from >= 0) yield [from, bytes.length];
}
