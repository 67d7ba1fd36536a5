// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { repositoryFile } from '../../../scripts/repository-files.js';
import { type DiskWorld, diskWorld } from './disk-world.js';
import { freePort, imageOf, readFrom, replicationOf, untilStatus, written } from './remus-world.js';

const SIZE = 1 << 20;
const hasCompiler = spawnSync('cc', ['--version']).status === 0;
const skip = hasCompiler ? false : 'there is no C compiler';

/** A program in C that has the other role, and what it has said. */
class CPeer {
  readonly child: ChildProcess;
  readonly lines: string[] = [];
  readonly ended: Promise<number | null>;
  readonly #waiting = new Set<() => void>();

  constructor(world: DiskWorld, ...args: readonly string[]) {
    const program = world.path('peer');
    execFileSync('cc', ['-O1', '-o', program, repositoryFile('test/replication/disk/c/peer.c')]);
    this.child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    let text = '';
    this.child.stdout?.setEncoding('latin1').on('data', (chunk: string) => {
      text += chunk;
      const lines = text.split('\n');
      text = lines.pop() ?? '';
      this.lines.push(...lines);
      for (const look of this.#waiting) look();
    });
    this.ended = new Promise((resolve) => this.child.on('close', (status) => resolve(status)));
  }

  until(line: string): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (this.lines.includes(line)) resolve();
      };
      this.#waiting.add(look);
      look();
    });
  }
}

/** A backup in C that listens, and its image. */
async function backupInC(world: DiskWorld): Promise<{ c: CPeer; port: string; theirs: string }> {
  const port = String(freePort());
  const theirs = world.path('theirs');
  writeFileSync(theirs, Buffer.alloc(SIZE));
  const c = new CPeer(world, 'backup', '127.0.0.1', port, theirs);
  await c.until('listening');
  return { c, port, theirs };
}

const checkpointed = (world: DiskWorld): Promise<number> =>
  new Promise((resolve) => replicationOf(world, 0).checkpoint(resolve));

for (const peer of ['auto', 'c'] as const) {
  t.test(
    `a backup in C gets what is written, checkpoint by checkpoint (peer=${peer})`,
    { skip },
    async (t) => {
      const world = diskWorld(t);
      const { c, port, theirs } = await backupInC(world);
      const options = `role=primary,peer=${peer},fifos=no,interval=0`;
      const vbd = await world.open(`remus:127.0.0.1:${port},${options}|aio:${imageOf(world, 'ours')}`);
      t.equal(await written(vbd, 8, 7), 0);
      await untilStatus(replicationOf(world, 0), ({ state }) => state === 'protected');
      t.equal(replicationOf(world, 0).status().peerKind, 'c');
      t.equal(await new Promise((resolve) => vbd.queueWrite(40, Buffer.alloc(65_536, 9), resolve)), 0);
      t.ok((await checkpointed(world)) > 0);
      t.ok(readFileSync(theirs).equals(readFileSync(world.path('ours'))), 'the images are equal');
      t.equal(await written(vbd, 8, 8), 0);
      await vbd.close();
      t.equal(await c.ended, 0);
      const probe = c.lines.filter((line) => line.startsWith('skipped'));
      t.same(probe, peer === 'auto' ? ['skipped 1 tdts', 'skipped 2 rp01'] : []);
      t.equal(c.lines.at(-1), 'end, 1 open', 'what was not committed was sent, and is not there');
    },
  );
}

t.test(
  'a backup in C that is killed leaves the primary unprotected, and writes go on',
  { skip },
  async (t) => {
    const world = diskWorld(t);
    const { c, port } = await backupInC(world);
    const vbd = await world.open(
      `remus:127.0.0.1:${port},role=primary,peer=c,fifos=no|aio:${imageOf(world, 'ours')}`,
    );
    t.equal(await written(vbd, 0, 1), 0);
    await untilStatus(replicationOf(world, 0), ({ state }) => state === 'protected');
    c.child.kill('SIGKILL');
    await untilStatus(replicationOf(world, 0), ({ state }) => state === 'unprotected');
    t.equal(await written(vbd, 8, 2), 0);
    t.ok((await checkpointed(world)) < 0);
  },
);

for (const peer of ['auto', 'c'] as const) {
  const title = `a primary in C is answered for what is durable, and its guest fails over (peer=${peer})`;
  t.test(title, { skip }, async (t) => {
    const world = diskWorld(t);
    const port = String(freePort());
    const options = `role=backup,peer=${peer},fifos=no,journal=4M`;
    const vbd = await world.open(`remus:127.0.0.1:${port},${options}|aio:${imageOf(world, 'ours')}`);
    const script = 'w8+8=11 w10+1=22 c c w8+8=33 c w0+8=44 w100+1=55 x';
    const c = new CPeer(world, 'primary', '127.0.0.1', port, script);
    t.equal(await c.ended, 0);
    t.same(c.lines, ['connected', 'done', 'done', 'done']);
    await untilStatus(replicationOf(world, 0), ({ connection }) => connection === 'none');
    t.ok((await readFrom(vbd, 8)).equals(Buffer.alloc(4096, 0x33)));
    t.ok((await readFrom(vbd, 0)).equals(Buffer.alloc(4096)), 'what was not committed is not there');
    const again = new CPeer(world, 'primary', '127.0.0.1', port, 'w0+8=66 c');
    t.equal(await again.ended, 1);
    t.same(again.lines, ['refused']);
    t.equal(
      await written(vbd, 16, 0x77),
      0,
      'the guest is here now: its write is tried again until it is done',
    );
    t.equal(replicationOf(world, 0).status().role, 'primary');
    t.ok((await readFrom(vbd, 16)).equals(Buffer.alloc(4096, 0x77)));
  });
}
