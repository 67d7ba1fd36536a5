// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { manifest } from '../../scripts/repository-files.js';
import { codeBlocks, document } from './markdown.js';
import { runProgram } from './programs.js';

const readme = document('README.md').text;

t.test('the example has at most 15 lines, and prints what the text states', async (t) => {
  const [example, ...more] = codeBlocks(readme).filter(({ language }) => language === 'js');
  t.same(more, []);
  const code = example?.code ?? '';
  t.ok(code.split('\n').filter((line) => line !== '').length <= 15);
  const { stdout, stderr, exit } = await runProgram(code);
  const [, said] = /^prints `([^`]+)`/m.exec(readme) ?? [];
  t.equal(stdout, `${said}\n`, stderr);
  t.equal(exit, 0);
});

t.test('the two commands are shown as they are typed, and their scripts exist', async (t) => {
  for (const script of ['start', 'test']) t.ok(manifest.scripts[script], script);
  for (const command of ['npm ci && npm start', 'npm ci && npm test']) t.match(readme, `\n    ${command}\n`);
});

t.test('it has at most 100 lines', async (t) => {
  const lines = readme.trimEnd().split('\n').length;
  t.ok(lines <= 100, `${lines} lines`);
});
