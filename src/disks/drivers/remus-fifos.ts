// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { errno, errnoCode } from '../../posix/errno.js';
import type { FileCalls, FileDone } from '../../posix/files.js';
import { ControlFifo, type ControlFifoParts } from '../../replication/disk/control-fifo.js';

/** Where the C driver has its FIFOs. */
export const FIFO_DIRECTORY = '/var/run/tap';
/** Only for the owner; C's are for everybody, less the umask. */
export const FIFO_MODE = 0o600;
export const C_FIFO_MODE = 0o777;
const DIRECTORY_MODE = 0o755;

/** Opens a FIFO, which is made if it is missing, and completes with a descriptor or a negative errno. */
export type OpenFifo = (path: string, end: 'read' | 'write', mode: number, done: FileDone) => void;

export interface RemusFifosParts extends Omit<ControlFifoParts, 'commands' | 'answers'> {
  readonly files: FileCalls;
  readonly openFifo: OpenFifo;
  readonly directory: string;
  readonly mode: number;
  /** HOST:PORT, which the names are made of. */
  readonly address: string;
}

/** The two FIFOs of a disk, for checkpoint control as in the C driver; see {@link ControlFifo}. */
export class RemusFifos {
  readonly #files: FileCalls;
  readonly #paths: readonly string[];
  readonly #control: ControlFifo;

  private constructor(files: FileCalls, paths: readonly string[], control: ControlFifo) {
    this.#files = files;
    this.#paths = paths;
    this.#control = control;
  }

  /** Completes with 0 and the FIFOs, or with a negative errno and what could not be done. */
  static open(
    parts: RemusFifosParts,
    done: (result: number, fifos?: RemusFifos, reason?: string) => void,
  ): void {
    const { files, openFifo, directory, mode, address, posix } = parts;
    const commandPath = `${directory}/remus_${address.replaceAll(/[:/]/g, '_')}`;
    const answerPath = `${commandPath}.msg`;
    const failed = (what: string, result: number): void =>
      done(result, undefined, `cannot ${what}: ${errnoCode(result)}`);
    files.mkdir(directory, DIRECTORY_MODE, (made) => {
      if (made < 0 && made !== -errno.EEXIST) {
        failed(`make ${directory}`, made);
        return;
      }
      openFifo(commandPath, 'read', mode, (commands) => {
        if (commands < 0) {
          failed(`open ${commandPath}`, commands);
          return;
        }
        openFifo(answerPath, 'write', mode, (answers) => {
          if (answers < 0) {
            posix.close(commands);
            files.unlink(commandPath, () => failed(`open ${answerPath}`, answers));
            return;
          }
          const control = new ControlFifo({ ...parts, commands, answers });
          done(0, new RemusFifos(files, [commandPath, answerPath], control));
        });
      });
    });
  }

  /** Removes them. */
  close(done: () => void): void {
    this.#control.close();
    let left = this.#paths.length;
    for (const path of this.#paths) {
      // Somebody else may have removed it: then there is nothing to do.
      this.#files.unlink(path, () => {
        left -= 1;
        if (left === 0) done();
      });
    }
  }
}
