// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { AF_INET, errno, SOCK_STREAM } from '../../../src/posix/index.js';
import { ControlFifo } from '../../../src/replication/disk/control-fifo.js';
import type { ReplicationListener } from '../../../src/replication/disk/events.js';
import type { Done } from '../../../src/replication/disk/local-disk.js';
import { type EventId, POLL_WRITE_FD } from '../../../src/scheduler/event.js';
import { connection } from './connection.js';

/** Commands come over one connection, replies go over another one. */
async function opened() {
  const commands = await connection();
  const { world, near, far } = commands;
  const { posix } = far.host;
  const address = { family: AF_INET, address: '10.0.0.2', port: 9001 } as const;
  const listener = posix.socket(AF_INET, SOCK_STREAM);
  posix.bind(listener, address);
  posix.listen(listener, 1);
  const replies = near.host.posix.socket(AF_INET, SOCK_STREAM);
  near.host.posix.connect(replies, address);
  await world.complete(posix.select({ read: [listener] }, 5));
  const answers = posix.accept(listener);
  posix.close(listener);
  const asked: Done[] = [];
  const listeners = new Set<ReplicationListener>();
  const logged: string[] = [];
  const { registrar } = far.timers;
  /** The events that wait until replies can be written. */
  const writeEvents = new Set<EventId>();
  const fifo = new ControlFifo({
    ...far.timers,
    registrar: {
      registerEvent: (mode, ...rest) => {
        const id = registrar.registerEvent(mode, ...rest);
        if (mode === POLL_WRITE_FD) writeEvents.add(id);
        return id;
      },
      unregisterEvent: (id) => {
        writeEvents.delete(id);
        registrar.unregisterEvent(id);
      },
      setMaxTimeout: (seconds) => registrar.setMaxTimeout(seconds),
    },
    logger: { log: (_, message) => logged.push(message) },
    replication: {
      checkpoint: (done) => asked.push(done),
      onEvent: (hear) => {
        listeners.add(hear);
        return () => listeners.delete(hear);
      },
    },
    commands: far.fd,
    answers,
  });
  const command = async (text: string): Promise<void> => {
    near.host.posix.write(near.fd, Buffer.from(text));
    await world.run(0.01);
  };
  const replied = async (): Promise<string> => {
    await world.run(0.01);
    return commands.come({ ...near, fd: replies }).toString();
  };
  const event = (kind: 'unsolicited' | 'error'): void => {
    for (const hear of [...listeners]) hear({ kind, message: '', atSeconds: 0 });
  };
  return { world, near, far, fifo, asked, listeners, logged, command, replied, event, answers, writeEvents };
}

t.test('flush commits what was written, and is answered once the backup has it', async (t) => {
  const { asked, command, replied } = await opened();
  await command('flush');
  t.equal(asked.length, 1);
  t.equal(await replied(), '');
  asked[0]?.(7);
  t.equal(await replied(), 'done');
  await command('flush and more');
  asked[1]?.(0);
  t.equal(await replied(), 'done', 'only its beginning counts');
});

t.test('a flush that cannot be, and anything else, is answered fail', async (t) => {
  const { asked, command, replied } = await opened();
  await command('flush');
  asked[0]?.(-errno.ENOTCONN);
  t.equal(await replied(), 'fail');
  for (const text of ['flus', 'Flush', 'x', 'status']) {
    await command(text);
    t.equal(await replied(), 'fail', text);
  }
  t.equal(asked.length, 1);
});

t.test('a command is one read of at most 79 bytes', async (t) => {
  const { asked, command, replied } = await opened();
  await command('x'.repeat(79) + 'flush');
  t.equal(asked.length, 1);
  t.equal(await replied(), 'fail');
  await command('x'.repeat(78) + 'flush');
  t.equal(asked.length, 1, 'the f is a part of the first one');
  t.equal(await replied(), 'failfail');
});

t.test('every flush is answered, in whatever order they end', async (t) => {
  const { asked, command, replied } = await opened();
  for (let count = 0; count < 3; count++) await command('flush');
  asked[2]?.(3);
  asked[0]?.(-5);
  asked[1]?.(2);
  t.equal(await replied(), 'donefaildone');
});

