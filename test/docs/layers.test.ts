// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { document, tableRows } from './markdown.js';
import { type Source, sourceOf, sources } from './sources.js';

/** The folders of src: each may import those before it, and never those after it. */
const FOLDERS = [
  'posix',
  'scheduler',
  'server',
  'replication',
  'disks',
  'nbd',
  'control',
  'metrics',
  'status',
  'transfer',
  'daemon',
  'conformance',
  'testing',
  'cli',
];

/** The package's main entry: the only source outside of the folders. */
const MAIN_ENTRY = 'src/index.ts';

/** The status page's own code, which runs in a browser, on a browser's timers. */
function isBrowsers(file: string): boolean {
  return file.startsWith('src/metrics/page/browser/');
}

/** Modules by which sockets, names and the time are had. */
const RESERVED = /^node:(?:net|tls|dgram|https?|http2|dns|timers|perf_hooks)\b/;

const all = sources();

/** A file's place in the order; the main entry comes after all. */
function levelOf(file: string): number {
  if (file === MAIN_ENTRY) return FOLDERS.length;
  const level = FOLDERS.indexOf(file.split('/')[1] ?? '');
  if (level < 0) throw new Error(`${file} is in no folder of the list`);
  return level;
}

function upward({ file, imports }: Source): string[] {
  return imports.filter((target) => levelOf(target) > levelOf(file));
}

/**
 * src/posix has three parts: the contract imports neither of the others, what implementations share does not import Node's
 * own. The simulated world is an implementation too.
 */
const BARRED = [
  { from: /^src\/posix\/[^/]*$/, to: /^src\/posix\/(?:node|shared)\// },
  { from: /^src\/posix\/shared\//, to: /^src\/posix\/node\// },
  { from: /^src\/testing\//, to: /^src\/posix\/(?:node\/|index\.ts$)/ },
];

function acrossPosix({ file, imports }: Source): string[] {
  if (file === 'src/posix/index.ts') return [];
  return imports.filter((target) => BARRED.some(({ from, to }) => from.test(file) && to.test(target)));
}

/** The files of one circle of imports, types included, or none. */
function circle(graph: ReadonlyMap<string, readonly string[]>): string[] {
  const finished = new Set<string>();
  const path: string[] = [];
  const visit = (file: string): string[] => {
    if (finished.has(file)) return [];
    if (path.includes(file)) return path.slice(path.indexOf(file));
    path.push(file);
    for (const target of graph.get(file) ?? []) {
      const found = visit(target);
      if (found.length > 0) return found;
    }
    path.pop();
    finished.add(file);
    return [];
  };
  for (const file of graph.keys()) {
    const found = visit(file);
    if (found.length > 0) return found;
  }
  return [];
}

/** What a file uses of Node's sockets, names and time. */
function reservedUses({ modules, time }: Source): string[] {
  return [...modules.filter((name) => RESERVED.test(name)), ...time].toSorted();
}

t.test('dependencies point one way', async (t) => {
  t.ok(all.length > 150, `${all.length} sources`);
  t.same(
    all.flatMap((source) => upward(source).map((target) => `${source.file} imports ${target}`)),
    [],
  );
  const here = 'src/scheduler/x.ts';
  t.same(upward(sourceOf(here, "import { a } from '../server/logger.js';")), ['src/server/logger.ts']);
  t.same(upward(sourceOf(here, "export type { A } from '../replication/index.js';")), [
    'src/replication/index.ts',
  ]);
});

t.test('the parts of src/posix are kept apart', async (t) => {
  t.same(
    all.flatMap((source) => acrossPosix(source).map((target) => `${source.file} imports ${target}`)),
    [],
  );
  const shared = sourceOf('src/posix/shared/x.ts', "import type { A } from '../node/a.js';");
  t.same(acrossPosix(shared), ['src/posix/node/a.ts']);
  t.same(acrossPosix(sourceOf('src/testing/x.ts', "import { A } from '../posix/index.js';")), [
    'src/posix/index.ts',
  ]);
});

t.test('no imports go in a circle, types included', async (t) => {
  t.same(circle(new Map(all.map(({ file, imports }) => [file, imports]))), []);
  t.same(
    circle(
      new Map([
        ['a', ['b']],
        ['b', ['c']],
        ['c', ['b']],
      ]),
    ),
    ['b', 'c'],
  );
});

t.test('architecture.md has the same folders in the same order', async (t) => {
  const rows = tableRows(document('docs/architecture.md').text, '## Folders');
  t.same(
    rows.map(([folder = '']) => plain(folder)),
    FOLDERS.map((folder) => `src/${folder}`),
  );
});

t.test(
  'only src/posix touches sockets, timers and the clock, but for what architecture.md gives a reason for',
  async (t) => {
    const rows = tableRows(document('docs/architecture.md').text, '## Layers').filter(([file]) =>
      file?.includes('.ts`'),
    );
    const given = new Map(
      rows.map(([file = '', uses = '', why = '']) => [plain(file), { uses: plain(uses), why }]),
    );
    const used = all
      .filter(({ file }) => !file.startsWith('src/posix/') && !isBrowsers(file))
      .map((source) => [source.file, reservedUses(source).join(', ')] as const)
      .filter(([, uses]) => uses !== '');
    t.same(new Map(used), new Map([...given].map(([file, { uses }]) => [file, uses])));
    for (const [file, { why }] of given) {
      t.ok(
        all.some((source) => source.file === file),
        `${file} exists`,
      );
      t.ok(why.length > 20, `${file} has a reason`);
    }
  },
);

t.test('the scheduler imports nothing from Node, and nothing imports a package', async (t) => {
  const taken = all.flatMap(({ file, modules }) => modules.map((name) => [file, name] as const));
  t.same(
    taken.filter(
      ([file, name]) =>
        file.startsWith('src/scheduler/') ||
        (!name.startsWith('node:') && !(isBrowsers(file) && name === 'uplot')),
    ),
    [],
  );
});

t.test('browser code imports nothing from Node, and from the daemon only words and formats', async (t) => {
  const browsers = all.filter(({ file }) => isBrowsers(file));
  const others = new Set(browsers.flatMap(({ imports }) => imports.filter((target) => !isBrowsers(target))));
  t.same([...others].toSorted(), ['src/metrics/page/wire.ts', 'src/server/format.ts']);
  t.same(
    browsers.flatMap(({ modules }) => modules).filter((name) => name.startsWith('node:')),
    [],
  );
  const users = all.filter(({ file, imports }) => !isBrowsers(file) && imports.some(isBrowsers));
  t.same(users, [], 'nothing of the daemon takes of it');
});

t.test('imports are recognised in all forms, and other members are not taken for timers', async (t) => {
  const text = `
    import net, { type Socket } from 'node:net';
    import { type Server } from 'node:tls';
    import type { Socket as Other } from 'node:net';
    import type { A } from './a.js';
    export * from '../b.js';
    const c = await import('node:dns');
    timers.setTimeout(x, 1);
    const { now } = performance.timeOrigin;
    interface Timers { setTimeout(): void }
    setInterval(() => {}, 1);
    new Date();
  `;
  t.same(sourceOf('src/server/x.ts', text), {
    file: 'src/server/x.ts',
    imports: ['src/server/a.ts', 'src/b.ts'],
    modules: ['node:dns', 'node:net', 'node:tls (types)'],
    time: ['Date', 'performance', 'setInterval'],
  });
});

function plain(cell: string): string {
  return cell.replaceAll('`', '');
}
