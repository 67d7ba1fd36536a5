// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// `npm run bundle [-- DIRECTORY [METAFILE]]` bundles the program to where package.json has it, or to DIRECTORY, and writes
// esbuild's description of the bundle to METAFILE. A command is loaded when it runs, and modules that several commands share
// are in shared files. Each file costs half a millisecond at start, whatever its size, and esbuild divides the modules that
// every command loads into some thirty files, by which others use them. So every command imports all of these: one file.

import { readFileSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { build, type BuildOptions, type Metafile, type Plugin } from 'esbuild';
import { repositoryFile, root } from './repository-files.js';

/** Loads commands. */
const PROGRAM = 'src/cli/main-program.ts';
const STARTED = { main: 'src/cli/main.ts', thread: 'src/posix/node/file-ring/thread.ts' };

const [, , directory = published(), report] = process.argv;

const options = {
  absWorkingDir: root,
  entryPoints: STARTED,
  outdir: directory,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  minifyWhitespace: true,
  minifySyntax: true,
  sourcemap: true,
  metafile: true,
  logLevel: 'warning',
} as const satisfies BuildOptions;

/** The directory of the program that the package has. */
function published(): string {
  const { bin } = JSON.parse(readFileSync(repositoryFile('package.json'), 'utf8')) as {
    readonly bin: Readonly<Record<string, string>>;
  };
  return path.join(root, path.dirname(bin['tapdisk-ts'] ?? ''));
}

/** The files of a bundle that a module is loaded with. */
function loadedWith({ outputs }: Metafile, module: string): Set<string> {
  const files = Object.keys(outputs).filter((file) => outputs[file]?.entryPoint === module);
  // Those that are added are looked at, too.
  const loaded = new Set(files);
  for (const file of loaded) {
    for (const { path: imported, kind } of outputs[file]?.imports ?? [])
      if (kind === 'import-statement' && outputs[imported]) loaded.add(imported);
  }
  return loaded;
}

/** The modules in shared files that every command is loaded with. */
function always(metafile: Metafile): string[] {
  return [...loadedWith(metafile, PROGRAM)]
    .map((file) => metafile.outputs[file])
    .flatMap((output) => (output?.entryPoint === undefined ? Object.keys(output?.inputs ?? {}) : []))
    .toSorted();
}

/** The modules that are loaded when they are needed. */
function loadedLater({ outputs }: Metafile): string[] {
  const started: readonly string[] = Object.values(STARTED);
  return Object.values(outputs).flatMap(({ entryPoint }) =>
    entryPoint === undefined || started.includes(entryPoint) ? [] : [entryPoint],
  );
}

/** Lets modules import others besides, at their end, so that the lines in their source maps are right. */
function importingToo(modules: readonly string[], imported: readonly string[]): Plugin {
  const files = new Set(modules.map((module) => path.join(root, module)));
  const imports = imported.map((module) => `import ${JSON.stringify(path.join(root, module))};`).join('\n');
  return {
    name: 'importing-too',
    setup: (bundle) =>
      bundle.onLoad({ filter: /\.ts$/ }, async ({ path: file }) =>
        files.has(file)
          ? { contents: `${await readFile(file, 'utf8')}\n${imports}\n`, loader: 'ts' }
          : undefined,
      ),
  };
}

const { metafile } = await build({ ...options, write: false });
await rm(directory, { recursive: true, force: true });
const made = await build({ ...options, plugins: [importingToo(loadedLater(metafile), always(metafile))] });
if (report !== undefined) await writeFile(report, JSON.stringify(made.metafile));
