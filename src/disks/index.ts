// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

export { BlockDevice } from './block-device.js';
export type { ChangeOptions, ZeroOptions } from './block-device.js';
export { Completions } from '../server/completions.js';
export { ESHUTDOWN, SECTOR_SIZE } from './driver.js';
export type {
  BlockStatusDone,
  BlockStatusExtent,
  ChainLink,
  DataRequest,
  DiskDriverType,
  DiskInfo,
  Done,
  DoneWithReason,
  Driver,
  DriverContext,
  DriverType,
  FilterDriverType,
  ImageFile,
  OpenFlags,
  RangeRequest,
  SectorRange,
  ZeroesRequest,
} from './driver.js';
export { latencyQuantiles } from './latency-histogram.js';
export { MAX_VBDS, VbdRegistry } from './registry.js';
export type { VbdDescription, VbdRegistryOptions } from './registry.js';
export { MAX_RETRIES, RETRY_INTERVAL_SECONDS } from './request-queue.js';
export { parseStack } from './stack.js';
export type { DriverTypes } from './stack.js';
export * from './state.js';
export { REQUEST_KINDS, type RequestKind } from './request-kind.js';
export { LATENCY_BOUNDS_SECONDS, type KindSnapshot, type StatisticsSnapshot } from './statistics.js';
export { Vbd } from './vbd.js';
export type { VbdOptions } from './vbd.js';
