// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// What a script that drives C's daemon sees here as something else: docs/divergences.md has a row for each.

import t from 'tap';
import { captured, type Outcome } from '../cli/captured-io.js';
import { dispatch } from '../../src/cli/dispatch.js';
import { type ControlWorld, controlWorld, PID } from './world.js';

const disk = ['-p', String(PID), '-m', '0'];

/** `tapdisk-ts ctl` on the daemon of a world. */
function ctl({ directory }: ControlWorld, command: string, ...rest: string[]): Promise<Outcome> {
  return captured(
    (argv, io) => dispatch(['ctl', ...argv], io),
    [command, '--control-directory', directory, ...rest],
  );
}

const state = async (world: ControlWorld): Promise<unknown> => (await world.client.list(PID))[0]?.state;

t.test('an attached VBD shows 2, closed, until it is opened, and so does one that was closed', async (t) => {
  const world = controlWorld(t);
  await ctl(world, 'attach', ...disk);
  t.equal(await state(world), 2);
  await ctl(world, 'open', ...disk, '-a', 'ram:1');
  t.equal(await state(world), 0);
  await ctl(world, 'close', ...disk);
  t.equal(await state(world), 2);
});

t.test('PAUSE of an attached or closed VBD is EINVAL, and changes nothing', async (t) => {
  const world = controlWorld(t);
  await ctl(world, 'attach', ...disk);
  for (const phase of ['attached', 'closed']) {
    t.match(await ctl(world, 'pause', ...disk), { exitCode: 1, stderr: /EINVAL/ }, phase);
    t.equal(await state(world), 2, phase);
    await ctl(world, 'open', ...disk, '-a', 'ram:1');
    await ctl(world, 'close', ...disk);
  }
});

t.test('an invalid image name is EINVAL with the reason', async (t) => {
  const world = controlWorld(t);
  await ctl(world, 'attach', ...disk);
  for (const [name, reason] of [
    ['nosuch:/disk.img', /unknown driver 'nosuch'/],
    [`aio:${world.directory}`, /neither a regular file nor a block device/],
    ['aio:/dev/null', /neither a regular file nor a block device/],
    ['aio:', /"" is not a path/],
  ] as const) {
    const { exitCode, stderr } = await ctl(world, 'open', ...disk, '-a', name);
    t.equal(exitCode, 1, name);
    t.match(stderr, /EINVAL/, name);
    t.match(stderr, reason);
  }
  t.match(await ctl(world, 'open', ...disk, '-a', 'aio:/nowhere/disk.img'), { stderr: /ENOENT/ });
  t.match(await ctl(world, 'open', ...disk, '-a', 'ram:1'), { exitCode: 0 }, 'and it can be opened still');
});

t.test(
  'an unpause with another image that cannot be opened leaves the VBD paused under its old name',
  async (t) => {
    const world = controlWorld(t);
    await ctl(world, 'attach', ...disk);
    await ctl(world, 'open', ...disk, '-a', 'ram:1');
    await ctl(world, 'pause', ...disk);
    for (const name of ['aio:/nowhere/disk.img', 'nosuch:x']) {
      t.match(await ctl(world, 'unpause', ...disk, '-a', name), { exitCode: 1, stderr: /E(NOENT|INVAL)/ });
      t.strictSame(await world.client.list(PID), [{ minor: 0, state: 0x2a, path: 'ram:1' }]);
    }
    t.match(await ctl(world, 'unpause', ...disk), { exitCode: 0 });
    t.strictSame(await world.client.list(PID), [{ minor: 0, state: 0, path: 'ram:1' }]);
  },
);
