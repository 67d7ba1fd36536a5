// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import t, { type Test } from 'tap';
import { dispatch } from '../../../src/cli/dispatch.js';
import { ControlMessage } from '../../../src/control/message.js';
import { MessageType } from '../../../src/control/message-type.js';
import { RemusDriver } from '../../../src/disks/drivers/index.js';
import type { ReplicationStatus } from '../../../src/replication/disk/status.js';
import type { Vbd } from '../../../src/disks/index.js';
import { errno, NodePosix, SystemError } from '../../../src/posix/index.js';
import { type ControlWorld, controlWorld, ManualClock, PID } from '../../control/world.js';
import { captured, type Outcome } from '../captured-io.js';

interface SnapshotWorld extends ControlWorld {
  readonly images: string;
  readonly vbd: Vbd;
  readonly snapshot: (...argv: string[]) => Promise<Outcome>;
}

/** A daemon with a VHD of 16 MiB as disk 0. */
async function servedDisk(t: Test, options = '', above = ''): Promise<SnapshotWorld> {
  const world = controlWorld(t);
  const images = mkdtempSync(path.join(tmpdir(), 'snapshots-'));
  t.teardown(() => rmSync(images, { recursive: true }));
  const base = path.join(images, 'base.vhd');
  await captured(dispatch, ['vhd', 'create', base, '16M']);
  await world.client.attach(PID, 0);
  await world.client.open(PID, 0, `${above}vhd:${options}${base}`, 0);
  const vbd = world.registry.get(0);
  if (!vbd) throw new Error('no disk');
  t.teardown(() => vbd.close());
  const snapshot = (...argv: string[]): Promise<Outcome> =>
    captured(dispatch, ['ctl', 'snapshot', '--control-directory', world.directory, ...argv]);
  return { ...world, images, vbd, snapshot };
}

function write(vbd: Vbd, sector: number, byte: number): Promise<number> {
  return new Promise((done) => vbd.queueWrite(sector, Buffer.alloc(512, byte), done));
}

async function byteAt(vbd: Vbd, sector: number): Promise<number | undefined> {
  const buffer = Buffer.alloc(512);
  const result = await new Promise<number>((done) => vbd.queueRead(sector, buffer, done));
  return result < 0 ? result : buffer[100];
}

t.test('a disk continues on a child, and its image stays unchanged', async (t) => {
  const { vbd, images, snapshot, registry } = await servedDisk(t, '[answer=early]');
  t.equal(await write(vbd, 5, 1), 0);
  const child = path.join(images, 'child.vhd');
  const { exitCode, stdout, stderr } = await snapshot('0', child, '--json');
  t.strictSame([exitCode, stderr], [0, '']);
  t.match(JSON.parse(stdout), { child, parent: path.join(images, 'base.vhd'), depth: 2, pauseMs: Number });
  t.match(registry.list(), [{ minor: 0, name: `vhd:[answer=early]${child}` }]);
  t.equal(await byteAt(vbd, 5), 1);
  t.equal(await write(vbd, 5, 2), 0);
  t.equal(await byteAt(vbd, 5), 2);
  t.equal(
    await new Promise<number>((done) => vbd.flush(done)),
    0,
    'so that the file has it, early answers or not',
  );
  t.same(
    readFileSync(child).subarray(84, 512),
    Buffer.alloc(512 - 84),
    'what follows the uuid in the footer is zero',
  );
  const info = await captured(dispatch, ['vhd', 'info', child, '--json']);
  const [{ images: chain }] = JSON.parse(info.stdout) as [{ images: { allocatedBlocks: number }[] }];
  t.match(chain, [{ allocatedBlocks: 1 }, { allocatedBlocks: 1, isClosed: true }]);
});

t.test('a disk continues on a child of its image even while that is empty', async (t) => {
  const { images, snapshot } = await servedDisk(t);
  const [first, second] = ['first.vhd', 'second.vhd'].map((name) => path.join(images, name));
  t.match(await snapshot('0', first!), { exitCode: 0, stdout: /goes on with .*first\.vhd, 2 images deep/ });
  t.match(JSON.parse((await snapshot('0', second!, '--json')).stdout), { parent: first, depth: 3 });
});

