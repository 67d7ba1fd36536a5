// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { programPath } from '../../../scripts/program-path.js';

const PROGRAMS = ['nbdfuse', 'mke2fs', 'e2fsck', 'debugfs', 'sqlite3', 'unshare', 'mount'];
const SBIN = ['/sbin', '/usr/sbin'];
const environment = { ...process.env, PATH: [process.env['PATH'], ...SBIN].join(':') };

/**
 * Serves the export as a file in a mount namespace of its own. The file system on it is mounted in another one below, which
 * has only those who use it: whoever leaves a namespace last unmounts what is mounted there, which the server must not wait for.
 */
const SERVE = `
nbdfuse "$1/nbd" "$0" &
until [ -f "$1/nbd/nbd" ]; do sleep 0.02; done
unshare --mount --pid --fork --kill-child --mount-proc sh -c "$2" "$1"
kill %1
wait
`;

/** Mounts the ext4 file system at the beginning, has files come and go on it, and SQLite do what standard input says. */
const USE = `
set -e
mount -o loop "$0/nbd/nbd" "$0/fs"
( cd "$0/fs"; i=0
  while i=$((i+1)); do
    head -c $((i % 17 * 1000)) /dev/urandom > f.tmp && sync f.tmp && mv f.tmp f$((i % 40)) || break
    [ $((i % 3)) != 0 ] || rm -f f$((i * 7 % 40)) || break
  done ) 2>/dev/null &
exec sqlite3 -bail "$0/fs/db"
`;

/** What e2fsck may say of a file system that was in use: ext4 keeps its counts of what is free only in memory. */
const HARMLESS = [
  /^Pass \d/,
  /: recovering journal$/,
  /^Clearing orphaned inode /,
  /^Free (blocks|inodes) count wrong/,
  /^Fix\? yes$/,
  /\*\*\*\*\* FILE SYSTEM WAS MODIFIED \*\*\*\*\*$/,
  /files \(.*non-contiguous\)/,
  /^Setting free (blocks|inodes) count/,
];

/** Why no file system can be mounted here; undefined: one can. */
export function whyNoFileSystems(): string | undefined {
  const missing = PROGRAMS.filter((name) => programPath(name, ...SBIN) === undefined);
  if (missing.length > 0) return `${missing.join(', ')} is not installed`;
  const { status, stderr } = spawnSync('unshare', ['--mount', '--pid', '--fork', 'losetup', '--find'], {
    encoding: 'utf8',
    env: environment,
  });
  return status === 0 ? undefined : `there is no loop device, or nothing may be mounted: ${stderr.trim()}`;
}

/** Makes an ext4 file system with a journal at the beginning of an image. */
export function makeFileSystem(image: string, bytes: number): void {
  run('mke2fs', ['-q', '-t', 'ext4', '-b', '4096', '-J', 'size=4', image, `${bytes >> 10}k`]);
}

/** A file system on an export of a daemon, used by SQLite and others until the daemon is killed. */
export class FileSystemLoad {
  readonly #child: ChildProcess;
  readonly #exit: Promise<unknown>;
  /** The rows whose transaction was answered. */
  rows = 0;
  #stderr = '';
  /** Fulfilled when it is in use, or has ended before. */
  readonly used: Promise<void>;

  constructor(uri: string, directory: string, journalMode: string) {
    for (const name of ['nbd', 'fs']) mkdirSync(join(directory, name), { recursive: true });
    this.#child = spawn(
      'unshare',
      ['--mount', 'sh', '-c', SERVE, uri, directory, USE],
      // A process group of its own, which is ended as a whole.
      { stdio: ['pipe', 'pipe', 'pipe'], env: environment, detached: true },
    );
    this.#exit = new Promise((resolve) => {
      this.#child.on('close', resolve);
    });
    const { stdin, stdout, stderr } = this.#child;
    // When it ends, it reads no more of this.
    stdin?.on('error', () => {});
    stderr?.on('data', (text: Buffer) => (this.#stderr += text.toString()));
    let isUsed = (): void => {};
    this.used = new Promise((resolve) => {
      isUsed = resolve;
    });
    void this.#exit.then(isUsed);
    let output = '';
    stdout?.on('data', (text: Buffer) => {
      const lines = (output + text.toString()).split('\n');
      output = lines.pop() ?? '';
      for (const [, rows] of lines.map((line) => /^rows (\d+)$/.exec(line) ?? [])) {
        if (rows === undefined) continue;
        this.rows = Number(rows);
        isUsed();
        this.#insert();
      }
    });
    // EXTRA: the directory too is synced before a transaction is answered.
    stdin?.write(
      `pragma journal_mode=${journalMode}; pragma synchronous=extra;
       create table if not exists t(id integer primary key, v);\n`,
    );
    this.#insert();
  }

  #insert(): void {
    this.#child.stdin?.write(
      "insert into t(v) values(randomblob(abs(random() % 9000))); select 'rows ' || max(id) from t;\n",
    );
  }

  /** What it said to standard error. */
  get stderr(): string {
    return this.#stderr;
  }

  /** Ends it, after its daemon was. */
  async end(): Promise<void> {
    try {
      if (this.#child.pid !== undefined) process.kill(-this.#child.pid, 'SIGKILL');
    } catch (error) {
      // All of the group may have ended by itself.
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
    await this.#exit;
  }

  /** What is wrong with an image: with the file system, with the database, or with what is in it. */
  faults(image: string, workspace: string): string[] {
    const { status, stdout } = spawnSync('e2fsck', ['-fy', image], { encoding: 'utf8', env: environment });
    const said = stdout.split('\n').filter((line) => line.trim() !== '');
    const faults = said.filter((line) => !HARMLESS.some((pattern) => pattern.test(line)));
    if (status === null || status > 1) faults.push(`e2fsck ended with ${status}`);
    const again = spawnSync('e2fsck', ['-fn', image], { encoding: 'utf8', env: environment });
    if (again.status !== 0) faults.push(`e2fsck -n ended with ${again.status}: ${again.stdout}`);
    if (faults.length > 0) return faults;
    const copy = mkdtempSync(join(workspace, 'files-'));
    try {
      run('debugfs', ['-R', `rdump / ${copy}`, image]);
      const sql = "pragma integrity_check; select 'rows ' || count(*) || ' ' || coalesce(max(id), 0) from t;";
      const checked = spawnSync('sqlite3', [join(copy, 'db'), sql], { encoding: 'utf8' });
      if (checked.status !== 0 && this.rows === 0 && /no such table/.test(checked.stderr)) return [];
      const [, integrity = '', count = '', last = ''] =
        /^([^]*)\nrows (\d+) (\d+)\n$/.exec(checked.stdout) ?? [];
      if (integrity !== 'ok') return [`integrity_check: ${checked.stdout}${checked.stderr}`];
      if (Number(last) < this.rows)
        return [`the database ends with row ${last}, but ${this.rows} was answered`];
      return count === last ? [] : [`the database has ${count} rows of ${last}`];
    } finally {
      rmSync(copy, { recursive: true, force: true });
    }
  }
}

function run(name: string, argv: readonly string[]): void {
  const { status, stderr } = spawnSync(name, argv, { encoding: 'utf8', env: environment });
  if (status !== 0) throw new Error(`${name} ended with ${status}: ${stderr}`);
}
