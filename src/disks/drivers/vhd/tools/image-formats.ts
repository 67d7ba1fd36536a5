// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

/** What a disk can be converted to. */
export const IMAGE_FORMATS = ['raw', 'vhd', 'vhd-fixed'] as const;
export type ImageFormat = (typeof IMAGE_FORMATS)[number];
