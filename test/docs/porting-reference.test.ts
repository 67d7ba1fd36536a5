// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { readFileSync } from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { declarationsOf } from '../../scripts/declarations.js';
import { root } from '../../scripts/repository-files.js';
import { document, tableRows } from './markdown.js';

const reference = document('docs/porting-reference.md').text;
const port = source('src/replication/block-replication.ts');

function source(file: string): string {
  return readFileSync(path.join(root, file), 'utf8');
}

function isLinked(name: string, file: string): boolean {
  return (
    reference.includes(`[\`${name}\`](../${file}#L`) || reference.includes(`[\`${name}()\`](../${file}#L`)
  );
}

t.test('everything that the port declares is in the reference', async (t) => {
  const file = 'src/replication/block-replication.ts';
  const missing = declarationsOf(source(file)).filter(({ name }) => !isLinked(name, file));
  t.same(
    missing.map(({ name }) => name),
    [],
  );
});

/** The parts of the module that came later; their static functions are not C's. */
const LATER = ['src/replication/async-io.ts', 'src/replication/ramdisk.ts'];

t.test('everything that the transfers and the ramdisk export is in the reference', async (t) => {
  for (const file of LATER) {
    const text = source(file);
    const exported = declarationsOf(text).filter(({ name }) =>
      new RegExp(`^export (?:function|const|type|interface) ${name.split('.')[0]}\\b`, 'm').test(text),
    );
    t.ok(exported.length > 10, `${exported.length} names in ${file}`);
    t.same(
      exported.map(({ name }) => name).filter((name) => !isLinked(name, file)),
      [],
    );
  }
});

t.test('every call that the port makes on what it is handed is in the reference', async (t) => {
  const calls = [
    ...new Set(
      [...port.matchAll(/t\.(server|posix|logger)\.(\w+)\(/g)].map(([, on, call]) => `${on}.${call}`),
    ),
  ];
  t.ok(calls.length > 10, `${calls.length} calls`);
  const interfaces = {
    server: ['TapdiskServer', 'src/server/tapdisk-server.ts'],
    posix: ['SocketCalls', 'src/posix/posix.ts'],
    logger: ['Logger', 'src/server/logger.ts'],
  } as const;
  for (const call of calls) {
    const [on, name] = call.split('.') as [keyof typeof interfaces, string];
    const [owner, file] = interfaces[on];
    t.ok(isLinked(`${owner}.${name}`, file), call);
  }
});

t.test('each @ported function of the source is in one row of the reference', async (t) => {
  for (const [heading, files] of [
    ['## block-replication.c and .h: functions', ['src/replication/block-replication.ts']],
    ['### Functions', LATER],
  ] as const) {
    const rows = tableRows(reference, heading);
    for (const file of files) {
      const text = source(file);
      const ported = [...text.matchAll(/@ported block-replication\.c (\w+)\n \*\/\nexport function (\w+)/g)];
      t.ok(ported.length >= 4, `${ported.length} functions in ${file}`);
      t.equal(ported.length, text.split('@ported').length - 1, 'each tag stands before a function');
      for (const [, name, here] of ported) {
        const row = rows.find(([c]) => c === `\`${name}\``);
        t.ok(row?.[1]?.includes(`\`${here}()\``), `${name} is ${here}`);
      }
    }
  }
});
