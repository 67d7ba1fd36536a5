// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

export { AwaitedEvent } from './awaited-event.js';
export * from './dialect.js';
export * from './event.js';
export type { EventRegistrar } from './registrar.js';
export { DEFAULT_MAX_CALLBACKS_PER_PASS, MAX_TIMEOUT_SECONDS, Scheduler } from './scheduler.js';
export type { SchedulerOptions } from './scheduler.js';
export { SecondsRegistrar } from './seconds-registrar.js';
export * from './tapdisk3-registrar.js';
export { MAX_TIMEOUT_MICROSECONDS, Tapdisk3Scheduler } from './tapdisk3-scheduler.js';
export type { Tapdisk3SchedulerOptions } from './tapdisk3-scheduler.js';
export { MAX_NESTED_WAITS } from './wait-stack.js';
export type { SchedulerObserver } from './observer.js';
export type { SchedulerWarning } from './warning.js';
