// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { DIRECTORY, pair } from './world.js';

t.test('a primary that comes back while its backup is being promoted is not protected by it', async (t) => {
  const { a, b, world } = pair(t);
  await a.until('protected');
  world.link(a.host, b.host).cut().reset();
  await a.until('unprotected');
  await b.until('backup');
  await world.run(6);
  // The promotion takes its time, in which the primary could connect.
  b.host.files.stall(5);
  const promoted = new Promise<number>((resolve) => {
    b.engine.promote({}, ({ result }) => resolve(result));
  });
  world.link(a.host, b.host).heal();
  const states = new Set<string>();
  a.engine.onEvent((event) => event.kind === 'state' && states.add(event.to));
  t.equal(await world.complete(promoted), 0);
  await world.run(30);
  t.equal(a.engine.status().state, 'stale', 'they have met, and know what they are');
  t.notOk(states.has('protected'));
});

t.test('a promotion waits for the commit that was on its way, and takes it with it', async (t) => {
  const { a, b, world } = pair(t);
  await a.until('protected');
  t.equal(await a.write(8, 8, 0xaa), 0);
  const journals = ['journal-0', 'journal-1'].map((name) => `${DIRECTORY}/${name}`);
  for (const journal of journals) b.held.hold('synced', journal);
  const before = b.engine.status().epochCommitted;
  a.engine.checkpoint(() => {});
  await world.run(() => journals.some((journal) => b.held.waiting('synced', journal) > 0));
  world.link(a.host, b.host).cut().reset();
  await b.until('backup');
  await world.run(6);
  let outcome = '';
  b.engine.promote({}, ({ result, message }) => (outcome = `${result} ${message}`));
  await world.run(6);
  t.equal(outcome, '', 'its journal is not closed under the commit');
  for (const journal of journals) b.held.release('synced', journal);
  await world.run(() => outcome !== '');
  t.equal(outcome, `0 is the primary now, at checkpoint ${before + 1}`);
  t.equal(b.engine.status().epochSent, before + 1);
  t.equal((await b.read(8, 1))[0], 0xaa);
  // What comes later is written by this side alone.
  t.equal(await b.write(8, 8, 0xbb), 0);
  await world.run(6);
  t.equal((await b.read(8, 1))[0], 0xbb);
  t.equal(b.engine.status().state, 'unprotected');
});
