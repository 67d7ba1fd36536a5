// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { closeSync, fstatSync, lstatSync, unlinkSync, writeSync } from 'node:fs';
import { openOwnFile, readWholeFile } from '../server/own-file.js';

/** Everyone may read it. */
const MODE = 0o644;
/** A number, perhaps with a line end, is no longer; what else is in a file is not to be lost. */
const NUMBER = {
  what: 'a pid file',
  bytes: 32,
  isSuch: (start: Buffer) => /^[0-9]{1,20}\s{0,2}$/.test(start.toString('latin1')),
};

/** A file with the number of a process, for as long as that runs. */
export class PidFile implements Disposable {
  readonly #path: string;
  readonly #text: string;
  #fd: number;

  /** Writes it, as `openOwnFile` opens it. @throws Error when it cannot be written */
  constructor(path: string, pid: number) {
    this.#path = path;
    this.#text = `${pid}\n`;
    this.#fd = openOwnFile(path, { mode: MODE, replaces: NUMBER });
    try {
      writeSync(this.#fd, this.#text);
    } catch (error) {
      // An empty file would be no pid file to whoever reads it.
      if (this.#isThere()) unlinkSync(this.#path);
      closeSync(this.#fd);
      throw error;
    }
  }

  /** Removes it, unless it is another's by now: another file, or with another number. Idempotent. @throws node:fs's own error */
  [Symbol.dispose](): void {
    if (this.#fd < 0) return;
    try {
      if (this.#isOurs()) unlinkSync(this.#path);
    } finally {
      closeSync(this.#fd);
      this.#fd = -1;
    }
  }

  #isOurs(): boolean {
    return this.#isThere() && readWholeFile(this.#path).toString() === this.#text;
  }

  /** Whether the path still leads to the file, and it is one that can be removed. */
  #isThere(): boolean {
    const own = fstatSync(this.#fd, { bigint: true });
    const found = lstatSync(this.#path, { bigint: true, throwIfNoEntry: false });
    return own.isFile() && found?.dev === own.dev && found.ino === own.ino;
  }
}