t.test('requests during the swap wait, and reach the child', async (t) => {
  const { vbd, images, snapshot } = await servedDisk(t);
  const children: Promise<Outcome>[] = [];
  const results: Promise<number>[] = [];
  for (let round = 0; round < 3; round++) {
    children.push(snapshot('0', path.join(images, `child${round}.vhd`)));
    for (let at = 0; at < 20; at++) results.push(write(vbd, round * 100 + at, round + 1));
    t.match(await children.at(-1), { exitCode: 0 });
  }
  t.same(new Set(await Promise.all(results)), new Set([0]));
  t.equal(await byteAt(vbd, 219), 3);
  t.equal(await byteAt(vbd, 19), 1);
});

t.test('a failure is reported, and the disk continues as before', async (t) => {
  const { vbd, images, snapshot, registry, client } = await servedDisk(t);
  const base = path.join(images, 'base.vhd');
  t.match(await snapshot('0', base), {
    exitCode: 1,
    stderr: `tapdisk-ts ctl snapshot: ${base}: cannot create: File exists\n`,
  });
  t.match(await snapshot('0', path.join(images, 'none', 'child.vhd')), { exitCode: 1 });
  t.match(await snapshot('1', path.join(images, 'child.vhd')), {
    exitCode: 2,
    stderr: /disk 1 of daemon 4242 is not an open vhd: image/,
  });
  t.match(await snapshot('0', path.join(images, 'x'.repeat(250))), {
    exitCode: 2,
    stderr: /more than 255 bytes/,
  });
  await client.pause(PID, 0);
  const child = path.join(images, 'child.vhd');
  t.match(await snapshot('0', child, '-p', String(PID)), { exitCode: 0 }, 'a paused disk is resumed');
  t.ok(existsSync(child));
  t.match(registry.list(), [{ name: `vhd:${child}` }]);
  t.equal(await write(vbd, 1, 1), 0);
});

t.test('a child that the daemon rejects is deleted, and the disk continues unchanged', async (t) => {
  // Its parent, the image itself, does not lie where parents may.
  const { vbd, images, snapshot, registry } = await servedDisk(t, '[parents=/usr/lib]');
  const child = path.join(images, 'child.vhd');
  const { exitCode, stderr } = await snapshot('0', child);
  t.equal(exitCode, 1);
  t.match(stderr, /EACCES/);
  t.notOk(existsSync(child));
  t.match(registry.list(), [{ name: `vhd:[parents=/usr/lib]${path.join(images, 'base.vhd')}` }]);
  t.equal(await write(vbd, 1, 1), 0);
});

const primary = 'remus:127.0.0.1:1,role=primary,fifos=no|';

function replicationOf({ vbd }: SnapshotWorld): ReplicationStatus | undefined {
  return RemusDriver.among(vbd.drivers)?.replication?.status();
}

t.test('the state of a replicated disk moves to its child', async (t) => {
  for (const directory of ['', ',directory=/']) {
    const state = mkdtempSync(path.join(tmpdir(), 'states-'));
    t.teardown(() => rmSync(state, { recursive: true }));
    const above = primary.replace('|', `${directory && `,directory=${state}/of-disk`}|`);
    const world = await servedDisk(t, '', above);
    const { vbd, images, snapshot } = world;
    t.equal(await write(vbd, 5, 1), 0);
    const before = replicationOf(world);
    const child = path.join(images, 'child.vhd');
    t.match(await snapshot('0', child), { exitCode: 0, stderr: '' });
    const after = replicationOf(world);
    t.ok(before?.generation);
    t.equal(after?.generation, before?.generation, 'it is the same disk to its backup');
    t.equal(await byteAt(vbd, 5), 1);
    t.notOk(existsSync(`${path.join(images, 'base.vhd')}.remus`));
    t.equal(existsSync(`${child}.remus`), directory === '');
  }
});

t.test('a child that cannot be opened leaves a replicated disk unchanged', async (t) => {
  const world = await servedDisk(t, '', primary);
  const { vbd, images, snapshot } = world;
  const before = replicationOf(world);
  const child = path.join(images, 'child.vhd');
  mkdirSync(`${child}.remus`);
  const refused = await snapshot('0', child);
  t.match(refused, { exitCode: 1, stderr: /child\.vhd\.remus: there is the state of another disk: EEXIST/ });
  t.notOk(existsSync(child));
  t.equal(replicationOf(world)?.generation, before?.generation);
  t.equal(await write(vbd, 1, 1), 0);
});

t.test('when the daemon refuses a child, the replication state is restored', async (t) => {
  const world = await servedDisk(t, '[parents=/usr/lib]', primary);
  const { vbd, images, snapshot } = world;
  const before = replicationOf(world);
  const child = path.join(images, 'child.vhd');
  t.match(await snapshot('0', child), { exitCode: 1, stderr: /EACCES/ });
  t.notOk(existsSync(`${child}.remus`));
  t.equal(replicationOf(world)?.generation, before?.generation);
  t.equal(await write(vbd, 1, 1), 0);
});