t.test('a done that was not asked for is passed on, and no other event', async (t) => {
  const { event, replied } = await opened();
  event('error');
  t.equal(await replied(), '');
  event('unsolicited');
  t.equal(await replied(), 'done');
});

t.test('replies wait while nobody reads them, and come in their order; too many are dropped', async (t) => {
  const { event, command, replied, logged, far, answers, world, writeEvents } = await opened();
  const write = far.host.posix.write.bind(far.host.posix);
  let takes = 3;
  far.host.posix.write = (fd, bytes) => {
    if (fd !== answers) return write(fd, bytes);
    if (takes <= 0) return -errno.EAGAIN;
    takes -= 1;
    return write(fd, bytes.subarray(0, 3));
  };
  await command('x');
  for (let count = 0; count < 4098; count++) event('unsolicited');
  t.same(logged, ['replication: no reader for replies: dropped "done"']);
  t.equal(writeEvents.size, 1);
  takes = Infinity;
  let come = '';
  for (let count = 0; count < 10; count++) come += await replied();
  t.equal(come.length, 4 + 4 * 4097, 'as many as may wait, beside what was taken');
  t.ok(come.startsWith('faildonedone'));
  t.match(come, /^fail(done)+$/);
  t.equal(writeEvents.size, 0, 'nothing waits any more');
  await world.run(1);
  await command('x');
  t.equal(await replied(), 'fail', 'and it goes on');
  takes = 0;
  event('unsolicited');
  t.equal(await replied(), '');
  takes = Infinity;
  await world.run(1);
  t.equal(await replied(), 'done', 'another time too');
});

t.test('at the end of the commands it takes none any more, and goes on with replies', async (t) => {
  const { near, world, logged, event, replied } = await opened();
  near.host.posix.close(near.fd);
  await world.run(1);
  t.same(logged, ['replication: no more commands can be read: end of file']);
  event('unsolicited');
  t.equal(await replied(), 'done');
});

t.test('so it does when they cannot be read', async (t) => {
  const { far, world, logged, command, asked } = await opened();
  far.host.failCalls({ calls: ['read'], nth: 1, error: errno.EIO });
  await command('flush');
  await world.run(1);
  t.same(logged, ['replication: no more commands can be read: EIO']);
  t.equal(asked.length, 0);
});

t.test('replies that cannot be written are dropped', async (t) => {
  const { far, logged, command, replied } = await opened();
  far.host.failCalls({ calls: ['write'], nth: 1, error: errno.EPIPE });
  await command('x');
  t.same(logged, ['replication: cannot write replies: EPIPE']);
  await command('y');
  t.equal(await replied(), 'fail', 'and the next one is not');
});

t.test('once it is closed nothing is read, and nothing answered', async (t) => {
  const { fifo, far, answers, listeners, asked, command, world, event, writeEvents } = await opened();
  await command('flush');
  far.host.failCalls({ calls: ['write'], nth: 1, error: errno.EAGAIN });
  event('unsolicited');
  t.equal(writeEvents.size, 1);
  fifo.close();
  t.equal(writeEvents.size, 0);
  const { posix } = far.host;
  for (const fd of [far.fd, answers]) t.equal(posix.close(fd), -errno.EBADF, 'both are closed');
  const numbers = Array.from({ length: 8 }, () => posix.eventfd());
  t.ok(numbers.includes(far.fd) && numbers.includes(answers));
  fifo.close();
  asked[0]?.(1);
  await world.run(0.1);
  t.equal(listeners.size, 0);
  for (const number of numbers) t.equal(posix.close(number), 0, 'and not closed twice');
});

t.test('without an event there is no control', async (t) => {
  const { far } = await connection();
  t.throws(
    () =>
      new ControlFifo({
        registrar: { registerEvent: () => -errno.ENOMEM, unregisterEvent: () => {}, setMaxTimeout: () => 0 },
        posix: far.host.posix,
        logger: { log: () => {} },
        replication: { checkpoint: () => {}, onEvent: () => () => {} },
        commands: far.fd,
        answers: far.fd,
      }),
    { message: 'cannot read commands: ENOMEM' },
  );
});
