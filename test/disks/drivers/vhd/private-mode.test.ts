// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { existsSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { NodeFileCalls } from '../../../../src/posix/index.js';
import type { ImageCalls } from '../../../../src/disks/drivers/vhd/image-file.js';
import { runSteps } from '../../../../src/disks/drivers/vhd/steps.js';
import { createImage } from '../../../../src/disks/drivers/vhd/tools/create.js';
import { withUmask } from '../../../attacker.js';

t.test('a new image is accessible only to its owner, and is not created through a link', async (t) => {
  withUmask(t, 0);
  const directory = t.testdir();
  const create = (name: string): Promise<unknown> => {
    const files = new NodeFileCalls({ post: (task) => task() });
    const calls: ImageCalls = { files, size: ({ size }, done) => done(Math.floor(size / 512)) };
    const path = join(directory, name);
    const steps = createImage(calls, {
      path,
      size: 1 << 20,
      uuid: new Uint8Array(16),
      unixSeconds: 1_000_000_000,
    });
    return new Promise((resolve) => runSteps(steps, resolve));
  };
  t.match(await create('disk.vhd'), { value: undefined });
  t.equal(statSync(join(directory, 'disk.vhd')).mode & 0o777, 0o600);
  symlinkSync(join(directory, 'elsewhere'), join(directory, 'link.vhd'));
  t.match(await create('link.vhd'), { error: Error });
  t.notOk(existsSync(join(directory, 'elsewhere')));
});
