// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { errno } from '../../../../src/posix/index.js';
import type { Metadata } from '../../../../src/replication/disk/format/metadata-record.js';
import { MetadataFile } from '../../../../src/replication/disk/metadata-file.js';
import { Epochs } from '../../../../src/replication/disk/primary/epochs.js';
import type { PrimaryParts } from '../../../../src/replication/disk/primary/primary-parts.js';
import { pair } from '../world.js';
import { metadataOf } from './metadata-of.js';

async function epochsOf(more: Partial<Metadata>) {
  const its = await metadataOf(more);
  const failures: number[] = [];
  const { metadata } = its;
  const parts: Pick<PrimaryParts, 'metadata' | 'random'> = { metadata, random: (bytes) => bytes.fill(0xcc) };
  const epochs = new Epochs(parts as PrimaryParts, (result) => failures.push(result));
  const durable = async (): Promise<Metadata | undefined> => {
    await its.world.run(0.1);
    return (await its.world.complete(MetadataFile.load(its.files, '/srv/metadata', its.notice)))?.current;
  };
  return { ...its, epochs, failures, durable };
}

t.test('the open epoch is durably one that may be sent once it is reserved, or closed', async (t) => {
  const { epochs, metadata, durable } = await epochsOf({ promoted: false });
  t.same([epochs.closed, epochs.open], [7, 8]);
  epochs.reserve();
  t.equal((await durable())?.sent, 8);
  t.same([epochs.closed, epochs.open], [7, 8], 'which closes it not');
  const { update } = metadata.current;
  epochs.reserve();
  t.equal(epochs.close(), 8);
  t.equal(metadata.current.update, update, 'what is reserved is not reserved again');
  t.equal(epochs.close(), 9);
  t.equal((await durable())?.sent, 9);
});

t.test('a side that was promoted closes its first checkpoint in a generation of its own', async (t) => {
  const { epochs, durable } = await epochsOf({ promoted: true });
  epochs.reserve();
  t.match(await durable(), { sent: 7, generation: 'a'.repeat(16) }, 'a write begins none');
  t.equal(epochs.close(), 8);
  t.match(await durable(), { sent: 8, acked: 7, promoted: false, generation: 'c'.repeat(16) });
});

t.test('a new generation counts on from what was reserved', async (t) => {
  const { epochs, call } = await epochsOf({ promoted: false });
  epochs.reserve();
  t.equal(await call((done) => epochs.fork(done)), 0);
  t.same([epochs.closed, epochs.mustFork], [8, false]);
});

t.test('metadata that cannot be written are reported', async (t) => {
  const { epochs, call, host, failures, world } = await epochsOf({ promoted: false });
  host.files.failCalls({ calls: ['write'], nth: 1, error: errno.EIO });
  epochs.reserve();
  await world.run(0.1);
  t.same(failures, [-errno.EIO]);
  t.equal(await call((done) => epochs.fork(done)), -errno.EIO);
  t.same(failures, [-errno.EIO, -errno.EIO]);
});

t.test('epochs are counted on from the last that may have been sent', async (t) => {
  const { a } = pair(t);
  await a.until('protected');
  await a.write(8, 8, 1);
  const epoch = await a.checkpoint();
  t.ok(epoch > 0);
  t.equal(a.engine.status().epochSent, epoch);
  t.equal(await a.checkpoint(), epoch + 1, 'without a write as well');
  await a.write(8, 8, 2);
  t.equal(a.engine.status().epochSent, epoch + 1, 'a write closes none');
  a.host.crash('reset');
  a.host.restart();
  await a.until('protected');
  const next = await a.checkpoint();
  t.ok(next > epoch + 2, 'the one that was open may have been sent, as far as the metadata know');
});
