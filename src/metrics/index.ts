// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

export { combineObservers } from './combined-observer.js';
export { diagnosticsObserver, FIRE_CHANNEL, REGISTER_CHANNEL, UNREGISTER_CHANNEL } from './diagnostics.js';
export type { EventMessage, FireMessage } from './diagnostics.js';
export { LoopLag } from './loop-lag.js';
export type { LagMeasures } from './loop-lag.js';
export { metricsEndpoint } from './metrics-endpoint.js';
export { PROMETHEUS_CONTENT_TYPE, prometheusText } from './prometheus.js';
export { REPORT_VERSION } from './report.js';
export type { Report, VbdReport } from './report.js';
export { SchedulerMeter } from './scheduler-meter.js';
export type { SchedulerMeasures, SlowCallback } from './scheduler-meter.js';
export { TraceFile } from './trace-file.js';
export type { TraceEvent, TraceFileOptions } from './trace-file.js';
export { processName, traceClock, traceObserver } from './trace-observer.js';
