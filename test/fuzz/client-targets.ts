// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { join } from 'node:path';
import { ControlError } from '../../src/control/control-client.js';
import { ControlMessage, MESSAGE_BYTES } from '../../src/control/message.js';
import { MessageType } from '../../src/control/message-type.js';
import { NbdClient, NbdError } from '../../src/nbd/index.js';
import { AF_UNIX } from '../../src/posix/index.js';
import type { Random } from '../../src/testing/random.js';
import { GREETING, HEADER, verdictLine } from '../../src/transfer/wire.js';
import { controlWorld, PID } from '../control/world.js';
import { nbdWorld } from '../nbd/nbd-world.js';
import { u16, u32, u64 } from '../nbd/raw-client.js';
import { randomBytes } from '../random.js';
import { inputOf, listeningBackup, primaryOn, sha256 } from '../transfer/world.js';
import { falseServer } from './false-server.js';
import type { FuzzTargets } from './fuzz-target.js';
import { mutated } from './mutated.js';
import { runningServer } from './running-server.js';

const FALSE_PID = PID + 1;
const minor = 3;

/** Our clients, and servers that say what they like. */
export const clientTargets: FuzzTargets = {
  'answers of control sockets': async (t) => {
    const { directory, client } = controlWorld(t);
    const { says } = await falseServer(t, { path: join(directory, `ctl${FALSE_PID}`) });
    const commands: (() => Promise<unknown>)[] = [
      () => client.pid(FALSE_PID),
      () => client.attach(FALSE_PID, minor),
      () => client.open(FALSE_PID, minor, 'ram:1', 0),
      () => client.pause(FALSE_PID, minor),
      () => client.resume(FALSE_PID, minor),
      () => client.detach(FALSE_PID, minor),
      () => client.list(FALSE_PID),
      () => client.statistics(FALSE_PID),
      () => client.replication(FALSE_PID, minor, { command: 'status' }),
    ];
    return {
      say: async (random) => {
        const which = random.integer(0, commands.length - 1);
        says(mutated(random, answers(random), 2));
        await refused(commands[which]!(), ControlError);
      },
      check: async () => void (await client.pid(PID)),
    };
  },

  'answers of NBD servers': async (t) => {
    const world = nbdWorld(t);
    await world.open('ram:1');
    const path = world.path('false.sock');
    const { says } = await falseServer(t, { path });
    const parts = {
      registrar: world.server,
      posix: world.posix,
      address: { family: AF_UNIX, path },
    } as const;
    return {
      say: async (random) => {
        world.lines.length = 0;
        says(mutated(random, nbdServer(random)));
        const client = await refused(NbdClient.connect(parts), NbdError);
        if (!client) return;
        const asked = [client.read(0, 512), client.read(0, 4096), client.flush(), client.read(512, 100)];
        await Promise.all(asked.map((request: Promise<unknown>) => refused(request, NbdError)));
        client.disconnect();
      },
      check: async () => void (await (await world.client('0')).read(0, 4096)),
    };
  },

  'answers of backups': async (t) => {
    const server = runningServer(t);
    const { says, port } = await falseServer(t, { port: 0, host: '127.0.0.1' });
    const image = Buffer.from('image');
    return {
      say: async (random) => {
        says(mutated(random, backupAnswer(random, image)));
        const { primary, log } = primaryOn(server, { name: `127.0.0.1:${port}`, input: inputOf(image) });
        // What is no backup, and what is a busy one, is dialled again: that would be the next thing to be said.
        const isLater = Promise.race([log.event('retrying'), log.event('turned-away')]);
        await primary.start();
        await Promise.race([primary.ended, isLater]);
        primary.stop('end');
      },
      check: async () => {
        const { backup, address } = await listeningBackup(server);
        t.teardown(() => backup.stop('end'));
        const { primary } = primaryOn(server, { name: address, input: inputOf(image) });
        await primary.start();
        const { kind } = await primary.ended;
        if (kind !== 'complete') throw new Error(`an image that was taken is told as ${kind}`);
      },
    };
  },
};

