// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { errno } from '../../../../src/posix/index.js';
import {
  BackupRole,
  createJournal,
  provideJournal,
} from '../../../../src/replication/disk/backup/backup-role.js';
import { NO_ID } from '../../../../src/replication/disk/format/metadata-record.js';
import type { SyncTarget } from '../../../../src/replication/disk/backup/sync-target.js';
import { SegmentFile } from '../../../../src/replication/disk/journal/segment-file.js';
import { createState, loadState } from '../../../../src/replication/disk/open-state.js';
import { DEFAULT_REPLICATION_OPTIONS } from '../../../../src/replication/disk/options.js';
import { NOTHING_SURVIVES } from '../../../../src/testing/files/survival.js';
import { contentOf, tagged } from '../simulation/content.js';
import { HeldDisk } from './held-disk.js';
import { TestFiles } from './host-files.js';

const DIRECTORY = '/srv/state';
const RESYNC = `${DIRECTORY}/resync`;
const RECEIVED = `${DIRECTORY}/received`;
const SECTORS = 2048;
const GENERATION = '00000000000000aa';
const ID = '00000000000000bb';
const OTHER_ID = '00000000000000cc';
/** What the role takes for random. */
const RANDOM = [0xa1, 0xb2, 0xc3, 0xf4];

/** A backup's role on simulated files and an image in memory, which outlive its process. */
class TestRole {
  readonly files = new TestFiles();
  readonly disk = new HeldDisk(SECTORS);
  readonly events: string[] = [];
  nowSeconds = 100;
  isBlank = false;
  role!: BackupRole;
  metadata!: Awaited<ReturnType<typeof createState>>['metadata'];
  map!: Awaited<ReturnType<typeof createState>>['map'];
  readonly #peer: 'own' | 'c';

  constructor(peer: 'own' | 'c' = 'c') {
    this.#peer = peer;
  }

  /** A new role, or the one of a new process. A backup of a C primary has a state from its beginning, others have none. */
  async open(): Promise<this> {
    const { files, disk, events } = this;
    const random = (bytes: Uint8Array): void => {
      bytes.forEach((_, at) => (bytes[at] = RANDOM[at % 4] as number));
    };
    const options = {
      ...DEFAULT_REPLICATION_OPTIONS,
      address: '10.0.0.1:9000',
      directory: DIRECTORY,
      journalBytes: 2 << 20,
      peer: this.#peer,
    };
    const parts = { files: files.calls, disk, options, random, notice: () => {} };
    const state = await files.wait(
      (async () => (await loadState(parts)) ?? (await createState(parts, 'backup', true)))(),
    );
    this.metadata = state.metadata;
    this.map = state.map;
    this.role = await files.wait(
      BackupRole.open({
        files: files.calls,
        directory: DIRECTORY,
        disk,
        metadata: state.metadata,
        isBlank: this.isBlank,
        memoryBytes: 1 << 20,
        random,
        nowSeconds: () => this.nowSeconds,
        events: {
          committed: (epoch, bytes, seconds, result) =>
            events.push(`committed ${epoch}: ${bytes} bytes, ${seconds} s, ${result}`),
          initialised: () => events.push('initialised'),
          failed: (what, result) => events.push(`failed: ${what}, ${result}`),
          notice: (message) => events.push(message),
        },
      }),
    );
    return this;
  }

  /** The process dies, and with it the power: only what is on stable storage is left. */
  async crash(): Promise<this> {
    this.files.host.losePower(NOTHING_SURVIVES);
    return this.open();
  }

  commit(epoch: number, sync?: Parameters<BackupRole['commit']>[2]): Promise<number> {
    return this.files.ended((done) => this.role.commit(epoch, GENERATION, sync, done));
  }
  begin(id: string, isFirst = false) {
    return this.files.wait(this.role.beginSync(id, 4, isFirst));
  }
  async tags(sector: number, sectors: number): Promise<number[]> {
    const bytes = new Uint8Array(sectors * 512);
    const result = await this.files.ended((done) => this.role.store.read(sector, bytes, done));
    if (result < 0) throw new Error(`the store cannot be read: ${result}`);
    return [...contentOf(bytes)];
  }
  get hasResyncFile(): boolean {
    return typeof this.files.host.system.lookup(RESYNC) !== 'number';
  }
  async close(): Promise<void> {
    await this.files.wait(this.role.close());
    await this.files.wait(this.map.close());
    await this.files.wait(this.metadata.close());
  }
}

