// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

/** What is asked: a line. */
export const STATUS_REQUEST = 'status\n';
/** No request is longer, in bytes. */
export const MAX_REQUEST_BYTES = 64;
/** No answer is longer, in bytes: a JSON object on a line. */
export const MAX_ANSWER_BYTES = 64 * 1024;
