// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t, { type Test } from 'tap';
import { errno } from '../../../src/posix/errno.js';
import type { CommandDone } from '../../../src/replication/disk/disk-replication.js';
import { type Pair, pair, type SideNode } from './world.js';

/** A protected pair whose primary is lost; `promotes`: and whose backup takes its place. */
async function loseThePrimary({ a, b, world }: Pair, promotes: boolean): Promise<void> {
  await a.until('protected');
  await a.write(500, 8, 2);
  a.host.crash('silence');
  await world.run(8);
  if (!promotes) return;
  await b.command((done) => b.engine.promote({}, done));
  await b.write(200, 8, 3);
}

/** The old primary is back, and knows that it is stale. */
async function staleSide(t: Test): Promise<{ readonly both: Pair; readonly side: SideNode }> {
  const both = pair(t, { a: { journalBytes: 256 << 10 } });
  await loseThePrimary(both, true);
  both.a.host.restart();
  await both.a.until('stale');
  return { both, side: both.a };
}

async function backupAlone(t: Test): Promise<{ readonly both: Pair; readonly side: SideNode }> {
  const both = pair(t);
  await loseThePrimary(both, false);
  return { both, side: both.b };
}

const CHANGES = [
  {
    name: 'rejoin',
    before: 'stale',
    begin: staleSide,
    run: ({ engine }: SideNode, done: CommandDone) => engine.rejoin({}, done),
  },
  {
    name: 'promote',
    before: 'backup',
    begin: backupAlone,
    run: ({ engine }: SideNode, done: CommandDone) => engine.promote({}, done),
  },
] as const;

for (const { name, before, begin, run } of CHANGES) {
  t.test(`if a file call of ${name} fails, the side is what it was, or serves nothing more`, async (t) => {
    const states = new Set<string>();
    for (let nth = 1; ; nth++) {
      const { both, side } = await begin(t);
      const fault = side.host.files.failCalls({ nth, error: errno.EIO });
      const { result } = await side.command((done) => run(side, done));
      const { state } = side.engine.status();
      if (fault.failed === 0) {
        t.equal(result, 0);
        break;
      }
      fault.cancel();
      if (result !== 0) {
        t.ok(state === 'failed' || state === before, `call ${nth}: ${state}`);
        states.add(state);
      }
      // The other side comes back and is met, if anybody is.
      if (!both.a.isUp) both.a.host.restart();
      await both.world.run(5);
      const resumed = await side.command((done) => side.engine.resume(done));
      t.equal(resumed.result, state === 'failed' ? -errno.EIO : 0);
      await both.world.run(5);
      t.equal(side.engine.status().state === 'failed', state === 'failed', `call ${nth}: for good`);
    }
    t.ok(states.has('failed'));
  });
}

t.test('a change of the role that fails is reported with the error that it met', async (t) => {
  const { side } = await backupAlone(t);
  await side.call((done) => side.engine.state.metadata.settle(done));
  // The first write says what the image has by now, the second one what this side is.
  side.host.files.failCalls({ calls: ['write'], nth: 2, error: errno.ENOSPC });
  const { result } = await side.command((done) => side.engine.promote({}, done));
  t.equal(result, -errno.ENOSPC);
  t.match(side.engine.status(), { state: 'failed', lastError: 'cannot write the metadata: ENOSPC' });
});

t.test('a side without room for a journal stays what it is, and rejoins once there is room', async (t) => {
  const { both, side } = await staleSide(t);
  const fault = side.host.files.failCalls({ calls: ['allocate'], error: errno.ENOSPC });
  const refused = await side.command((done) => side.engine.rejoin({}, done));
  t.equal(refused.result, -errno.ENOSPC);
  t.match(refused.message, 'journal');
  t.equal(side.engine.status().state, 'stale');
  await both.world.run(15);
  t.equal(side.engine.status().state, 'stale', 'also once the other side was met again');
  fault.cancel();
  t.equal((await side.command((done) => side.engine.rejoin({}, done))).result, 0);
  await both.b.until('protected');
  t.ok((await side.read()).equals(await both.b.read()));
});
