// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { BlockDevice, type DiskInfo, type Done, SECTOR_SIZE } from '../disks/index.js';
import type { CheckpointView } from '../replication/disk/disk-replication.js';
import type { RequestParts } from '../disks/request.js';

/** A committed checkpoint as a read-only disk. */
export class CheckpointDevice extends BlockDevice {
  readonly readOnly = true;
  readonly canDiscard = false;
  readonly info: DiskInfo;
  readonly #view: CheckpointView;
  #isOpen = true;

  constructor(view: CheckpointView) {
    super();
    this.#view = view;
    this.info = { sectors: view.sectors, sectorSize: SECTOR_SIZE, info: 0 };
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Lets go of the checkpoint. */
  close(): void {
    this.#isOpen = false;
    this.#view.close();
  }

  /** As it is read-only, no change gets here: reads have a buffer, flushes and questions about its blocks have none. */
  protected override enqueue({ sector, buffer }: RequestParts, done: Done): void {
    if (buffer === undefined) done(0);
    else this.#view.read(sector, buffer, done);
  }
}
