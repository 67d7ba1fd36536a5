// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import t from 'tap';
import { moduleUrl } from '../../scripts/program.js';
import { root } from '../../scripts/repository-files.js';
import { run } from '../programs.js';
import { codeBlocks, document, tableRows } from './markdown.js';
import { runPrograms, sourcesOfEntries } from './programs.js';

// The compiler takes seconds, and longer where other things run beside it.
t.setTimeout(120_000);

const COMPILER = path.join(root, 'node_modules/typescript-7/bin/tsc');

const blocks = codeBlocks(document('docs/embedding.md').text);
const programs = blocks.flatMap((block, index) => {
  if (block.language !== 'ts') return [];
  const next = blocks[index + 1];
  return [{ ...block, prints: next?.language === 'text' ? next.code : undefined }];
});

/** What the compiler says to modules, each by the name that is given, in a directory of their own. */
async function complaints(modules: ReadonlyMap<string, string>): Promise<string[]> {
  const directory = await mkdtemp(path.join(tmpdir(), 'embedding-'));
  try {
    for (const [name, code] of modules) await writeFile(path.join(directory, name), code);
    const config = {
      extends: path.join(root, 'test/tsconfig.json'),
      compilerOptions: {
        noEmit: true,
        rootDir: '/',
        // A block shows what it shows; it need not use all that it names.
        noUnusedLocals: false,
        paths: Object.fromEntries(
          [...sourcesOfEntries].map(([entry, source]) => [entry, [path.join(root, source)]]),
        ),
        typeRoots: [path.join(root, 'node_modules/@types')],
      },
      include: [],
      files: [...modules.keys()],
    };
    await writeFile(path.join(directory, 'tsconfig.json'), JSON.stringify(config));
    const { stdout } = await run(process.execPath, [COMPILER, '-p', directory], '', { cwd: directory });
    return stdout.trim().split('\n');
  } finally {
    await rm(directory, { recursive: true });
  }
}

t.test('every block compiles against the sources', async (t) => {
  t.ok(programs.length >= 8, `${programs.length} blocks`);
  const modules = new Map(programs.map(({ line, code }) => [`embedding.md-line-${line}.mts`, code]));
  modules.set('wrong.mts', "import { TapdiskServer } from 'tapdisk-ts';\nnew TapdiskServer().stop(1);\n");
  const wrong = 'wrong.mts(2,26): error TS2554: Expected 0 arguments, but got 1.';
  t.same(await complaints(modules), [wrong], 'and a wrong one does not');
});

t.test('the table of entries matches the package’s exports', async (t) => {
  const told = tableRows(document('docs/embedding.md').text, '# Embedding')
    .map(([entry]) => /^`(tapdisk-ts\/\w+)`$/.exec(entry ?? '')?.[1])
    .filter((entry) => entry !== undefined);
  t.same(new Set(['tapdisk-ts', ...told]), new Set(sourcesOfEntries.keys()));
});

t.test('every entry can be loaded, and exports something', async (t) => {
  for (const [entry, source] of sourcesOfEntries) {
    const exported = (await import(moduleUrl(source))) as object;
    t.ok(Object.keys(exported).length > 0, entry);
  }
});

t.test('every block that shows its output prints exactly that, and leaves nothing behind', async (t) => {
  const shown = programs.filter(({ prints }) => prints !== undefined);
  const { printed, outcome } = await runPrograms(shown.map(({ code }) => code));
  for (const [index, { line, prints }] of shown.entries()) {
    t.equal(printed[index]?.trimEnd(), prints?.trimEnd(), `line ${line}`);
  }
  t.equal(outcome.exit, 0, outcome.stderr);
});
