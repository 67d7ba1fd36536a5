// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { errno } from '../posix/errno.js';
import { SystemError } from '../posix/system-error.js';
import { Completions } from '../server/completions.js';
import { DriverRegistrar } from './driver-calls.js';
import type { DiskInfo, Driver, DriverContext, OpenFlags } from './driver.js';
import type { DriverTypes } from './stack.js';
import { Vbd } from './vbd.js';

/** How many VBDs a daemon may have. */
export const MAX_VBDS = 256;
/** The cookie that means all VBDs; no VBD may have it. */
export const ALL_MINORS = 0xffff;
/** How many requests a VBD's driver has at once, unless said otherwise. */
export const DEFAULT_MAX_IN_FLIGHT = 128;
/** How many requests may wait in a VBD. */
export const MAX_WAITING = 65_536;

/** What a registry of VBDs works with. */
export interface VbdRegistryOptions extends Omit<DriverContext, 'completions'> {
  readonly types: DriverTypes;
  readonly maxInFlight?: number;
}

type OpeningListener = (vbd: Vbd, drivers: readonly Driver[]) => void;

/** A VBD as LIST reports it. */
export interface VbdDescription {
  readonly minor: number;
  readonly state: number;
  readonly name: string;
}

/**
 * The VBDs of a daemon by their minor number, and what the control socket asks of them.
 *
 * attach and detach return 0 or a negative errno; the others are promises that reject with a SystemError. EINVAL when
 * there is no such minor.
 */
export class VbdRegistry implements Disposable {
  readonly completions: Completions;
  readonly #options: VbdRegistryOptions;
  readonly #vbds = new Map<number, Vbd>();
  readonly #openingListeners = new Set<OpeningListener>();

  /** Throws an Error with an errno's name as `code` when there is no descriptor or event left. */
  constructor(options: VbdRegistryOptions) {
    this.#options = options;
    this.completions = new Completions(options.registrar, options.posix, options.logger);
  }

  /** A new, closed VBD. -EEXIST when the minor is attached, -EINVAL unless 0 to 65534, -ENOMEM past {@link MAX_VBDS}. */
  attach(minor: number): number {
    if (!Number.isInteger(minor) || minor < 0 || minor >= ALL_MINORS) return -errno.EINVAL;
    if (this.#vbds.has(minor)) return -errno.EEXIST;
    if (this.#vbds.size === MAX_VBDS) return -errno.ENOMEM;
    const { registrar, posix, logger, types, maxInFlight = DEFAULT_MAX_IN_FLIGHT } = this.#options;
    const context: DriverContext = {
      registrar: new DriverRegistrar(registrar, logger),
      posix,
      logger,
      completions: this.completions,
    };
    const onOpening: OpeningListener = (vbd, drivers) => {
      for (const listener of this.#openingListeners) listener(vbd, drivers);
    };
    const options = { context, types, maxInFlight, maxWaiting: MAX_WAITING, onOpening };
    this.#vbds.set(minor, new Vbd(minor, options));
    return 0;
  }

  /** Forgets a closed VBD. -EBUSY when it is not closed. */
  detach(minor: number): number {
    const vbd = this.#vbds.get(minor);
    if (!vbd) return -errno.EINVAL;
    const result = vbd.kill();
    if (result === 0) this.#vbds.delete(minor);
    return result;
  }

  /** {@link Vbd.open}. */
  async open(minor: number, name: string, flags: OpenFlags): Promise<void> {
    await this.#attached(minor).open(name, flags);
  }
  /** {@link Vbd.close}. */
  async close(minor: number): Promise<void> {
    await this.#attached(minor).close();
  }
  /** {@link Vbd.pause}. */
  async pause(minor: number): Promise<void> {
    await this.#attached(minor).pause();
  }
  /** {@link Vbd.resume}. */
  async resume(minor: number, name?: string): Promise<void> {
    await this.#attached(minor).resume(name);
  }

  /** {@link Vbd.resize}. */
  resize(minor: number): Promise<DiskInfo> {
    return this.#attached(minor).resize();
  }

  /** Calls `listener` with the drivers of each image, before they are opened; returns how to stop that. */
  onOpening(listener: OpeningListener): () => void {
    this.#openingListeners.add(listener);
    return () => this.#openingListeners.delete(listener);
  }

  get(minor: number): Vbd | undefined {
    return this.#vbds.get(minor);
  }
  /** In the order in which they were attached. */
  vbds(): readonly Vbd[] {
    return [...this.#vbds.values()];
  }
  list(): readonly VbdDescription[] {
    return this.vbds().map(({ minor, state, name }) => ({ minor, state, name }));
  }

  /** Lets go of the registry's descriptor. The VBDs should be closed: requests that are in flight never complete. */
  [Symbol.dispose](): void {
    this.completions[Symbol.dispose]();
  }

  /** @throws SystemError EINVAL when there is none */
  #attached(minor: number): Vbd {
    const vbd = this.#vbds.get(minor);
    if (vbd) return vbd;
    const minors = [...this.#vbds.keys()].join(', ');
    const there = minors === '' ? 'nothing is attached' : `attached: ${minors}`;
    throw new SystemError(errno.EINVAL, `minor ${minor} is not attached; ${there}`);
  }
}
