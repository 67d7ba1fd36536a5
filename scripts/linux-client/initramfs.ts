// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
} from 'node:fs';
import path from 'node:path';

/** A kernel and its modules, as Debian's packages of it lay them out below a directory. */
export interface Kernel {
  readonly version: string;
  readonly image: string;
  /** The directory with modules.dep. */
  readonly modules: string;
}

/** The kernel whose name sorts last below `root`; undefined when there is none with its modules. */
export function findKernel(root: string): Kernel | undefined {
  const boot = path.join(root, 'boot');
  const images = existsSync(boot) ? readdirSync(boot).filter((name) => name.startsWith('vmlinuz-')) : [];
  const kernels = images.map((name) => {
    const version = name.slice('vmlinuz-'.length);
    return { version, image: path.join(boot, name), modules: path.join(root, 'lib/modules', version) };
  });
  return kernels
    .toSorted((a, b) => a.version.localeCompare(b.version))
    .findLast(({ modules }) => existsSync(path.join(modules, 'modules.dep')));
}

/** The files of the named modules and of all that they need, relative to the kernel's modules; what is built in has none. */
function moduleFiles(kernel: Kernel, names: readonly string[]): string[] {
  const lines = readFileSync(path.join(kernel.modules, 'modules.dep'), 'utf8').split('\n');
  return names.flatMap((name) => {
    const line = lines.find((one) => path.basename(one.split(':', 1)[0] ?? '').split('.')[0] === name);
    return line?.split(/:? +|:$/).filter((file) => file !== '') ?? [];
  });
}

/** The shared libraries of a program, its loader among them. */
function librariesOf(program: string): string[] {
  const told = execFileSync('ldd', [program], { encoding: 'utf8' });
  return [...told.matchAll(/(\/\S+) \(0x/g)].map(([, file = '']) => file);
}

export interface Contents {
  readonly kernel: Kernel;
  /** Modules to be there, by name. */
  readonly modules: readonly string[];
  /** A busybox that needs no library. */
  readonly busybox: string;
  /** Programs to be there with their libraries. */
  readonly programs: readonly string[];
  /** What the kernel runs first. */
  readonly init: string;
}

/** Makes a directory of what a kernel needs to get going, and packs it; returns the path of the archive. */
export function makeInitramfs(directory: string, contents: Contents): string {
  const tree = path.join(directory, 'initramfs');
  const place = (file: string, at: string): void => {
    const target = path.join(tree, at);
    mkdirSync(path.dirname(target), { recursive: true });
    copyFileSync(realpathSync(file), target);
  };
  for (const empty of ['proc', 'sys', 'dev', 'mnt']) mkdirSync(path.join(tree, empty), { recursive: true });
  place(contents.init, 'init');
  place(contents.busybox, 'bin/busybox');
  for (const program of contents.programs) {
    place(program, path.join('bin', path.basename(program)));
    for (const library of librariesOf(program)) place(library, library);
  }
  const { kernel } = contents;
  const modules = path.join('lib/modules', kernel.version);
  for (const file of moduleFiles(kernel, contents.modules)) {
    place(path.join(kernel.modules, file), path.join(modules, file));
  }
  cpSync(path.join(kernel.modules, 'modules.dep'), path.join(tree, modules, 'modules.dep'));
  const archive = `${tree}.cpio`;
  execFileSync('sh', ['-c', 'find . | "$0" cpio -o -H newc >"$1"', contents.busybox, archive], {
    cwd: tree,
    stdio: ['ignore', 'inherit', 'pipe'],
  });
  return archive;
}
