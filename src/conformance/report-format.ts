// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { shownLines } from '../server/shown-text.js';
import { reportJunit } from './report-junit.js';
import { reportTap } from './report-tap.js';
import { reportText, type TextReportOptions } from './report-text.js';
import type { Report, Write } from './report.js';
import { tallyOf } from './vector-result.js';

/** The formats that a report can be written in. */
export const REPORT_FORMATS = ['text', 'json', 'tap', 'junit'] as const;
export type ReportFormat = (typeof REPORT_FORMATS)[number];

/** Makes a report in one of the formats, which writes its text piece by piece; the options are for text. */
export function createReport(format: ReportFormat, write: Write, options: TextReportOptions = {}): Report {
  switch (format) {
    case 'text':
      return reportText(write, options);
    case 'json':
      return reportJson(write);
    case 'tap':
      return reportTap(write);
    case 'junit':
      return reportJunit(write);
  }
}

/** One document: the tally, and every result with its reason and its traces where they differ. */
function reportJson(write: Write): Report {
  return {
    result: () => {},
    end: (results) =>
      write(`${shownLines(JSON.stringify({ ...tallyOf(results), results }, undefined, 2))}\n`),
  };
}
