// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import {
  DEFAULT_REPLICATION_OPTIONS,
  type ReplicationOptions,
} from '../../../../src/replication/disk/options.js';
import { EarlyWrites } from '../../../../src/replication/disk/primary/early-writes.js';
import { Grains } from '../../../../src/replication/disk/primary/grains.js';
import type { BackupPeer } from '../../../../src/replication/disk/sessions.js';

const OPTIONS: ReplicationOptions = {
  ...DEFAULT_REPLICATION_OPTIONS,
  address: '10.0.0.2:9000',
  directory: '/srv/state',
  peer: 'c',
};

/** What a backup is sent of early writes, and how many bytes they count as. */
function sent(early: EarlyWrites, grains: Grains, peer: Partial<BackupPeer> = {}) {
  const log: string[] = [];
  const bytes = early.sendTo(
    {
      ...peer,
      write: (sector: number, data: Uint8Array) => log.push(`${data.length} of ${data[0]} at ${sector}`),
      zero: (sector: number, sectors: number) => log.push(`${sectors} zeroes at ${sector}`),
    } as unknown as BackupPeer,
    grains,
  );
  return { log, bytes };
}

t.test('a C backup gets the writes that came before it, as they were made', async (t) => {
  const grains = new Grains(16, 128);
  const early = new EarlyWrites(OPTIONS, grains);
  const data = Buffer.alloc(1024, 7);
  early.add(5, 2, data);
  data.fill(9);
  early.add(300, 4, undefined);
  early.add(5, 1, data.subarray(0, 512));
  grains.toSend.addAll([0, 2]);
  t.same(sent(early, grains), {
    log: ['1024 of 7 at 5', '4 zeroes at 300', '512 of 9 at 5'],
    bytes: 7 * 512,
  });
  t.same([grains.toSend.count, [...grains.open]], [0, [0, 2]], 'they are a part of the open checkpoint');
  t.same(sent(early, grains), { log: [], bytes: 0 }, 'once');
});

t.test('an own backup gets what it lacks otherwise', async (t) => {
  const grains = new Grains(16, 128);
  const early = new EarlyWrites(OPTIONS, grains);
  early.add(5, 1, Buffer.alloc(512, 7));
  grains.toSend.add(0);
  t.same(sent(early, grains, { sync: {} as never }), { log: [], bytes: 0 });
  t.equal(grains.toSend.count, 1);
});

t.test(
  'nothing is kept for a peer that may be an own one, nor of a disk that has changes already',
  async (t) => {
    const changed = new Grains(16, 128);
    changed.toSend.add(3);
    for (const [options, grains] of [
      [{ ...OPTIONS, peer: 'auto' }, new Grains(16, 128)],
      [OPTIONS, changed],
    ] as const) {
      const early = new EarlyWrites(options, grains);
      early.add(5, 1, Buffer.alloc(512, 7));
      t.same(sent(early, grains), { log: [], bytes: 0 });
    }
  },
);

t.test('more than may wait to be sent is not kept', async (t) => {
  // Each write counts as its bytes, and 512 more.
  for (const [queueBytes, count] of [
    [4096, 3],
    [4095, 0],
  ] as const) {
    const grains = new Grains(16, 128);
    const early = new EarlyWrites({ ...OPTIONS, queueBytes }, grains);
    early.add(0, 2, Buffer.alloc(1024, 1));
    early.add(0, 9, undefined);
    early.add(0, 3, Buffer.alloc(1536, 1));
    t.equal(sent(early, grains).log.length, count);
  }
});

t.test('what is not here, and has to be sent, makes the rest useless', async (t) => {
  const grains = new Grains(16, 128);
  const early = new EarlyWrites(OPTIONS, grains);
  early.add(5, 1, Buffer.alloc(512, 7));
  early.drop();
  early.add(6, 1, Buffer.alloc(512, 7));
  t.same(sent(early, grains), { log: [], bytes: 0 });
});
