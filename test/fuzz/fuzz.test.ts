// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// Who takes what others say, fuzzed from grammars: no crash, no growth, and afterwards a client in order is served.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import t from 'tap';
import { Random } from '../../src/testing/random.js';
import { FILE_TIMEOUT_MS } from '../file-timeout.js';
import { randomSeed } from '../random.js';
import { watchTurns } from './longest-turn.js';
import { targets } from './targets.js';

/** For so long each is talked to; the nightly run sets more. */
const SECONDS = Number(process.env['FUZZ_SECONDS'] ?? 0.25);
/** Only the targets whose names have this in them. */
const ONLY = process.env['FUZZ_TARGET'] ?? '';
/** As many talk at the same time, unless a target says otherwise. */
const AT_ONCE = 16;
/** More than that is growth: what stays between two looks is the same, but for what V8 has compiled. */
const MAX_GROWTH_BYTES = 16 << 20;
/** How often is looked before and, as long as there is growth, after. */
const LOOKS = { before: 2, after: 8 };
/** Turns of the event loop before a look. */
const TURNS = 10;
/** A turn of the event loop that takes more of the processor's time is told. */
const LONG_MS = 100;

const seed = randomSeed(t);
const timeoutMs = Math.max(SECONDS * 20_000 + 60_000, FILE_TIMEOUT_MS);
t.setTimeout(timeoutMs);
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/**
 * The least of several looks, or the first that is at most `enough`: connections that have just ended are not gone before
 * their handles are. A look collects all garbage, which was half the time of this file when each was made five times.
 */
async function heapBytes(looks: number, enough = 0): Promise<number> {
  let least = Infinity;
  for (let look = 0; look < looks && least > enough; look++) {
    for (let turn = 0; turn < TURNS; turn++) await new Promise((resolve) => setImmediate(resolve));
    collect();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    least = Math.min(least, heapUsed + arrayBuffers);
  }
  return least;
}

t.test('no input causes a crash or growth', async (t) => {
  t.setTimeout(timeoutMs);
  for (const [name, start] of Object.entries(targets)) {
    if (!name.includes(ONLY)) continue;
    await t.test(name, async (t) => {
      const target = await start(t);
      const { atOnce = AT_ONCE } = target;
      let said = 0;
      const sayFor = async (seconds: number): Promise<void> => {
        const until = performance.now() + seconds * 1000;
        const speaker = async (): Promise<void> => {
          // Of its own seed each, so that it is the same however they take turns.
          while (performance.now() < until) await target.say(new Random(seed + said++));
        };
        await Promise.all(Array.from({ length: atOnce }, speaker));
      };
      await sayFor(SECONDS / 4);
      // What a check leaves is there before and after.
      await target.check();
      const before = await heapBytes(LOOKS.before);
      const stop = watchTurns();
      await sayFor((SECONDS * 3) / 4);
      const { wallMs, cpuMs } = stop();
      await target.check();
      const growth = (await heapBytes(LOOKS.after, before + MAX_GROWTH_BYTES / 2)) - before;
      t.comment(
        `${said} said, ${Math.round(growth / 1024)} KiB more, longest turn of the loop ${cpuMs} ms of processor time, ${wallMs} ms in all, speakers included`,
      );
      if (cpuMs > LONG_MS) t.comment(`a turn took more than ${LONG_MS} ms`);
      t.ok(growth < MAX_GROWTH_BYTES, `${growth} bytes more`);
      t.ok(said > atOnce);
    });
  }
});
