// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

/** The two tapdisks whose schedulers there are: that of the replication patches, and blktap as it is maintained today. */
export const DIALECTS = ['tapdisk2', 'tapdisk3'] as const;
export type Dialect = (typeof DIALECTS)[number];

/** What is meant where no dialect is named. */
export const DEFAULT_DIALECT: Dialect = 'tapdisk2';
