// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// `npm run test:linux [-- ROOT]`: has Linux's own NBD client use a disk of the daemon. A kernel is started in an emulated
// machine, connects with nbd-client, makes a file system on the disk, writes, trims, disconnects, connects again and
// reads; what it read and what is in the image afterwards must be what it wrote. ROOT is where boot/ and lib/modules/ of
// the kernel are (default: /). Ends with 0 when all is as it should be, 1 when not, 77 when something needed is missing.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Actor } from './demo/actor.js';
import { MIB, sha256 } from './demo/image.js';
import { findKernel, makeInitramfs } from './linux-client/initramfs.js';
import { programPath } from './program-path.js';
import { repositoryFile } from './repository-files.js';

const DISK_BYTES = 256 * MIB;
/** What the machine writes of files. */
const [DELETED_MIB, KEPT_MIB] = [64, 64];
/** Without hardware's help the machine takes less than a minute here; after so long it has hung. */
const MACHINE_TIMEOUT_MS = 600_000;
/** Under this address QEMU's user network has its host's loopback. */
const HOST_SEEN_FROM_INSIDE = '10.0.2.2';
const PACKAGES = 'qemu-system-x86 busybox-static nbd-client e2fsprogs linux-image-amd64';

/** Runs the daemon with the image as its disk 0, `use` with the port where it is served, and ends the daemon. */
async function withDaemon<T>(
  directory: string,
  image: string,
  use: (port: string) => Promise<T>,
): Promise<T> {
  const argv = ['--control-directory', directory, '--disk', `0=aio:${image}`, '--nbd', '127.0.0.1:0'];
  const daemon = new Actor('daemon', ['daemon', ...argv]);
  try {
    const ready = await daemon.line(/^ready/);
    daemon.onReport(({ line }) => console.error(line));
    return await use(/nbd=127\.0\.0\.1:(\d+)/.exec(ready)?.[1] ?? '');
  } finally {
    daemon.kill();
    await daemon.exit;
  }
}

/** Runs the machine to its end, showing what it prints; answers the results that it told, by name. */
async function runMachine(kernel: string, initramfs: string, settings: string): Promise<Map<string, string>> {
  const argv = ['-m', '512', '-nographic', '-no-reboot', '-nic', 'user,model=e1000'];
  const boot = [
    '-kernel',
    kernel,
    '-initrd',
    initramfs,
    '-append',
    `console=ttyS0 quiet panic=-1 ${settings}`,
  ];
  const machine = spawn('qemu-system-x86_64', [...argv, ...boot], {
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: MACHINE_TIMEOUT_MS,
    killSignal: 'SIGKILL',
  });
  let output = '';
  machine.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
    process.stdout.write(text);
  });
  await once(machine, 'close');
  return new Map(
    [...output.matchAll(/^RESULT (\S+) (\S+)/gm)].map(([, name = '', value = '']) => [name, value]),
  );
}

const root = process.argv[2] ?? '/';
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
  const initramfs = makeInitramfs(directory, {
    kernel,
    modules: ['e1000', 'nbd', 'crc32c_generic', 'ext4'],
    busybox,
    programs: copied,
    init: repositoryFile('scripts/linux-client/init.sh'),
  });
  const image = path.join(directory, 'image');
  writeFileSync(image, '');
  truncateSync(image, DISK_BYTES);
  const results = await withDaemon(directory, image, (port) =>
    runMachine(kernel.image, initramfs, `HOST=${HOST_SEEN_FROM_INSIDE} PORT=${port}`),
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
  console.log(`\nLinux ${kernel.version}:`);
  for (const [name, holds] of checks) console.log(`${holds ? 'ok    ' : 'FAILED'} ${name}`);
  process.exitCode = checks.every(([, holds]) => holds) ? 0 : 1;
} finally {
  rmSync(directory, { recursive: true, force: true });
}
