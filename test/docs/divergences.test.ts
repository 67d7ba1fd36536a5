// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { readFileSync } from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { repositoryFiles, root } from '../../scripts/repository-files.js';
import { rulesOf } from '../../src/conformance/rules.js';
import { document, tableRows } from './markdown.js';

const divergences = document('docs/divergences.md').text;
const rules = rulesOf(document('docs/semantics.md').text);

t.test(
  'what is kept of the C is pinned by vectors, each under one of the rules that are named',
  async (t) => {
    for (const [heading, suite, least, dialect] of [
      ['### The scheduler', 'scheduler', 11],
      ["### tapdisk3's scheduler", 'scheduler', 11, 'tapdisk3'],
      ['### The connect module', 'replication', 11],
      ['### The transfers', 'async-io', 11],
      ['### The ramdisk', 'ramdisk', 6],
    ] as const) {
      const rows = tableRows(divergences, heading);
      t.ok(rows.length >= least, `${rows.length} rows`);
      for (const [what = '', named = '', vectors = ''] of rows) {
        const own = rules.filter(
          (rule) => rule.suite === suite && rule.dialect === dialect && named.split(', ').includes(rule.id),
        );
        t.equal(own.length, named.split(', ').length, `rules ${named}: ${what}`);
        const pinned = new Set(own.flatMap((rule) => rule.vectors));
        const names = [...vectors.matchAll(/`([^`]+)`/g)].map(([, name]) => name ?? '');
        t.ok(names.length > 0, `vectors: ${what}`);
        for (const name of names) t.ok(pinned.has(name), `${name} pins ${named}`);
      }
    }
  },
);

/** How comments of the sources word a difference. */
const REMARK = /Differs from C|\(C leaves|the kernel would|\(Linux answers|which glibc/;

t.test(
  'every source with a comment that it differs from C or the kernel is linked from the divergences',
  async (t) => {
    const layers = /^src\/(?:posix|scheduler|replication)\/|^src\/server\/[^/]+\.ts$/;
    const differing = repositoryFiles().filter(
      (file) => layers.test(file) && REMARK.test(readFileSync(path.join(root, file), 'utf8')),
    );
    t.ok(differing.length >= 5, `${differing.length} files`);
    for (const file of differing) t.ok(divergences.includes(`](../${file})`), file);
  },
);
