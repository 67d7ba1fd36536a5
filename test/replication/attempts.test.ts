// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { spawnSync } from 'node:child_process';
import t from 'tap';
import { loader, moduleUrl } from '../../scripts/program.js';

/** A network in which 10.9.0.2 never answers. */
const prepare =
  'ip link set lo up && ip link add hole type dummy && ip addr add 10.9.0.1/24 dev hole && ip link set hole up';
const noNamespace =
  spawnSync('unshare', ['-n', 'sh', '-c', prepare]).status === 0
    ? false
    : 'needs a network namespace of its own (root, unshare, ip, dummy devices)';

const program = `
  import { createServer } from 'node:net';
  import { connectReplica, NodePosix, TapdiskServer } from ${JSON.stringify(moduleUrl('src/index.ts'))};
  const lookup = async () => [{ address: '10.9.0.2' }, { address: '127.0.0.1' }];
  const server = new TapdiskServer({ posix: new NodePosix({ lookup }), logger: { log() {} } });
  const running = server.run({ signals: false });
  const listener = createServer().listen(9000, '127.0.0.1', async () => {
    const socket = await connectReplica({ host: 'backup', port: 9000, server, attemptSeconds: 1 });
    console.log(socket.remoteAddress);
    process.exit();
  });
`;

t.test(
  'an address that never answers holds up the next one for no longer than it may',
  { skip: noNamespace },
  async (t) => {
    const node = [process.execPath, ...loader, '--input-type=module', '--eval', program];
    const { stdout, stderr, signal } = spawnSync(
      'unshare',
      ['-n', 'sh', '-c', `${prepare} && exec "$@"`, 'sh', ...node],
      {
        encoding: 'utf8',
        timeout: 30_000,
      },
    );
    t.equal(signal, null, 'not for as long as the kernel would wait');
    t.equal(stdout, '127.0.0.1\n', stderr);
  },
);
