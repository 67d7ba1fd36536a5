// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Completions } from '../disks/index.js';
import { parsePskFile, pskServer, type TlsServer, tlsServer } from '../nbd/index.js';
import type { NodeObjects, SecuredDone } from '../posix/node/start-tls.js';
import { readWholeFile } from '../server/own-file.js';
import type { TlsOptions } from './daemon-options.js';

/** TLS by files, which can be read again. */
export class TlsFiles implements TlsServer {
  readonly #options: TlsOptions;
  readonly #posix: NodeObjects;
  readonly #completions: Completions;
  #current: TlsServer;

  /** @throws Error that names the files and says what is wrong */
  constructor(options: TlsOptions, posix: NodeObjects, completions: Completions) {
    this.#options = options;
    this.#posix = posix;
    this.#completions = completions;
    this.#current = this.#read();
  }

  secure(fd: number, done: SecuredDone): () => void {
    return this.#current.secure(fd, done);
  }

  /** Clients that connect from now on get what the files have now. @throws Error, as at first; all stays as it is then */
  reload(): void {
    this.#current = this.#read();
  }

  #read(): TlsServer {
    try {
      return this.#made();
    } catch (cause) {
      throw new Error(`${this.#names()} cannot be used: ${(cause as Error).message}`, { cause });
    }
  }

  #made(): TlsServer {
    const options = this.#options;
    const { minVersion } = options;
    const version = minVersion === undefined ? {} : { minVersion };
    if ('psk' in options) {
      const keys = parsePskFile(readWholeFile(options.psk).toString());
      return pskServer(this.#posix, this.#completions, { keys, ...version });
    }
    const { cert, key, ca, allow } = options;
    return tlsServer(this.#posix, this.#completions, {
      cert: readWholeFile(cert),
      key: readWholeFile(key),
      ...(ca !== undefined && { ca: readWholeFile(ca) }),
      ...(allow !== undefined && { allow }),
      ...version,
    });
  }

  #names(): string {
    const options = this.#options;
    if ('psk' in options) return `--tls-psk ${options.psk}`;
    const { cert, key, ca } = options;
    return `--tls-cert ${cert} and --tls-key ${key}${ca === undefined ? '' : ` and --tls-ca ${ca}`}`;
  }
}
