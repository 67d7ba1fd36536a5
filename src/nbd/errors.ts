// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { errno } from '../posix/errno.js';
import { ESHUTDOWN } from '../disks/index.js';

/** The error numbers that the protocol knows; they are Linux's. */
export const NBD_EPERM = 1;
export const NBD_EIO = 5;
export const NBD_ENOMEM = 12;
export const NBD_EINVAL = 22;
export const NBD_ENOSPC = 28;
export const NBD_ENOTSUP = 95;
export const NBD_ESHUTDOWN = 108;

const onTheWire = new Map<number, number>([
  [errno.EPERM, NBD_EPERM],
  [errno.EACCES, NBD_EPERM],
  [errno.EROFS, NBD_EPERM],
  [errno.ENOMEM, NBD_ENOMEM],
  [errno.EINVAL, NBD_EINVAL],
  [errno.ENOSPC, NBD_ENOSPC],
  [errno.EDQUOT, NBD_ENOSPC],
  [errno.EFBIG, NBD_ENOSPC],
  [errno.EOPNOTSUPP, NBD_ENOTSUP],
  [ESHUTDOWN, NBD_ESHUTDOWN],
]);

/** The protocol's error for a result: 0 for one >= 0; EIO for an errno that the protocol does not have. */
export function nbdError(result: number): number {
  return result >= 0 ? 0 : (onTheWire.get(-result) ?? NBD_EIO);
}
