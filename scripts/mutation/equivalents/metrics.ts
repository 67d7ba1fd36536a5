// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { NO_DESCRIPTOR, tuned, type Equivalents, type Equivalent } from './shared.js';

const SLOWEST_FIRST =
  'One that took no longer than the quickest of ten is put after it, and dropped; to ask first only takes less time.';

export const metrics: Equivalents = {
  'src/metrics/diagnostics.ts': ['register', 'unregister'].map((name): Equivalent => [
    `if (${name}.hasSubscribers) ${name}.publish(describe(event));`,
    `if (true) ${name}.publish(describe(event));`,
    'What nobody subscribed to is published to nobody; to ask first only takes less time.',
  ]),
  'src/metrics/trace-event.ts': [
    ['return kind satisfies never;', 'return undefined;', 'There is no further kind.'],
  ],
  'src/metrics/http-host.ts': [
    [
      'if (authority !== undefined && given.length === 1) given.push(authority);',
      'if (authority !== undefined && given.length === 1) given.unshift(authority);',
      'All of the hosts must be ours, in whatever order.',
    ],
  ],
  'src/metrics/recording.ts': tuned('const PIECE_ENTRIES = 256;', 'const PIECE_ENTRIES = 255;'),
  'src/metrics/page/streamed-answer.ts': tuned(
    'const scratch = new Uint8Array(512);',
    'const scratch = new Uint8Array(511);',
    'const scratch = new Uint8Array(513);',
  ),
  'src/metrics/page/streamed-answers.ts': ['<= 0', '< 1'].map((none): Equivalent => [
    'if (fd < 0) return true;',
    `if (fd ${none}) return true;`,
    NO_DESCRIPTOR,
  ]),
  'src/metrics/slow-callbacks.ts': [
    ['if (this.#isNone(seconds) && now < this.#spanEnds) return;', 'if (false) return;', SLOWEST_FIRST],
    [
      'if (this.#isNone(seconds) && now < this.#spanEnds) return;',
      'if (this.#isNone(seconds) && now < this.#spanEnds) ;',
      SLOWEST_FIRST,
    ],
    [
      'return last !== undefined && this.#recent.length === MAX_SLOW_CALLBACKS && seconds <= last.seconds;',
      'return last !== undefined && this.#recent.length === MAX_SLOW_CALLBACKS && seconds < last.seconds;',
      SLOWEST_FIRST,
    ],
  ],
};
