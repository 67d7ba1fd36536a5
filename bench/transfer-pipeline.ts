// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// What one would write with Node's streams alone: sends or receives a file, and hashes it on the way.

import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';

const BUFFER_BYTES = 1 << 20;

const hash = createHash('sha256');
const hashing = new Transform({
  highWaterMark: BUFFER_BYTES,
  transform(chunk: Buffer, _encoding, done) {
    hash.update(chunk);
    done(null, chunk);
  },
});
const [, , role, port, file = ''] = process.argv;
if (role === 'send') {
  const socket = connect(Number(port), '127.0.0.1');
  await pipeline(createReadStream(file, { highWaterMark: BUFFER_BYTES }), hashing, socket);
} else {
  const server = createServer().listen(Number(port), '127.0.0.1');
  const [socket] = (await once(server, 'connection')) as [Socket];
  server.close();
  await pipeline(socket, hashing, createWriteStream(file, { highWaterMark: BUFFER_BYTES, flush: true }));
}
hash.digest('hex');
