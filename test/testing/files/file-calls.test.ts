// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { errnoCode, type FileCalls, NodeFileCalls } from '../../../src/posix/index.js';
import { Random } from '../../../src/testing/index.js';
import { randomBytes, randomSeed } from '../../random.js';
import { FileWorld, O_CREAT, O_DIRECTORY, O_EXCL, O_RDONLY, O_RDWR, O_TRUNC, O_WRONLY } from './fixture.js';

const PATHS = ['/a', '/b', '/d', '/d/x', '/d/y', '/e', '/e/x', '/a/x', '/missing/x', '/d/../b', '//d//x'];
const MODES = [O_RDONLY, O_WRONLY, O_RDWR];
const EXTRAS = [0, O_CREAT, O_CREAT | O_EXCL, O_CREAT | O_TRUNC, O_TRUNC];
const STEPS = 1500;

/** File calls, awaited: each tells its result, and what else it tells, as text that is the same on every system. */
class Caller {
  readonly #calls: FileCalls;
  readonly #root: string;
  readonly #wait: (told: Promise<string>) => Promise<string>;
  /** The descriptors that are open, in the order of opening, and their flags. */
  readonly #open: [fd: number, flags: number][] = [];

  constructor(calls: FileCalls, root: string, wait: (told: Promise<string>) => Promise<string>) {
    this.#calls = calls;
    this.#root = root;
    this.#wait = wait;
  }

  get openCount(): number {
    return this.#open.length;
  }

  path(path: string): string {
    return this.#root + path;
  }

  fd(index: number): number {
    return this.#open[index]?.[0] as number;
  }

  mayWrite(index: number): boolean {
    return ((this.#open[index]?.[1] ?? 0) & (O_WRONLY | O_RDWR)) !== 0;
  }

  async told(
    call: (calls: FileCalls, done: (result: number, value?: unknown) => void) => void,
  ): Promise<string> {
    const told = new Promise<string>((resolve) => {
      call(this.#calls, (result, value) => resolve(`${resultText(result)} ${this.#text(value)}`));
    });
    return this.#wait(told);
  }

  async open(path: string, flags: number): Promise<string> {
    let opened = -1;
    const text = await this.told((calls, done) =>
      calls.open(this.path(path), flags, (fd) => {
        opened = fd;
        done(Math.min(fd, 0));
      }),
    );
    if (opened >= 0) this.#open.push([opened, flags]);
    return text;
  }

  async close(index: number): Promise<string> {
    const fd = this.fd(index);
    this.#open.splice(index, 1);
    return this.told((calls, done) => calls.close(fd, done));
  }

  #text(value: unknown): string {
    if (Array.isArray(value)) return value.map(String).toSorted().join();
    if (typeof value === 'string') return value.slice(this.#root.length);
    if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
    if (typeof value !== 'object' || value === null) return '';
    const { kind, size, mode } = value as { kind: string; size: number; mode: number };
    return `${kind} ${kind === 'directory' ? '' : size} ${mode.toString(8)}`;
  }
}

function resultText(result: number): string {
  return result < 0 ? errnoCode(result) : String(result);
}

/** A random call, to be made by any caller. */
function randomStep(random: Random, state: Caller): (caller: Caller) => Promise<string> {
  const { openCount } = state;
  const path = random.pick(PATHS);
  const other = random.pick(PATHS);
  const index = random.integer(0, Math.max(0, openCount - 1));
  const position = random.pick([0, 1, 511, 4095, 4096, random.integer(0, 20_000)]);
  const bytes = randomBytes(random, random.pick([0, 1, 512, 4096, random.integer(0, 10_000)]));
  const onPaths: ((caller: Caller) => Promise<string>)[] = [
    (caller) => caller.told((calls, done) => calls.stat(caller.path(path), done)),
    (caller) => caller.told((calls, done) => calls.lstat(caller.path(path), done)),
    (caller) => caller.told((calls, done) => calls.realpath(caller.path(path), done)),
    (caller) => caller.told((calls, done) => calls.readdir(caller.path(path), done)),
    (caller) => caller.told((calls, done) => calls.rename(caller.path(path), caller.path(other), done)),
    (caller) => caller.told((calls, done) => calls.link(caller.path(path), caller.path(other), done)),
    (caller) => caller.told((calls, done) => calls.unlink(caller.path(path), done)),
    (caller) => caller.told((calls, done) => calls.mkdir(caller.path(path), 0o755, done)),
    (caller) => caller.told((calls, done) => calls.syncDirectory(caller.path(path), done)),
  ];
  const onFiles: ((caller: Caller) => Promise<string>)[] = [
    (caller) => caller.told((calls, done) => calls.fstat(caller.fd(index), done)),
    (caller) => caller.told((calls, done) => calls.write(caller.fd(index), bytes, position, done)),
    (caller) => {
      // Node does not ask the system for nothing.
      const buffer = new Uint8Array(bytes.length + 1);
      return caller.told((calls, done) =>
        calls.read(caller.fd(index), buffer, position, (result) => done(result, buffer)),
      );
    },
    (caller) => caller.told((calls, done) => calls.fdatasync(caller.fd(index), done)),
    (caller) => caller.told((calls, done) => calls.fsync(caller.fd(index), done)),
    (caller) => caller.told((calls, done) => calls.ftruncate(caller.fd(index), position, done)),
    (caller) => caller.close(index),
  ];
  // A process each on a real host: few.
  const slow: ((caller: Caller) => Promise<string>)[] = [
    (caller) =>
      caller.told((calls, done) => calls.allocate(caller.fd(index), position, bytes.length + 1, done)),
    (caller) =>
      caller.told((calls, done) => calls.punchHole(caller.fd(index), position, bytes.length + 1, done)),
  ];
  const flags = random.pick(MODES) | random.pick(EXTRAS);
  const open = (caller: Caller): Promise<string> => caller.open(path, flags);
  if (openCount === 0 || random.chance(0.2)) return open;
  // They open the file again, for writing, whatever it was opened for.
  if (random.chance(0.02) && state.mayWrite(index)) return random.pick(slow);
  return random.pick(random.chance(0.6) ? onFiles : onPaths);
}

t.test('calls report what those of a real file system report', async (t) => {
  const seed = randomSeed(t);
  const random = new Random(seed);
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'files-')));
  t.teardown(() => rmSync(directory, { recursive: true }));
  const world = new FileWorld({ seed });
  const real = new Caller(new NodeFileCalls({ post: (task) => task() }), directory, (told) => told);
  const simulated = new Caller(world.calls, '', (told) => world.world.complete(told));
  const seen = new Set<string>();
  for (let step = 0; step < STEPS; step++) {
    const make = randomStep(random, real);
    const expected = await make(real);
    const found = await make(simulated);
    seen.add(expected.split(' ')[0] as string);
    if (found === expected) continue;
    const last = world.world.trace.lines.slice(-5).join('\n');
    t.fail(
      `step ${step}: ${found.slice(0, 200)}, expected ${expected.slice(0, 200)}; the last calls:\n${last}`,
    );
    break;
  }
  t.ok([...seen].filter((word) => word.startsWith('E')).length >= 4, [...seen].join(' '));
  while (real.openCount > 0) await real.close(0);
});

