// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

export { combineObservers, ObserverList } from './combined-observer.js';
export { diagnosticsObserver, FIRE_CHANNEL, REGISTER_CHANNEL, UNREGISTER_CHANNEL } from './diagnostics.js';
export type { EventMessage, FireMessage } from './diagnostics.js';
export { LoopLag } from './loop-lag.js';
export type { LagMeasures } from './loop-lag.js';
export { metricsEndpoint } from './metrics-endpoint.js';
export { PROMETHEUS_CONTENT_TYPE, prometheusText } from './prometheus.js';
export { MAX_RECORDED_ENTRIES, MAX_RECORDED_SECONDS, Recording } from './recording.js';
export type { RecordingOptions } from './recording.js';
export { REPORT_VERSION } from './report.js';
export type { Report, VbdReport } from './report.js';
export { SchedulerMeter } from './scheduler-meter.js';
export type { SchedulerMeasures } from './scheduler-meter.js';
export { MAX_VIEWED_EVENTS, SchedulerViewer } from './scheduler-view.js';
export type { EventView, SchedulerView, ViewedParts } from './scheduler-view.js';
export { MAX_SLOW_CALLBACKS, SLOW_CALLBACKS_SECONDS } from './slow-callbacks.js';
export type { RecentSlowCallback, SlowCallback } from './slow-callbacks.js';
export { processName, traceEvent } from './trace-event.js';
export type { TraceEvent } from './trace-event.js';
export { TraceFile } from './trace-file.js';
export type { TraceFileOptions } from './trace-file.js';
export { traceClock, traceObserver } from './trace-observer.js';
