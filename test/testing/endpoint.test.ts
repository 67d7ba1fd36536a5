// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { AF_INET, errno, type InetAddress } from '../../src/posix/index.js';
import { Endpoint } from '../../src/testing/endpoint.js';
import type { BufferSizes, EndpointHost } from '../../src/testing/endpoint-host.js';
import { EventQueue } from '../../src/testing/event-queue.js';
import { Random } from '../../src/testing/random.js';
import { bareSegment, type Segment } from '../../src/testing/segment.js';

const BUFFERS: BufferSizes = { sendBytes: 100, receiveBytes: 100, segmentBytes: 100 };
const CLIENT: InetAddress = { family: AF_INET, address: '10.0.0.1', port: 1 };
const SERVER: InetAddress = { family: AF_INET, address: '10.0.0.2', port: 2 };
const BYTE = Uint8Array.of(1);

/** Two ends, and the segments between them, which wait to be carried or lost. */
class Ends {
  readonly queue = new EventQueue();
  readonly client: Endpoint;
  readonly server: Endpoint;
  readonly removed: Endpoint[] = [];
  #underWay: { readonly segment: Segment<Endpoint>; readonly to: Endpoint }[] = [];
  #hellos = 0;

  constructor(buffers: Partial<BufferSizes> = {}) {
    const host: EndpointHost<Endpoint> = {
      queue: this.queue,
      random: new Random(1),
      buffers: { ...BUFFERS, ...buffers },
      sendSyn: () => void (this.#hellos += 1),
      send: (segment, to) => void this.#underWay.push({ segment, to }),
      remove: (endpoint) => void this.removed.push(endpoint),
    };
    this.client = Endpoint.connect(host, CLIENT, SERVER);
    this.server = Endpoint.answer(host, SERVER, this.client);
    this.server.admit = () => true;
  }

  /** What is under way, and how often the client has said hello. */
  get sent(): string[] {
    return [
      ...Array.from({ length: this.#hellos }, () => 'SYN'),
      ...this.#underWay.map(({ segment: { kind }, to }) => `${kind} to the ${this.nameOf(to)}`),
    ];
  }

  nameOf(endpoint: Endpoint): string {
    return endpoint === this.client ? 'client' : 'server';
  }

  /** Loses all that is under way. */
  lose(): string[] {
    const { sent } = this;
    this.#underWay = [];
    this.#hellos = 0;
    return sent;
  }

  /** Carries what is under way, and what follows from it. */
  carry(): void {
    this.#hellos = 0;
    for (let next = this.#underWay.shift(); next !== undefined; next = this.#underWay.shift())
      next.to.receive(next.segment);
  }

  wait(seconds: number): void {
    const end = this.queue.nowMicroseconds + seconds * 1e6;
    while (this.queue.advance(end));
  }
}

function established(buffers?: Partial<BufferSizes>): Ends {
  const ends = new Ends(buffers);
  ends.carry();
  return ends;
}

const read = (endpoint: Endpoint, most = 100): number => endpoint.read(new Uint8Array(most));

t.test('a connection is established by three segments, of which each side reports its own', async (t) => {
  const ends = new Ends();
  t.notOk(ends.client.isOpen || ends.server.isOpen);
  const changes: string[] = [];
  for (const endpoint of [ends.client, ends.server])
    endpoint.changed = () => void changes.push(`${ends.nameOf(endpoint)} ${endpoint.state}`);
  t.same(ends.sent, ['SYN', 'SYN+ACK to the client']);
  ends.carry();
  t.same(changes, ['client established', 'server established']);
  t.equal(ends.client.peer, ends.server);
  t.ok(ends.client.isOpen && ends.server.isOpen);
  t.equal(ends.client.describe(), 'established 10.0.0.1:1 -> 10.0.0.2:2');
  ends.wait(1000);
  t.same(ends.sent, [], 'nothing is said again');
  t.equal(ends.queue.size, 0);
});

t.test('an end that finds no place to wait in stays half open, and asks again each time', async (t) => {
  const ends = new Ends();
  ends.server.admit = () => false;
  ends.carry();
  t.equal(ends.server.state, 'syn-received');
  ends.wait(0.999);
  t.same(ends.lose(), []);
  ends.wait(0.001);
  t.same(ends.sent, ['SYN+ACK to the client']);
  ends.server.admit = () => true;
  ends.carry();
  t.equal(ends.server.state, 'established');
});

t.test(
  'a late answer changes nothing: it is confirmed by who knows it, and refused by who does not',
  async (t) => {
    const again = (ends: Ends): void =>
      ends.client.receive({ ...bareSegment('SYN+ACK', ends.server), windowEnd: 1 });
    const ends = established();
    again(ends);
    t.same(ends.lose(), ['ACK to the server']);
    const stranger = new Ends().server;
    ends.client.receive(bareSegment('SYN+ACK', stranger));
    t.equal(ends.sent.length, 1);
    t.match(ends.lose(), [/^RST to/]);
    t.equal(ends.client.peer, ends.server);
    ends.client.vanish();
    again(ends);
    t.same(ends.lose(), ['RST to the server']);
    t.equal(ends.client.state, 'gone');
  },
);

t.test('an end that was never established is closed without a word', async (t) => {
  const ends = new Ends();
  ends.lose();
  for (const endpoint of [ends.client, ends.server]) {
    endpoint.close();
    t.equal(endpoint.state, 'gone');
  }
  t.same(ends.removed, [ends.client, ends.server]);
  ends.wait(1000);
  t.same(ends.sent, [], 'nor is anything said again');
  t.equal(ends.queue.size, 0);
});

t.test(
  'a reset is sent to a peer that is known, once, and has no error at the end that sends it',
  async (t) => {
    const unanswered = new Ends();
    unanswered.lose();
    unanswered.client.reset();
    t.same(unanswered.sent, []);
    const ends = established();
    ends.client.write(BYTE);
    ends.lose();
    ends.client.lost();
    ends.client.reset();
    ends.client.reset();
    t.same(ends.lose(), ['RST to the server']);
    t.equal(read(ends.client), 0);
    t.equal(ends.client.write(BYTE), -errno.EPIPE);
    t.equal(ends.queue.size, 0, 'nothing is sent again');
  },
);

t.test('the first reason for which an end is gone is the one that its owner gets, once', async (t) => {
  const { client, removed } = established();
  let changes = 0;
  client.changed = () => void (changes += 1);
  client.vanish(errno.ETIMEDOUT);
  client.vanish(errno.EIO);
  t.equal(changes, 1);
  t.same(removed, [client]);
  t.equal(read(client), -errno.ETIMEDOUT);
  t.equal(read(client), 0);
});

t.test('a reset is an error for a reader, unless the end of file has come before', async (t) => {
  const cut = established();
  cut.server.reset();
  cut.carry();
  t.equal(read(cut.client), -errno.ECONNRESET);
  const ended = established();
  ended.server.shutdownWrite();
  ended.carry();
  ended.server.reset();
  ended.carry();
  t.equal(read(ended.client), 0);
  t.equal(ended.client.pendingError, 0);
  const early = new Ends();
  early.client.receiveReset();
  t.equal(early.client.takeError(), errno.ECONNREFUSED);
});

t.test('both ends are finished once both have closed, and nothing is left to happen', async (t) => {
  const ends = established();
  ends.client.close();
  ends.carry();
  t.equal(ends.server.state, 'established');
  ends.server.close();
  ends.carry();
  t.same([ends.client.state, ends.server.state], ['finished', 'finished']);
  t.equal(ends.removed.length, 2);
  t.equal(ends.queue.size, 0);
});

t.test('an end that is finished still acknowledges the end of file when that comes again', async (t) => {
  const ends = established();
  ends.client.shutdownWrite();
  ends.carry();
  ends.server.shutdownWrite();
  ends.carry();
  t.equal(ends.client.state, 'finished');
  ends.client.close();
  t.equal(ends.client.state, 'finished');
  t.equal(ends.client.write(BYTE), -errno.EPIPE);
  ends.client.receive({ ...bareSegment('FIN', ends.server), acknowledged: 1, windowEnd: 100 });
  t.same(ends.lose(), ['ACK to the server']);
  ends.client.receiveReset();
  t.equal(ends.client.state, 'finished', 'a reset is too late');
  ends.client.lost();
  t.equal(ends.queue.size, 0, 'and nothing is sent again');
});

t.test('an end that is gone sends nothing', async (t) => {
  const ends = established();
  const { client } = ends;
  client.vanish();
  client.shutdownWrite();
  client.close();
  client.lost();
  t.same(ends.sent, []);
  t.equal(ends.queue.size, 0);
});

t.test('a closed end gives up after a minute without the end of file of its peer', async (t) => {
  for (const shutsFirst of [false, true]) {
    const ends = established();
    if (shutsFirst) {
      ends.client.shutdownWrite();
      ends.carry();
      ends.wait(1000);
    }
    ends.client.close();
    ends.carry();
    ends.wait(59.9);
    t.equal(ends.client.state, 'established');
    ends.wait(0.1);
    t.equal(ends.client.state, 'gone');
    t.equal(ends.client.pendingError, 0);
    t.same(ends.sent, []);
  }
});

t.test('a closed end throws away what comes until its own bytes have arrived, and resets then', async (t) => {
  const ends = established({ receiveBytes: 10 });
  ends.client.write(BYTE);
  ends.client.close();
  ends.lose();
  // More than its buffer holds.
  for (let count = 0; count < 30; count++) {
    t.equal(ends.server.write(BYTE), 1);
    ends.carry();
  }
  t.equal(ends.client.receiving.length, 0);
  t.equal(ends.client.receiving.acknowledged, 30);
  ends.client.lost();
  ends.wait(1);
  ends.carry();
  t.equal(read(ends.server), 1);
  ends.server.write(BYTE);
  ends.carry();
  t.equal(read(ends.server), 0, 'what had come, and its end, before');
  t.equal(ends.client.state, 'gone');
  t.equal(ends.server.state, 'gone');
});

t.test('what is lost is sent after 0.2 s, 0.4 s and so on, whatever the peer sends meanwhile', async (t) => {
  const ends = established();
  ends.client.write(BYTE);
  const at: number[] = [];
  for (let round = 0; round < 4; round++) {
    ends.lose();
    ends.client.lost();
    // It says nothing of what has come.
    ends.client.receive({ ...bareSegment('DATA', ends.server), position: round, bytes: BYTE });
    ends.lose();
    const start = ends.queue.nowMicroseconds;
    while (ends.sent.length === 0) ends.queue.advance(1e12);
    at.push((ends.queue.nowMicroseconds - start) / 1e6);
  }
  t.same(at, [0.2, 0.4, 0.8, 1.6]);
  ends.carry();
  ends.client.write(BYTE);
  ends.lose();
  ends.client.lost();
  ends.wait(0.2);
  t.not(ends.sent.length, 0, 'pauses are short again once something has arrived');
});

t.test('a peer without room is asked after 0.2 s, and may be gone', async (t) => {
  const ends = established({ receiveBytes: 3 });
  for (let count = 0; count < 4; count++) ends.client.write(BYTE);
  ends.carry();
  t.equal(ends.server.receiving.length, 3);
  ends.wait(0.2);
  t.same(ends.sent, ['DATA to the server'], 'without a byte');
  ends.carry();
  t.equal(ends.server.receiving.length, 3);
  t.equal(read(ends.server), 3);
  t.same(ends.lose(), ['ACK to the client'], 'which is lost');
  ends.wait(0.4);
  ends.carry();
  t.equal(read(ends.server), 1);

  const alone = established({ receiveBytes: 1 });
  alone.client.write(BYTE);
  alone.client.write(BYTE);
  alone.carry();
  alone.wait(2000);
  t.equal(alone.client.state, 'gone');
  t.equal(read(alone.client), -errno.ETIMEDOUT);
});

t.test('a reader reports new room at once only when it is half of the buffer', async (t) => {
  const ends = established({ receiveBytes: 4 });
  for (let count = 0; count < 4; count++) ends.client.write(BYTE);
  ends.carry();
  t.equal(read(ends.server, 1), 1);
  t.same(ends.sent, []);
  t.equal(ends.server.read(new Uint8Array(0)), 0);
  t.equal(read(ends.server, 1), 1);
  t.same(ends.sent, ['ACK to the client']);
});

t.test('nothing written is nothing sent, and a full buffer accepts no more', async (t) => {
  const ends = established({ sendBytes: 2 });
  t.equal(ends.client.write(new Uint8Array(0)), 0);
  t.same(ends.sent, []);
  t.equal(ends.client.write(BYTE), 1);
  t.ok(ends.client.isWritable, 'there is room for one byte');
  t.equal(ends.client.write(new Uint8Array(3)), 1);
  t.notOk(ends.client.isWritable);
  t.equal(ends.client.write(BYTE), -errno.EAGAIN);
  ends.carry();
  t.ok(ends.client.isWritable);
  ends.client.write(new Uint8Array(2));
  ends.client.shutdownWrite();
  t.ok(ends.client.isWritable, 'a write would fail at once');
  t.equal(ends.client.write(BYTE), -errno.EPIPE);
  t.equal(ends.client.write(new Uint8Array(0)), -errno.EPIPE);
});

t.test('what is there can be read, then the end of file; before it a reader has to wait', async (t) => {
  const ends = established();
  t.notOk(ends.client.isReadable);
  t.equal(read(ends.client), -errno.EAGAIN);
  t.equal(read(ends.client, 0), 0, 'whoever asks for nothing gets it at once');
  ends.server.write(BYTE);
  ends.carry();
  t.ok(ends.client.isReadable);
  ends.server.shutdownWrite();
  ends.carry();
  t.ok(ends.client.isReadable);
  t.equal(read(ends.client), 1);
  t.ok(ends.client.isReadable);
  t.equal(read(ends.client), 0);
  const gone = established();
  gone.client.vanish();
  t.ok(gone.client.isReadable && gone.client.isWritable);
  t.notOk(gone.client.isOpen);
  t.equal(read(gone.client), 0);
});

t.test('what comes from a stranger, too early or too late is refused', async (t) => {
  const data = (from: Endpoint): Segment<Endpoint> => ({ ...bareSegment('DATA', from), bytes: BYTE });
  const ends = established();
  ends.client.receive(data(new Ends().server));
  t.match(ends.lose(), [/^RST to/]);
  t.equal(ends.client.receiving.length, 0);
  ends.client.vanish();
  ends.client.receive(data(ends.server));
  t.same(ends.lose(), ['RST to the server']);
  const early = new Ends();
  early.lose();
  early.client.peer = early.server;
  early.client.receive(data(early.server));
  t.same(early.lose(), ['RST to the server']);
});

t.test('a client that asks again is answered again, until it is known', async (t) => {
  const ends = new Ends();
  ends.lose();
  ends.server.answerAgain();
  t.same(ends.sent, ['SYN+ACK to the client']);
  ends.carry();
  ends.server.answerAgain();
  t.same(ends.sent, []);
});

t.test(
  'the pause before the next hello counts from the last one, however late its loss is known',
  async (t) => {
    const ends = new Ends();
    ends.lose();
    for (const pause of [1, 2, 4]) {
      ends.wait(0.3);
      ends.client.lost();
      ends.wait(pause - 0.301);
      t.same(ends.sent, []);
      ends.wait(0.001);
      t.same(ends.lose(), ['SYN']);
    }
  },
);

t.test('what has arrived when a pause ends is not sent again, and the next pause is short', async (t) => {
  const ends = established();
  ends.client.write(BYTE);
  ends.client.lost();
  ends.carry();
  ends.wait(0.2);
  t.same(ends.sent, []);
  ends.client.write(BYTE);
  ends.lose();
  ends.client.lost();
  ends.wait(0.2);
  t.not(ends.sent.length, 0);
});

t.test(
  'a minute of waiting for the end of file begins when nothing is to be sent again any more',
  async (t) => {
    const ends = established();
    ends.client.write(BYTE);
    ends.client.lost();
    ends.client.close();
    ends.carry();
    ends.wait(60);
    t.equal(ends.client.state, 'established');
    ends.wait(0.2);
    t.equal(ends.client.state, 'gone');
  },
);

t.test('an end whose listener admits nobody yet stays half open', async (t) => {
  const { client } = new Ends();
  const server = Endpoint.answer(client.host, SERVER, client);
  server.receive(bareSegment('ACK', client));
  t.equal(server.state, 'syn-received');
});

t.test('pauses are short again once a connection is established that took several attempts', async (t) => {
  const ends = new Ends();
  ends.lose();
  ends.client.lost();
  ends.wait(1);
  t.same(ends.lose(), ['SYN']);
  ends.client.lost();
  ends.server.answerAgain();
  ends.carry();
  ends.client.write(BYTE);
  ends.lose();
  ends.client.lost();
  ends.wait(0.2);
  t.same(ends.sent, ['DATA to the server', 'DATA to the server'], 'a probe, and the byte');
});

t.test('where segments have one byte, everything written is sent at once, a byte in each', async (t) => {
  const ends = established({ segmentBytes: 1 });
  t.equal(ends.client.write(new Uint8Array(100)), 100);
  t.same(
    ends.sent,
    Array.from({ length: 100 }, () => 'DATA to the server'),
  );
});
