// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { FileRecorder, Random, SimulatedFileSystem } from '../../../src/testing/index.js';
import { FileWorld } from './fixture.js';

const NEW = 'n'.repeat(10_000);

/** Replaces a file by way of another one, as it must be done, or without one of the syncs; marks when it is done. */
async function replace(world: FileWorld, recorder: FileRecorder<'done'>, without = ''): Promise<void> {
  const fd = await world.open('/d/new');
  await world.write(fd, NEW);
  if (without !== 'fsync') await world.must((calls, done) => calls.fsync(fd, done));
  await world.must((calls, done) => calls.rename('/d/new', '/d/file', done));
  if (without !== 'syncDirectory') await world.must((calls, done) => calls.syncDirectory('/d', done));
  await world.must((calls, done) => calls.close(fd, done));
  recorder.mark('done');
}

/** Every state in which the file could be found. */
async function states(without?: string): Promise<{ readonly text: string; readonly isDone: boolean }[]> {
  const world = new FileWorld();
  world.files.put('/d/file', Buffer.from('old'));
  const recorder = new FileRecorder<'done'>(world.files.system);
  await replace(world, recorder, without);
  const found = [];
  for (const { systems, marks } of recorder.prefixes(new Random(1), 20)) {
    const later = new FileWorld();
    later.files.system.restore(systems[0] as SimulatedFileSystem);
    found.push({ text: later.text('/d/file') ?? 'none', isDone: marks.length > 0 });
  }
  return found;
}

t.test('every state that a power loss could have left is recovered from', async (t) => {
  const found = await states();
  t.same(new Set(found.map(({ text }) => text)), new Set(['old', NEW]));
  t.same(new Set(found.filter(({ isDone }) => isDone).map(({ text }) => text)), new Set([NEW]));
  // create, write, sync, rename, sync of the directory, and before each and after all: everything, nothing, 20 samples
  t.equal(found.length, 6 * 22);
});

t.test('a missing sync is detected', async (t) => {
  const withoutSync = await states('fsync');
  t.ok(
    withoutSync.some(({ text, isDone }) => isDone && text === ''),
    'an empty file after the end',
  );
  const withoutDirectory = await states('syncDirectory');
  t.ok(
    withoutDirectory.some(({ text, isDone }) => isDone && text === 'old'),
    'the old file after the end',
  );
});

t.test('a recorded state can be continued, and recorded again', async (t) => {
  const world = new FileWorld();
  world.files.put('/d/file', Buffer.from('old'));
  const first = new FileRecorder<'done'>(world.files.system);
  await replace(world, first);
  const found = new Set<string>();
  for (const { systems } of first.prefixes(new Random(2), 2)) {
    const later = new FileWorld();
    later.files.system.restore(systems[0] as SimulatedFileSystem);
    const second = new FileRecorder<'done'>(later.files.system);
    await replace(later, second);
    for (const state of second.prefixes(new Random(3), 2)) {
      const last = new FileWorld();
      last.files.system.restore(state.systems[0] as SimulatedFileSystem);
      found.add(last.text('/d/file') ?? 'none');
    }
  }
  t.same(found, new Set(['old', NEW]));
});

t.test('directories that were made, and sectors that cannot be read, are in the copies', async (t) => {
  const world = new FileWorld();
  world.files.put('/a', Buffer.from('text'));
  world.files.spoil('/a', 0, 1);
  const recorder = new FileRecorder(world.files.system);
  await world.must((calls, done) => calls.mkdir('/d', 0o755, done));
  await world.open('/d/b');
  const last = [...recorder.prefixes(new Random(1), 0)].at(-2);
  const later = new FileWorld();
  later.files.system.restore(last?.systems[0] as SimulatedFileSystem);
  t.same(later.paths(), ['/a', '/d', '/d/b']);
  const fd = await later.open('/a');
  t.equal(await later.fails((calls, done) => calls.read(fd, new Uint8Array(1), 0, done)), 'EIO');
});

t.test('changes of one file system cannot be replayed on another', async (t) => {
  const system = new SimulatedFileSystem();
  t.throws(() => system.redo({ kind: 'sync', node: 7, moment: 1 }), /there is no file 7/);
  const entries = [{ directory: 7, name: 'a', node: undefined }];
  t.throws(() => system.redo({ kind: 'entries', entries }), /there is no directory 7/);
});

t.test('several file systems lose power at the same moment', async (t) => {
  const [one, other] = [new FileWorld(), new FileWorld()];
  const recorder = new FileRecorder(one.files.system, other.files.system);
  await one.write(await one.open('/a'), 'a');
  await other.write(await other.open('/b'), 'b');
  const found = [...recorder.prefixes(new Random(1), 0)].map(({ systems, operations, survival }) => {
    const names = systems.flatMap((system) => [...system.entries().keys()]);
    return `${operations} ${survival} ${names.join(' ')}`;
  });
  t.same(found, [
    '0 everything ',
    '0 nothing ',
    '1 everything /a',
    '1 nothing ',
    '2 everything /a',
    '2 nothing ',
    '3 everything /a /b',
    '3 nothing ',
    '4 everything /a /b',
    '4 nothing ',
  ]);
  t.equal(recorder.operations, 4);
});

t.test('one file system has one recorder at a time', async (t) => {
  const system = new SimulatedFileSystem();
  const recorder = new FileRecorder(system);
  t.throws(() => new FileRecorder(system), /recorded already/);
  recorder.stop();
  t.doesNotThrow(() => new FileRecorder(system).stop());
});

t.test('descriptors without a name are recorded too', async (t) => {
  const world = new FileWorld();
  const fd = await world.open('/a');
  await world.must((calls, done) => calls.unlink('/a', done));
  await world.must((calls, done) => calls.syncDirectory('/', done));
  const recorder = new FileRecorder(world.files.system);
  await world.write(fd, 'text');
  t.equal([...recorder.prefixes(new Random(1), 1)].length, 6);
});
