// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { errno } from '../../posix/errno.js';

/** The file calls of a simulated host, by the names under which faults are asked for and traces are written. */
export const FILE_CALL_NAMES = [
  'stat',
  'lstat',
  'open',
  'fstat',
  'read',
  'write',
  'fdatasync',
  'fsync',
  'ftruncate',
  'fchmod',
  'fchown',
  'close',
  'rename',
  'link',
  'unlink',
  'syncDirectory',
  'allocate',
  'punchHole',
  'holes',
  'readdir',
  'mkdir',
  'realpath',
  'flock',
] as const;

/** The file calls that can be made to fail. */
export type FileCallName = (typeof FILE_CALL_NAMES)[number];

/** What each file call fails with in practice, the most likely first. */
export const TYPICAL_FILE_ERRORS: { readonly [Call in FileCallName]: readonly [number, ...number[]] } = {
  stat: [errno.ENOENT, errno.EACCES, errno.EIO],
  lstat: [errno.ENOENT, errno.EACCES, errno.EIO],
  open: [errno.EACCES, errno.ENOENT, errno.EMFILE, errno.ENOSPC, errno.EROFS, errno.EIO],
  fstat: [errno.EIO],
  read: [errno.EIO],
  write: [errno.EIO, errno.ENOSPC],
  fdatasync: [errno.EIO, errno.ENOSPC],
  fsync: [errno.EIO, errno.ENOSPC],
  ftruncate: [errno.EIO, errno.ENOSPC],
  fchmod: [errno.EPERM, errno.EIO],
  fchown: [errno.EPERM, errno.EIO],
  close: [errno.EIO],
  rename: [errno.EACCES, errno.ENOSPC, errno.EIO],
  link: [errno.EPERM, errno.ENOSPC, errno.EIO],
  unlink: [errno.EACCES, errno.EIO],
  syncDirectory: [errno.EIO, errno.EACCES],
  allocate: [errno.ENOSPC, errno.EOPNOTSUPP, errno.EIO],
  punchHole: [errno.EOPNOTSUPP, errno.EIO],
  holes: [errno.EOPNOTSUPP, errno.EIO],
  readdir: [errno.EACCES, errno.EIO],
  mkdir: [errno.EACCES, errno.ENOSPC, errno.EIO],
  realpath: [errno.ENOENT, errno.EACCES, errno.EIO],
  flock: [errno.EBUSY, errno.ENOLCK],
};
