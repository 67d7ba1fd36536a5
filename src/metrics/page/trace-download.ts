// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { HttpStream } from '../http.js';
import type { Recording } from '../recording.js';
import type { StreamedAnswers } from './streamed-answers.js';

/** How many may be downloaded at once: each holds a copy of what was recorded. */
export const MAX_DOWNLOADS = 4;

/** `trace.json?seconds=N`: what the recording has of the last N seconds; there is none while no page is open. */
export function traceDownload(recording: Recording, downloads: StreamedAnswers): HttpStream {
  return {
    contentType: 'application/json',
    begin: (reply, head, query) => {
      const asked = Number(query.get('seconds'));
      const trace = recording.trace(asked > 0 ? asked : undefined);
      if (!trace) return 404;
      const pieces = trace[Symbol.iterator]();
      const next = (): Buffer | undefined => {
        const { done, value } = pieces.next() as IteratorResult<string, undefined>;
        return done === true ? undefined : Buffer.from(value);
      };
      return downloads.add(reply, () => head, next) ? 200 : 503;
    },
  };
}
