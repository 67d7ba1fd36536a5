// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { BlockStatusExtent, DataRequest, Done } from './driver.js';
import type { RequestKind } from './request-kind.js';

const nothing = new Uint8Array(0);

/** What is asked of a VBD. */
export interface RequestParts {
  readonly kind: RequestKind | 'blockStatus';
  readonly sector: number;
  readonly sectors: number;
  readonly buffer?: Uint8Array;
  readonly noHole?: boolean;
  readonly forceUnitAccess?: boolean;
  /** Zeroes only where that is quicker than writing; block status only as far as it is known. */
  readonly fast?: boolean;
  /** Whether anybody still waits for the end of zeroes. */
  readonly isNeeded?: () => boolean;
  /** Called with what a range is made of, before its blockStatus completes; not called where all is data. */
  readonly onExtents?: (extents: readonly BlockStatusExtent[]) => void;
}

/** One request on its way through a VBD's queue (C: td_vbd_request_t). */
export class VbdRequest implements DataRequest {
  readonly kind: RequestParts['kind'];
  readonly sector: number;
  readonly sectors: number;
  readonly buffer: Uint8Array;
  readonly noHole: boolean;
  readonly fast: boolean;
  readonly isNeeded: RequestParts['isNeeded'];
  readonly onExtents: RequestParts['onExtents'];
  /** The change itself is done, and what is left of a forced one is to flush it. */
  flushing = false;
  readonly forceUnitAccess: boolean;
  /** Where it stands in the order in which the VBD was asked. */
  readonly sequence: number;
  /** Seconds of the clock at that moment. */
  readonly queuedAt: number;
  retries = 0;
  /** The next one in its client's line. */
  next: VbdRequest | undefined;
  /** The client, where clients take turns. */
  readonly client: object | undefined;
  readonly done: Done;
  /** The queue, once the request has been handed to a driver. */
  complete: Done = orphaned;

  constructor(parts: RequestParts, sequence: number, queuedAt: number, done: Done, client?: object) {
    this.kind = parts.kind;
    this.sector = parts.sector;
    this.sectors = parts.sectors;
    this.buffer = parts.buffer ?? nothing;
    this.noHole = parts.noHole ?? false;
    this.fast = parts.fast ?? false;
    this.isNeeded = parts.isNeeded;
    this.onExtents = parts.onExtents;
    this.forceUnitAccess = parts.forceUnitAccess ?? false;
    this.sequence = sequence;
    this.queuedAt = queuedAt;
    this.done = done;
    this.client = client;
  }

  get changes(): boolean {
    return this.kind !== 'read' && this.kind !== 'flush' && this.kind !== 'blockStatus';
  }

  /** Whether the order of the two shows: they share a sector and at least one changes it. */
  conflictsWith(other: VbdRequest): boolean {
    return (
      (this.changes || other.changes) &&
      this.sector < other.sector + other.sectors &&
      other.sector < this.sector + this.sectors
    );
  }
}

function orphaned(): never {
  throw new Error('a driver completed a request that it does not have');
}
