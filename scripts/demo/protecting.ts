// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { formatBytes } from '../../src/server/format.js';
import { freePort } from '../free-port.js';
import { programPath } from '../program-path.js';
import type { Actor } from './actor.js';
import { hashOf, readDisk, withDisk, writeDisk } from './disk-client.js';
import { MIB } from './image.js';
import type { Stage } from './stage.js';

const POLL_MS = 200;

/** One of the two hosts: its directory, and the daemon that runs there. */
class Host {
  readonly directory: string;
  readonly socket: string;
  readonly image: string;
  readonly #stage: Stage;
  readonly #name: string;
  #daemon: Actor | undefined;
  /** Where its status page is; the same after a restart. */
  #page = '127.0.0.1:0';

  constructor(stage: Stage, name: string, bytes: number) {
    this.#stage = stage;
    this.#name = name;
    this.directory = join(stage.directory, name);
    this.socket = join(this.directory, 'nbd.sock');
    this.image = join(this.directory, 'disk.img');
    mkdirSync(this.directory);
    writeFileSync(this.image, '');
    truncateSync(this.image, bytes);
  }

  /** Starts the daemon. The role tells two daemons apart that are on one host here. */
  async start(port: number, role: string): Promise<void> {
    const disk = `0=remus:127.0.0.1:${port},role=${role},interval=0,journal=64M|aio:${this.image}`;
    this.#daemon = this.#stage.start(this.#name, [
      'daemon',
      ...['--control-directory', join(this.directory, 'ctl')],
      ...['--disk', disk, '--nbd', this.socket, '--metrics', this.#page],
    ]);
    const [, page = ''] = / metrics=(\S+)/.exec(await this.#daemon.line(/^ready/)) ?? [];
    this.#page = page;
    this.#stage.tell(`${this.#name}: daemon started, pid ${this.#daemon.pid}, its page: http://${page}`);
  }

  /** Kills the daemon as a host dies. */
  async die(): Promise<void> {
    this.#daemon?.kill('SIGKILL');
    await this.#daemon?.exit;
    this.#stage.tell(`${this.#name}: killed (kill -9)`);
  }

  /** Runs `tapdisk-ts replication …`: what it printed, or undefined when it failed. */
  async replication(...argv: string[]): Promise<string | undefined> {
    const directory = join(this.directory, 'ctl');
    const command = this.#stage.start('replication', [
      'replication',
      ...argv,
      '--control-directory',
      directory,
    ]);
    let line: string | undefined;
    command.onReport((report) => {
      line ??= typeof report['line'] === 'string' ? report['line'] : JSON.stringify(report);
    });
    return (await command.exit) === 0 ? line : undefined;
  }

  /** Runs a command that has to succeed, and says what it printed. */
  async does(...argv: string[]): Promise<void> {
    const said = await this.replication(...argv);
    if (said === undefined) throw new Error(`${this.#name}: replication ${argv.join(' ')} failed`);
    // What would not fit into a line is not needed here.
    this.#stage.tell(`${this.#name}: ${said.split(';')[0]}`);
  }

  async until(state: string): Promise<void> {
    for (;;) {
      const text = await this.replication('status', '--json');
      const [disk] = JSON.parse(text ?? '[]') as { state: string }[];
      if (disk?.state === state) break;
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
    this.#stage.tell(`${this.#name}: ${state}`);
  }
}

/**
 * A disk with a backup: its primary is killed in the middle of writing, the backup takes over at the last checkpoint, and
 * the old primary comes back, is refused, and rejoins.
 */
export async function protecting(stage: Stage, mebibytes = 32): Promise<void> {
  const size = mebibytes * MIB;
  stage.say(`\nProtecting: a disk of ${formatBytes(size)} with a backup, and the loss of its primary.\n`);
  const content = fileSystem(stage, size);
  const primary = new Host(stage, 'primary', size);
  const backup = new Host(stage, 'backup', size);
  const port = await freePort();
  await backup.start(port, 'backup');
  await primary.start(port, 'primary');
  await primary.until('protected');

  await withDisk(primary.socket, '0', async (client) => {
    await writeDisk(client, content);
    stage.tell('primary: a client wrote a file system over NBD');
    await primary.does('flush');
    for (let at = 0; at < size; at += 2 * MIB) await client.write(at, Buffer.alloc(MIB, 0xdb));
    stage.tell('primary: the client writes on, without a checkpoint');
    await primary.die();
  });

  const takeOver = performance.now();
  while ((await backup.replication('promote')) === undefined) {
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  stage.tell(`backup: promoted, ${((performance.now() - takeOver) / 1000).toFixed(1)} s after the loss`);
  const survived = await withDisk(backup.socket, '0', readDisk);
  if (!survived.equals(content)) throw new Error('the survivor is not at the checkpoint');
  stage.tell('backup: its disk is the checkpoint, byte for byte');
  checkFileSystem(stage, survived);
  await withDisk(backup.socket, '0', (client) => client.write(0, Buffer.alloc(MIB, 1)));

  await primary.start(port, 'primary');
  await primary.until('stale');
  const refused = await withDisk(primary.socket, '0', (client) =>
    client.write(0, Buffer.alloc(512)).then(
      () => false,
      () => true,
    ),
  );
  if (!refused) throw new Error('the old primary takes writes');
  stage.tell('primary: is back, and read-only: the other side was promoted');
  await primary.does('rejoin');
  await backup.until('protected');
  await backup.does('flush');
  const [one, other] = [
    await withDisk(backup.socket, '0', readDisk),
    await withDisk(primary.socket, '0', readDisk),
  ];
  if (!one.equals(other)) throw new Error('the two disks differ');
  stage.say('\n  survivor            equal to the checkpoint');
  stage.say('  after rejoining     both disks equal');
  stage.say(`  SHA-256 ${hashOf(one)}`);
}

/** A file system with the sources of this demonstration in it, or random bytes where mke2fs is missing. */
function fileSystem(stage: Stage, size: number): Buffer {
  const image = join(stage.directory, 'file-system');
  const made =
    programPath('mke2fs') !== undefined &&
    spawnSync('mke2fs', ['-q', '-F', '-t', 'ext4', '-d', import.meta.dirname, image, `${size / 1024}k`])
      .status === 0;
  if (made) return readFileSync(image);
  stage.tell('mke2fs is not installed: the disk gets a pattern instead of a file system');
  const bytes = Buffer.alloc(size);
  for (let at = 0; at < size; at += 4) bytes.writeUInt32LE((at * 2_654_435_761) >>> 0, at);
  return bytes;
}

function checkFileSystem(stage: Stage, content: Buffer): void {
  if (programPath('e2fsck') === undefined || programPath('mke2fs') === undefined) return;
  const image = join(stage.directory, 'survivor');
  writeFileSync(image, content);
  const { status, stdout } = spawnSync('e2fsck', ['-f', '-n', image], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`e2fsck found faults: ${stdout}`);
  stage.tell('e2fsck finds nothing wrong with it');
}
