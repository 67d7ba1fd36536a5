// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { BlockDevice } from './block-device.js';
import type { DiskInfo, Done } from './driver.js';
import type { EdgeOrder } from './edge-order.js';
import type { RequestParts } from './request.js';

/** Takes in a request of one client. */
export type ClientEnqueue = (parts: RequestParts, done: Done, client: object) => void;

/** A disk as one of its clients sees it: the disk itself, whose requests are known as that client's. */
export class ClientDevice extends BlockDevice {
  readonly #device: BlockDevice;
  readonly #enqueue: ClientEnqueue;

  /** @param order the one of the device: changes of parts of a sector exclude each other across clients */
  constructor(device: BlockDevice, order: EdgeOrder, enqueue: ClientEnqueue) {
    super(order);
    this.#device = device;
    this.#enqueue = enqueue;
  }

  override get isOpen(): boolean {
    return this.#device.isOpen;
  }
  override get readOnly(): boolean {
    return this.#device.readOnly;
  }
  override get info(): DiskInfo {
    return this.#device.info;
  }
  override get canDiscard(): boolean {
    return this.#device.canDiscard;
  }

  protected override enqueue(parts: RequestParts, done: Done): void {
    this.#enqueue(parts, done, this);
  }
}
