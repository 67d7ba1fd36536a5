// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import type { PeerKindOption } from '../../../../src/replication/disk/options.js';
import { PeerStream } from '../../../../src/replication/disk/wire/peer-stream.js';
import { PROBE, probePeer } from '../../../../src/replication/disk/wire/probe.js';
import { connection, type End } from '../connection.js';

const NOBODY = { bytes: () => {}, drained: () => {}, ended: () => {} };

/** Probes at one end, and writes down what was found out. */
function probe({ timers, fd }: End, connected: boolean, peer: PeerKindOption) {
  const log: string[] = [];
  const stream = new PeerStream(timers, fd, NOBODY);
  probePeer({
    stream,
    connected,
    peer,
    onPart: () => log.push('part'),
    onKind: (kind, rest) => log.push(`${kind} "${Buffer.from(rest).toString()}"`),
    onFailure: (reason) => log.push(`failed: ${reason}`),
  });
  return { stream, log };
}

/** What is found out of one that sends pieces, with some time between them. */
async function found(connected: boolean, peer: PeerKindOption, ...pieces: (string | null)[]) {
  const { world, near, far, come } = await connection();
  const { log, stream } = probe(near, connected, peer);
  await world.run(0.1);
  for (const piece of pieces) {
    if (piece === null) far.host.posix.close(far.fd);
    else far.host.posix.write(far.fd, Buffer.from(piece));
    await world.run(0.1);
  }
  return { log, sent: pieces.includes(null) ? '' : come(far).toString(), isOver: stream.isOver };
}

t.test('the probe is two tags and an empty commit, in one', async (t) => {
  t.equal(PROBE.toString(), 'tdtsrp01creq');
});

t.test('the side that connected speaks first', async (t) => {
  t.match(await found(true, 'auto'), { log: [], sent: 'tdtsrp01creq' });
  t.match(await found(false, 'auto'), { log: [], sent: '' });
});

t.test('the answer says of which kind the listening side is', async (t) => {
  t.match(await found(true, 'auto', 'rp01'), { log: ['own ""'], isOver: false });
  t.match(await found(true, 'auto', 'rp01rest'), { log: ['own "rest"'] });
  t.match(await found(true, 'auto', 'done'), { log: ['c ""'], isOver: false });
  t.match(await found(true, 'auto', 'donedone'), { log: ['c "done"'] });
  t.match(await found(true, 'auto', 'rp', '01'), { log: ['part', 'own ""'] });
  t.match(await found(true, 'auto', 'rp02'), {
    log: ['failed: the peer replied "rp02", expected rp01 or done'],
    isOver: true,
  });
});

t.test('once the kind of the peer is known nothing more of it is awaited', async (t) => {
  for (const [connected, peer, piece] of [
    [true, 'auto', 'rp01'],
    [true, 'auto', 'rp02'],
    [false, 'auto', 'wreq'],
    [false, 'auto', 'tdtsrp01creq'],
    [false, 'own', 'wreq'],
  ] as const) {
    const { log } = await found(connected, peer, piece);
    t.equal(log.length, 1, log.join(', '));
  }
});

t.test('of a side that connected the first tag says it', async (t) => {
  t.match(await found(false, 'auto', 'wreqxyz'), { log: ['c "wreqxyz"'], sent: '', isOver: false });
  t.match(await found(false, 'auto', 'tdtsrp01creq'), { log: ['own ""'], sent: 'rp01' });
  t.match(await found(false, 'auto', 'tdtsrp01creqrest'), { log: ['own "rest"'] });
  t.match(await found(false, 'auto', 'td', 'tsrp01', 'creq'), {
    log: ['part', 'part', 'own ""'],
    sent: 'rp01',
  });
  t.match(await found(false, 'auto', 'tdtsrp02creq'), {
    log: ['failed: the peer speaks rp02, expected rp01'],
    sent: '',
    isOver: true,
  });
});

t.test('with peer=own a C driver is refused', async (t) => {
  const refused = { log: ['failed: the peer is a C driver, but an own one was expected'], isOver: true };
  t.match(await found(true, 'own', 'done'), refused);
  t.match(await found(false, 'own', 'wreq'), refused);
  t.match(await found(true, 'own', 'rp01'), { log: ['own ""'] });
});

t.test('with peer=c nothing is sent, and nothing is waited for', async (t) => {
  for (const connected of [true, false]) t.match(await found(connected, 'c'), { log: ['c ""'], sent: '' });
});

t.test('a connection that ends before that is a failure', async (t) => {
  for (const connected of [true, false]) {
    const { log } = await found(connected, 'auto', 'td', null);
    t.same(log, ['part', 'failed: the peer closed the connection']);
  }
});
