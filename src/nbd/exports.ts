// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { SECTOR_SIZE } from '../disks/index.js';
import type { BlockDevice, Vbd, VbdRegistry } from '../disks/index.js';
import {
  FLAG_CAN_MULTI_CONN,
  FLAG_HAS_FLAGS,
  FLAG_READ_ONLY,
  FLAG_SEND_CACHE,
  FLAG_SEND_DF,
  FLAG_SEND_FAST_ZERO,
  FLAG_SEND_FLUSH,
  FLAG_SEND_FUA,
  FLAG_SEND_TRIM,
  FLAG_SEND_WRITE_ZEROES,
} from './protocol.js';

/** A disk that clients can ask for. */
export interface NbdExport {
  readonly name: string;
  /** One line for people. */
  readonly description: string;
  readonly device: BlockDevice;
  /** Has `listener` called when the disk is gone, and answers how to stop that. */
  onClosed(listener: () => void): () => void;
}

/** The disks that a server has at a moment. */
export interface NbdExports {
  list(): readonly NbdExport[];
  /** The export of a name; the empty name asks for the default one. Or the reason, for people, why there is none. */
  find(name: string): NbdExport | string;
}

/**
 * Every open VBD under its minor number in decimal. The default export is the open VBD if there is just one.
 *
 * A paused VBD is there too; requests for it wait.
 */
export function vbdExports(registry: VbdRegistry): NbdExports {
  const open = (): Vbd[] => registry.vbds().filter((vbd) => vbd.isOpen);
  return {
    list: () => open().map(exportOf),
    find(name) {
      const found = name === '' ? undefined : open().find((vbd) => String(vbd.minor) === name);
      if (found) return exportOf(found);
      const names = open().map((vbd) => String(vbd.minor));
      if (names.length === 0) return 'no disk is open';
      const [only] = open();
      if (name === '' && names.length === 1 && only) return exportOf(only);
      return name === ''
        ? `name one of the exports ${names.join(', ')}`
        : `the exports are ${names.join(', ')}`;
    },
  };
}

function exportOf(vbd: Vbd): NbdExport {
  return {
    name: String(vbd.minor),
    description: `VBD ${vbd.minor}, ${vbd.info.sectors} sectors of ${SECTOR_SIZE} bytes`,
    device: vbd,
    onClosed: (listener) => vbd.onClosed(listener),
  };
}

/**
 * The transmission flags of a disk. Several connections may share any: a flush covers what was answered on whichever
 * (see {@link BlockDevice}).
 */
export function transmissionFlags(device: BlockDevice, structuredReplies: boolean): number {
  const always = FLAG_HAS_FLAGS | FLAG_SEND_FLUSH | FLAG_SEND_CACHE | FLAG_CAN_MULTI_CONN;
  const reading = always | (structuredReplies ? FLAG_SEND_DF : 0);
  if (device.readOnly) return reading | FLAG_READ_ONLY;
  const zeroing = FLAG_SEND_WRITE_ZEROES | FLAG_SEND_FAST_ZERO;
  return reading | FLAG_SEND_FUA | zeroing | (device.canDiscard ? FLAG_SEND_TRIM : 0);
}