t.test(
  'a journal has two files, each of half the bytes in whole blocks, and neither is left open',
  async (t) => {
    const files = new TestFiles();
    await files.wait(createJournal(files.calls, DIRECTORY, 2 * (100 * 4096 + 4095)));
    for (const name of ['journal-0', 'journal-1']) {
      t.equal(files.host.contents(`${DIRECTORY}/${name}`).length, 100 * 4096);
    }
    await files.wait(createJournal(files.calls, DIRECTORY, 2 * 100 * 4096));
    t.equal(files.host.contents(`${DIRECTORY}/journal-1`).length, 100 * 4096);
    t.same(files.open, []);
  },
);

t.test('a backup that is to be gets a journal, durably, unless it has one', async (t) => {
  const files = new TestFiles();
  const provide = (journalBytes: number): Promise<void> =>
    files.wait(provideJournal(files.calls, { directory: DIRECTORY, journalBytes }));
  t.equal(await files.inTurn(() => provide(2 * 100 * 4096)), undefined);
  files.host.losePower(NOTHING_SURVIVES);
  const length = (): number => files.host.contents(`${DIRECTORY}/journal-1`).length;
  t.equal(length(), 100 * 4096);
  t.equal(await files.inTurn(() => provide(2 * 200 * 4096)), undefined);
  t.equal(length(), 100 * 4096, 'it is left as it is');
  const others = new TestFiles();
  others.host.failCalls({ calls: ['syncDirectory'], error: errno.EIO });
  await t.rejects(
    others.wait(provideJournal(others.calls, { directory: DIRECTORY, journalBytes: 2 << 20 })),
    { code: 'EIO' },
  );
});

t.test('a journal of which only the first file was made is made anew', async (t) => {
  const files = new TestFiles();
  const provided = { directory: DIRECTORY, journalBytes: 2 * 100 * 4096 };
  await files.wait(provideJournal(files.calls, provided));
  files.host.system.unlink(`${DIRECTORY}/journal-1`);
  await files.wait(provideJournal(files.calls, provided));
  t.equal(files.host.contents(`${DIRECTORY}/journal-1`).length, 100 * 4096);
});

t.test('a journal with checkpoints is not made anew, one without any is', async (t) => {
  const one = await new TestRole().open();
  one.role.store.write(0, tagged(1, 1));
  t.equal(await one.commit(1), 0);
  await one.close();
  const before = one.files.host.contents(`${DIRECTORY}/journal-0`);
  await t.rejects(one.files.wait(createJournal(one.files.calls, DIRECTORY, 2 << 20)), {
    code: 'EBADMSG',
    message: /journal-0 is damaged: it has checkpoints, but there is no metadata/,
  });
  t.ok(Buffer.from(before).equals(one.files.host.contents(`${DIRECTORY}/journal-0`)));
  t.same(one.files.open, []);
  one.files.host.put(`${DIRECTORY}/journal-0`, new Uint8Array(100));
  await one.files.wait(createJournal(one.files.calls, DIRECTORY, 2 << 20));
  one.files.host.failCalls({ calls: ['read'], error: errno.EIO });
  await t.rejects(one.files.wait(createJournal(one.files.calls, DIRECTORY, 2 << 20)), { code: 'EIO' });
  t.same(one.files.open, []);
});

t.test(
  'a role whose journal is missing or damaged does not open, and leaves no file of it open',
  async (t) => {
    for (const [break_, message] of [
      [
        (one: TestRole) => one.files.host.system.unlink(`${DIRECTORY}/journal-1`),
        /journal-1 is damaged: it is missing/,
      ],
      [
        (one: TestRole) => one.files.host.put(`${DIRECTORY}/journal-1`, new Uint8Array(9)),
        /journal-1 is damaged: it has/,
      ],
    ] as const) {
      const one = await new TestRole().open();
      await one.close();
      break_(one);
      await t.rejects(one.open(), { code: 'EBADMSG', message });
      t.same(
        one.files.open.filter((path) => path.includes('journal')),
        [],
      );
    }
  },
);

