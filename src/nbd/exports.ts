// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { type BlockDevice, SECTOR_SIZE, type Vbd, type VbdRegistry } from '../disks/index.js';
import {
  FLAG_BLOCK_STATUS_PAYLOAD,
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
import type { ReplyStyle } from './replies.js';

/** A disk that clients can ask for. */
export interface NbdExport {
  readonly name: string;
  /** One line for people. */
  readonly description: string;
  readonly device: BlockDevice;
  /** Calls `listener` when the disk is gone, and returns how to stop that. */
  onClosed(listener: () => void): () => void;
}

/** What a client has chosen for its use of an export. */
export interface Negotiated {
  readonly replies: ReplyStyle;
  /** It may ask for base:allocation. */
  readonly allocation: boolean;
}

/** The disks that a server has at a moment. */
export interface NbdExports {
  list(): readonly NbdExport[];
  /** The export of a name; the empty name asks for the default one. Or the reason, for people, why there is none. */
  find(name: string): NbdExport | string;
}

/** How exports are named. */
export interface ExportNames {
  /** Names by minor number; a disk without one has its number for a name. */
  readonly names?: ReadonlyMap<number, string>;
  /** One line for people, by minor number. */
  readonly descriptions?: ReadonlyMap<number, string> | undefined;
  /** The minor number of the default export. */
  readonly defaultMinor?: number | undefined;
}

/**
 * Every open VBD under its name, if it has one, and under its minor number in decimal. The default export is the one that was
 * chosen, else the open VBD if there is just one.
 *
 * A paused VBD is there too; requests for it wait.
 */
export function vbdExports(registry: VbdRegistry, names: ExportNames = {}): NbdExports {
  const open = (): Vbd[] => registry.vbds().filter((vbd) => vbd.isOpen);
  const nameOf = ({ minor }: Vbd): string => names.names?.get(minor) ?? String(minor);
  const exportOf = (vbd: Vbd): NbdExport => ({
    name: nameOf(vbd),
    description:
      names.descriptions?.get(vbd.minor) ??
      `VBD ${vbd.minor}, ${vbd.info.sectors} sectors of ${SECTOR_SIZE} bytes`,
    device: vbd,
    onClosed: (listener) => vbd.onClosed(listener),
  });
  const defaultOf = (disks: readonly Vbd[]): Vbd | undefined => {
    if (names.defaultMinor !== undefined) return disks.find(({ minor }) => minor === names.defaultMinor);
    return disks.length === 1 ? disks[0] : undefined;
  };
  return {
    list: () => open().map(exportOf),
    find(name) {
      const disks = open();
      const found =
        name === ''
          ? defaultOf(disks)
          : (disks.find((vbd) => nameOf(vbd) === name) ?? disks.find(({ minor }) => String(minor) === name));
      if (found) return exportOf(found);
      const there = disks.map(nameOf);
      if (there.length === 0) return 'no disk is open';
      return name === ''
        ? `name one of the exports ${there.join(', ')}`
        : `the exports are ${there.join(', ')}`;
    },
  };
}

/**
 * The transmission flags of a disk. Several connections may share any: a flush covers what was answered on whichever
 * (see {@link BlockDevice}).
 */
export function transmissionFlags(device: BlockDevice, { replies, allocation }: Negotiated): number {
  const always = FLAG_HAS_FLAGS | FLAG_SEND_FLUSH | FLAG_SEND_CACHE | FLAG_CAN_MULTI_CONN;
  const filter = replies === 'extended' && allocation ? FLAG_BLOCK_STATUS_PAYLOAD : 0;
  const reading = always | filter | (replies === 'simple' ? 0 : FLAG_SEND_DF);
  if (device.readOnly) return reading | FLAG_READ_ONLY;
  const zeroing = FLAG_SEND_WRITE_ZEROES | FLAG_SEND_FAST_ZERO;
  return reading | FLAG_SEND_FUA | zeroing | (device.canDiscard ? FLAG_SEND_TRIM : 0);
}
