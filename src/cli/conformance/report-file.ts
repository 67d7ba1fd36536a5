// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { outputToFile } from '../../transfer/output-file.js';

/** A report is no secret, unlike an image. */
const REPORT_MODE = 0o644;

/** Where a report's text goes. */
export interface ReportPlace {
  write(text: string): void;
  /** The report is complete. @throws (rejects with) TransferError */
  close(): Promise<void>;
}

/**
 * A file for a report, looked at now, so that a long run does not end without a place for its result. The report takes the name
 * when it is complete; before, and if it cannot be written, what was there stays.
 *
 * @throws (rejects with) TransferError when there can be no such file
 */
export async function reportFile(path: string): Promise<ReportPlace> {
  const output = await outputToFile(path, { mode: REPORT_MODE });
  const texts: string[] = [];
  return {
    write: (text) => texts.push(text),
    async close() {
      const copy = await output.begin();
      copy.stream.write(texts.join(''));
      await copy.commit();
    },
  };
}
