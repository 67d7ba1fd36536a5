// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

export { Adapter } from './adapter.js';
export {
  type Implementation,
  inProcess,
  ownScheduler,
  ownTapdisk3Scheduler,
  referenceScheduler,
  referenceTapdisk3Scheduler,
  ImplementationUnavailable,
  ScriptUnsupported,
} from './implementation.js';
export { type Column, DEFAULT_PAGE_FAILURES } from './page/column.js';
export { conformancePage, type ConformancePageParts } from './page/conformance-page.js';
export { createReport, REPORT_FORMATS, type ReportFormat } from './report-format.js';
export { DEFAULT_SHOWN_FAILURES, type TextReportOptions } from './report-text.js';
export type { Report } from './report.js';
export { ownRules, type Rule } from './rules.js';
export type {
  SchedulerFactory,
  SchedulerUnderTest,
  Tapdisk3Factory,
  Tapdisk3UnderTest,
} from './scheduler-under-test.js';
export { type Assignment, runVectors, type RunVectorsOptions } from './suite-run.js';
export { type Tally, tallyLine, tallyOf, type VectorResult } from './vector-result.js';
export { ownVectorFiles, selectVectors, type VectorFilter } from './vector-selection.js';
export type { SuiteName, Trace, TraceEntry, Vector } from './vector.js';
