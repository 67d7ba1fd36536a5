// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { Random } from '../../../src/testing/index.js';
import { randomSeed } from '../../random.js';
import { create } from './engine.js';
import { flip, rotSubject, sampledBytes } from './rot.js';

/** In each sector in which anything is. */
const FLIPS = 2;

t.test('a rotten byte in journal or metadata is refused, or loses nothing', async (t) => {
  const seed = randomSeed(t);
  const random = new Random(seed);
  const subject = await rotSubject(seed, create);
  const places = [...sampledBytes(subject, FLIPS, random)];
  const wrong: string[] = [];
  const refused = new Set<string>();
  for (const place of places) {
    const outcome = await flip(subject, create, place, 1 << random.integer(0, 7));
    if (outcome === 'refused') refused.add(place.path);
    else if (outcome !== 'as it was') wrong.push(outcome);
  }
  t.same(wrong.slice(0, 5), []);
  t.ok(refused.size > 0, `${places.length} bytes, refused in ${[...refused].join()}`);
});
