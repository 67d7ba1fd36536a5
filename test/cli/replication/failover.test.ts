// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// A disk is protected by two daemons, the primary is killed, the backup takes over, and the old primary comes back: as an
// operator does it, by the commands.

import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { freePort } from '../../../scripts/free-port.js';
import { nbdClient } from '../../daemon/daemon-child.js';
import { Side } from './side.js';

const SIZE = 8 << 20;

t.test('an operator protects a disk, tests a restore, fails over, and comes back', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'failover-'));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  const sides = ['a', 'b'].map((name) => mkdtempSync(join(directory, name)));
  const [home = '', away = ''] = sides;
  for (const side of sides) {
    writeFileSync(join(side, 'disk.img'), '');
    truncateSync(join(side, 'disk.img'), SIZE);
  }
  const port = await freePort();
  const states = join(away, 'states');
  const hook = join(away, 'hook');
  writeFileSync(hook, `#!/bin/sh\necho "$TAPDISK_TS_MINOR $TAPDISK_TS_FROM $TAPDISK_TS_TO" >> ${states}\n`, {
    mode: 0o755,
  });

  const backup = await Side.start(t, away, { port, role: 'backup', argv: ['--on-state', hook] });
  const primary = await Side.start(t, home, { port, role: 'primary' });
  await primary.until('protected');
  await backup.until('backup');
  const client = await nbdClient(t, primary.nbd);
  await client.write(4096, Buffer.alloc(8192, 7));
  t.match(await primary.replication('flush'), /^checkpoint \d+ is committed$/m);
  t.match(
    await primary.replication('status', '--require', 'protected'),
    /^disk 3 of daemon \d+: protected$/m,
  );
  t.match(await backup.refused('status', '--require', 'protected'), /disk 3 is backup, expected protected/);

  const drill = await backup.replication('drill');
  const [, drillName = ''] = /nbd:\/\/\S+\/(\S+) until/.exec(drill) ?? [];
  const restored = await nbdClient(t, backup.nbd, drillName);
  // What is written and committed meanwhile is not in the checkpoint of the drill.
  await client.write(4096, Buffer.alloc(4096, 9));
  await primary.replication('flush');
  t.ok((await restored.read(4096, 8192)).equals(Buffer.alloc(8192, 7)));
  t.match(await backup.replication('drill', '--end'), /the drill of checkpoint \d+ has ended/);

  t.match(await backup.refused('promote'), /the primary is connected/);
  await primary.kill();
  const dryRun = await backup.promote('--dry-run');
  t.match(dryRun, /would become the primary/);
  t.equal(await backup.state(), 'backup');
  t.match(await backup.replication('promote'), /is the primary now/);
  const survivor = await nbdClient(t, backup.nbd, '3');
  const expected = Buffer.concat([Buffer.alloc(4096, 9), Buffer.alloc(4096, 7)]);
  t.ok((await survivor.read(4096, 8192)).equals(expected), 'the last committed checkpoint');
  await survivor.write(0, Buffer.alloc(512, 1));

  const old = await Side.start(t, home, { port, role: 'primary' });
  await old.until('stale');
  const stale = await nbdClient(t, old.nbd);
  await t.rejects(stale.write(0, Buffer.alloc(512)), { code: 'EPERM' }, 'it is read-only');
  t.match(await old.replication('rejoin', '--dry-run'), /would become the backup/);
  t.match(await old.replication('rejoin'), /is the backup of the other side now/);
  await backup.until('protected');
  await old.until('backup');
  await backup.replication('flush');
  t.ok((await stale.read(0, 512)).equals(Buffer.alloc(512, 1)), 'it has what was written without it');

  const events = (await backup.replication('events'))
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  const changes = events.filter(({ event }) => event.kind === 'state').map(({ event }) => event.to);
  t.same(changes.slice(0, 2), ['backup', 'unprotected']);
  t.match(readFileSync(states, 'utf8'), /^3 inconsistent backup\n3 backup unprotected\n/);
});