/** A snapshot of a disk whose daemon takes 0.1234 s for the pause, and reports this of it: an errno, or 0. */
async function snapshotOf(t: Test, pauseResult: number) {
  const images = realpathSync(mkdtempSync(path.join(tmpdir(), 'snapshots-')));
  t.teardown(() => rmSync(images, { recursive: true }));
  const [base, child] = [path.join(images, 'base.vhd'), path.join(images, 'child.vhd')];
  await captured(dispatch, ['vhd', 'create', base, '16M']);
  const clock = new ManualClock();
  const server = createServer((socket) => {
    socket.once('data', (bytes: Buffer) => {
      const { type, cookie } = new ControlMessage(bytes);
      const entry = { count: 1, minor: 0, state: 0, path: `vhd:${base}` };
      const list = [entry, { ...entry, count: 0 }].map(
        (each) => ControlMessage.create(MessageType.listAnswer, cookie).setList(each).bytes,
      );
      if (type === MessageType.pause) clock.seconds += 0.1234;
      const result = type === MessageType.pause ? pauseResult : 0;
      const answer = ControlMessage.create(type + 1, cookie).setResponse(result).bytes;
      socket.end(type === MessageType.list ? Buffer.concat(list) : answer);
    });
  });
  await new Promise<void>((resolve) => server.listen(path.join(images, `ctl${PID}`), resolve));
  t.teardown(() => server.close());
  const posix = new NodePosix({ clock });
  const outcome = await captured(
    (argv, io) => dispatch(argv, { ...io, posix }),
    ['ctl', 'snapshot', '--control-directory', images, '0', child, '--json'],
  );
  const open = readdirSync('/proc/self/fd').map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return 'the descriptor of that directory';
    }
  });
  return { ...outcome, child, isBaseOpen: open.includes(base) };
}

t.test(
  'the length of the pause is reported to a tenth of a millisecond, and no file stays open',
  async (t) => {
    const { exitCode, stdout, child, isBaseOpen } = await snapshotOf(t, 0);
    t.equal(exitCode, 0);
    t.match(JSON.parse(stdout), { child, pauseMs: 123.4 });
    t.notOk(isBaseOpen);
  },
);

t.test('a disk that is paused although its image could not be closed is resumed', async (t) => {
  const { vbd, images, snapshot, registry } = await servedDisk(t);
  const pause = vbd.pause.bind(vbd);
  vbd.pause = async () => {
    await pause();
    throw new SystemError(errno.EIO, 'cannot sync');
  };
  const child = path.join(images, 'child.vhd');
  const { exitCode, stderr } = await snapshot('0', child);
  t.equal(exitCode, 1);
  t.match(stderr, /EIO .*: cannot sync\n$/);
  t.notOk(existsSync(child));
  t.equal(vbd.phase, 'running');
  t.match(registry.list(), [{ name: `vhd:${path.join(images, 'base.vhd')}` }]);
});

t.test('the child is kept if the disk may go on with it, or cannot go on at all', async (t) => {
  const { vbd, images, snapshot } = await servedDisk(t);
  const [first, second] = [path.join(images, 'first.vhd'), path.join(images, 'second.vhd')];
  const resume = vbd.resume.bind(vbd);
  vbd.resume = async (name) => {
    await resume(name);
    throw new SystemError(errno.EIO, 'a late fault');
  };
  const late = await snapshot('0', first);
  t.match(late, { exitCode: 1, stderr: /EIO .*: a late fault\n$/ });
  t.ok(existsSync(first));
  t.equal(await write(vbd, 1, 1), 0, 'the disk is in use with it');

  vbd.resume = () => Promise.reject(new SystemError(errno.EMFILE, 'cannot open'));
  const stuck = await snapshot('0', second);
  t.match(stuck, { exitCode: 1, stderr: /EMFILE .*: disk 0 stays paused: cannot open\n$/ });
  t.ok(existsSync(second));
  t.equal(vbd.phase, 'paused');
});

t.test('the child of a disk that cannot be paused is deleted', async (t) => {
  const { exitCode, stderr, child } = await snapshotOf(t, 5);
  t.equal(exitCode, 1);
  t.match(stderr, /EIO/);
  t.notOk(existsSync(child));
});
