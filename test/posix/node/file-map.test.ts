// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import fs, {
  closeSync,
  ftruncateSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import t, { type Test } from 'tap';
import { DataLines } from '../../../src/posix/node/data-lines.js';
import { ExtentLines } from '../../../src/posix/node/extent-lines.js';
import { holeReader, type MapPrograms } from '../../../src/posix/node/file-map.js';
import type { FileRange } from '../../../src/posix/file-holes.js';
import { type MapLines, MAX_EXTENTS } from '../../../src/posix/node/map-lines.js';
import { Random } from '../../../src/testing/index.js';
import { diskWorld } from '../../disks/drivers/disk-world.js';
import { hasPrograms, run, skipped } from '../../programs.js';
import { randomSeed } from '../../random.js';
import { isInMemory } from '../../small-file-system.js';

const NO_FILEFRAG = { filefrag: '/nowhere/filefrag' };
const ALL_HOLE = [{ start: 0, end: Number.POSITIVE_INFINITY }];
const WHOLE = [
  { start: 0, end: 4096 },
  { start: 8192, end: Number.POSITIVE_INFINITY },
];

function holesOf(lines: MapLines, pieces: Iterable<string>): readonly FileRange[] | string {
  for (const piece of pieces) lines.take(piece);
  return lines.holes();
}

interface Asked {
  readonly programs?: Partial<MapPrograms>;
  readonly othersWrite?: boolean;
}

/** Asks once with a new reader, and returns the holes or the reason. */
function ask(t: Test, fd: number, { programs = {}, othersWrite = false }: Asked): Promise<unknown> {
  const { completions } = diskWorld(t).registry;
  return new Promise((resolve) => holeReader(completions, programs)(fd, othersWrite, resolve));
}

/** A file in a new directory until the test has ended, open for reading and writing. */
function openFile(t: Test, parent = tmpdir()): { readonly fd: number; readonly directory: string } {
  const directory = mkdtempSync(path.join(parent, 'tapdisk-ts-map-'));
  const fd = openSync(path.join(directory, 'file'), 'w+');
  t.teardown(() => {
    closeSync(fd);
    rmSync(directory, { recursive: true });
  });
  return { fd, directory };
}

