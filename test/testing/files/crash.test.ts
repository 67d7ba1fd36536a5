// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { errno } from '../../../src/posix/errno.js';
import {
  EVERYTHING_SURVIVES,
  FileRecorder,
  NOTHING_SURVIVES,
  Random,
  type SimulatedFileSystem,
} from '../../../src/testing/index.js';
import { FileWorld, O_DSYNC, O_RDWR, O_WRONLY } from './fixture.js';

const OLD = 'o'.repeat(16_384);
const NEW = 'n'.repeat(16_384);

/** What is found after a loss of power in each of many worlds, of which each has another seed. */
async function outcomes(
  prepare: (world: FileWorld) => Promise<void>,
  look: (world: FileWorld) => string,
): Promise<Set<string>> {
  const found = new Set<string>();
  for (let seed = 1; seed <= 150; seed++) {
    const world = new FileWorld({ seed, traceLines: 0 });
    await prepare(world);
    world.host.crash('silence');
    world.host.restart();
    found.add(look(world));
  }
  return found;
}

/** A text as runs of equal letters, in sectors. */
function runs(text: string): string {
  const sectors = text.match(/.{1,512}/gs) ?? [];
  return sectors
    .map((sector) => (sector.replaceAll(sector[0] as string, '') === '' ? sector[0] : '?'))
    .join('');
}

t.test('synced data survives a power loss, whatever the seed', async (t) => {
  const found = await outcomes(
    async (world) => {
      world.files.put('/image', Buffer.from(OLD));
      const fd = await world.open('/image');
      await world.write(fd, NEW);
      await world.must((calls, done) => calls.fdatasync(fd, done));
    },
    (world) => world.text('/image') ?? 'none',
  );
  t.same([...found], [NEW]);
});

t.test('unsynced writes are kept, lost, or torn at sectors and pages', async (t) => {
  const found = await outcomes(
    async (world) => {
      world.files.put('/image', Buffer.from(OLD));
      const fd = await world.open('/image');
      await world.write(fd, NEW);
    },
    (world) => runs(world.text('/image') ?? ''),
  );
  const states = [...found];
  t.ok(found.has('o'.repeat(32)), 'lost');
  t.ok(found.has('n'.repeat(32)), 'kept');
  t.notOk(
    states.some((state) => state.includes('?')),
    'no sector is torn',
  );
  const isTornAtPages = (state: string): boolean =>
    (state.match(/.{8}/g) ?? []).every((page) => /^(?:n+|o+)$/.test(page));
  t.ok(
    states.some((state) => state.includes('no') && !isTornAtPages(state)),
    'torn at 512',
  );
  t.ok(
    states.some((state) => state.includes('no') && isTornAtPages(state)),
    'torn at 4096',
  );
});

t.test('a later unsynced write may survive without an earlier one', async (t) => {
  const found = await outcomes(
    async (world) => {
      world.files.put('/image', Buffer.from('....'));
      const fd = await world.open('/image');
      await world.write(fd, 'a', 0);
      await world.write(fd, 'b', 1);
    },
    (world) => world.text('/image') ?? '',
  );
  t.same([...found].toSorted(), ['....', '.b..', 'a...', 'ab..']);
});

t.test('of two writes of the same bytes the later always wins', async (t) => {
  const found = await outcomes(
    async (world) => {
      world.files.put('/image', Buffer.from('.'));
      const fd = await world.open('/image');
      await world.write(fd, 'a');
      await world.write(fd, 'b');
      await world.must((calls, done) => calls.fsync(fd, done));
    },
    (world) => world.text('/image') ?? '',
  );
  t.same([...found], ['b']);
});

t.test(
  'a write that makes a file longer may leave its length alone, or its length without its bytes',
  async (t) => {
    const found = await outcomes(
      async (world) => {
        world.files.put('/log', Buffer.from('a'));
        await world.write(await world.open('/log'), 'b', 1);
      },
      (world) => JSON.stringify(world.text('/log')),
    );
    t.same([...found].toSorted(), ['"a"', '"a\\u0000"', '"ab"']);
  },
);

t.test('O_DSYNC syncs each write before it ends', async (t) => {
  const found = await outcomes(
    async (world) => {
      world.files.put('/log', Buffer.from(''));
      await world.write(await world.open('/log', O_WRONLY | O_DSYNC), 'kept');
    },
    (world) => world.text('/log') ?? '',
  );
  t.same([...found], ['kept']);
});

t.test('O_DSYNC syncs nothing else, and until its write has ended that may be lost', async (t) => {
  const found = await outcomes(
    async (world) => {
      world.files.put('/log', Buffer.from('..........'));
      await world.write(await world.open('/log'), 'a', 0);
      const durable = await world.open('/log', O_WRONLY | O_DSYNC);
      await world.write(durable, 'b', 4);
      await world.write(durable, 'c', 4);
    },
    (world) => world.text('/log') ?? '',
  );
  t.same([...found].toSorted(), ['....c.....', 'a...c.....']);
  const before = await outcomes(
    async (world) => {
      world.files.put('/log', Buffer.from('.'));
      const durable = await world.open('/log', O_WRONLY | O_DSYNC);
      world.calls.write(durable, Buffer.from('a'), 0, () => {});
      await world.world.run(() => world.text('/log') === 'a');
    },
    (world) => world.text('/log') ?? '',
  );
  t.same([...before].toSorted(), ['.', 'a']);
});

