// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import path from 'node:path';
import t from 'tap';
import ts from 'typescript';
import { root } from '../../scripts/repository-files.js';
import { codeBlocks, document } from './markdown.js';
import { runPrograms, sourceOfEntry } from './programs.js';

// The compiler takes seconds, and longer where other things run beside it.
t.setTimeout(120_000);

const blocks = codeBlocks(document('docs/embedding.md').text);
const programs = blocks.flatMap((block, index) => {
  if (block.language !== 'ts') return [];
  const next = blocks[index + 1];
  return [{ ...block, prints: next?.language === 'text' ? next.code : undefined }];
});

/** What the compiler says to modules that do not exist as files, each by the name that is given. */
function complaints(modules: ReadonlyMap<string, string>): string[] {
  const files = new Map([...modules].map(([name, code]) => [path.join(root, 'docs', name), code]));
  const { config } = ts.readConfigFile(path.join(root, 'test/tsconfig.json'), (file) =>
    ts.sys.readFile(file),
  );
  const { options } = ts.parseJsonConfigFileContent(
    { ...config, include: [], files: [...files.keys()] },
    ts.sys,
    path.join(root, 'test'),
  );
  const entries = ['', '/posix', '/scheduler', '/server', '/replication', '/testing'].map(
    (entry) => `tapdisk-ts${entry}`,
  );
  options.paths = Object.fromEntries(entries.map((entry) => [entry, [sourceOfEntry(entry)]]));
  // A block shows what it shows; it need not use all that it names.
  options.noUnusedLocals = false;
  const base = ts.createCompilerHost(options);
  const host: ts.CompilerHost = {
    ...base,
    readFile: (file) => files.get(file) ?? base.readFile(file),
    fileExists: (file) => files.has(file) || base.fileExists(file),
    getSourceFile(file, language, ...rest) {
      const code = files.get(file);
      if (code === undefined) return base.getSourceFile(file, language, ...rest);
      return ts.createSourceFile(file, code, language, true);
    },
  };
  const program = ts.createProgram([...files.keys()], options, host);
  return [...files.keys()].flatMap((file) => {
    const source = program.getSourceFile(file);
    const found = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)];
    return found.map(({ messageText, start = 0 }) => {
      const { line } = source?.getLineAndCharacterOfPosition(start) ?? { line: 0 };
      return `${path.basename(file)}:${line + 1}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`;
    });
  });
}

t.test('every block compiles against the sources', async (t) => {
  t.ok(programs.length >= 8, `${programs.length} blocks`);
  const modules = new Map(programs.map(({ line, code }) => [`embedding.md-line-${line}.mts`, code]));
  modules.set('wrong.mts', "import { TapdiskServer } from 'tapdisk-ts';\nnew TapdiskServer().stop(1);\n");
  t.same(complaints(modules), ['wrong.mts:2: Expected 0 arguments, but got 1.'], 'and a wrong one does not');
});

t.test('every block that shows its output prints just that, and leaves nothing behind', async (t) => {
  const shown = programs.filter(({ prints }) => prints !== undefined);
  const { printed, outcome } = await runPrograms(shown.map(({ code }) => code));
  for (const [index, { line, prints }] of shown.entries()) {
    t.equal(printed[index]?.trimEnd(), prints?.trimEnd(), `line ${line}`);
  }
  t.equal(outcome.exit, 0, outcome.stderr);
});