t.test('what was committed is there after a crash, and the last epoch with it', async (t) => {
  const one = await new TestRole().open();
  t.equal(one.role.epoch, 0);
  t.equal(one.role.committedAtSeconds, undefined);
  t.notOk(one.role.hasCheckpoint);
  one.disk.isHeld = true;
  one.role.store.write(8, tagged(1, 2));
  const committed = one.commit(5);
  t.ok(one.role.hasCheckpoint, 'it may be committed from now on');
  one.nowSeconds = 103;
  t.equal(await committed, 0);
  t.same(one.events, ['committed 5: 1024 bytes, 3 s, 0']);
  t.equal(one.role.epoch, 5);
  t.equal(one.role.committedAtSeconds, 103);
  one.role.store.write(8, tagged(2, 1));
  await one.crash();
  t.equal(one.role.epoch, 5);
  t.ok(one.role.hasCheckpoint);
  t.equal(one.metadata.current.generation, GENERATION);
  t.same(await one.tags(8, 2), [1, 1]);
  one.disk.release();
  t.equal(await one.files.ended((done) => one.role.store.drain(done)), 0);
  t.match(one.metadata.current, { acked: 5, appliedCheckpoint: 1, hasState: true, inconsistent: false });
  await one.crash();
  t.equal(one.role.epoch, 5);
  t.same([...contentOf(one.disk.bytes).subarray(8, 10)], [1, 1]);
});

t.test('a backup whose journal has no checkpoint is at the epoch that its metadata have', async (t) => {
  const one = await new TestRole().open();
  await one.files.ended((done) => one.metadata.update({ acked: 7 }, done));
  await one.crash();
  t.equal(one.role.epoch, 7);
  t.notOk(one.role.hasCheckpoint);
  t.equal(await one.files.ended((done) => one.role.store.drain(done)), 0);
  t.equal(one.metadata.current.acked, 7);
});

t.test('what was committed reaches the image from the open on, without another commit', async (t) => {
  const one = await new TestRole().open();
  one.disk.isHeld = true;
  one.role.store.write(8, tagged(1, 2));
  t.equal(await one.commit(5), 0);
  one.disk.calls.length = 0;
  await one.crash();
  await one.files.world.run(0.1);
  t.same(one.disk.calls, ['write 8+2']);
});

t.test('a segment of the journal has a salt of 32 random bits', async (t) => {
  const one = await new TestRole().open();
  t.equal(await one.commit(1), 0);
  const segment = await one.files.wait(SegmentFile.load(one.files.calls, `${DIRECTORY}/journal-0`, () => {}));
  t.equal(segment?.salt, 0xa1b2c3f4);
});

t.test('a record that cannot be written ends the store, though nothing is being committed', async (t) => {
  const one = await new TestRole().open();
  one.files.host.failCalls({ calls: ['write'], error: errno.EIO });
  one.role.store.write(0, tagged(1, 1024));
  await one.files.world.run(0.5);
  t.same(one.events, ['failed: write /srv/state/journal-0, -5']);
});

t.test('a clock that steps back makes no commit shorter than nothing', async (t) => {
  const one = await new TestRole().open();
  const committed = one.commit(1);
  one.nowSeconds = 50;
  await committed;
  t.same(one.events, ['committed 1: 0 bytes, 0 s, 0']);
});

t.test('a commit that fails is reported with its result, and is not the last one', async (t) => {
  const one = await new TestRole().open();
  one.files.host.failCalls({ calls: ['fdatasync'], error: errno.EIO });
  one.role.store.write(0, tagged(1, 1));
  t.equal(await one.commit(1), -errno.EIO);
  t.equal(one.role.epoch, 0);
  t.match(one.events, [
    /failed: (?:write .*journal-0|commit a checkpoint), -5/,
    'committed 1: 512 bytes, 0 s, -5',
  ]);
});

