// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { once } from 'node:events';
import { connect } from 'node:net';
import t from 'tap';
import { ControlClient } from '../../src/control/control-client.js';
import { ControlMessage } from '../../src/control/message.js';
import { MessageType } from '../../src/control/message-type.js';
import { NodePosix } from '../../src/posix/index.js';
import { shortDirectory } from '../short-directory.js';
import { DaemonChild } from './daemon-child.js';

t.test('what a client gave up while the daemon was suspended is not done when it goes on', async (t) => {
  const directory = shortDirectory(t);
  const child = new DaemonChild(t, ['--control-directory', directory, '--disk', '0=ram:1']);
  const { control = '' } = await child.ready();
  child.kill('SIGSTOP');
  for (const request of [
    ControlMessage.create(MessageType.pause, 0),
    ControlMessage.create(MessageType.attach, 7),
  ]) {
    const socket = connect(control);
    await once(socket, 'connect');
    await new Promise<void>((resolve) => socket.write(request.bytes, () => resolve()));
    socket.destroy();
  }
  child.kill('SIGCONT');
  const list = await new ControlClient(new NodePosix(), directory).list(child.pid);
  t.match(list, [{ minor: 0, state: 0 }]);
  t.equal(list.length, 1);
});
