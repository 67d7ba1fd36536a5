// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { BackupRole } from './backup/backup-role.js';
import type { LocalDisk } from './local-disk.js';
import { identityOf, type State } from './open-state.js';
import type { PrimaryRole } from './primary/primary-role.js';
import { completed } from './state-file.js';

/**
 * Brings what a role has not written yet to stable storage, then records in the metadata that all of it is there, and that
 * nobody else has changed the image since. No request may be under way.
 *
 * @throws (rejects with) StateError
 */
export async function settleState(
  { metadata, map }: State,
  disk: LocalDisk,
  {
    primary,
    backup,
  }: { readonly primary?: PrimaryRole | undefined; readonly backup?: BackupRole | undefined },
): Promise<void> {
  if (backup) await completed('write the checkpoints to the image', (done) => backup.store.drain(done));
  if (primary) {
    await completed('sync the image', (done) => primary.flush(done));
    await completed('write the metadata', (done) => metadata.settle(done));
    primary.sweep(true);
    await completed('write the map', (done) => map.sync(done));
  }
  if (disk.settle) await completed('settle the image', (done) => disk.settle?.(done));
  const image = await identityOf(disk);
  await completed('write the metadata', (done) => metadata.update({ image, clean: true }, done));
}
