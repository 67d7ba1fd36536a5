// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { readFileSync } from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { repositoryFiles, root } from '../../scripts/repository-files.js';

t.test('every test file is run once: by itself, or by one bundle', async (t) => {
  const tests = repositoryFiles().filter((file) => file.startsWith('test/') && file.endsWith('.test.ts'));
  const bundles = tests.filter((file) => file.startsWith('test/bundles/'));
  const bundled = bundles.flatMap((bundle) => {
    const text = readFileSync(path.join(root, bundle), 'utf8');
    return Array.from(text.matchAll(/^import '\.\.\/(.*)\.js';$/gm), ([, file]) => `test/${file}.ts`);
  });
  const suite = readFileSync(path.join(root, 'test/suite.ts'), 'utf8');
  const [, list = ''] = /^const ALONE = \[(.*?)^\];/ms.exec(suite) ?? [];
  const alone = Array.from(list.matchAll(/'(.*)'/g), ([, file = '']) => file);
  const run: string[] = [...alone, ...bundled].toSorted();
  t.same(run, tests.filter((file) => !bundles.includes(file)).toSorted());
});
