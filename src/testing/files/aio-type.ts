// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { AioDriver, imageSizer } from '../../disks/drivers/index.js';
import type { DiskDriverType } from '../../disks/index.js';
import type { HostFiles } from './host-files.js';

/** The driver type `aio`, as it is, over the files of a simulated host. */
export function simulatedAioType(host: HostFiles): DiskDriverType {
  return {
    name: 'aio',
    create: ({ completions, logger }, path) => {
      const files = host.calls(completions);
      return new AioDriver(path, {
        files,
        lock: (fd, shared, done) => files.flock(fd, shared, done),
        readHoles: (fd, othersWrite, done) =>
          othersWrite ? done('others may write to it') : files.holes(fd, done),
        size: imageSizer(completions),
        logger,
      });
    },
  };
}
