// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { basename } from 'node:path';
import { SECTOR_SIZE } from '../../../driver.js';
import { NOT_ALLOCATED } from '../bat.js';
import { mustHaveBatmap } from '../batmap.js';
import { areSet, isSet } from '../bits.js';
import { MAX_LISTED_FAULTS } from '../block-places.js';
import { areZero } from '../bytes.js';
import type { Link } from '../chain.js';
import { DiskType, type Footer } from '../footer.js';
import { geometryOf, sectorsOf } from '../geometry.js';
import type { ImageCalls } from '../image-file.js';
import type { Blocks, LoadedImage } from '../load-image.js';
import { isUsable, locatorPaths } from '../locator.js';
import type { ParentRules } from '../parent-search.js';
import type { Steps } from '../steps.js';
import type { VhdFault } from '../vhd-error.js';
import { mismatchOf, withLinks } from './describe.js';

export interface CheckOptions extends ParentRules {
  /** Reads every bitmap: a batmap must not claim bits that are clear. */
  readonly bitmaps?: boolean;
  /** Called with how many blocks were checked, and of how many. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** Something that is not as it should be. */
export interface Finding extends VhdFault {
  /** With an error the image is refused, for writing at least; with a warning it can be used. */
  readonly severity: 'error' | 'warning';
}

export interface CheckResult {
  /** The images of the chain that were looked at, the image itself first. */
  readonly files: readonly string[];
  readonly findings: readonly Finding[];
}

/**
 * Checks an image and its ancestors; nothing is written (V80). Overlaps are found in linear time, cycles by identity.
 *
 * @throws FileError
 */
export function checkChain(calls: ImageCalls, path: string, options: CheckOptions = {}): Steps<CheckResult> {
  return withLinks(calls, path, options, function* (links, broken) {
    const findings: Finding[] = [];
    for (const [index, link] of links.entries()) {
      if (link.kind === 'raw') continue;
      const before = findings.length;
      yield* checkImage(link.image, options, findings);
      const parent = links[index + 1];
      if (parent?.kind === 'vhd' && findings.length === before) checkParent(link.image, parent, findings);
      else if (parent) checkUuid(link.image, parent, findings);
    }
    if (broken) findings.push(findingOf(broken, 'error'));
    return { files: links.map(({ file }) => file.path), findings };
  });
}

function* checkImage(image: LoadedImage, options: CheckOptions, findings: Finding[]): Steps<void> {
  for (const fault of image.faults) findings.push(findingOf(fault, 'error'));
  if (image.writeFault) findings.push(findingOf(image.writeFault, 'error'));
  const warn = (
    field: string,
    problem: string,
    remedy: string,
    kind: VhdFault['kind'] = 'bad-footer',
  ): void => {
    findings.push({ severity: 'warning', kind, file: image.file.path, field, problem, remedy });
  };
  const { footer, blocks, header } = image;
  if (!footer) return;
  checkFooters(image, footer, warn);
  if (header && footer.type === DiskType.differencing) yield* checkNames(image, warn);
  if (!blocks || image.faults.length > 0) return;
  yield* checkBatmap(image, footer, blocks, options, warn);
}

type Warn = (field: string, problem: string, remedy: string, kind?: VhdFault['kind']) => void;

function checkFooters({ endFooter, endFooterBytes, copy }: LoadedImage, footer: Footer, warn: Warn): void {
  const repair = 'vhd repair --write restores it';
  if (!endFooter)
    warn('footer', 'the one at the end is missing or wrong: it was not closed properly', repair);
  if (endFooterBytes === 511) warn('footer', 'it has 511 bytes, expected 512', 'nothing need be done');
  if (footer.type !== DiskType.fixed) {
    const again = 'vhd repair --write makes the copy the footer again';
    if (!copy) warn('footer copy', 'it is wrong: after a crash nothing could be read', again);
    else if (endFooter && !copy.equals(endFooter)) {
      warn('footer copy', 'it is not the footer at the end, which counts', again);
    }
  }
  if ((footer.features & 2) === 0)
    warn('footer features', 'bit 1, which is always set, is not', 'nothing need be done');
  if (sectorsOf(footer.geometry) > sectorsOf(geometryOf(footer.sectors)) && footer.isOfTap) {
    warn('footer geometry', `it has more sectors than the disk, ${footer.sectors}`, 'nothing need be done');
  }
  if (areZero(footer.uuid)) warn('footer uuid', 'it is all zeroes', 'vhd repair --write gives it a new one');
}

/** Every locator should name a file of the name that the header has. */
function* checkNames({ file, header }: LoadedImage, warn: Warn): Steps<void> {
  for (const [index, locator] of (header?.locators ?? []).entries()) {
    if (!isUsable(locator) || locator.offset + locator.dataLength > file.length) continue;
    const text = yield* file.read(locator.offset, locator.dataLength);
    const names = locatorPaths(locator.code, text).map((path) => basename(path));
    if (header && !names.includes(header.parentName)) {
      const problem = `it names '${names[0] ?? ''}', but the header '${header.parentName}'`;
      warn(`parent locator ${index}`, problem, 'vhd coalesce --relink writes both anew', 'bad-header');
    }
  }
}

function checkParent(child: LoadedImage, parent: Extract<Link, { kind: 'vhd' }>, findings: Finding[]): void {
  checkUuid(child, parent, findings);
  const { footer } = child;
  if (!footer || parent.sectors <= footer.sectors) return;
  const problem = `${footer.sectors} sectors, but the parent has ${parent.sectors}`;
  const remedy = 'vhd resize it to the size of its parent';
  const file = child.file.path;
  findings.push({ severity: 'warning', kind: 'bad-footer', file, field: 'current size', problem, remedy });
}

function checkUuid(child: LoadedImage, parent: Link, findings: Finding[]): void {
  const mismatch = parent.kind === 'vhd' ? mismatchOf(child, parent.image) : undefined;
  if (mismatch) findings.push(findingOf(mismatch, 'error'));
}

function* checkBatmap(
  image: LoadedImage,
  footer: Footer,
  blocks: Blocks,
  { bitmaps = false, onProgress }: CheckOptions,
  warn: Warn,
): Steps<void> {
  const { batmap, file } = image;
  const repair = 'vhd repair --write makes it anew';
  if (!batmap) {
    const problem = 'there is none: tapdisk opens the image read-only';
    if (mustHaveBatmap(footer))
      warn('batmap', problem, 'vhd convert makes an image that has one', 'bad-header');
    return;
  }
  if (!batmap.isValid) {
    warn('batmap checksum', 'it does not fit: tapdisk opens the image read-only', repair, 'bad-header');
    return;
  }
  const { bat, shape } = blocks;
  let listed = 0;
  for (let block = 0; block < bat.length && listed < MAX_LISTED_FAULTS; block++) {
    const place = bat[block] as number;
    const isClaimed = isSet(batmap.map, block);
    if (isClaimed && place === NOT_ALLOCATED) {
      listed++;
      warn(`batmap bit ${block}`, 'it is set, but the block is not allocated', repair, 'bad-header');
    } else if (isClaimed && bitmaps) {
      const bits = yield* file.read(place * SECTOR_SIZE, shape.bitmapSectors * SECTOR_SIZE);
      if (!areSet(bits, 0, shape.sectors)) {
        listed++;
        warn(`batmap bit ${block}`, 'it is set, but not every bit of the bitmap is', repair, 'bad-header');
      }
    }
    if (block % 1024 === 0) onProgress?.(block, bat.length);
  }
}

function findingOf({ kind, file, field, problem, remedy }: VhdFault, severity: Finding['severity']): Finding {
  return { severity, kind, file, field, problem, remedy };
}
