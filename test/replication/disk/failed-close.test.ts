// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// A file that cannot be closed is closed all the same (Linux frees its descriptor), and what it has is durable by then.

import t from 'tap';
import { errno } from '../../../src/posix/index.js';
import { IMAGE, pair, type SideNode } from './world.js';

const SMALL = { journalBytes: 256 << 10 };

/** The files of a side that are open, its image apart. */
function openFiles({ host }: SideNode): string[] {
  return host.files
    .descriptors()
    .map(({ path }) => path)
    .filter((path) => path !== IMAGE);
}

for (const which of ['a', 'b'] as const) {
  const role = which === 'a' ? 'primary' : 'backup';
  t.test(
    `whichever close fails, a ${role} closes all of its files, and completes with the error`,
    async (t) => {
      for (let nth = 1; ; nth++) {
        const sides = pair(t, { a: SMALL, b: SMALL });
        await sides.a.until('protected');
        await sides.a.write(8, 8, nth);
        t.ok((await sides.a.checkpoint()) > 0);
        const side = sides[which];
        const fault = side.host.files.failCalls({ calls: ['close'], nth, error: errno.EIO });
        const results: number[] = [];
        const reasons: (string | undefined)[] = [];
        side.engine.close((result, reason) => {
          results.push(result);
          reasons.push(reason);
        });
        await sides.world.run(() => results.length > 0);
        await sides.world.run(1);
        t.same(openFiles(side), [], `close ${nth}`);
        if (fault.failed === 0) {
          t.same(results, [0]);
          t.ok(nth > 3, 'several files were closed');
          return;
        }
        t.same(results, [-errno.EIO], `close ${nth}`);
        t.match(reasons, [/^cannot close .*: EIO$/]);
        t.match(side.events.at(-1), { kind: 'error', message: reasons[0] });
        const logged = sides.world.trace.lines.filter((line) => line.includes('cannot close'));
        t.same(logged, [], 'who closes it reports that');
      }
    },
  );
}

t.test('a first sync whose leftovers cannot be closed is over, and the backup goes on', async (t) => {
  const { a, b, world } = pair(t, { a: SMALL, b: SMALL });
  await world.complete(b.opened);
  // The first file that it closes from here on is what it has noted of the sync.
  const fault = b.host.files.failCalls({ calls: ['close'], error: errno.EIO });
  await a.until('protected');
  await a.write(8, 8, 1);
  t.ok((await a.checkpoint()) > 0);
  t.equal(fault.failed, 1);
  t.notOk(openFiles(b).some((path) => path.endsWith('received')));
  t.ok((await a.read()).equals(await b.read()));
});
