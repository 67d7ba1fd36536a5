// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { parseJson } from '../../../posix/json-text.js';
import { ProtocolError } from '../wire/frame.js';

/** Why a checkpoint or a connection ends, as one side says it to the other. */
export interface Reason {
  /** A stable word. */
  readonly code: string;
  readonly reason: string;
  /** Of fail: commits from this one on are void. */
  readonly epoch: number;
}

const MAX_REASON_BYTES = 1024;
/** Of those that {@link printable} leaves, each takes two bytes at most. */
const MAX_REASON_LETTERS = 300;

/** It is shown to people: nothing in it may steer their terminal. */
const printable = (text: string): string => text.replace(/[^\x20-\x7e]/g, '?');

export function encodeReason(code: string, reason: string, epoch = 0): Uint8Array {
  return Buffer.from(
    JSON.stringify({ code, reason: printable(reason).slice(0, MAX_REASON_LETTERS), epoch }),
    'utf8',
  );
}

/** @throws ProtocolError for what is none */
export function decodeReason(body: Uint8Array): Reason {
  if (body.length > MAX_REASON_BYTES) throw new ProtocolError(`a reason has ${body.length} bytes`);
  let value: unknown;
  try {
    value = parseJson(Buffer.from(body).toString('utf8'));
  } catch {
    throw new ProtocolError('a reason is not valid JSON');
  }
  const { code, reason, epoch } = (value ?? {}) as Record<string, unknown>;
  if (typeof code !== 'string' || typeof reason !== 'string' || !Number.isSafeInteger(epoch)) {
    throw new ProtocolError('a reason lacks its code, words or epoch');
  }
  return { code: printable(code), reason: printable(reason), epoch: epoch as number };
}
