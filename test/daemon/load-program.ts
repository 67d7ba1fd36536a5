// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// Keeps a disk under full load over NBD until it is killed: reads and writes of 4 and 64 KiB, 32 at a time. Argument: the
// NBD socket. Prints a line when the load is on.
import { AF_UNIX } from '../../src/posix/index.js';
import { NbdClient } from '../../src/nbd/index.js';
import { TapdiskServer } from '../../src/server/tapdisk-server.js';
import { Random } from '../../src/testing/random.js';

const server = new TapdiskServer();
const running = server.run();
const address = { family: AF_UNIX, path: process.argv[2] ?? '' } as const;
const client = await NbdClient.connect({ registrar: server, posix: server.posix, address });
const random = new Random(1);

async function worker(): Promise<void> {
  const data = Buffer.alloc(65_536, 7);
  for (;;) {
    const length = random.pick([4096, 65_536]);
    const offset = length * random.integer(0, client.facts.size / length - 1);
    if (random.chance(0.5)) await client.read(offset, length);
    else await client.write(offset, data.subarray(0, length));
  }
}

const workers = Array.from({ length: 32 }, worker);
process.stdout.write('ready\n');
// The end of the server ends the client too: there is nothing to complain about then.
await Promise.allSettled(workers);
server.stop();
await running;