t.test('a new file certainly survives only once its directory was synced', async (t) => {
  const create = async (world: FileWorld): Promise<void> => {
    const fd = await world.open('/new');
    await world.write(fd, 'text');
    await world.must((calls, done) => calls.fsync(fd, done));
  };
  const unsynced = await outcomes(create, (world) => world.text('/new') ?? 'none');
  t.same([...unsynced].toSorted(), ['none', 'text']);
  const synced = await outcomes(
    async (world) => {
      await create(world);
      await world.must((calls, done) => calls.syncDirectory('/', done));
    },
    (world) => world.text('/new') ?? 'none',
  );
  t.same([...synced], ['text']);
});

t.test(
  'a rename is there whole or not at all, and a file that was not synced may be empty by then',
  async (t) => {
    const found = await outcomes(
      async (world) => {
        world.files.put('/a', Buffer.from('old'));
        const fd = await world.open('/b');
        await world.must((calls, done) => calls.syncDirectory('/', done));
        await world.write(fd, 'new');
        await world.must((calls, done) => calls.rename('/b', '/a', done));
      },
      (world) => JSON.stringify([world.text('/a'), world.text('/b')]),
    );
    for (const state of ['["old","new"]', '["old",""]', '["new",null]', '["",null]'])
      t.ok(found.has(state), state);
    t.notOk(
      [...found].some((state) => /^\["(?:new|)","/.test(state)),
      'never under both names',
    );
  },
);

t.test('a rename into another directory lasts when either of the two was synced', async (t) => {
  for (const directory of ['/from', '/to']) {
    const world = new FileWorld();
    world.files.put('/from/a', Buffer.from('a'));
    world.files.put('/to/b', Buffer.from('b'));
    await world.open('/from/c');
    await world.must((calls, done) => calls.rename('/from/a', '/to/a', done));
    await world.open('/to/d');
    await world.must((calls, done) => calls.syncDirectory(directory, done));
    world.files.losePower(NOTHING_SURVIVES);
    // A change that is on the medium has those before it in the same directories there as well.
    const later = directory === '/to' ? ['/to/d'] : [];
    t.same(world.paths(), ['/from', '/from/c', '/to', '/to/a', '/to/b', ...later]);
  }
});

t.test('unlink, truncate and mkdir survive once synced', async (t) => {
  const change = async (world: FileWorld): Promise<void> => {
    world.files.put('/d/a', Buffer.from('a'));
    world.files.put('/b', Buffer.from('bb'));
    await world.must((calls, done) => calls.unlink('/d/a', done));
    await world.must((calls, done) => calls.mkdir('/d/sub', 0o755, done));
    const fd = await world.open('/b');
    await world.must((calls, done) => calls.ftruncate(fd, 1, done));
    await world.must((calls, done) => calls.fsync(fd, done));
  };
  const unsynced = await outcomes(change, (world) => world.paths().join(' '));
  t.same([...unsynced].toSorted(), ['/b /d', '/b /d /d/a', '/b /d /d/a /d/sub', '/b /d /d/sub']);
  const synced = await outcomes(
    async (world) => {
      await change(world);
      await world.must((calls, done) => calls.syncDirectory('/d', done));
    },
    (world) => `${world.paths().join(' ')} ${world.text('/b')}`,
  );
  t.same([...synced], ['/b /d /d/sub b']);
});

t.test('a process that dies loses nothing that it had written', async (t) => {
  for (const kind of ['end of file', 'reset'] as const) {
    const world = new FileWorld();
    const fd = await world.open('/new');
    await world.write(fd, 'text');
    world.host.crash(kind);
    world.host.restart();
    t.equal(world.text('/new'), 'text');
    t.same(world.files.descriptors(), [], 'its files are closed');
    world.host.crash('silence');
    t.ok(
      [undefined, '', 'text', '\0\0\0\0'].includes(world.text('/new')),
      'it is not on the medium for that',
    );
  }
});

t.test(
  'calls of a process that has died do not end, and some of those on their way are still carried out',
  async (t) => {
    const found = new Set<string>();
    for (let seed = 1; seed <= 50; seed++) {
      const world = new FileWorld({ seed });
      world.files.put('/image', Buffer.from('..'));
      const fd = await world.open('/image');
      const { calls } = world;
      const ended = (): void => void t.fail('a call has ended after the crash');
      calls.write(fd, Buffer.from('a'), 0, ended);
      calls.write(fd, Buffer.from('b'), 1, ended);
      world.host.crash('end of file');
      calls.write(fd, Buffer.from('c'), 0, ended);
      await world.world.run(1);
      found.add(world.text('/image') as string);
    }
    t.same([...found].toSorted(), ['..', '.b', 'a.', 'ab']);
  },
);

t.test(
  'a sync covers what was carried out before it began, and nothing for sure that was carried out after',
  async (t) => {
    const found = new Set<string>();
    for (let seed = 1; seed <= 50; seed++) {
      const world = new FileWorld({ seed });
      world.files.shape({ callSeconds: 0.001, syncSeconds: 1 });
      world.files.put('/image', Buffer.from('..'));
      const fd = await world.open('/image');
      await world.write(fd, 'a', 0);
      const synced = world.must((calls, done) => calls.fdatasync(fd, done));
      world.world.after(0.05, () => world.calls.write(fd, Buffer.from('b'), 1, () => {}));
      await synced;
      t.equal(world.text('/image'), 'ab');
      world.files.losePower(NOTHING_SURVIVES);
      found.add(world.text('/image') as string);
    }
    t.same([...found].toSorted(), ['a.', 'ab']);
  },
);

t.test('a failed sync loses what it should have written, and the next one still succeeds', async (t) => {
  const found = new Set<string>();
  for (let seed = 1; seed <= 100; seed++) {
    const world = new FileWorld({ seed });
    world.files.put('/image', Buffer.from('.'));
    const fd = await world.open('/image');
    await world.write(fd, 'a');
    const fault = world.files.failCalls({ calls: ['fdatasync'], error: errno.EIO });
    t.equal(await world.fails((calls, done) => calls.fdatasync(fd, done)), 'EIO');
    t.equal(fault.failed, 1);
    await world.must((calls, done) => calls.fdatasync(fd, done));
    const cached = world.text('/image');
    world.files.losePower(EVERYTHING_SURVIVES);
    found.add(`${cached} then ${world.text('/image')}`);
  }
  t.same(
    [...found].toSorted(),
    ['. then .', 'a then .', 'a then a'],
    'a reader may see it until it is evicted, and after the crash it may be lost',
  );
});

t.test('the same seed gives the same trace and the same files', async (t) => {
  const run = async (seed: number): Promise<string> => {
    const world = new FileWorld({ seed });
    world.files.put('/image', Buffer.from(OLD));
    const fd = await world.open('/image', O_RDWR);
    for (let at = 0; at < 8; at++)
      world.calls.write(fd, Buffer.from(NEW.slice(0, 2048)), at * 2048, () => {});
    await world.world.run(0.000_05);
    world.host.crash('silence');
    return world.world.trace.digest() + world.text('/image');
  };
  t.equal(await run(5), await run(5));
  t.not(await run(5), await run(6));
});

t.test('a copy has what was created and removed again, of which the removal may be lost', async (t) => {
  const world = new FileWorld();
  const fd = await world.open('/a');
  await world.write(fd, 'text');
  await world.must((calls, done) => calls.fsync(fd, done));
  await world.must((calls, done) => calls.close(fd, done));
  await world.must((calls, done) => calls.unlink('/a', done));
  const copy = world.files.system.copy();
  let changes = 0;
  copy.losePower({ remains: (change) => [change], keepsEntries: () => ++changes === 1 });
  world.files.system.restore(copy);
  t.equal(changes, 2);
  t.equal(world.text('/a'), 'text');
});

t.test('what is made after a state was rebuilt has a number of its own', async (t) => {
  const world = new FileWorld();
  world.files.put('/old', Buffer.from('old'));
  const recorder = new FileRecorder(world.files.system);
  await world.open('/a');
  await world.must((calls, done) => calls.unlink('/old', done));
  const last = [...recorder.prefixes(new Random(1), 0)].at(-2);
  const later = new FileWorld();
  later.files.system.restore(last?.systems[0] as SimulatedFileSystem);
  await later.open('/b');
  await later.open('/c');
  t.same(later.paths(), ['/a', '/b', '/c']);
  const ids = [...later.files.system.entries().values()].map(({ id }) => id);
  t.ok(ids.every(Number.isInteger));
  t.equal(new Set([1, ...ids]).size, 4, ids.join());
});

t.test('a byte written with O_DSYNC is on the medium, unless its sync fails', async (t) => {
  const found = new Set<string>();
  for (let seed = 1; seed <= 30; seed++) {
    const world = new FileWorld({ seed });
    world.files.put('/a', Buffer.from('....'));
    const fd = await world.open('/a', O_WRONLY | O_DSYNC);
    t.equal(await world.write(fd, 'a', 0), 1);
    const fault = world.files.failCalls({ calls: ['fdatasync'], error: errno.EIO });
    t.equal(await world.write(fd, '', 0), 0);
    t.equal(fault.calls, 0, 'nothing is not synced');
    t.equal(await world.fails((calls, done) => calls.write(fd, Buffer.from('b'), 1, done)), 'EIO');
    world.files.losePower(NOTHING_SURVIVES);
    found.add(world.text('/a') ?? '');
  }
  t.same([...found].toSorted(), ['a...', 'ab..']);
});
