// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { errno } from '../../../src/posix/index.js';
import type { Done, LocalDisk } from '../../../src/replication/disk/local-disk.js';
import { settleState } from '../../../src/replication/disk/settle-state.js';

const IMAGE = { fileSystem: 1, inode: 2, modifiedMicroseconds: 3 };

interface Settling {
  readonly role: 'primary' | 'backup';
  readonly hasSettle?: boolean;
  /** The call that fails. */
  readonly failing?: string;
}

/** What settling a state calls, in order, and how it ends. A call that begins before the last one has ended says so. */
async function settle({ role, hasSettle = true, failing }: Settling) {
  const calls: string[] = [];
  let underWay = 0;
  const begin = (call: string): void => {
    calls.push(underWay > 0 ? `${call}, too early` : call);
  };
  const step =
    <T extends unknown[]>(call: string, ...found: T) =>
    (done: (result: number, ...found: T) => void): void => {
      begin(call);
      underWay += 1;
      setImmediate(() => {
        underWay -= 1;
        if (call === failing) done(-errno.EIO, ...found);
        else done(0, ...found);
      });
    };
  const state = {
    metadata: {
      settle: step('metadata.settle'),
      update: (change: object, done: Done) => step(`metadata.update ${JSON.stringify(change)}`)(done),
    },
    map: { sync: step('map.sync') },
  };
  const disk: Pick<LocalDisk, 'settle' | 'identify'> = {
    ...(hasSettle && { settle: step('disk.settle') }),
    identify: step('disk.identify', IMAGE),
  };
  const roles = {
    primary: { flush: step('flush'), sweep: (all: boolean) => begin(`sweep ${all}`) },
    backup: { store: { drain: step('drain') } },
  };
  const end = await settleState(state as never, disk as LocalDisk, { [role]: roles[role] }).then(
    () => 'settled',
    (error: unknown) => String(error),
  );
  return { calls, end, underWay };
}

const UPDATE = `metadata.update ${JSON.stringify({ image: IMAGE, clean: true })}`;
const BY_ROLE = {
  backup: ['drain'],
  primary: ['flush', 'metadata.settle', 'sweep true', 'map.sync'],
} as const;

for (const role of ['primary', 'backup'] as const) {
  t.test(`the state of a ${role} is settled step by step, the metadata last`, async (t) => {
    t.same(await settle({ role }), {
      calls: [...BY_ROLE[role], 'disk.settle', 'disk.identify', UPDATE],
      end: 'settled',
      underWay: 0,
    });
  });
}

t.test('a disk that closing does not change is only identified', async (t) => {
  t.same((await settle({ role: 'backup', hasSettle: false })).calls, ['drain', 'disk.identify', UPDATE]);
});

for (const [role, failing, what] of [
  ['backup', 'drain', 'write the checkpoints to the image'],
  ['primary', 'flush', 'sync the image'],
  ['primary', 'metadata.settle', 'write the metadata'],
  ['primary', 'map.sync', 'write the map'],
  ['primary', 'disk.settle', 'settle the image'],
  ['backup', 'disk.identify', 'identify the image'],
  ['primary', UPDATE, 'write the metadata'],
] as const) {
  t.test(`nothing follows a step that fails: ${failing}`, async (t) => {
    const { calls, end } = await settle({ role, failing });
    t.equal(end, `StateError: cannot ${what}: EIO`);
    t.equal(calls.at(-1), failing);
  });
}
