// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { SECTOR_SIZE } from '../../../src/disks/index.js';

interface Version {
  /** What each word of the sector is; undefined: zero, or what was there before. */
  readonly tag: number | undefined;
  isDone: boolean;
}

/** What may be in each sector of a disk after a crash, given what its user was told. */
export class SectorModel {
  /** Per sector: what was written, the oldest first; the first is sure to be there unless a later one is. */
  #versions: Version[][];
  #lastTag = 0;

  constructor(sectors: number) {
    this.#versions = Array.from({ length: sectors }, () => [{ tag: 0, isDone: true }]);
  }

  /** A word that is in no sector yet. */
  nextTag(): number {
    return ++this.#lastTag;
  }

  /** A write of sectors is asked for; what is returned is to be called when it has succeeded. */
  write(sector: number, count: number, tag: number): () => void {
    return this.#change(sector, count, tag);
  }

  /** The content of sectors is not needed any more. */
  discard(sector: number, count: number): void {
    this.#change(sector, count, undefined);
  }

  /** A flush is asked for; what is returned is to be called when it has succeeded. */
  flush(): () => void {
    const sure = this.#versions.map((versions) => versions.findLast(({ isDone }) => isDone));
    return () => {
      this.#versions = this.#versions.map((versions, sector) => {
        const from = versions.indexOf(sure[sector] as Version);
        return from <= 0 ? versions : versions.slice(from);
      });
    };
  }

  /** What of an image is not as it may be after a crash. The model goes on from what it is. */
  settle(image: Uint8Array, keepsWritten: boolean): string[] {
    const wrong = this.faults(image, keepsWritten);
    const words = wordsOf(image);
    this.#versions = this.#versions.map((_, sector) => [
      { tag: words.getUint32(sector * SECTOR_SIZE, true), isDone: true },
    ]);
    return wrong;
  }

  /**
   * What of an image is not as it may be after a crash.
   *
   * @param keepsWritten what has been written is sure to be there without a flush: nothing but the process has died
   */
  faults(image: Uint8Array, keepsWritten: boolean): string[] {
    const words = wordsOf(image);
    const wrong: string[] = [];
    for (const [sector, versions] of this.#versions.entries()) {
      const at = sector * SECTOR_SIZE;
      const found = words.getUint32(at, true);
      for (let word = 4; word < SECTOR_SIZE; word += 4) {
        if (words.getUint32(at + word, true) !== found) wrong.push(`sector ${sector} is a mixture`);
      }
      const from = keepsWritten ? versions.findLastIndex(({ isDone }) => isDone) : 0;
      const allowed = versions.slice(from).map(({ tag }) => tag);
      // A discard says nothing of what comes of it: zeroes, or any earlier state.
      const isDiscarded =
        allowed.includes(undefined) && (found === 0 || versions.some(({ tag }) => tag === found));
      if (!allowed.includes(found) && !isDiscarded)
        wrong.push(`sector ${sector} is ${found}, expected one of ${allowed.join(', ')}`);
    }
    return wrong;
  }

  #change(sector: number, count: number, tag: number | undefined): () => void {
    // A discard is never sure to have happened.
    const version: Version = { tag, isDone: false };
    for (let at = sector; at < sector + count; at++) this.#versions[at]?.push(version);
    return () => {
      version.isDone = true;
    };
  }
}

function wordsOf(image: Uint8Array): DataView {
  return new DataView(image.buffer, image.byteOffset, image.byteLength);
}