/** An executable shell script. */
function script(directory: string, name: string, text: string): string {
  const file = path.join(directory, name);
  writeFileSync(file, `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  return file;
}

const HEADER = 'Filesystem type is: ef53\nFile size of x is 9 (9 blocks of 1 bytes)\n ext: logical\n';
const LINE = '   0:   4096..  8191: 268975972352..268975976447:   4096:     499712: last\n';

t.test('filefrag’s output is understood to the last character, or not used', async (t) => {
  const holes = (text: string): unknown => holesOf(new ExtentLines(), text);
  t.same(holes(`${HEADER}${LINE}x: 1 extent found\n`), WHOLE);
  t.same(holes(`${HEADER}x: 0 extents found\n`), ALL_HOLE);
  const eof = LINE.replace('last', 'unwritten,last,eof');
  t.same(holes(`${HEADER}${eof}x: 1 extent found\n`), WHOLE);
  for (const wrong of [
    '',
    HEADER,
    `${HEADER}${LINE}`,
    `${HEADER}${LINE}x: 1 extent found`,
    `${HEADER}${LINE.replace('last', '')}x: 1 extent found\n`,
    `${HEADER}x: 1 extent found\n`,
    `${HEADER}${LINE}${LINE}x: 1 extent found\n`,
    `${HEADER}${LINE.replace('8191', '4095')}x: 1 extent found\n`,
    `${HEADER}${LINE.replace('   0:', '   1:')}x: 1 extent found\n`,
    `${HEADER}Discontinued\n${LINE}x: 1 extent found\n`,
    'y'.repeat(9000),
  ]) {
    t.type(holes(wrong), 'string', JSON.stringify(wrong.slice(-60)));
  }
});

t.test('after too many extents of filefrag all is data', async (t) => {
  const lines = new ExtentLines();
  for (let index = 0; index < MAX_EXTENTS; index++) {
    const start = index * 8192;
    const more = lines.take(`${index}: ${start}..${start + 4095}: 5..6: 4096: 7:\n`);
    if (more !== index + 1 < MAX_EXTENTS) throw new Error(`wants more after ${index}: ${more}`);
  }
  const holes = lines.holes();
  if (typeof holes === 'string') throw new Error(holes);
  t.equal(holes.length, MAX_EXTENTS - 1);
  t.same(holes.at(-1), { start: (MAX_EXTENTS - 2) * 8192 + 4096, end: (MAX_EXTENTS - 1) * 8192 });
});

t.test('the last of as many extents as there may be is followed by a hole', async (t) => {
  const lines = new ExtentLines();
  const extents = Array.from({ length: MAX_EXTENTS }, (_, index) => ({
    start: index * 8192,
    end: index * 8192 + 4096,
  }));
  t.equal(lines.take(extentOutput(extents).join('')), true);
  const holes = lines.holes();
  if (typeof holes === 'string') throw new Error(holes);
  t.equal(holes.length, MAX_EXTENTS);
  t.same(holes.at(-1), { start: MAX_EXTENTS * 8192 - 4096, end: Number.POSITIVE_INFINITY });
});

t.test('output that is not understood is not read further, and the first fault is the reason', async (t) => {
  const lines = new DataLines();
  t.equal(lines.take('data 4096 8192\nfirst\nsecond\n'), false);
  t.equal(lines.take('end 1\n'), false);
  t.equal(lines.holes(), 'output of perl not understood: "first"');
  const long = new ExtentLines();
  t.equal(long.take('y'.repeat(8192)), true);
  t.equal(long.take('y'), false);
  t.equal(long.holes(), 'output of filefrag not understood: a line without end');
  const twice = new DataLines();
  t.equal(twice.take('data 4096 8192\ndata 4096 8192\nend 2\n'), false);
  t.equal(twice.holes(), 'output of perl not understood: extent 1 from 4096 to 8192');
});

t.test('what the script for SEEK_HOLE prints is understood to the last character, or not used', async (t) => {
  const holes = (text: string): unknown => holesOf(new DataLines(), text);
  t.same(holes('data 4096 8192\nend 1\n'), WHOLE);
  t.same(holes('end 0\n'), ALL_HOLE);
  t.same(holes('data 0 4096\ndata 4096 5000\nend 2\n'), [{ start: 5000, end: Number.POSITIVE_INFINITY }]);
  for (const wrong of [
    '',
    'data 4096 8192\n',
    'data 4096 8192\nend 1',
    'data 4096 8192\nend 0\n',
    'data 4096 8192\nend 2\n',
    'data 4096 8192\nend 1\nend 1\n',
    'end 0\ndata 4096 8192\n',
    'data 4096 4096\nend 1\n',
    'data 8192 4096\nend 1\n',
    'data 4096 8192\ndata 8191 9000\nend 2\n',
    'data 4096 1e+15\nend 1\n',
    'data -1 4096\nend 1\n',
    'data 4096 9007199254740993\nend 1\n',
    ' data 4096 8192\nend 1\n',
    'data 4096 8192 \nend 1\n',
    '\ndata 4096 8192\nend 1\n',
    'y'.repeat(9000),
  ]) {
    t.type(holes(wrong), 'string', JSON.stringify(wrong.slice(-60)));
  }
});

/** The output of `filefrag -v -b1` for extents, by lines. */
function extentOutput(extents: readonly FileRange[]): string[] {
  const lines = extents.map(({ start, end }, index) => {
    const flags = index === extents.length - 1 ? ' last,eof' : '';
    return `${index}: ${start}..${end - 1}: 5..6: ${end - start}: 7:${flags}\n`;
  });
  return [...lines, `x: ${extents.length} extents found\n`];
}

/** The output of the script for extents, by lines. */
function dataOutput(extents: readonly FileRange[]): string[] {
  return [...extents.map(({ start, end }) => `data ${start} ${end}\n`), `end ${extents.length}\n`];
}

t.test(
  'output is understood in any pieces, and not used when a line is missing, cut, double or foreign',
  async (t) => {
    const random = new Random(randomSeed(t));
    const below = (limit: number): number => random.integer(0, limit - 1);
    for (let round = 0; round < 400; round++) {
      const extents: FileRange[] = [];
      const holes: FileRange[] = [];
      let end = 0;
      for (let count = 1 + below(6); count > 0; count--) {
        const start = end + below(3) * 4096;
        if (start > end) holes.push({ start: end, end: start });
        end = start + 1 + below(2 ** 40);
        extents.push({ start, end });
      }
      holes.push({ start: end, end: Number.POSITIVE_INFINITY });
      const [output, lines] =
        below(2) === 0
          ? [dataOutput(extents), () => new DataLines()]
          : [extentOutput(extents), () => new ExtentLines()];
      const read = (text: string): readonly FileRange[] | string => {
        const pieces: string[] = [];
        for (let at = 0; at < text.length; at += pieces.at(-1)?.length ?? 0)
          pieces.push(text.slice(at, at + 1 + below(40)));
        return holesOf(lines(), pieces);
      };
      if (JSON.stringify(read(output.join(''))) !== JSON.stringify(holes)) {
        t.same(read(output.join('')), holes, `round ${round}: ${output.join('')}`);
        return;
      }
      const at = below(output.length);
      const line = output[at] ?? '';
      const before = output.slice(0, at).join('');
      const after = output.slice(at + 1).join('');
      for (const replaced of [
        '',
        line + line,
        `x\n${line}`,
        `\n${line}`,
        line.slice(0, below(line.length)),
        line.replace(/\d/, '-'),
      ]) {
        // The summary for people may stand there twice.
        if (replaced === line + line && line.startsWith('x')) continue;
        const text = before + replaced + after;
        if (typeof read(text) !== 'string') {
          t.fail(`round ${round} takes this for a map: ${text}`);
          return;
        }
      }
    }
    t.pass('no round differs');
  },
);

t.test('a script whose output does not end is stopped, and what follows is data', async (t) => {
  const { fd, directory } = openFile(t);
  const awk = `exec awk 'BEGIN { for (i = 1; ; i++) print "data", i * 8192, i * 8192 + 4096 }'`;
  const found = await ask(t, fd, { programs: { ...NO_FILEFRAG, perl: script(directory, 'perl', awk) } });
  if (!Array.isArray(found)) throw new Error(String(found));
  t.equal(found.length, MAX_EXTENTS);
  t.same(found.at(-1), { start: (MAX_EXTENTS - 1) * 8192 + 4096, end: MAX_EXTENTS * 8192 });
});

t.test('programs that are missing, fail or take too long make no map, and each is named', async (t) => {
  const { fd, directory } = openFile(t);
  const slow = script(directory, 'slow', 'sleep 60');
  for (const { filefrag, perl, seconds = 9, reason } of [
    { filefrag: 'false', perl: '/nowhere/perl', reason: /^false ended with status 1; .*perl does not start/ },
    {
      filefrag: '/nowhere/filefrag',
      perl: 'false',
      reason: /filefrag does not start.*; false ended with status 1$/,
    },
    { filefrag: slow, perl: slow, seconds: 0.05, reason: /was not done within .*; .*was not done within/ },
    {
      filefrag: 'true',
      perl: 'true',
      reason: /^output of filefrag is incomplete; output of perl is incomplete$/,
    },
  ]) {
    t.match(await ask(t, fd, { programs: { filefrag, perl, seconds } }), reason);
  }
});

t.test('filefrag is not asked again after it has failed', async (t) => {
  const { fd, directory } = openFile(t);
  const log = path.join(directory, 'log');
  const filefrag = script(directory, 'filefrag', `echo filefrag >>${log}; exit 1`);
  const perl = script(directory, 'perl', `echo perl >>${log}; echo 'end 0'`);
  const read = holeReader(diskWorld(t).registry.completions, { filefrag, perl });
  for (let count = 0; count < 2; count++) {
    t.same(await new Promise((resolve) => read(fd, false, resolve)), ALL_HOLE);
  }
  t.equal(readFileSync(log, 'utf8'), 'filefrag\nperl\nperl\n');
});

t.test('where others may write, SEEK_HOLE counts only if the file system shows their changes', async (t) => {
  if (!hasPrograms(t, 'perl')) return;
  const fd = openSync('/proc/self/status', 'r');
  t.teardown(() => closeSync(fd));
  t.match(await ask(t, fd, { programs: NO_FILEFRAG, othersWrite: true }), /others may write to it/);
});

t.test('SEEK_HOLE is not used where it is wrong, or where changes of others would not show', async (t) => {
  const { fd } = openFile(t);
  const original = fs.statfs;
  const types = [0xef53, 0x58465342, 0x9123683e, 0x01021994, 0x2fc12fc1, 0x6969];
  let type: number | undefined;
  const found = (_path: string, done: (error: Error | null, found?: unknown) => void): void =>
    type === undefined ? done(new Error('no such file')) : done(null, { type });
  fs.statfs = found as unknown as typeof fs.statfs;
  syncBuiltinESMExports();
  t.teardown(() => {
    fs.statfs = original;
    syncBuiltinESMExports();
  });
  const read = holeReader(diskWorld(t).registry.completions, { ...NO_FILEFRAG, perl: 'true' });
  const holesOrReason = (othersWrite: boolean): Promise<unknown> =>
    new Promise((resolve) => read(fd, othersWrite, resolve));
  for (const othersWrite of [false, true]) {
    for (type of types) {
      const reason =
        type === 0x2fc12fc1
          ? /ZFS has versions whose SEEK_HOLE/
          : othersWrite && type === 0x6969
            ? /others may write to it/
            : /output of perl is incomplete$/;
      t.match(await holesOrReason(othersWrite), reason, `0x${type.toString(16)}`);
    }
  }
  type = undefined;
  t.match(await holesOrReason(false), /cannot determine its file system: no such file$/);
});

t.test(
  'what waits in memory is written before filefrag looks, and no setting changes its output',
  async (t) => {
    const { fd, directory } = openFile(t);
    const log = path.join(directory, 'log');
    const filefrag = script(directory, 'filefrag', `echo "$@" $TAPDISK_TS_TEST $LC_ALL >${log}; exit 1`);
    process.env['TAPDISK_TS_TEST'] = 'inherited';
    t.teardown(() => delete process.env['TAPDISK_TS_TEST']);
    await ask(t, fd, { programs: { filefrag, perl: 'false' } });
    t.equal(readFileSync(log, 'utf8'), '-v -s -b1 /proc/self/fd/3 C\n');
  },
);

for (const parent of [tmpdir(), '/dev/shm']) {
  t.test(`what was written is in no hole that SEEK_HOLE finds in ${parent}, at random`, async (t) => {
    if (!hasPrograms(t, 'perl', 'fallocate')) return;
    if (parent === '/dev/shm' && !isInMemory(t, parent)) return;
    const random = new Random(randomSeed(t));
    const below = (limit: number): number => random.integer(0, limit - 1);
    const size = 1 << 20;
    let found = 0;
    for (let round = 0; round < 4; round++) {
      const { fd, directory } = openFile(t, parent);
      ftruncateSync(fd, size + below(4096));
      const written = new Uint8Array(size);
      for (let step = 0; step < 12; step++) {
        const start = below(size);
        const length = 1 + below(Math.min(size - start, below(3) === 0 ? 100_000 : 5000));
        if (below(4) > 0) {
          writeSync(fd, Buffer.alloc(length, 1), 0, length, start);
          written.fill(1, start, start + length);
          continue;
        }
        const range = ['--punch-hole', `--offset=${start}`, `--length=${length}`];
        await run('fallocate', [...range, path.join(directory, 'file')]);
        // Whether it could be made or not.
        const bytes = Buffer.alloc(length);
        readSync(fd, bytes, 0, length, start);
        written.set(bytes, start);
      }
      const offset = 12_345;
      readSync(fd, Buffer.alloc(offset), 0, offset, null);
      const holes = await ask(t, fd, { programs: NO_FILEFRAG, othersWrite: round % 2 === 0 });
      if (!Array.isArray(holes)) return void skipped(t, String(holes));
      for (const { start, end } of holes as FileRange[]) {
        found++;
        const at = written.subarray(start, Math.min(end, size)).indexOf(1);
        if (at >= 0) t.fail(`round ${round}: ${start} to ${end} has data at ${start + at}`);
      }
      t.match(
        readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'),
        `pos:\t${offset}\n`,
        'the offset is not moved',
      );
    }
    t.ok(found > 4, `${found} holes`);
  });
}