t.test('a first sync goes to the image, which is inconsistent until its commit', async (t) => {
  const one = await new TestRole('own').open();
  t.equal(one.role.resyncId, null);
  const target = await one.begin(ID, true);
  t.equal(target.id, ID);
  t.match(one.metadata.current, { resyncId: ID, inconsistent: true, hasState: false });
  t.equal(one.role.resyncId, ID);
  t.equal(await one.begin(ID, true), target, 'the next connection goes on with it');
  t.equal(await one.files.ended((done) => target.write(0, tagged(3, 128), done)), 0);
  t.same(one.disk.calls, ['flush', 'write 0+128']);
  t.notOk(one.hasResyncFile);
  t.equal(await one.commit(1, target), 0);
  await one.files.wait(one.role.dropUnfinished());
  t.equal(one.files.host.system.lookup(RECEIVED), -errno.ENOENT, 'it needs no map of what has come any more');
  t.match(one.metadata.current, {
    resyncId: NO_ID,
    inconsistent: false,
    hasState: true,
    rejoining: false,
    generation: GENERATION,
  });
  t.same(one.events, ['initialised', 'committed 1: 0 bytes, 0 s, 0']);
  t.equal(one.role.resyncId, null);
  await one.crash();
  t.match(one.metadata.current, { hasState: true, resyncId: NO_ID });
  t.equal(one.role.epoch, 1);
});

t.test('a first sync whose commit fails gives no state', async (t) => {
  const one = await new TestRole('own').open();
  const target = await one.begin(ID, true);
  one.files.host.failCalls({ calls: ['fdatasync'], error: errno.EIO });
  t.equal(await one.commit(1, target), -errno.EIO);
  t.match(one.metadata.current, { hasState: false, inconsistent: true, resyncId: ID });
  t.notOk(one.events.includes('initialised'));
  await one.crash();
  t.match(one.metadata.current, { hasState: false, inconsistent: true, resyncId: ID });
});

t.test('the map of a first sync goes with its commit', async (t) => {
  const one = await new TestRole('own').open();
  const target = await one.begin(ID, true);
  t.equal(await one.commit(1, target), 0);
  await one.files.world.run(0.5);
  t.equal(one.files.host.system.lookup(RECEIVED), -errno.ENOENT);
  t.notOk(one.files.open.includes(RECEIVED));
  await one.close();
  t.same(one.files.open, [], 'nor is it closed again');
});

t.test('zeroes of a first sync are written unless the image is blank and no sync was begun', async (t) => {
  for (const [isBlank, calls] of [
    [false, ['zero 0+128']],
    [true, []],
  ] as const) {
    const one = new TestRole('own');
    one.isBlank = isBlank;
    await one.open();
    const target = await one.begin(ID, true);
    t.equal(await one.files.ended((done) => target.zero(0, 128, done)), 0);
    t.same(one.disk.calls, calls);
    await one.crash();
    const again = await one.begin(OTHER_ID, true);
    one.disk.calls.length = 0;
    t.equal(await one.files.ended((done) => again.zero(0, 128, done)), 0);
    t.same(one.disk.calls, ['zero 0+128'], 'what the sync before has written is not known');
  }
});

t.test(
  'a resync goes to a file beside the image until its commit, and the file goes once the image has it',
  async (t) => {
    const one = await new TestRole().open();
    const target = await one.begin(ID);
    t.equal(one.role.resyncId, ID);
    t.ok(one.hasResyncFile);
    t.equal(await one.files.ended((done) => target.write(0, tagged(3, 128), done)), 0);
    t.same(await one.tags(0, 1), [0], 'it is not shown');
    one.disk.isHeld = true;
    one.role.store.write(1, tagged(4, 1));
    t.equal(await one.commit(1, target), 0);
    t.equal(one.role.resyncId, null);
    t.same(one.events, ['committed 1: 512 bytes, 0 s, 0']);
    t.same(await one.tags(0, 3), [3, 4, 3]);
    await one.crash();
    t.ok(one.hasResyncFile);
    t.same(await one.tags(0, 3), [3, 4, 3], 'after a crash as well');
    one.disk.release();
    await one.files.world.run(0.5);
    t.notOk(one.hasResyncFile);
    t.notOk(one.files.open.includes(RESYNC));
    t.same([...contentOf(one.disk.bytes).subarray(0, 3)], [3, 4, 3]);
    await one.crash();
    t.same(await one.tags(0, 3), [3, 4, 3], 'nor is it needed');
    await one.close();
    t.same(one.files.open, []);
  },
);

