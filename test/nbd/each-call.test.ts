// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { AF_INET, type Posix } from '../../src/posix/index.js';
import type { EventRegistrar } from '../../src/scheduler/index.js';
import { driverTypes, ramDriverType } from '../../src/disks/drivers/index.js';
import { NbdClient, NbdServer, vbdExports } from '../../src/nbd/index.js';
import { VbdRegistry } from '../../src/disks/index.js';
import { type SimulatedHost, SimulatedWorld } from '../../src/testing/index.js';
import { pattern } from '../disks/drivers/disk-world.js';
import { failEachInTurn, failingPosix, failingRegistrar, type Fault } from '../failing-calls.js';

const USES = 2;
const ADDRESS = { family: AF_INET, address: '10.0.0.2', port: 10_809 } as const;

interface System {
  readonly registrar: EventRegistrar;
  readonly posix: Posix;
}

/** A host's system, whose calls may fail by `fault`. */
function systemOf(host: SimulatedHost, fault: Fault | undefined): System {
  const registrar = host.serve();
  return fault === undefined
    ? { registrar, posix: host.posix }
    : { registrar: failingRegistrar(registrar, fault), posix: failingPosix(host.posix, fault) };
}

/** A server of one disk. It answers how to stop it, or undefined when it could not be had. */
function serve(system: System, host: SimulatedHost): ((done: () => void) => void) | undefined {
  const parts = { ...system, logger: host.logger };
  let registry: VbdRegistry;
  try {
    registry = new VbdRegistry({ ...parts, types: driverTypes([ramDriverType]) });
  } catch {
    return undefined;
  }
  registry.attach(0);
  void registry.open(0, 'ram:1', { readOnly: false, shared: false });
  const { completions } = registry;
  const nbd = new NbdServer({ ...parts, completions, exports: vbdExports(registry) });
  if (nbd.listen(ADDRESS) < 0) {
    registry[Symbol.dispose]();
    return undefined;
  }
  return (done) => {
    const end = async (): Promise<void> => {
      await registry.close(0);
      registry[Symbol.dispose]();
      done();
    };
    nbd.stop(() => void end());
  };
}

/** Writes and reads back; rejects when anything is refused or lost. */
async function use(system: System): Promise<void> {
  const client = await NbdClient.connect({ ...system, address: ADDRESS });
  try {
    const data = pattern(16, 3);
    await client.write(4096, data, { forceUnitAccess: true });
    await client.flush();
    const read = await client.read(4096, data.length);
    if (!read.equals(data)) throw new Error('other bytes were read than were written');
  } finally {
    client.disconnect();
  }
}

/** Several uses: one in which a call fails may fail too, the others must not. */
async function life(failing: 'server' | 'client', fault: Fault): Promise<string[]> {
  const world = new SimulatedWorld({ seed: 1, traceLines: 0 });
  const [clientHost, serverHost] = [world.host('10.0.0.1'), world.host('10.0.0.2')];
  const serverSystem = systemOf(serverHost, failing === 'server' ? fault : undefined);
  const clientSystem = systemOf(clientHost, failing === 'client' ? fault : undefined);
  const wrong: string[] = [];
  try {
    const stop = serve(serverSystem, serverHost);
    if (stop !== undefined) {
      for (let count = 1; count <= USES; count++) {
        const failedBefore = fault.failed;
        const error = await world.complete(use(clientSystem).then(() => undefined, String));
        if (error !== undefined && fault.failed === failedBefore) wrong.push(`use ${count}: ${error}`);
      }
      await world.complete(new Promise<void>(stop));
    }
    wrong.push(...(await world.shutDown()));
  } catch (error) {
    wrong.push(String(error));
  }
  return wrong;
}

for (const failing of ['server', 'client'] as const) {
  t.test(
    `whichever call of the NBD ${failing} fails, the next client is served and nothing is left`,
    async (t) => {
      const { failedRuns, calls } = await failEachInTurn((fault) => life(failing, fault));
      t.same(failedRuns, []);
      for (const call of ['socket', 'read', 'write', 'close', 'registerEvent'] as const)
        t.ok(calls.has(call), `${call} has failed`);
      t.comment([...calls.keys()].join(', '));
    },
  );
}
