// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// `npm run test:linux [-- ROOT]`: has Linux's own NBD client use a disk of the daemon. A kernel is started in an emulated
// machine, connects with nbd-client, makes a file system on the disk, writes, trims, disconnects, connects again and
// reads; what it read and what is in the image afterwards must be what it wrote. Another machine uses a VHD, of which a
// snapshot is made meanwhile, and coalesced. ROOT is where boot/ and lib/modules/ of
// the kernel are (default: /). Ends with 0 when all is as it should be, 1 when not, 77 when something needed is missing.
import { mkdtempSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { MIB, sha256 } from './demo/image.js';
import { findKernel, makeInitramfs } from './linux-client/initramfs.js';
import { runMachine, withDaemon } from './linux-client/machine.js';
import { checkVhd } from './linux-client/vhd.js';
import { programPath } from './program-path.js';
import { repositoryFile } from './repository-files.js';
import { scriptOptions } from './script-options.js';

const DISK_BYTES = 256 * MIB;
/** What the machine writes of files. */
const [DELETED_MIB, KEPT_MIB] = [64, 64];
const PACKAGES = 'qemu-system-x86 busybox-static nbd-client e2fsprogs linux-image-amd64';

const USAGE = `npm run test:linux [-- ROOT]

  ROOT  where boot/ and lib/modules/ of the kernel are (default: /)`;
const { positionals } = scriptOptions(USAGE, { allowPositionals: true });
const root = positionals[0] ?? '/';
const kernel = findKernel(root);
const names = ['qemu-system-x86_64', 'busybox', 'nbd-client', 'mkfs.ext4', 'e2fsck'] as const;
const programs = names.map((name) => programPath(name, '/usr/sbin', '/sbin'));
const missing = names.filter((_, index) => programs[index] === undefined);
if (kernel === undefined || missing.length > 0) {
  const what = [...missing, ...(kernel ? [] : [`a kernel with modules.dep below ${root}`])];
  console.log(`SKIPPED: not here: ${what.join(', ')} (Debian: ${PACKAGES})`);
  process.exit(77);
}

const directory = mkdtempSync(path.join(tmpdir(), 'tapdisk-ts-linux-'));
try {
  const [, busybox = '', ...copied] = programs as string[];
  const initramfsWith = (init: string): string =>
    makeInitramfs(directory, {
      kernel,
      modules: ['e1000', 'nbd', 'crc32c_generic', 'ext4'],
      busybox,
      programs: copied,
      init: repositoryFile(`scripts/linux-client/${init}`),
    });
  const image = path.join(directory, 'image');
  writeFileSync(image, '');
  truncateSync(image, DISK_BYTES);
  const initramfs = initramfsWith('init.sh');
  const results = await withDaemon(directory, `aio:${image}`, (port) =>
    runMachine({ kernel: kernel.image, initramfs, port }),
  );
  const written = results.get('written');
  const takenMib = (statSync(image).blocks * 512) / MIB;
  const checks: [string, boolean][] = [
    ['every command in the machine succeeded', results.get('end') === '0'],
    ['the block device has the size of the image', results.get('bytes') === String(DISK_BYTES)],
    ['the kernel knows of the write cache', results.get('write_cache') === 'write-back'],
    [
      'after connecting again the file is what was written',
      written !== undefined && written === results.get('read'),
    ],
    [
      `without the file that was deleted and trimmed the image takes ${takenMib.toFixed()} MiB`,
      takenMib < DELETED_MIB + KEPT_MIB,
    ],
    ['the image is what the kernel read last', results.get('disk') === (await sha256(image))],
  ];
  checks.push(...(await checkVhd(directory, kernel.image, initramfsWith('init-vhd.sh'))));
  console.log(`\nLinux ${kernel.version}:`);
  for (const [name, holds] of checks) console.log(`${holds ? 'ok    ' : 'FAILED'} ${name}`);
  process.exitCode = checks.every(([, holds]) => holds) ? 0 : 1;
} finally {
  rmSync(directory, { recursive: true, force: true });
}