t.test('a resync is needed by every commit, and survives every crash, until the image has it', async (t) => {
  const one = await new TestRole().open();
  one.role.store.write(0, tagged(1, 4));
  t.equal(await one.commit(1), 0);
  const target = await one.begin(ID);
  one.disk.isHeld = true;
  one.role.store.write(1, tagged(2, 1));
  t.equal(await one.commit(2), 0);
  await one.files.ended((done) => target.write(0, tagged(3, 128), done));
  one.role.store.write(2, tagged(4, 1));
  t.equal(await one.commit(3, target), 0);
  one.role.store.write(3, tagged(5, 1));
  t.equal(await one.commit(4), 0);
  for (let crashes = 0; crashes < 3; crashes++) {
    t.same(await one.tags(0, 5), [3, 3, 4, 5, 3]);
    await one.crash();
    t.equal(await one.commit(5 + crashes), 0);
  }
  one.disk.release();
  t.equal(await one.files.ended((done) => one.role.store.drain(done)), 0);
  t.same([...contentOf(one.disk.bytes).subarray(0, 5)], [3, 3, 4, 5, 3]);
  t.notOk(one.hasResyncFile);
});

t.test('the file of a resync stays when the image is synced without having it', async (t) => {
  const one = await new TestRole().open();
  const target = await one.begin(ID);
  await one.files.ended((done) => target.write(0, tagged(3, 128), done));
  one.disk.isHeld = true;
  one.role.store.drain(() => {});
  t.equal(await one.commit(1, target), 0);
  one.disk.waiting.shift()?.();
  await one.files.world.run(0.5);
  t.ok(one.hasResyncFile);
  await one.crash();
  t.same(await one.tags(0, 1), [3]);
});

t.test(
  'a resync goes to the image only if that has no state and the primary says that it is the first',
  async (t) => {
    for (const [peer, isFirst] of [
      ['c', true],
      ['own', false],
    ] as const) {
      const one = await new TestRole(peer).open();
      const target = await one.begin(ID, isFirst);
      one.disk.calls.length = 0;
      t.equal(await one.files.ended((done) => target.write(0, tagged(3, 128), done)), 0);
      t.same(one.disk.calls, []);
      t.ok(one.hasResyncFile);
    }
  },
);

t.test('begins that come together are one after the other, and the last one counts', async (t) => {
  const one = await new TestRole().open();
  const ids = [ID, OTHER_ID, '00000000000000dd', ID];
  const begun = await one.files.wait(Promise.all(ids.map((id) => one.role.beginSync(id, 4, false))));
  t.same(
    begun.map(({ id }) => id),
    ids,
  );
  t.equal(one.role.resyncId, ID);
  t.equal(one.files.open.filter((path) => path === RESYNC).length, 1);
});

t.test('a resync that was committed, or given up for one that failed, begins anew', async (t) => {
  const one = await new TestRole().open();
  const first = await one.begin(ID);
  t.equal(await one.commit(1, first), 0);
  const second = await one.begin(ID);
  t.not(second, first);
  one.files.host.failCalls({ calls: ['allocate'], error: errno.ENOSPC });
  await t.rejects(one.begin(OTHER_ID), { code: 'ENOSPC' });
  t.equal(one.role.resyncId, null);
  t.not(await one.begin(ID), second);
  one.files.host.failCalls({ calls: ['close'], error: errno.EIO });
  t.equal((await one.begin(OTHER_ID)).id, OTHER_ID, 'one that cannot be closed is dropped all the same');
  t.match(one.events.at(-2), /cannot close \/srv\/state\/resync: EIO/);
});

