// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

export { AwaitedEvent } from './awaited-event.js';
export * from './event.js';
export type { EventRegistrar } from './registrar.js';
export { DEFAULT_MAX_CALLBACKS_PER_PASS, MAX_TIMEOUT_SECONDS, Scheduler } from './scheduler.js';
export type { SchedulerObserver, SchedulerOptions, SchedulerWarning } from './scheduler.js';
