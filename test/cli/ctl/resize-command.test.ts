// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import t, { type Test } from 'tap';
import { dispatch } from '../../../src/cli/dispatch.js';
import { type ControlWorld, controlWorld, PID } from '../../control/world.js';
import { type LoopDevice, loopDevice } from '../../loop-device.js';
import { skipped } from '../../programs.js';
import { captured, type Outcome } from '../captured-io.js';

interface ResizeWorld extends ControlWorld {
  readonly image: string;
  readonly resize: (...argv: string[]) => Promise<Outcome>;
}

/** A daemon with an image of some bytes as disk 0. */
async function servedDisk(
  t: Test,
  bytes: number,
  nameOf = (file: string) => `aio:${file}`,
): Promise<ResizeWorld> {
  const world = controlWorld(t);
  const directory = mkdtempSync(path.join(tmpdir(), 'resize-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  const image = path.join(directory, 'disk.img');
  writeFileSync(image, Buffer.alloc(bytes, 1));
  await world.client.attach(PID, 0);
  await world.client.open(PID, 0, nameOf(image), 0);
  t.teardown(() => world.registry.get(0)?.close());
  const resize = (...argv: string[]): Promise<Outcome> =>
    captured(dispatch, ['ctl', 'resize', '--control-directory', world.directory, ...argv]);
  return { ...world, image, resize };
}

t.test('a disk takes the size of its grown file, and the new part can be read and written', async (t) => {
  const { image, resize, registry } = await servedDisk(t, 4096, (file) => `log:aio:${file}`);
  truncateSync(image, 8192);
  t.match(await resize('0'), { exitCode: 0, stdout: 'disk 0 has 16 sectors of 512 bytes\n', stderr: '' });
  const vbd = registry.get(0);
  const data = Buffer.alloc(512, 7);
  t.equal(await new Promise((done) => vbd?.queueWrite(15, data, done)), 0);
  const read = Buffer.alloc(8192);
  t.equal(await new Promise((done) => vbd?.queueRead(0, read, done)), 0);
  t.ok(read.equals(Buffer.concat([Buffer.alloc(4096, 1), Buffer.alloc(4096 - 512), data])));
  const { stdout } = await resize('0', '--json', '-p', String(PID));
  t.same(JSON.parse(stdout), { sectors: 16, sectorSize: 512, info: 0 }, 'nothing has changed since');
});

t.test('a disk takes the size of its grown block device', async (t) => {
  let device: LoopDevice | string = '';
  const { image, resize, registry } = await servedDisk(t, 1 << 20, (file) => {
    device = loopDevice(file);
    return typeof device === 'string' ? `aio:${file}` : `aio:${device.path}`;
  });
  if (typeof device === 'string') return void skipped(t, device);
  const { measure, remove } = device as LoopDevice;
  t.teardown(remove);
  const vbd = registry.get(0);
  t.equal(vbd?.sizeBytes, 1 << 20);
  truncateSync(image, 2 << 20);
  t.match(await resize('0'), { exitCode: 0, stdout: 'disk 0 has 2048 sectors of 512 bytes\n' }, 'not yet');
  measure();
  t.match(await resize('0'), { exitCode: 0, stdout: 'disk 0 has 4096 sectors of 512 bytes\n', stderr: '' });
  const data = Buffer.alloc(512, 7);
  t.equal(await new Promise((done) => vbd?.queueWrite(4095, data, done)), 0);
  const read = Buffer.alloc(1024, 9);
  t.equal(await new Promise((done) => vbd?.queueRead(4094, read, done)), 0);
  t.ok(read.equals(Buffer.concat([Buffer.alloc(512), data])));
  t.equal(await new Promise((done) => vbd?.flush(done)), 0);
  t.ok(readFileSync(image).subarray(-512).equals(data), 'the write is in the file under it');
  truncateSync(image, 1 << 20);
  measure();
  t.match((await resize('0')).stderr, /it has 1048576 bytes, fewer than the 2097152 of the disk/);
});

t.test('bytes after the last whole sector become part of the disk', async (t) => {
  const { image, resize, registry } = await servedDisk(t, 1000);
  const vbd = registry.get(0);
  t.equal(vbd?.sizeBytes, 1000);
  truncateSync(image, 1001);
  t.equal((await resize('0')).exitCode, 0);
  t.equal(vbd?.sizeBytes, 1001);
  t.equal(await new Promise((done) => vbd?.writeBytes(999, Buffer.alloc(2, 9), done)), 0);
  truncateSync(image, 2048);
  t.equal((await resize('0')).exitCode, 0);
  t.equal(vbd?.sizeBytes, 2048);
  const read = Buffer.alloc(1024);
  t.equal(await new Promise((done) => vbd?.readBytes(0, read, done)), 0);
  t.same([...read.subarray(998, 1003)], [1, 9, 9, 0, 0]);
});

t.test('a file that became smaller keeps its size', async (t) => {
  const { image, resize, registry } = await servedDisk(t, 4096);
  truncateSync(image, 4095);
  const { exitCode, stderr } = await resize('0');
  t.equal(exitCode, 1);
  t.match(stderr, /it has 4095 bytes, fewer than the 4096 of the disk: a disk in use cannot shrink/);
  t.equal(registry.get(0)?.sizeBytes, 4096);
});

t.test('for a disk that cannot be resized the reason is given', async (t) => {
  const { resize, client, registry, image } = await servedDisk(t, 4096, () => 'ram:1');
  t.match((await resize('0')).stderr, /a disk in memory keeps the size that it was opened with/);
  const vhd = path.join(path.dirname(image), 'disk.vhd');
  await captured(dispatch, ['vhd', 'create', vhd, '16M']);
  await client.close(PID, 0);
  await client.open(PID, 0, `vhd:${vhd}`, 0);
  t.match((await resize('0')).stderr, /pause it, use tapdisk-ts vhd resize, and unpause it/);
  await client.pause(PID, 0);
  await t.rejects(registry.resize(0), { code: 'EINVAL', message: /is paused: only a running one/ });
  t.match((await resize('7')).stderr, /minor 7 is not attached/);
});

t.test('a disk that is closed meanwhile is not resized', async (t) => {
  const { image, client, registry } = await servedDisk(t, 4096);
  truncateSync(image, 8192);
  const vbd = registry.get(0);
  const resizing = registry.resize(0).catch((error: { errno?: number }) => error.errno);
  await registry.close(0);
  t.equal(await resizing, -108);
  t.equal(vbd?.isOpen, false);
  await client.open(PID, 0, `aio:${image}`, 0);
  t.equal(vbd?.sizeBytes, 8192);
});