for (const nth of [1, 2, 3]) {
  t.test(`the close of a role fails if file ${nth} cannot be closed`, async (t) => {
    const one = await new TestRole().open();
    await one.begin(ID);
    one.files.host.failCalls({ calls: ['close'], nth, error: errno.EIO });
    await t.rejects(one.files.wait(one.role.close()), { code: 'EIO' });
  });
}

t.test(
  'a role closes the file of a resync once: when the image has it, or when the role is closed',
  async (t) => {
    const one = await new TestRole().open();
    const first = await one.begin(ID);
    t.equal(await one.commit(1, first), 0);
    t.equal(await one.files.ended((done) => one.role.store.drain(done)), 0);
    await one.close();
    t.same(one.files.open, []);
    const other = await new TestRole().open();
    const second = await other.begin(ID);
    await other.files.ended((done) => second.write(0, tagged(3, 128), done));
    other.disk.isHeld = true;
    t.equal(await other.commit(1, second), 0);
    other.files.host.failCalls({ calls: ['close'], error: errno.EIO });
    await t.rejects(other.files.wait(other.role.close()), { code: 'EIO' });
  },
);

for (const call of ['close', 'unlink'] as const) {
  t.test(
    `the file of a resync that the image has does no harm if its ${call} fails, which is reported`,
    async (t) => {
      const one = await new TestRole().open();
      const target = await one.begin(ID);
      one.files.host.failCalls({ calls: [call], error: errno.EIO });
      t.equal(await one.commit(1, target), 0);
      t.equal(await one.files.ended((done) => one.role.store.drain(done)), 0);
      t.match(one.events, [
        'committed 1: 0 bytes, 0 s, 0',
        /cannot (?:close|remove) \/srv\/state\/resync: EIO/,
      ]);
      t.equal((await one.begin(OTHER_ID)).id, OTHER_ID);
    },
  );
}

t.test('a resync that was not committed is dropped by the next begin of another', async (t) => {
  const one = await new TestRole().open();
  const first = await one.begin(ID);
  t.equal(await one.begin(ID), first, 'the same goes on');
  await one.files.ended((done) => first.write(0, tagged(3, 128), done));
  const second = await one.begin(OTHER_ID);
  t.not(second, first);
  t.equal(one.role.resyncId, OTHER_ID);
  t.same(one.events, ['a resync that was not committed is dropped']);
  t.equal(one.files.open.filter((path) => path === RESYNC).length, 1);
  t.same([...second.grains], []);
});

/** Two grains, of which the second one came after the last sync. */
async function receive(one: TestRole, target: SyncTarget): Promise<void> {
  await one.files.ended((done) => target.write(0, tagged(3, 128), done));
  t.equal(await one.files.ended((done) => target.sync(done)), 0);
  await one.files.ended((done) => target.write(128, tagged(4, 128), done));
}

t.test('a resync that was not committed is resumed after a crash, with what was synced of it', async (t) => {
  const one = await new TestRole().open();
  await receive(one, await one.begin(ID));
  await one.crash();
  t.equal(one.role.resyncId, ID);
  t.same(await one.tags(0, 1), [0], 'it is not shown');
  const again = await one.begin(ID);
  t.same([...again.grains], [0]);
  await one.files.ended((done) => again.write(128, tagged(5, 128), done));
  t.equal(await one.commit(1, again), 0);
  t.same([await one.tags(0, 1), await one.tags(128, 1)], [[3], [5]]);
  t.equal(one.role.resyncId, null);
  await one.crash();
  t.same([await one.tags(0, 1), await one.tags(128, 1)], [[3], [5]]);
});

t.test('a first sync is resumed after a crash, with what was synced of it', async (t) => {
  const one = await new TestRole('own').open();
  await receive(one, await one.begin(ID, true));
  await one.crash();
  t.equal(one.role.resyncId, ID);
  const again = await one.begin(ID, true);
  t.same([...again.grains], [0]);
  one.disk.calls.length = 0;
  await one.files.ended((done) => again.zero(128, 128, done));
  t.same(one.disk.calls, ['zero 128+128'], 'the image is not blank any more');
  t.equal(await one.commit(1, again), 0);
  await one.close();
  t.same(one.files.open, []);
});

