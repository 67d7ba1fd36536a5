// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

/** An address that does not respond delays the next one for this long, unless set otherwise. */
export const ATTEMPT_SECONDS = 10;
