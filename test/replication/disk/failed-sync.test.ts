// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { errno } from '../../../src/posix/index.js';
import { pair } from './world.js';

t.test('Q10: a primary whose image cannot be synced stops serving it', async (t) => {
  const { a, b, world } = pair(t);
  await a.until('protected');
  await a.write(8, 8, 1);
  t.ok((await a.checkpoint()) > 0);
  const fault = a.host.files.failCalls({ calls: ['fdatasync'], nth: 1, error: errno.EIO });
  t.equal(await a.call((done) => a.engine.flush(done)), -errno.EIO);
  fault.cancel();
  t.equal(a.engine.status().state, 'failed');
  t.match(a.engine.status().reason, /cannot sync the image: EIO/);
  const buffer = new Uint8Array(512);
  t.equal(await a.call((done) => a.engine.read(8, buffer, done)), -errno.EIO, 'what it reads may be older');
  t.equal(await a.write(8, 8, 2), -errno.EIO);
  t.equal(await a.call((done) => a.engine.flush(done)), -errno.EIO);
  t.equal((await b.read(8, 1))[0], 1, 'the backup is at its checkpoint');
  a.host.restart();
  await a.until('protected');
  await a.write(8, 8, 3);
  t.ok((await a.checkpoint()) > 0);
  await world.run(1);
  t.ok((await a.read()).equals(await b.read()), 'after a restart they are equal, whatever is left');
});

t.test('a disk that has failed is not closed well, and each fault is one line of the log', async (t) => {
  const { a, world } = pair(t);
  await a.until('protected');
  await a.write(8, 8, 1);
  const fault = a.host.files.failCalls({ calls: ['fdatasync'], nth: 1, error: errno.EIO });
  t.equal(await a.call((done) => a.engine.flush(done)), -errno.EIO);
  fault.cancel();
  const closed: (number | string | undefined)[] = [];
  a.engine.close((...outcome) => closed.push(...outcome));
  await world.run(() => closed.length > 0);
  t.same(closed, [-errno.EIO, 'cannot sync the image: EIO'], 'what was lost by then stays lost');
  const lines = world.trace.lines.filter((line) => / warning .*cannot sync the image/.test(line));
  t.equal(lines.length, 1, lines.join('\n'));
  t.match(lines[0], 'replication: failed (was protected): cannot sync the image: EIO');
});
