// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

export { type DiskCalls, type DiskExtent, type DiskOptions, VhdDisk } from './disk.js';
export { FileError, VHD_ERROR_KINDS, VhdError, type VhdErrorKind, type VhdFault } from './vhd-error.js';
export { VhdDriver, vhdDriverType } from './vhd.js';
