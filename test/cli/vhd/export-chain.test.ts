// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { programPath } from '../../../scripts/program-path.js';
import { repositoryFile } from '../../../scripts/repository-files.js';
import { imageDirectory } from '../../disks/drivers/vhd/fixture.js';
import { sampleNamed, unpack } from '../../disks/drivers/vhd/samples.js';
import { run } from '../../programs.js';
import { mainProgram } from '../command-process.js';

const script = repositoryFile('contrib/export-chain/export-chain.sh');
const env = { ...process.env, TAPDISK_TS: [process.execPath, ...mainProgram].join(' ') };
const missing = ['nbdcopy', 'qemu-img'].find((name) => programPath(name) === undefined);

t.test(
  'a chain is exported with nbdcopy and with qemu-img',
  { skip: missing ? `no ${missing}` : false },
  async (t) => {
    const directory = imageDirectory(t);
    const sample = sampleNamed('chain-2');
    const image = unpack(sample, directory);
    for (const name of ['copy.raw', 'copy.qcow2']) {
      const { status, stderr } = await run('sh', [script, image, path.join(directory, name)], '', { env });
      t.strictSame([status, stderr], [0, ''], name);
    }
    const [raw, qcow2] = [path.join(directory, 'copy.raw'), path.join(directory, 'copy.qcow2')];
    t.equal(createHash('sha256').update(readFileSync(raw)).digest('hex'), sample.expected.sha256);
    t.equal((await run('qemu-img', ['compare', '-f', 'raw', '-F', 'qcow2', raw, qcow2])).status, 0);
  },
);
