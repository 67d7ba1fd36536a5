// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// `npm start`: shows what tapdisk-ts does, with real processes on this machine, and ends with 0 if all of it worked. With
// `npm start -- --stay` the daemons of the last act stay up, and their pages, until SIGINT or SIGTERM.

import { acts } from './demo/acts.js';
import { Stage } from './demo/stage.js';
import { scriptOptions } from './script-options.js';

const USAGE = `npm start [-- --stay]

  --stay  keep the last daemons and their pages until Ctrl+C`;
const { values } = scriptOptions(USAGE, { options: { stay: { type: 'boolean', default: false } } });
const stage = new Stage((line) => console.log(line));
try {
  for (const act of acts) await act(stage);
  stage.say('\nAll of it worked.');
  if (values.stay) {
    stage.say('The daemons stay up, and their pages, until Ctrl+C.');
    await stage.stopped;
  }
} catch (error) {
  stage.say(`\nIt did not work: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = stage.stoppedBy === undefined ? 1 : 130;
} finally {
  await stage.close();
}