t.test('a resync that was committed is not resumed, though its file is still there', async (t) => {
  const one = await new TestRole().open();
  await receive(one, await one.begin(ID));
  one.files.host.failCalls({ calls: ['unlink'], error: errno.EIO });
  t.equal(await one.commit(1, await one.begin(ID)), 0);
  await one.files.ended((done) => one.role.store.drain(done));
  t.ok(one.hasResyncFile);
  await one.crash();
  t.equal(one.role.resyncId, null);
  t.notOk(one.hasResyncFile);
});

t.test('what a failed sync has left is not resumed', async (t) => {
  for (const isFirst of [false, true]) {
    const one = await new TestRole(isFirst ? 'own' : 'c').open();
    const target = await one.begin(ID, isFirst);
    await receive(one, target);
    one.disk.isHeld = isFirst;
    if (!isFirst) one.files.host.failCalls({ calls: ['fdatasync'], error: errno.EIO });
    const synced = one.files.ended((done) => target.sync(done));
    one.disk.waiting.pop()?.(-errno.EIO);
    t.equal(await synced, -errno.EIO);
    one.disk.isHeld = false;
    const again = await one.begin(ID, isFirst);
    t.not(again, target);
    t.same([...again.grains], []);
  }
});

t.test('without what is needed to resume a resync, there is none', async (t) => {
  const one = await new TestRole().open();
  await receive(one, await one.begin(ID));
  one.files.host.losePower(NOTHING_SURVIVES);
  one.files.host.rot(RESYNC, 512);
  await one.open();
  t.equal(one.role.resyncId, null);
  t.notOk(one.hasResyncFile);
});

t.test('a first sync that begins while one is being committed leaves the image alone', async (t) => {
  const one = await new TestRole('own').open();
  const target = await one.begin(ID, true);
  await one.files.ended((done) => target.write(0, tagged(3, 128), done));
  let result: number | undefined;
  one.role.commit(1, GENERATION, target, (ended) => (result = ended));
  // As on the next connection, whose hello still was one of a side without a state.
  const next = await one.begin(OTHER_ID, true);
  t.equal(result, 0);
  await one.files.ended((done) => next.write(0, tagged(9, 128), done));
  t.same(await one.tags(0, 1), [3]);
  t.equal(contentOf(one.disk.bytes)[0], 3);
});

t.test('a begin waits until the image has the resync before, whose file it takes', async (t) => {
  const one = await new TestRole().open();
  const first = await one.begin(ID);
  await one.files.ended((done) => first.write(0, tagged(3, 128), done));
  one.disk.isHeld = true;
  t.equal(await one.commit(1, first), 0);
  let second: string | undefined;
  const begun = one.role.beginSync(OTHER_ID, 4, false).then(({ id }) => (second = id));
  await one.files.world.run(0.5);
  t.equal(second, undefined);
  one.disk.release();
  t.equal(await one.files.wait(begun), OTHER_ID);
  t.equal(contentOf(one.disk.bytes)[0], 3);
});

t.test('a begin that fails is reported to its caller, and the next one is tried', async (t) => {
  const one = await new TestRole().open();
  one.files.host.system.capacityBytes = 0;
  await t.rejects(one.begin(ID), { code: 'ENOSPC' });
  t.equal(one.role.resyncId, null);
  one.files.host.system.capacityBytes = 1 << 30;
  t.equal((await one.begin(OTHER_ID)).id, OTHER_ID);
  one.files.host.failCalls({ calls: ['syncDirectory'], error: errno.EIO });
  await t.rejects(one.begin(ID), { code: 'EIO' });
});

t.test('a resync whose connection ends while it is completed is not committed', async (t) => {
  const one = await new TestRole().open();
  const target = await one.begin(ID);
  await one.files.ended((done) => target.write(0, tagged(3, 128), done));
  const committed = one.commit(1, target);
  one.role.store.abort();
  t.equal(await committed, -errno.ECANCELED);
  t.equal(one.role.epoch, 0);
  t.equal(await one.begin(ID), target, 'it goes on with the next connection');
  t.same(await one.tags(0, 1), [0]);
});

