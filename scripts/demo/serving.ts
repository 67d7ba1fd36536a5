// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { spawnSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AF_UNIX } from '../../src/posix/index.js';
import { formatBytes } from '../../src/cli/format.js';
import { nullLogger, TapdiskServer } from '../../src/server/index.js';
import { NbdClient } from '../../src/nbd/index.js';
import { programPath } from '../program-path.js';
import { generate, MIB, sha256 } from './image.js';
import type { Stage } from './stage.js';

/** A daemon that serves a disk over NBD, listed by ctl, and written and read by a client. */
export async function serving(stage: Stage, mebibytes = 32): Promise<void> {
  stage.say(`\nServing: a daemon with a disk of ${formatBytes(mebibytes * MIB)}, to an NBD client.\n`);
  const image = join(stage.directory, 'disk-image');
  const readBack = join(stage.directory, 'disk-read-back');
  const control = join(stage.directory, 'control');
  const socket = join(stage.directory, 'nbd.sock');
  await generate(image, mebibytes * MIB);

  const daemon = stage.start('daemon', [
    'daemon',
    ...['--control-directory', control],
    ...['--disk', `0=ram:${mebibytes}`],
    ...['--nbd', socket],
  ]);
  await daemon.line(/^ready/);
  stage.tell(`daemon started, pid ${daemon.pid}`);
  const ctl = stage.start('ctl', ['ctl', 'list', '--control-directory', control]);
  stage.tell(`ctl list: ${await ctl.line(/minor=0/)}`);

  const hasNbdcopy = programPath('nbdcopy') !== undefined;
  const client = hasNbdcopy ? 'nbdcopy' : 'own client (nbdcopy is not installed)';
  const start = performance.now();
  if (hasNbdcopy) copyWithNbdcopy(image, readBack, `nbd+unix:///?socket=${socket}`);
  else await copyWithOwnClient(image, readBack, socket);
  stage.tell(`${client} wrote the disk and read it back in ${Math.round(performance.now() - start)} ms`);

  const [written, read] = [await sha256(image), await sha256(readBack)];
  if (written !== read) throw new Error(`the disk gave back the SHA-256 ${read} for ${written}`);
  daemon.kill();
  const status = await daemon.exit;
  if (status !== 0) throw new Error(`the daemon ended with ${status}`);
  stage.tell('daemon shut down in order');
  stage.say('\n  written and read    equal');
  stage.say(`  SHA-256 ${read}`);
}

function copyWithNbdcopy(image: string, readBack: string, uri: string): void {
  for (const files of [
    [image, uri],
    [uri, readBack],
  ]) {
    const { status } = spawnSync('nbdcopy', files, { stdio: 'inherit' });
    if (status !== 0) throw new Error(`nbdcopy ended with ${status}`);
  }
}

async function copyWithOwnClient(image: string, readBack: string, socket: string): Promise<void> {
  const server = new TapdiskServer({ logger: nullLogger });
  const running = server.run({ signals: false });
  const { posix } = server;
  const client = await NbdClient.connect({
    registrar: server,
    posix,
    address: { family: AF_UNIX, path: socket },
  });
  const data = await readFile(image);
  const blocks: Buffer[] = [];
  for (let at = 0; at < data.length; at += MIB) await client.write(at, data.subarray(at, at + MIB));
  await client.flush();
  for (let at = 0; at < data.length; at += MIB) blocks.push(await client.read(at, MIB));
  await writeFile(readBack, Buffer.concat(blocks));
  client.disconnect();
  server.stop();
  await running;
}
