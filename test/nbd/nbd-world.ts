// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import assert from 'node:assert/strict';
import type { Test } from 'tap';
import { AF_INET, AF_UNIX, type SocketAddress } from '../../src/posix/index.js';
import { NbdClient, type NbdLimits, NbdServer, type TlsServer, vbdExports } from '../../src/nbd/index.js';
import { diskWorld, type DiskWorld, type DiskWorldOptions } from '../disks/drivers/disk-world.js';
import { RawClient } from './raw-client.js';

export interface NbdWorldOptions extends DiskWorldOptions {
  readonly limits?: Partial<NbdLimits>;
  readonly tls?: (world: DiskWorld) => TlsServer;
  /** On 127.0.0.1 instead of a Unix socket. */
  readonly tcp?: boolean;
}

/** An NBD server over a world's open VBDs, until the test has ended. */
export interface NbdWorld extends DiskWorld {
  readonly nbd: NbdServer;
  readonly address: SocketAddress;
  /** A URI for programs. */
  readonly uri: (exportName?: string) => string;
  /** How many descriptors are open without any connection. */
  readonly descriptors: number;
  /** A connection by hand. */
  readonly raw: (localAddress?: string, where?: SocketAddress) => RawClient;
  /** A connection of the project's own client. */
  readonly client: (exportName?: string) => Promise<NbdClient>;
}

export function nbdWorld(t: Test, { limits, tls, tcp = false, ...options }: NbdWorldOptions = {}): NbdWorld {
  let awaited: readonly unknown[] = [];
  // After the test's end there is no assertion any more: an error here fails it all the same.
  t.teardown(() => assert.deepEqual(awaited, [], 'a closed server awaits no event'));
  const world = diskWorld(t, options);
  const { server, posix, registry } = world;
  const nbd = new NbdServer({
    registrar: server,
    posix,
    logger: server.logger,
    completions: registry.completions,
    exports: vbdExports(registry),
    ...(tls && { tls: tls(world) }),
    // What waits for the end of this time, instead of for what has to happen, hangs.
    limits: { finishTimeoutSeconds: 3600, ...limits },
  });
  // Teardowns run last first: the connections are gone before the scheduler is.
  t.teardown(() => {
    nbd.close();
    awaited = [...server.scheduler.events()].filter(({ callbackName }) => callbackName?.startsWith('NBD, '));
  });
  const path = world.path('nbd.sock');
  const result = nbd.listen(
    tcp ? { family: AF_INET, address: '127.0.0.1', port: 0 } : { family: AF_UNIX, path },
  );
  assert.equal(result, 0);
  const { address } = nbd;
  assert(address);
  const raws: RawClient[] = [];
  t.teardown(() => raws.forEach((raw) => raw.destroy()));
  const at =
    address.family === AF_UNIX ? `nbd+unix:///NAME?socket=${path}` : `nbd://127.0.0.1:${address.port}/NAME`;
  return {
    ...world,
    nbd,
    address,
    uri: (exportName = '') => at.replace('NAME', exportName),
    descriptors: posix.openDescriptors().length,
    raw(localAddress, where = address) {
      const raw = new RawClient(where, localAddress);
      raws.push(raw);
      return raw;
    },
    async client(exportName = '') {
      const client = await NbdClient.connect({ registrar: server, posix, address, exportName });
      t.teardown(() => client.disconnect());
      return client;
    },
  };
}

/** Fulfilled as soon as `condition` holds, which is looked at in every turn of the event loop. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}