t.test('a resync that cannot be completed ends the store', async (t) => {
  const one = await new TestRole().open();
  const target = await one.begin(ID);
  one.files.host.failCalls({ calls: ['write'], error: errno.EIO });
  t.equal(await one.commit(1, target), -errno.EIO);
  t.same(one.events, ['failed: complete a resync, -5', 'committed 1: 0 bytes, 0 s, -5']);
});

t.test('a first state that cannot be recorded is none', async (t) => {
  const one = await new TestRole('own').open();
  const target = await one.begin(ID, true);
  one.files.host.failCalls({ calls: ['write'], nth: 2, error: errno.EIO });
  t.equal(await one.commit(1, target), -errno.EIO);
  t.same(one.events, ['failed: write the metadata, -5', 'committed 1: 0 bytes, 0 s, -5']);
});

t.test('a rejoin ends with its commit, durably, and so do the ancestors', async (t) => {
  const one = await new TestRole().open();
  const ancestors = [{ generation: ID, low: 1, high: 2 }];
  await one.files.ended((done) => one.metadata.update({ rejoining: true, ancestors }, done));
  t.equal(await one.commit(1), 0);
  t.same(one.events, ['initialised', 'committed 1: 0 bytes, 0 s, 0']);
  await one.crash();
  t.match(one.metadata.current, { rejoining: false, ancestors: [], hasState: true, generation: GENERATION });
});

t.test('a role settles once every commit that was requested has ended', async (t) => {
  const one = await new TestRole().open();
  t.equal(await one.files.ended((done) => one.role.settle(done)), 0);
  t.same(one.events, []);
  const ended: string[] = [];
  one.role.store.write(0, tagged(1, 1));
  one.role.commit(1, GENERATION, undefined, () => ended.push('commit'));
  one.role.settle((result) => ended.push(`settled ${result}`));
  await one.files.world.run(() => ended.length === 2);
  t.same(ended, ['commit', 'settled 0']);
  t.equal(one.role.epoch, 2, 'an empty commit is the last one');
  t.equal(one.metadata.current.generation, GENERATION);
});

t.test('a role that is closed has none of its files open, whatever it was doing', async (t) => {
  const one = await new TestRole().open();
  let hasBegun = false;
  const begun = one.role.beginSync(ID, 4, false).then(() => (hasBegun = true));
  await one.files.wait(one.role.close());
  t.ok(hasBegun, 'a begin is waited for');
  await begun;
  await one.files.wait(one.map.close());
  await one.files.wait(one.metadata.close());
  t.same(one.files.open, []);
  const other = await new TestRole().open();
  const target = await other.begin(ID);
  other.disk.isHeld = true;
  await other.files.ended((done) => target.write(0, tagged(3, 128), done));
  t.equal(await other.commit(1, target), 0);
  await other.close();
  t.same(other.files.open, []);
});

t.test('what a resync needs of files is done in turn, and has ended when it is reported', async (t) => {
  const one = new TestRole('own');
  const { files } = one;
  const inTurn = async (what: string, action: () => Promise<unknown>): Promise<void> =>
    void t.equal(await files.inTurn(action), undefined, what);
  const reopen = async (): Promise<void> => {
    await inTurn('close', () => files.wait(one.role.close()));
    await one.open();
    await files.world.run(1);
  };
  await one.open();
  await files.world.run(1);
  await inTurn('begin of a first sync', () => one.begin(ID, true));
  await reopen();
  await inTurn('begin of another first sync', () => one.begin(OTHER_ID, true));
  t.equal(await one.commit(1, await one.begin(OTHER_ID, true)), 0);
  await files.world.run(1);
  await inTurn('begin', () => one.begin(ID));
  await receive(one, await one.begin(ID));
  await inTurn('begin of the same', () => one.begin(ID));
  await reopen();
  await inTurn('begin of another', () => one.begin(OTHER_ID));
  await inTurn('drop', () => files.wait(one.role.dropUnfinished()));
  const target = await one.begin(ID);
  one.disk.isHeld = true;
  await inTurn('commit', () => one.commit(2, target));
  await reopen();
});