/** What {@link plant} makes: a file, another name of it, and directories, one of them empty. */
const PLANTED = ['/file', '/other', '/d', '/d/x', '/d/sub', '/d/sub/y', '/empty'];
const ANYWHERE = [...PLANTED, '/d/new', '/file/x', '/missing/x'];

async function plant(caller: Caller): Promise<void> {
  for (const path of ['/d', '/d/sub', '/empty'])
    await caller.told((calls, done) => calls.mkdir(caller.path(path), 0o755, done));
  for (const path of ['/file', '/d/x', '/d/sub/y']) {
    await caller.open(path, O_WRONLY | O_CREAT);
    await caller.close(0);
  }
  await caller.told((calls, done) => calls.link(caller.path('/file'), caller.path('/other'), done));
}

t.test(
  'every call on every kind of path has the result, and the effect, of that on a real file system',
  async (t) => {
    const directory = realpathSync(mkdtempSync(join(tmpdir(), 'paths-')));
    t.teardown(() => rmSync(directory, { recursive: true }));
    const makes: [name: string, (caller: Caller) => Promise<string>][] = [];
    for (const path of ANYWHERE) {
      for (const other of ANYWHERE) {
        makes.push(
          [
            `rename ${path} ${other}`,
            (caller) =>
              caller.told((calls, done) => calls.rename(caller.path(path), caller.path(other), done)),
          ],
          [
            `link ${path} ${other}`,
            (caller) => caller.told((calls, done) => calls.link(caller.path(path), caller.path(other), done)),
          ],
        );
      }
      for (const mode of MODES) {
        for (const extra of [...EXTRAS, O_DIRECTORY]) {
          makes.push([
            `open ${path} ${mode | extra}`,
            async (caller) => {
              const result = await caller.open(path, mode | extra);
              if (caller.openCount > 0) await caller.close(0);
              return result;
            },
          ]);
        }
      }
      makes.push(
        [`unlink ${path}`, (caller) => caller.told((calls, done) => calls.unlink(caller.path(path), done))],
        [
          `mkdir ${path}`,
          (caller) => caller.told((calls, done) => calls.mkdir(caller.path(path), 0o755, done)),
        ],
      );
    }
    let pair: { readonly real: Caller; readonly simulated: Caller; readonly world: FileWorld } | undefined;
    for (const [round, [name, make]] of makes.entries()) {
      if (pair === undefined) {
        const world = new FileWorld({ seed: 1 });
        const root = join(directory, String(round));
        mkdirSync(root);
        const real = new Caller(new NodeFileCalls({ post: (task) => task() }), root, (told) => told);
        const simulated = new Caller(world.calls, '', (told) => world.world.complete(told));
        await plant(real);
        await plant(simulated);
        pair = { real, simulated, world };
      }
      const { real, simulated, world } = pair;
      const expected = await make(real);
      const found = await make(simulated);
      const there = readdirSync(real.path(''), { recursive: true }).map((path) => `/${String(path)}`);
      const names = [world.paths(), there].map((paths) => paths.toSorted().join(' '));
      if (found !== expected || names[0] !== names[1])
        t.fail(`${name}: ${found} (${names[0]}), expected ${expected} (${names[1]})`);
      // What has changed nothing serves once more.
      if (!expected.startsWith('E')) pair = undefined;
    }
  },
);
