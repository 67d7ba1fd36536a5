// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { Member } from './member.js';
import { checkErrnoOrZero } from './outcome-shape.js';
import type { RamdiskStep } from './vector.js';

/** What the steps take after their names. */
const ARGUMENTS: Readonly<Record<RamdiskStep[0], readonly ((argument: Member) => void)[]>> = {
  cacheWrite: [checkCache, checkSector, checkData],
  readFromCache: [checkCache, checkSector, checkCount],
  clearCache: [checkCache],
  startFlush: [checkCache],
  flushPended: [],
  complete: [(write) => write.integer(0), checkErrnoOrZero],
  read: [checkSector, checkCount],
  writesInflight: [],
  destroy: [],
};
const STEP_NAMES = Object.keys(ARGUMENTS) as RamdiskStep[0][];
/** The largest double that is an unsigned 64-bit number. */
const MAX_SECTOR = 2 ** 64 - 2 ** 11;
/** More sectors than any one step has, and no more than a buffer can hold. */
const MAX_COUNT = 2 ** 20;

/** Checks what a vector of the suites `ramdisk` and `ramdisk-guarded` has of its own. */
export function checkRamdisk(vector: Member): void {
  const fault = vector.get('fault');
  if (fault.present && typeof fault.value !== 'boolean') fault.fail('true or false');
  for (const step of vector.get('steps').array()) checkStep(step);
}

function checkStep(step: Member): void {
  const [kind] = step.array();
  const name = new Member(kind?.value, `${step.path}[0]`).oneOf(STEP_NAMES);
  const checks = ARGUMENTS[name];
  const [, ...given] = step.tuple(checks.length + 1, `${name} and what it takes`);
  for (const [index, argument] of given.entries()) checks[index]?.(argument);
}

function checkCache(cache: Member): void {
  cache.oneOf(['primary', 'secondary']);
}

function checkSector(sector: Member): void {
  sector.integer(0, MAX_SECTOR);
}

function checkCount(count: Member): void {
  count.integer(0, MAX_COUNT);
}

function checkData(data: Member): void {
  for (const sector of data.array()) sector.integer(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
}
