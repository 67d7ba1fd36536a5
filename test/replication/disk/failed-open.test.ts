// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { errno } from '../../../src/posix/index.js';
import { SimulatedWorld } from '../../../src/testing/index.js';
import { DIRECTORY, IMAGE, SideNode } from './world.js';

const SMALL = { sectors: 256, fill: 0 };
const JOURNAL_BYTES = 256 << 10;

/** Opens a disk that is new, or was open before a crash, once for each of its file calls, which fails. */
async function openWithFailures(
  role: 'primary' | 'backup',
  isNew: boolean,
): Promise<{ readonly failed: number; readonly left: string[] }> {
  const left: string[] = [];
  let failed = 0;
  for (let nth = 1; ; nth++) {
    const world = new SimulatedWorld({ seed: 1, traceLines: 0 });
    const node = new SideNode(world, '10.0.0.2', { role, journalBytes: JOURNAL_BYTES }, SMALL);
    if (!isNew) await world.complete(node.opened);
    node.host.crash('end of file');
    // The first call opens the image, which is not the engine's.
    const fault = node.host.files.failCalls({ nth: nth + 1, error: errno.EIO });
    node.host.restart();
    const result = await world.complete(node.opened);
    if (fault.failed === 0) return { failed, left };
    if (result === 0) continue;
    failed += 1;
    const open = node.host.files.descriptors().filter(({ path }) => path !== IMAGE);
    if (open.length > 0) left.push(`call ${nth}: ${open.map(({ path }) => path).join()}`);
  }
}

for (const role of ['primary', 'backup'] as const) {
  for (const isNew of [true, false]) {
    const which = `${isNew ? 'new' : 'known'} ${role}`;
    t.test(
      `whatever file call fails in the open of a ${which}, no file of its state stays open`,
      async (t) => {
        const { failed, left } = await openWithFailures(role, isNew);
        t.ok(failed >= 10, `${failed} calls`);
        t.same(left, []);
      },
    );
  }
}

t.test(
  'a new disk whose role cannot be found out for lack of descriptors is refused, and has no metadata',
  async (t) => {
    const world = new SimulatedWorld({ seed: 1, traceLines: 0 });
    const node = new SideNode(world, '10.0.0.1', { journalBytes: JOURNAL_BYTES }, SMALL);
    for (let nth = 1; nth <= 30; nth++) node.host.failCalls({ calls: ['socket'], nth, error: errno.EMFILE });
    t.equal(await world.complete(node.opened), -errno.EMFILE);
    const reasons: (string | undefined)[] = [];
    for (let nth = 1; nth <= 30; nth++) node.host.failCalls({ calls: ['socket'], nth, error: errno.EMFILE });
    node.engine.open((_, reason) => reasons.push(reason));
    await world.run(() => reasons.length > 0, { limitSeconds: 60 });
    t.same(reasons, ['cannot listen at 10.0.0.2:9000: EMFILE']);
    t.throws(() => node.host.files.contents(`${DIRECTORY}/metadata`));
    node.host.restart();
    t.equal(await world.complete(node.opened), 0);
    t.equal(node.engine.status().role, 'primary', 'as the address is another host’s');
  },
);
