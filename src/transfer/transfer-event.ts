// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Digest } from './wire.js';

/** What happens to a role, as it is reported to a person or a program. */
export type TransferEvent =
  | { readonly event: 'listening'; readonly address: string }
  | { readonly event: 'connecting'; readonly address: string }
  /** An attempt to connect failed, and another will follow, unless an event says that it was the last. */
  | {
      readonly event: 'retrying';
      readonly attempts: number;
      readonly code: string;
      readonly message: string;
      /** Where the attempt went, of a name that has several addresses. */
      readonly address?: string;
    }
  /** The backup closed the connection before anything was sent. */
  | { readonly event: 'turned-away'; readonly message: string }
  | { readonly event: 'established'; readonly peer: string }
  /** A connection from an address that is not allowed; it was reset. */
  | { readonly event: 'refused'; readonly peer: string }
  /** `confirmed`: both sides say that it is the same image. */
  | ({
      readonly event: 'complete';
      readonly confirmed: boolean;
      readonly seconds: number;
      /** Bytes a second. */
      readonly rate: number;
      /** Where the image came from, or where the copy is. */
      readonly file: string;
    } & Digest)
  /** A connection without a byte. */
  | { readonly event: 'nothing'; readonly peer: string }
  | {
      readonly event: 'broken' | 'failed';
      readonly code: string;
      readonly message: string;
      readonly bytes: number;
    }
  | { readonly event: 'stopped'; readonly signal: string };

/** Where a role reports what happens. */
export interface TransferObserver {
  onEvent(event: TransferEvent): void;
  /** Bytes have moved. Called very often: what it does must cost next to nothing. */
  onProgress(): void;
}

/** How a role has ended. */
export type TransferOutcome =
  | { readonly kind: 'complete' | 'failed' }
  /** The host does not have the address that it was to listen on: it is the other role's. */
  | { readonly kind: 'not-ours' }
  | { readonly kind: 'stopped'; readonly signal: string };
