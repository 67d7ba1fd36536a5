// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { fileIdentity } from '../../server/file-identity.js';
import { outputToFile } from '../../transfer/output-file.js';
import { UsageError } from '../usage-error.js';

/** A report is no secret, unlike an image. */
const REPORT_MODE = 0o644;

/** Where a report's text goes. */
export interface ReportPlace {
  write(text: string): void;
  /** The report is complete. @throws (rejects with) TransferError */
  close(): Promise<void>;
}

/**
 * Refuses a report in the place of one of the files that it is about, under whatever name.
 *
 * @throws UsageError
 */
export function refuseInput(path: string, inputs: readonly string[]): void {
  const identity = fileIdentity(path, (found) => found.isFile());
  const input = identity && inputs.find((file) => fileIdentity(file) === identity);
  if (input === undefined) return;
  throw new UsageError(`--output ${path} is the vector file ${input}: expected another file`);
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
