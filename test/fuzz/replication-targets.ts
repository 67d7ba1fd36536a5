// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { liveMutated } from '../replication/disk/c/mutated-life.js';
import type { FuzzTargets } from './fuzz-target.js';
import { liveInPeace, liveMeddled, liveUnderLiar } from './meddled-life.js';

/** Replicated disks, the other side of which lies: each thing said is a whole life of an engine in a world of its own. */
export const replicationTargets: FuzzTargets = {
  'own backups toward a primary': async () => ({ atOnce: 1, say: liveMeddled, check: liveInPeace }),
  'own primaries toward a backup': async () => ({ atOnce: 1, say: liveUnderLiar, check: liveInPeace }),
  'C peers, in both roles': async () => ({
    atOnce: 1,
    say: (random) => liveMutated(random.integer(0, 2 ** 31 - 1)),
    check: () => liveMutated(1),
  }),
};
