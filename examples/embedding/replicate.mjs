// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// A program of its own that sends its standard input to a backup, and answers HTTP requests for its state meanwhile, also
// while it waits for the backup: ordinary Node code and events of the scheduler share one loop.
//
//   node replicate.mjs HOST PORT < image

import { createServer } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { connectReplica, TapdiskServer, TIMEOUT } from 'tapdisk-ts';

const [host = '127.0.0.1', port = '9000'] = process.argv.slice(2);
const state = { phase: 'connecting', secondsUp: 0, bytesSent: 0 };

const server = new TapdiskServer();
server.registerEvent(TIMEOUT, -1, 1, () => (state.secondsUp += 1));
const running = server.run();

const status = createServer((_request, response) => response.end(JSON.stringify(state)));
status.listen(0, '127.0.0.1', () => console.log(`state: http://127.0.0.1:${status.address().port}/`));

// Tries once a second for as long as the backup is not there.
const backup = await connectReplica({ server, host, port: Number(port) });
state.phase = 'sending';
await pipeline(
  process.stdin,
  async function* (chunks) {
    for await (const chunk of chunks) {
      yield chunk;
      state.bytesSent += chunk.length;
    }
  },
  backup,
);
backup.destroy();

console.log(`sent ${state.bytesSent} bytes`);
status.close();
server.stop();
await running;
