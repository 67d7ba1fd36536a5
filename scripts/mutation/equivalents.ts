// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { cli } from './equivalents/cli.js';
import { conformance } from './equivalents/conformance.js';
import { control } from './equivalents/control.js';
import { daemon } from './equivalents/daemon.js';
import { disks } from './equivalents/disks.js';
import { metrics } from './equivalents/metrics.js';
import { nbd } from './equivalents/nbd.js';
import { posix } from './equivalents/posix.js';
import { replication } from './equivalents/replication.js';
import { scheduler } from './equivalents/scheduler.js';
import { server } from './equivalents/server.js';
import { status } from './equivalents/status.js';
import { testing } from './equivalents/testing.js';
import { transfer } from './equivalents/transfer.js';
import { vhd } from './equivalents/vhd.js';
import { NO_DESCRIPTOR, type Equivalents } from './equivalents/shared.js';
import type { Mutation } from './mutations.js';

const EVENT_IDS = 'The ids of events begin at 1.';

/** By file; the list of each folder of `src` stands in a file of its own. */
export const EQUIVALENTS: Equivalents = {
  ...cli,
  ...conformance,
  ...control,
  ...daemon,
  ...disks,
  ...metrics,
  ...nbd,
  ...posix,
  ...replication,
  ...scheduler,
  ...server,
  ...status,
  ...testing,
  ...transfer,
  ...vhd,
};

/** The same in whatever file. */
const ANYWHERE: readonly (readonly [before: RegExp, after: RegExp, reason: string])[] = [
  [
    /^(?:throw error|systemErrno\(error\));$/,
    /^;$/,
    'Nobody knows an error that gets here: it is thrown on.',
  ],
  [
    /^if \((?:[\w.#]*\.isTracing|this\.trace\.enabled)\)/,
    /^if \(true\)/,
    'What is noted without a trace is dropped there; to ask first only takes less time.',
  ],
  [/(?:\bfd|Fd) < 0\b/, /(?:\bfd|Fd) (?:<= 0|< 1)\b/, NO_DESCRIPTOR],
  [/(?:\bfd|Fd) >= 0\b/, /(?:\bfd|Fd) (?:> 0|>= 1)\b/, NO_DESCRIPTOR],
  [/(?:[eE]vent|\bid) < 0\b/, /(?:[eE]vent|\bid) (?:<= 0|< 1)\b/, EVENT_IDS],
  [/(?:[eE]vent|\bid) >= 0\b/, /(?:[eE]vent|\bid) (?:> 0|>= 1)\b/, EVENT_IDS],
  [/[eE]vent(?:: EventId)? = -1;$/, /[eE]vent(?:: EventId)? = -2;$/, 'Every number below 0 is no event.'],
  [
    /^const \[\w+ = 0(?:, \w+ = 0)*\] = readNumbers\(/,
    /^const \[\w+ = [01](?:, \w+ = [01])*\] = readNumbers\(/,
    'All that is asked for is there.',
  ],
  [
    /\(POLL_(?:READ|WRITE)_FD, [\w.#]+, 0,/,
    /\(POLL_(?:READ|WRITE)_FD, [\w.#]+, 1,/,
    'A time is ignored where the mode has no TIMEOUT.',
  ],
  [/\bTIMEOUT, -1,/, /\bTIMEOUT, (?:-2|-0|1),/, 'An event that only waits for a time has no descriptor.'],
];

/** Why a mutation changes nothing; undefined unless it is known to. */
export function equivalence({ file, before, after }: Mutation): string | undefined {
  const named = EQUIVALENTS[file]?.find(([from, to]) => from === before && to === after);
  return (named ?? ANYWHERE.find(([from, to]) => from.test(before) && to.test(after)))?.[2];
}

/** The entries of the list that fit no mutation of their file any more. */
export function outdated(mutationsOf: (file: string) => readonly Mutation[]): string[] {
  return Object.entries(EQUIVALENTS).flatMap(([file, entries]) => {
    const mutations = mutationsOf(file);
    return entries
      .filter(([from, to]) => !mutations.some(({ before, after }) => before === from && after === to))
      .map(([from, to]) => `${file}: no mutation makes ${JSON.stringify(to)} of ${JSON.stringify(from)}`);
  });
}
