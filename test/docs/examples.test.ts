// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { buffer, text } from 'node:stream/consumers';
import t from 'tap';
import { root } from '../../scripts/repository-files.js';
import { startProgram } from './programs.js';

t.test(
  'the example answers for its state while the backup is away, and sends its input once it is there',
  async (t) => {
    // A port on which nobody listens: one that was free a moment ago.
    const probe = createServer().listen(0, '127.0.0.1');
    await once(probe, 'listening');
    const { port } = probe.address() as AddressInfo;
    probe.close();
    await once(probe, 'close');

    const code = readFileSync(path.join(root, 'examples/embedding/replicate.mjs'), 'utf8');
    const { child, ended } = await startProgram(code, ['127.0.0.1', String(port)]);
    t.teardown(() => child.kill());
    const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
    const [, url = ''] = /^state: (\S+)$/.exec(String((await lines.next()).value)) ?? [];
    t.match(await (await fetch(url)).json(), { phase: 'connecting', bytesSent: 0 });

    const backup = createServer().listen(port, '127.0.0.1');
    t.teardown(() => backup.close());
    const [connection] = (await once(backup, 'connection')) as [Socket];
    const image = Buffer.alloc(300_000, 'image');
    const received = buffer(connection);
    child.stdin.end(image);
    t.ok(image.equals(await received));
    t.equal((await lines.next()).value, `sent ${image.length} bytes`);
    t.equal(await ended, 0, await text(child.stderr));
  },
);
