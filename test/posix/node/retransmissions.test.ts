// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { endianness } from 'node:os';
import t from 'tap';
import { AF_INET, AF_INET6, AF_UNIX, type InetAddress } from '../../../src/posix/index.js';
import { ConnectionTables, retransmissionsIn } from '../../../src/posix/node/retransmissions.js';
import { connectedTo, posixFor } from '../fixture.js';
import { withoutDescriptors } from '../../without-descriptors.js';

const inet = (address: string, port: number): InetAddress =>
  address.includes(':') ? { family: AF_INET6, address, port } : { family: AF_INET, address, port };

const HEADER =
  '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode';
const line = (local: string, peer: string, retransmissions: string, probes = 0): string =>
  `   1: ${local} ${peer} 01 00000010:00000000 01:00000019 ${retransmissions}     0 ${String(probes).padStart(8)} 4711 2 0`;

t.test('the kernel counts in hexadecimal how often it has sent again, by connection', async (t) => {
  if (endianness() !== 'LE') return void t.pass('the sample is of a little-endian machine', { skip: true });
  const lines = [
    HEADER,
    line('0100007F:2329', '0200007F:C350', '0000000B'),
    line('0100007F:2329', '0300007F:C350', '00000003'),
    line('0200007F:2329', '0200007F:C350', '00000004'),
  ];
  const count = (local: InetAddress, peer: InetAddress): number => retransmissionsIn(lines, local, peer);
  t.equal(count(inet('127.0.0.1', 9001), inet('127.0.0.2', 50_000)), 11);
  t.equal(count(inet('127.0.0.1', 9001), inet('127.0.0.3', 50_000)), 3);
  t.equal(count(inet('127.0.0.2', 9001), inet('127.0.0.2', 50_000)), 4);
  t.equal(count(inet('127.0.0.1', 9001), inet('127.0.0.4', 50_000)), 0, 'no such connection');
  t.equal(count(inet('127.0.0.1', 9002), inet('127.0.0.2', 50_000)), 0, 'another port');
});

t.test('unanswered probes of a peer that takes nothing count too, in decimal', async (t) => {
  if (endianness() !== 'LE') return void t.pass('the sample is of a little-endian machine', { skip: true });
  const lines = [
    HEADER,
    line('0100007F:2329', '0200007F:C350', '00000000', 11),
    line('0100007F:2329', '0300007F:C350', '00000000'),
  ];
  t.equal(retransmissionsIn(lines, inet('127.0.0.1', 9001), inet('127.0.0.2', 50_000)), 11);
  t.equal(retransmissionsIn(lines, inet('127.0.0.1', 9001), inet('127.0.0.3', 50_000)), 0);
});

t.test('connections of IPv4 and IPv6 are looked for in their own tables, Unix sockets in none', async (t) => {
  const read: string[] = [];
  const tables = new ConnectionTables({ now: () => 0 }, (table) => {
    read.push(table);
    return [HEADER];
  });
  const unix = { family: AF_UNIX, path: '/s' } as const;
  t.equal(tables.retransmissions(inet('127.0.0.1', 1), inet('127.0.0.1', 2)), 0);
  t.equal(tables.retransmissions(inet('::1', 1), inet('::1', 2)), 0);
  for (const [local, peer] of [
    [unix, unix],
    [unix, inet('::1', 1)],
    [inet('::1', 1), unix],
  ] as const)
    t.equal(tables.retransmissions(local, peer), 0);
  t.same(read, ['tcp', 'tcp6']);
});

t.test('a table is read again after a second, or when the clock has jumped', async (t) => {
  let now = 1000;
  let reads = 0;
  const tables = new ConnectionTables({ now: () => now }, () => {
    reads += 1;
    return [HEADER, line('00000000:0001', '00000000:0002', `0000000${reads}`)];
  });
  const [local, peer] = [inet('0.0.0.0', 1), inet('0.0.0.0', 2)];
  for (const [at, expected] of [
    [1000, 1],
    [1000.9, 1],
    [1001, 2],
    [1001.9, 2],
    [900, 3],
    [900.9, 3],
  ] as const) {
    now = at;
    t.equal(tables.retransmissions(local, peer), expected, `at ${at}`);
  }
});

t.test('addresses of IPv6 are found in whatever way they are written', async (t) => {
  if (endianness() !== 'LE') return void t.pass('the sample is of a little-endian machine', { skip: true });
  const lines = [
    HEADER,
    line('000080FE000000000102030405060708:0050', '00000000000000000000000001000000:0051', '00000002'),
    line('0000000000000000FFFF00000100007F:0052', '0000000000000000FFFF00000200007F:0053', '00000005'),
    line('B80D0120010000000200000003000400:0054', '00000000000000000000000000000000:0055', '00000006'),
  ];
  const count = (local: InetAddress, peer: InetAddress): number => retransmissionsIn(lines, local, peer);
  t.equal(count(inet('fe80::403:201:807:605%eth0', 80), inet('::1', 81)), 2);
  t.equal(count(inet('fe80:0:0:0:403:201:807:605', 80), inet('0:0:0:0:0:0:0:1', 81)), 2);
  t.equal(count(inet('::ffff:127.0.0.1', 82), inet('::ffff:127.0.0.2', 83)), 5);
  t.equal(count(inet('2001:db8:0:1:0:2:4:3', 84), inet('::', 85)), 6);
});

t.test('a connection that has its answers has sent nothing again', async (t) => {
  const posix = posixFor(t);
  const { fd } = await connectedTo(t, posix);
  t.equal(posix.retransmissions(fd), 0);
  t.equal(posix.retransmissions(posix.eventfd()), 0);
  t.equal(posix.retransmissions(999), 0);
});

t.test(
  'without a descriptor to read the kernel’s table with, nothing is known, and nothing fails',
  async (t) => {
    const tables = new ConnectionTables({ now: () => 0 });
    const connection = [inet('127.0.0.1', 1), inet('127.0.0.1', 2)] as const;
    t.equal(
      withoutDescriptors(() => tables.retransmissions(...connection)),
      0,
    );
  },
);
