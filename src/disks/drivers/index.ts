// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { DriverType } from '../index.js';
import { aioDriverType } from './aio.js';
import { logDriverType } from './log.js';
import { ramDriverType } from './ram.js';
import { remusDriverType } from './remus.js';
import { vhdDriverType } from './vhd/index.js';

export { AioDriver, aioDriverType } from './aio.js';
export type { AioParts, ImageFiles } from './aio.js';
export { MIN_HOLE_BYTES } from './hole-punch.js';
export { FLOCK_PROGRAM, fileLocker } from './image-lock.js';
export type { LockFile } from './image-lock.js';
export { imageSizer } from './image-size.js';
export type { SizeImage } from './image-size.js';
export { LogDriver, logDriverType } from './log.js';
export { MAX_RAM_MIB, RamDriver, ramDriverType } from './ram.js';
export { createRemusType, RemusDriver, remusDriverType } from './remus.js';
export type { RemusParts } from './remus.js';
export * from './vhd/index.js';

/** A table of driver types by name, as a registry of VBDs wants it. */
export function driverTypes(types: readonly DriverType[]): ReadonlyMap<string, DriverType> {
  return new Map(types.map((type) => [type.name, type]));
}

/** The driver types that come with the daemon. */
export const standardDriverTypes: ReadonlyMap<string, DriverType> = driverTypes([
  aioDriverType,
  ramDriverType,
  vhdDriverType,
  logDriverType,
  remusDriverType,
]);
