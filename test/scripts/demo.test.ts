// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { existsSync } from 'node:fs';
import t from 'tap';
import { replication } from '../../scripts/demo/replication.js';
import { protecting } from '../../scripts/demo/protecting.js';
import { Stage } from '../../scripts/demo/stage.js';

const tooWide = (text: string): string[] => text.split('\n').filter((line) => line.length > 80);

t.test(
  'the demonstration of replication shows that image and copy are equal, and leaves nothing behind',
  async (t) => {
    const lines: string[] = [];
    const stage = new Stage((line) => lines.push(line));
    t.ok(existsSync(stage.directory));
    try {
      await replication(stage, { bytes: 3_000_001, aloneSeconds: 0.5 });
    } finally {
      await stage.close();
    }
    t.notOk(existsSync(stage.directory));
    const text = lines.join('\n');
    t.match(text, /image and copy +equal\n {2}SHA-256 [0-9a-f]{64}\n/);
    t.same(tooWide(text), []);
    t.match(text, /primary, connecting +[1-9]/);
    t.match(text, /backup, receiving +\d/);
  },
);

t.test('the demonstration of a protected disk shows a failover and the way back', async (t) => {
  const lines: string[] = [];
  const stage = new Stage((line) => lines.push(line));
  try {
    await protecting(stage, 4);
    const pages = lines.flatMap((line) => / its page: (http:\S+)$/.exec(line)?.[1] ?? []);
    t.equal(pages.length, 3, 'one for each start of a daemon');
    for (const page of pages.slice(1))
      t.match(
        await (await fetch(page)).text(),
        '<title>tapdisk-ts</title>',
        'it is there until all is closed',
      );
  } finally {
    await stage.close();
  }
  const text = lines.join('\n');
  t.match(
    text,
    /survivor +equal to the checkpoint\n {2}after rejoining +both disks equal\n {2}SHA-256 [0-9a-f]{64}$/,
  );
  t.same(tooWide(text), []);
});

t.test('an interrupted demonstration fails, and leaves nothing behind', async (t) => {
  const lines: string[] = [];
  const stage = new Stage((line) => {
    lines.push(line);
    if (line.includes('primary started')) stage.stop('SIGTERM');
  });
  try {
    await t.rejects(replication(stage, { bytes: 3_000_001, aloneSeconds: 0.1 }), {
      message: /^stopped by SIGTERM$/,
    });
  } finally {
    await stage.close();
  }
  t.match(lines.at(-1), 'primary started');
  t.notOk(existsSync(stage.directory));
});
