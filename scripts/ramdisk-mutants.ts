// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { inFile, type Mutant } from './mutant.js';

/** Nothing else runs the files. */
const noticing = { detectors: ['vectors', 'ramdisk model'] };

/** Small ways to break the ramdisk. */
export const RAMDISK_MUTANTS: readonly Mutant[] = [
  ...inFile(
    'replication/ramdisk.ts',
    [
      [
        'K1',
        'has the table in flight from the beginning',
        'disk.inprogress = undefined;\n  disk.primaryCache = new Map();',
        'disk.inprogress = new FlightTable();\n  disk.primaryCache = new Map();',
      ],
      ['K1', 'keeps an empty table of what pends', 'if (prev.size === 0) disk.prev = undefined;', ''],
      [
        'K1',
        'counts sectors in 32 bits',
        'table.set(sector + BigInt(index),',
        'table.set(BigInt.asUintN(32, sector + BigInt(index)),',
      ],
      [
        'K2',
        'keeps the first write of a sector',
        'table.set(sector + BigInt(index),',
        'if (!table.has(sector + BigInt(index))) table.set(sector + BigInt(index),',
      ],
      ['K2', "keeps the caller's buffer", 'data.slice(index', 'data.subarray(index'],
      [
        'K2',
        'puts every sector into the primary cache',
        "return cache === 'primary' ? disk.primaryCache : disk.secondaryCache;",
        'return disk.primaryCache;',
      ],
      [
        'K3',
        'gives what it has of a range',
        '    if (data === undefined) return -1;\n    buffer.set',
        '    if (data === undefined) continue;\n    buffer.set',
      ],
      ['K4', 'does not clear', 'table?.clear();', ''],
      ['K5', 'flushes what pends with an empty cache', 'if (table.size === 0) return 0;', ''],
      [
        'K5',
        'lets older data win',
        'new Map([...(disk.prev ?? []), ...table])',
        'new Map([...table, ...(disk.prev ?? [])])',
      ],
      ['K5', 'forgets what pends', 'new Map([...(disk.prev ?? []), ...table])', 'new Map(table)'],
      ['K5', 'keeps the cache', '  table.clear();\n  return ramdiskFlush', '  return ramdiskFlush'],
      [
        'K5',
        'only makes the cache pending',
        '  return ramdiskFlushPendedRequests(disk);\n}',
        '  return 0;\n}',
      ],
      ['K6', 'writes a wrong count', 'disk.inflight += 1;', ''],
      [
        'K6',
        'writes a run without its first sectors',
        'disk.image.queueWrite(run[0] as bigint,',
        'disk.image.queueWrite(run.at(-1) as bigint,',
      ],
      [
        'K6',
        'does not copy the data after the first sector',
        'data.set(pending, index * disk.sectorSize);',
        'data.set(pending, 0);',
      ],
      [
        'K7',
        'writes over what is in flight',
        'if (busy === undefined) issueRun',
        'if (busy === undefined || run.length > 0) issueRun',
      ],
      [
        'K7',
        'looks at the first sector of a run only',
        'run.find((sector) => inprogress.data(sector) !== undefined)',
        'run.slice(0, 1).find((sector) => inprogress.data(sector) !== undefined)',
      ],
      [
        'K7',
        'ends the flush at a run that waits',
        '      EPRINTF(disk, `cannot write',
        '      return;\n      EPRINTF(disk, `cannot write',
      ],
      ['K7', 'has no use for the flag', 'disk.deadGuard ? undefined : pending', 'pending'],
      ['K7', 'has the dead guard of the C', 'disk.deadGuard ? undefined : pending', 'undefined'],
      ['K8', 'does not shrink the count', 'disk.inflight -= 1;', ''],
      ['K8', 'leaves the sectors in flight', 'for (const sector of run) inprogress.remove(sector);', ''],
      [
        'K8',
        'flushes what waits after every write',
        'else if (disk.inflight === 0 && disk.prev !== undefined)',
        'else if (disk.prev !== undefined)',
      ],
      [
        'K8',
        'leaves what waits',
        'else if (disk.inflight === 0 && disk.prev !== undefined) ramdiskFlushPendedRequests(disk);',
        '',
      ],
      [
        'K9',
        'passes over a failed write',
        'if (error !== 0) writeFailed(disk, Math.abs(error));\n  else if',
        'if',
      ],
      [
        'K9',
        'does not log a failed write',
        '  EPRINTF(disk, `a write of a checkpoint failed: ${strerror(errnoval)}\\n`);\n',
        '',
      ],
      [
        'K10',
        'prefers the data in flight',
        'disk.prev?.get(at) ?? disk.inprogress?.data(at));\n}\n\n/**\n * Copies sectors of one',
        'disk.inprogress?.data(at) ?? disk.prev?.get(at));\n}\n\n/**\n * Copies sectors of one',
      ],
      [
        'K10',
        'looks at the primary cache',
        'disk.prev?.get(at) ?? disk.inprogress',
        'disk.prev?.get(at) ?? disk.primaryCache?.get(at) ?? disk.inprogress',
      ],
      [
        'K10',
        'does not look at what pends',
        'disk.prev?.get(at) ?? disk.inprogress?.data(at)',
        'disk.inprogress?.data(at)',
      ],
      [
        'K11',
        'counts what pends only',
        'disk.inflight > 0 || disk.prev !== undefined ? 1 : 0',
        'disk.prev !== undefined ? 1 : 0',
      ],
      ['K12', 'destroys under writes in flight', "in flight\\n');\n    return;", "in flight\\n');"],
      [
        'K12',
        'frees the secondary cache',
        '  disk.primaryCache = undefined;\n}',
        '  disk.primaryCache = undefined;\n  disk.secondaryCache = undefined;\n}',
      ],
      [
        'K12',
        'keeps the primary cache',
        '  // As in C the secondary cache stays in the struct, and goes with it.\n  disk.primaryCache = undefined;\n',
        '',
      ],
    ],
    noticing,
  ),
  ...inFile(
    'replication/sector-table.ts',
    [
      ['K6', 'joins nothing', 'if (sector - 1n !== run.at(-1)) {', 'if (sector !== run.at(-1)) {'],
      [
        'K6',
        'joins sectors over a gap',
        'if (sector - 1n !== run.at(-1)) {',
        'if (sector - 2n > (run.at(-1) ?? -3n)) {',
      ],
      [
        'K6',
        'takes sectors in the order of their writing',
        '[...table.keys()].sort((one, other) => (one < other ? -1 : 1))',
        'table.keys()',
      ],
      [
        'K6',
        'takes sectors by falling number',
        '[...table.keys()].sort((one, other) => (one < other ? -1 : 1))',
        '[...table.keys()].sort((one, other) => (one < other ? 1 : -1))',
      ],
      [
        'K6',
        'cuts runs at 8 sectors',
        'if (sector - 1n !== run.at(-1)) {',
        'if (sector - 1n !== run.at(-1) || run.length === 8) {',
      ],
      [
        'K8',
        'takes a sector that is in flight twice out at once',
        'if (flight !== undefined && flight.writes > 1) flight.writes -= 1;\n    else',
        'if (flight !== undefined)',
      ],
      [
        'K10',
        'finds no data in flight',
        'return this.#flights.get(sector)?.data;',
        'return this.#flights.get(sector) && undefined;',
      ],
    ],
    noticing,
  ),
];
