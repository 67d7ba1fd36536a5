// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// A scheduler that has no event left, at any moment of a transfer.

import tap from 'tap';
import { HEADER, trailer } from '../../src/transfer/wire.js';
import { failEachInTurn, failingRegistrar, type Fault } from '../failing-calls.js';
import { everything, foreignBackup, foreignPrimary } from './foreign.js';
import { backupOn, inputOf, primaryOn, serverTest, sha256 } from './world.js';

tap.jobs = 2;
const image = Buffer.from('an image');
const framed = Buffer.concat([HEADER, image, trailer({ bytes: image.length, sha256: sha256(image) })]);
const BUSY = 'device or resource busy';

/** What is made, or undefined when there is no event for it. */
function tried<Made>(make: () => Made): Made | undefined {
  try {
    return make();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EBUSY') throw error;
    return undefined;
  }
}

serverTest('whichever event a primary does not get, it ends with one report', async (t, server) => {
  const address = await foreignBackup(t, (socket) => socket.resume().on('end', () => socket.end()));
  const reports = new Set<string>();
  const life = async (fault: Fault): Promise<string[]> => {
    const registrar = failingRegistrar(server, fault);
    const input = inputOf(image);
    const { primary, log } = primaryOn(server, {
      name: address,
      registrar,
      input,
      idleSeconds: 5,
      raw: true,
    });
    await primary.start();
    const { kind } = await primary.ended;
    const failed = log.events.flatMap((event) => (event.event === 'failed' ? [event] : []));
    for (const { message } of failed) reports.add(message.replace(address, 'BACKUP'));
    return failed.length === (kind === 'failed' ? 1 : 0) ? [] : [`${kind}, ${failed.length} reports`];
  };
  const { failedRuns } = await failEachInTurn(life);
  t.same(failedRuns, []);
  t.same([...reports].toSorted(), [
    `cannot connect to BACKUP: ${BUSY}`,
    `cannot read memory: ${BUSY}`,
    `cannot start to connect: ${BUSY}`,
    `cannot watch the connection: ${BUSY}`,
  ]);
});

serverTest(
  'whichever event a primary that is turned away does not get, it ends with one report',
  async (t, server) => {
    const address = await foreignBackup(t, (socket) => socket.end());
    const reports = new Set<string>();
    const life = async (fault: Fault): Promise<string[]> => {
      const { primary, log } = primaryOn(server, {
        name: address,
        registrar: failingRegistrar(server, fault),
      });
      await primary.start();
      await Promise.race([log.event('turned-away'), primary.ended]);
      primary.stop('SIGTERM');
      const { kind } = await primary.ended;
      const failed = log.events.flatMap((event) => (event.event === 'failed' ? [event.message] : []));
      for (const message of failed) reports.add(message);
      return failed.length === (kind === 'failed' ? 1 : 0) ? [] : [`${kind}, ${failed.length} reports`];
    };
    const { failedRuns } = await failEachInTurn(life);
    t.same(failedRuns, []);
    t.ok(reports.has(`cannot wait to try again: ${BUSY}`), [...reports].join('; '));
  },
);

serverTest(
  'whichever event a backup does not get, it reports that to its primary, and takes the next image',
  async (t, server) => {
    const verdicts: string[] = [];
    const reports: string[] = [];
    /** Sends an image, and returns the backup's verdict. */
    const send = async (address: string): Promise<string> => {
      const socket = await foreignPrimary(address);
      socket.end(framed);
      return String(await everything(socket)).trimEnd();
    };
    const life = async (fault: Fault): Promise<string[]> => {
      const registrar = failingRegistrar(server, fault);
      const made = tried(() => backupOn(server, { registrar, minRate: 1, idleSeconds: 5 }));
      if (made === undefined) return [];
      const { backup, log } = made;
      await backup.start();
      if (!log.names().includes('listening')) return [];
      const { address } = await log.event('listening');
      const wrong: string[] = [];
      for (let count = 1; count <= 2; count++) {
        const failedBefore = fault.failed;
        const verdict = await send(address);
        if (verdict.startsWith('ok')) continue;
        if (fault.failed === failedBefore) wrong.push(`image ${count}: ${verdict}`);
        verdicts.push(verdict);
      }
      await backup.stop('SIGTERM');
      const broken = log.events.flatMap((event) => (event.event === 'broken' ? [event] : []));
      reports.push(...broken.map(({ code, message }) => `error ${code} ${message}`));
      return wrong;
    };
    const { failedRuns } = await failEachInTurn(life);
    t.same(failedRuns, []);
    t.same(verdicts, reports, 'both sides report the same');
    t.same(
      [...new Set(reports)].toSorted(),
      [
        `error EBUSY cannot watch the connection: ${BUSY}`,
        'error EBUSY there is no event left to watch its rate',
        `error EBUSY the connection to the primary broke: ${BUSY}`,
      ].toSorted(),
    );
  },
);
