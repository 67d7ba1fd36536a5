// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// Who takes what others say, fuzzed from grammars: no crash, no growth, and afterwards a client in order is served.

import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import t from 'tap';
import { Random } from '../../src/testing/random.js';
import { randomSeed } from '../random.js';
import { targets } from './targets.js';

/** For so long each is talked to; the nightly run sets more. */
const SECONDS = Number(process.env['FUZZ_SECONDS'] ?? 0.6);
/** As many talk at the same time. */
const AT_ONCE = 16;
/** More than that is growth: what stays between two looks is the same, but for what V8 has compiled. */
const MAX_GROWTH_BYTES = 16 << 20;
/** A turn of the event loop that takes longer is told: no callback of it can have taken longer than the turn. */
const LONG_MS = 100;

const seed = randomSeed(t);
t.setTimeout(SECONDS * 10_000 + 60_000);
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

function heapBytes(): number {
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

t.test('whatever is said, there is no crash and no growth', async (t) => {
  t.setTimeout(SECONDS * 10_000 + 60_000);
  for (const [name, start] of Object.entries(targets)) {
    await t.test(name, async (t) => {
      const target = await start(t);
      const delay = monitorEventLoopDelay({ resolution: 10 });
      let said = 0;
      const sayFor = async (seconds: number): Promise<void> => {
        const until = performance.now() + seconds * 1000;
        const speaker = async (): Promise<void> => {
          // Of its own seed each, so that it is the same however they take turns.
          while (performance.now() < until) await target.say(new Random(seed + said++));
        };
        await Promise.all(Array.from({ length: AT_ONCE }, speaker));
      };
      await sayFor(SECONDS / 4);
      const before = heapBytes();
      delay.enable();
      await sayFor((SECONDS * 3) / 4);
      delay.disable();
      await target.check();
      const growth = heapBytes() - before;
      const longest = Math.round(delay.max / 1e6);
      t.comment(
        `${said} said, ${Math.round(growth / 1024)} KiB more, longest turn of the loop ${longest} ms, speakers included`,
      );
      if (longest > LONG_MS) t.comment(`a turn took more than ${LONG_MS} ms`);
      t.ok(growth < MAX_GROWTH_BYTES, `${growth} bytes more`);
      t.ok(said > AT_ONCE);
    });
  }
});
