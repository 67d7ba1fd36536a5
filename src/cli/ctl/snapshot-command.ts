// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { ControlError } from '../../control/control-client.js';
import { textFits } from '../../control/message.js';
import { imageSizer } from '../../disks/drivers/image-size.js';
import { type ImageChange, rebindReplication } from '../../disks/drivers/remus-rebind.js';
import { withVhdPath } from '../../disks/drivers/vhd/image-name.js';
import { VBD_PAUSED } from '../../disks/state.js';
import { promiseOf } from '../../disks/drivers/vhd/steps.js';
import { snapshot } from '../../disks/drivers/vhd/tools/snapshot.js';
import { wallClock } from '../../posix/clock.js';
import { absolutePath } from '../../posix/exact-text.js';
import { NodeFileCalls } from '../../posix/node/files.js';
import type { Values } from '../command-line/command-table.js';
import { quoted, UsageError } from '../usage-error.js';
import { type CtlContext, ctlRun, onlyDaemon } from './ctl-context.js';
import type { snapshotTable } from './ctl-tables.js';

const atOnce = { post: (task: () => void) => task() };
const calls = { files: new NodeFileCalls(atOnce), size: imageSizer(atOnce) };

export const runSnapshot = ctlRun<Values<typeof snapshotTable>>('snapshot', async (values, context) => {
  const { client, print } = context;
  const pid = values.pid ?? onlyDaemon(context.directory);
  const child = absolutePath(values.child);
  const vbd = (await client.list(pid)).find(({ minor }) => minor === values.minor);
  const next = vbd && withVhdPath(vbd.path, child);
  if (!next) throw new UsageError(`disk ${values.minor} of daemon ${pid} is not an open vhd: image`);
  if (!textFits(next.name)) throw new UsageError(`the name ${quoted(next.name)} has more than 255 bytes`);
  // While the disk is still served: the new image says nothing of its parent's content. An image that is empty now may not be in a moment.
  const made = {
    parent: next.path,
    child,
    keepEmpty: true,
    uuid: randomBytes(16),
    unixSeconds: wallClock.now(),
  };
  const { depth } = await promiseOf(snapshot(calls, made));
  const pauseMs = await goOnWith(context, pid, values.minor, next.name, { from: next.path, to: child });
  if (values.json) print(JSON.stringify({ child, parent: next.path, depth, pauseMs }));
  else
    print(
      `disk ${values.minor} goes on with ${child}, ${depth} images deep; it was paused for ${pauseMs} ms`,
    );
});

/** Swaps the image, or leaves all as it was. Returns how long the disk was paused, in milliseconds. */
async function goOnWith(
  { client, posix: { clock } }: CtlContext,
  pid: number,
  minor: number,
  name: string,
  images: ImageChange,
): Promise<number> {
  const discard = (): Promise<number> => new Promise((done) => calls.files.unlink(images.to, done));
  await syncAhead(images.from);
  const start = clock.now();
  try {
    await client.pause(pid, minor);
  } catch (error) {
    await discard();
    await resumeIfPaused(client, pid, minor);
    throw error;
  }
  let unbind = async (): Promise<void> => {};
  try {
    unbind = await rebindReplication(calls.files, name, images);
    await client.resume(pid, minor, name);
  } catch (error) {
    await unbind();
    // One that is not paused may be going on with the child, though its reply has not come.
    if (await resumeIfPaused(client, pid, minor)) await discard();
    throw error;
  }
  return Math.round((clock.now() - start) * 1e4) / 10;
}

/**
 * Resumes a disk with the image that it had, if it is paused: it is, too, after a pause that failed because the image could
 * not be closed well. Returns whether it was paused.
 *
 * @throws (rejects with) ControlError when it stays paused
 */
async function resumeIfPaused(client: CtlContext['client'], pid: number, minor: number): Promise<boolean> {
  const vbd = (await client.list(pid)).find((listed) => listed.minor === minor);
  if (vbd === undefined || (vbd.state & VBD_PAUSED) === 0) return false;
  try {
    await client.resume(pid, minor);
  } catch (error) {
    if (!(error instanceof ControlError)) throw error;
    throw new ControlError(error.number, `disk ${minor} stays paused: ${error.detail}`);
  }
  return true;
}

/**
 * Makes the kernel write back what the daemon has written to an image, so that closing it has little left to sync while requests
 * wait. Should that fail, it fails or succeeds when it is closed.
 */
async function syncAhead(path: string): Promise<void> {
  const fd = await new Promise<number>((done) => calls.files.open(path, constants.O_RDONLY, done));
  if (fd < 0) return;
  await new Promise<number>((done) => calls.files.fdatasync(fd, done));
  await new Promise<number>((done) => calls.files.close(fd, done));
}
