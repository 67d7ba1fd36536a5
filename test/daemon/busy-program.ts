// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// A daemon's parts with a replication client beside them that never gets through: for the measuring of how long control
// requests wait. Arguments: control directory, NBD socket, image. Prints what the replication
// client does, and runs until it is killed.
import assert from 'node:assert/strict';
import { AF_INET, AF_UNIX, NodePosix, SOCK_STREAM } from '../../src/posix/index.js';
import {
  tdReplicationClientStart,
  tdReplicationConnect,
  tdReplicationConnectInit,
} from '../../src/replication/index.js';
import { ControlServer } from '../../src/control/control-server.js';
import { standardDriverTypes } from '../../src/disks/drivers/index.js';
import { nullLogger } from '../../src/server/logger.js';
import { NbdServer, vbdExports } from '../../src/nbd/index.js';
import { TapdiskServer } from '../../src/server/tapdisk-server.js';
import { VbdRegistry } from '../../src/disks/index.js';

const [directory = '', socket = '', image = ''] = process.argv.slice(2);
const logger = nullLogger;
const posix = new NodePosix();
const server = new TapdiskServer({ logger, posix });
const registry = new VbdRegistry({ registrar: server, posix, logger, types: standardDriverTypes });
const common = { registrar: server, posix, logger };
const running = server.run({ signals: false });

registry.attach(0);
await registry.open(0, `aio:${image}`, { readOnly: false, shared: false });
const nbd = new NbdServer({ ...common, completions: registry.completions, exports: vbdExports(registry) });
assert.equal(nbd.listen({ family: AF_UNIX, path: socket }), 0);
const control = new ControlServer({ ...common, registry, directory, pid: process.pid, report: () => '' });

// A port that is taken, and that nobody listens on: every connect to it is refused.
const taken = posix.socket(AF_INET, SOCK_STREAM);
assert.equal(posix.bind(taken, { family: AF_INET, address: '127.0.0.1', port: 0 }), 0);
const address = posix.getsockname(taken);
assert(typeof address !== 'number' && address.family === AF_INET);
const replication = tdReplicationConnect({
  server,
  posix,
  logger: { log: (_, message) => process.stdout.write(message) },
  callback() {},
  retryTimeoutS: 1,
  maxConnections: 1,
});
assert.equal(tdReplicationConnectInit(replication, `127.0.0.1:${address.port}`), 0);
assert(tdReplicationClientStart(replication) >= 0);

process.stdout.write(`serving ${control.path}\n`);
await running;
