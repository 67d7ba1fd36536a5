// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { document, tableRows } from './markdown.js';
import { type Source, sourceOf, sources } from './sources.js';

/** The layers, and what each may import beside itself; `parts` are the directories in src/server. */
const MAY_IMPORT = {
  /** Where the package's files are. */
  package: [],
  posix: [],
  scheduler: ['posix'],
  server: ['posix', 'scheduler'],
  replication: ['posix', 'scheduler', 'server'],
  parts: ['posix', 'scheduler', 'server', 'replication'],
  conformance: ['package', 'posix', 'scheduler', 'server', 'replication'],
  testing: ['posix', 'scheduler', 'server', 'replication', 'conformance'],
  /** The package's main entry, and the program with its list of commands, loaded from wherever they are. */
  top: ['package', 'posix', 'scheduler', 'server', 'replication', 'parts', 'conformance', 'testing'],
} as const satisfies Record<string, readonly string[]>;

type Layer = keyof typeof MAY_IMPORT;

const TOP = new Set(['index.ts', 'server/cli/main.ts', 'server/cli/dispatch.ts', 'server/cli/commands.ts']);

/** Modules by which sockets, names and the time are had. */
const RESERVED = /^node:(?:net|tls|dgram|https?|http2|dns|timers|perf_hooks)\b/;

const all = sources();

function layerOf(file: string): Layer {
  const path = file.slice('src/'.length);
  if (TOP.has(path)) return 'top';
  if (path === 'package-file.ts') return 'package';
  const [first = '', second] = path.split('/');
  if (first === 'server' && second?.endsWith('.ts') === false) return 'parts';
  if (first in MAY_IMPORT) return first as Layer;
  throw new Error(`${file} belongs to no layer`);
}

function upward({ file, imports }: Source): string[] {
  const layer = layerOf(file);
  const allowed: readonly string[] = [layer, ...MAY_IMPORT[layer]];
  return imports.filter((target) => !allowed.includes(layerOf(target)));
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
      .filter(({ file }) => layerOf(file) !== 'posix')
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

t.test('the scheduler takes nothing of Node, and nothing takes a package', async (t) => {
  const taken = all.flatMap(({ file, modules }) => modules.map((name) => [file, name] as const));
  t.same(
    taken.filter(([file, name]) => layerOf(file) === 'scheduler' || !name.startsWith('node:')),
    [],
  );
});

t.test('imports are seen in all their forms, and members of other things are no time', async (t) => {
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
