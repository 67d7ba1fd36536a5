// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

/*
 * What a primary and a backup say to each other, beside the image itself.
 *
 *     primary                                   backup
 *        |------------- connects ----------------->|
 *        |<------------ greeting ------------------|   after QUIET_SECONDS without a byte from the primary
 *        |------------- header, image, trailer --->|
 *        |------------- end of file -------------->|
 *        |<------------ verdict, end of file ------|
 *
 * An end of file alone does not distinguish a whole image from the part that a killed program got to send, so the trailer does.
 * A program that knows nothing of this can stand on either side. One that sends its image at once is never greeted, and
 * what it sends is the image, up to the end of file. A backup that never greets is sent the image alone; it gives no
 * verdict.
 */

/** What a backup says first. */
export const GREETING = Buffer.from('tapdisk-ts backup 1\n');
/** What stands before an image that ends with a trailer. */
export const HEADER = Buffer.from('tapdisk-ts image 1\n');
/** A connection that sends nothing for this long is taken for a primary that waits to be greeted. */
export const QUIET_SECONDS = 0.1;
/** A backup that has not greeted after this long is taken for another program. It takes up to a second less. */
export const GREETING_TIMEOUT_SECONDS = 2;

const TRAILER = /^tapdisk-ts end (\d{20}) ([0-9a-f]{64})\n$/;

/** What an image came to. */
export interface Digest {
  readonly bytes: number;
  /** In hexadecimal. */
  readonly sha256: string;
}

/** The trailer of an image, always {@link TRAILER_BYTES} long. */
export function trailer({ bytes, sha256 }: Digest): Buffer {
  return Buffer.from(`tapdisk-ts end ${String(bytes).padStart(20, '0')} ${sha256}\n`);
}
export const TRAILER_BYTES = trailer({ bytes: 0, sha256: '0'.repeat(64) }).length;

/** What a trailer says, or undefined when it is none. */
export function parseTrailer(text: Buffer): Digest | undefined {
  const match = TRAILER.exec(text.toString('latin1'));
  if (match === null) return undefined;
  const [, bytes = '', sha256 = ''] = match;
  return { bytes: Number(bytes), sha256 };
}

/** What a backup has made of the transfer. */
export type Verdict =
  | ({ readonly kind: 'ok' } & Digest)
  /** `code` is an errno's name. */
  | { readonly kind: 'error'; readonly code: string; readonly message: string };

/** No verdict is longer, its newline included. */
export const MAX_VERDICT_BYTES = 512;

/** The verdict as a line: `ok BYTES SHA256` or `error ENOSPC in words`. */
export function verdictLine(verdict: Verdict): Buffer {
  if (verdict.kind === 'ok') return Buffer.from(`ok ${verdict.bytes} ${verdict.sha256}\n`);
  const words = verdict.message.replaceAll(/[^ -~]+/g, ' ');
  return Buffer.from(`${`error ${verdict.code} ${words}`.slice(0, MAX_VERDICT_BYTES - 1)}\n`);
}

/** What a line without its newline says, or undefined when it is no verdict. */
export function parseVerdict(line: string): Verdict | undefined {
  const ok = /^ok (\d{1,16}) ([0-9a-f]{64})$/.exec(line);
  if (ok !== null) {
    const [, bytes = '', sha256 = ''] = ok;
    return { kind: 'ok', bytes: Number(bytes), sha256 };
  }
  const error = /^error ([A-Z0-9_]+) ([ -~]*)$/.exec(line);
  if (error === null) return undefined;
  const [, code = '', message = ''] = error;
  return { kind: 'error', code, message };
}