/** What a promise is fulfilled with; undefined when it rejects with an error of this class, and another one is thrown on. */
async function refused<Value>(
  promise: Promise<Value>,
  Class: new (...parts: never[]) => Error,
): Promise<Value | undefined> {
  try {
    return await promise;
  } catch (error) {
    if (error instanceof Class) return undefined;
    throw error;
  }
}

/** Messages as they may answer a request, with anything in them. */
function answers(random: Random): Buffer {
  const types = Object.values(MessageType);
  const messages = Array.from({ length: random.integer(0, 4) }, () => {
    const kind = random.integer(0, 3);
    const message = ControlMessage.create(random.pick(types), random.chance(0.8) ? minor : 0xffff);
    if (kind === 0) message.bytes.set(randomBytes(random, MESSAGE_BYTES - 8), 8);
    else if (kind === 1) message.setResponse(random.integer(-1, 200), 'x'.repeat(random.integer(0, 255)));
    else if (kind === 2) {
      message.setList({
        count: random.integer(-1, 3),
        minor: random.integer(-1, 9),
        state: 0,
        path: 'ram:1',
      });
    } else message.setReport({ remaining: random.integer(-1, 9), bytes: Buffer.from('{"version":1}') });
    return message.bytes;
  });
  return Buffer.concat(messages);
}

/** A server's side of a whole conversation. */
function nbdServer(random: Random): Buffer {
  const reply = (option: number, type: number, data: Buffer = Buffer.alloc(0)): Buffer =>
    Buffer.concat([u64(0x3e889045565a9n), u32(option, type, data.length), data]);
  const isStructured = random.chance(0.5);
  const greeting = Buffer.concat([
    Buffer.from('NBDMAGICIHAVEOPT'),
    u16(random.chance(0.9) ? 3 : random.word() & 3),
  ]);
  const size = random.pick([4096n, 1n << 20n, 2n ** 63n, 0n]);
  const info = Buffer.concat([u16(0), u64(size), u16(random.word() & 0xffff)]);
  const blocks = Buffer.concat([u16(3), u32(random.pick([0, 1, 512]), 4096, random.word())]);
  const handshake = [
    greeting,
    reply(8, isStructured ? 1 : 0x80000001),
    reply(7, 3, info),
    ...(random.chance(0.5) ? [reply(7, 3, blocks)] : []),
    reply(7, random.chance(0.9) ? 1 : random.word()),
  ];
  const replies = Array.from({ length: random.integer(0, 5) }, (_, index) => {
    const cookie = BigInt(random.chance(0.9) ? index : random.integer(0, 9));
    const length = [512, 4096, 0, 100][index] ?? 0;
    if (!isStructured || random.chance(0.2)) {
      return Buffer.concat([
        u32(0x67446698, random.chance(0.8) ? 0 : 5),
        u64(cookie),
        Buffer.alloc(length, 1),
      ]);
    }
    const type = random.pick([0, 1, 2, 32769, 32770, 7]);
    const payload =
      type === 2 ? Buffer.concat([u64(0n), u32(length)]) : Buffer.concat([u64(0n), Buffer.alloc(length)]);
    return Buffer.concat([
      u32(0x668e33ef),
      u16(random.integer(0, 1), type),
      u64(cookie),
      u32(payload.length),
      payload,
    ]);
  });
  return Buffer.concat([...handshake, ...replies]);
}

/** What a backup says to a primary, from its greeting to its verdict. */
function backupAnswer(random: Random, image: Buffer): Buffer {
  const verdict = random.chance(0.5)
    ? verdictLine({
        kind: 'ok',
        bytes: random.pick([5, 2 ** 31]),
        sha256: sha256(random.chance(0.5) ? image : HEADER),
      })
    : verdictLine({ kind: 'error', code: 'ENOSPC', message: 'x'.repeat(random.integer(0, 600)) });
  return Buffer.concat([random.chance(0.9) ? GREETING : Buffer.alloc(0), verdict]);
}
