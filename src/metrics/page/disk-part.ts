// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import {
  type ChainLink,
  type DriverTypes,
  parseStack,
  SECTOR_SIZE,
  stateName,
  type Vbd,
} from '../../disks/index.js';
import { thrownText } from '../../server/thrown-text.js';
import type { VbdReport } from '../report.js';
import type { DiskPart, ImagePart, Sample } from './wire.js';

/** What is known of a disk beside its report. */
export interface DiskNames {
  readonly types: DriverTypes;
  /** Of its NBD export, where it has one of its own. */
  readonly exportName: (minor: number) => string | undefined;
  /** For NBD clients, where there are any. */
  readonly uri: (minor: number) => string | undefined;
}

export function diskPart(
  vbd: Vbd,
  report: VbdReport,
  { names, chain, sample }: { names: DiskNames; chain: readonly ImagePart[]; sample: Sample },
): DiskPart {
  const { minor, isOpen, readOnly } = vbd;
  const exportName = names.exportName(minor);
  const uri = isOpen ? names.uri(minor) : undefined;
  return {
    minor,
    ...(exportName !== undefined && { exportName }),
    ...(uri !== undefined && { uri }),
    state: stateName(report.state),
    isOpen,
    readOnly,
    bytes: vbd.info.bytes ?? report.sectors * SECTOR_SIZE,
    stack: stackOf(report.name, names.types),
    chain,
    failed: Object.values(report.kinds).reduce((sum, { failed }) => sum + failed, 0),
    retries: report.retries,
    sample,
  };
}

/** The images of a disk, where one of its drivers has several. */
export function chainOf(vbd: Vbd): ImagePart[] {
  const driver = vbd.drivers.find((each) => each.chain !== undefined);
  try {
    return (driver?.chain?.() ?? []).map((link) => imagePart(link));
  } catch (error) {
    // A driver's fault must not take down the page, which is where one looks for it.
    return [{ path: `the driver has a fault: ${thrownText(error)}`, bytes: 0 }];
  }
}

function imagePart({ path, sectors, blocks, allocatedBlocks }: ChainLink): ImagePart {
  return {
    path,
    bytes: sectors * SECTOR_SIZE,
    ...(blocks !== undefined && { blocks }),
    ...(allocatedBlocks !== undefined && { allocatedBlocks }),
  };
}

function stackOf(name: string, types: DriverTypes): DiskPart['stack'] {
  const elements = parseStack(name, types);
  // A disk that is not open has no name, and one that does not parse was refused.
  if (typeof elements === 'string') return [];
  return elements.map(({ type, argument }) => ({ driver: type.name, argument }));
}
