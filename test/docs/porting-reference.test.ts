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

t.test('what the source says it ports stands beside it in one row of the reference', async (t) => {
  const rows = tableRows(reference, '## block-replication.c and .h: functions');
  const ported = [...port.matchAll(/@ported block-replication\.c (\w+)\n \*\/\nexport function (\w+)/g)];
  t.ok(ported.length >= 6, `${ported.length} functions`);
  t.equal(ported.length, port.split('@ported').length - 1, 'each tag stands before a function');
  for (const [, name, here] of ported) {
    const row = rows.find(([c]) => c === `\`${name}\``);
    t.ok(row?.[1]?.includes(`\`${here}()\``), `${name} is ${here}`);
  }
});
