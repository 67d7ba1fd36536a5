// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { ATTEMPT_SECONDS } from '../../replication/attempt-seconds.js';
import { defineTable } from '../command-line/command-table.js';
import { flag, optional, required, withDefault } from '../command-line/parameter.js';
import { file, wholeNumber } from '../command-line/value-type.js';
import { hostPort } from '../host-port.js';
import { REPORTS_NOTE, transferOptions } from './transfer-options.js';

/** An hour: longer than any kernel waits. */
const MAX_CONNECT_SECONDS = 3600;

export const primaryTable = defineTable({
  name: 'primary',
  summary: 'send an image to a backup',
  description: [
    'Connects to the backup at HOST:PORT, retrying once a second until it is available, sends it the image, and checks that both sides have the same bytes. If the name has several IPv4 addresses, they are tried in turn.',
  ],
  redirection: '< IMAGE',
  arguments: {
    address: required(hostPort(1), { help: "The backup's address: a name or an IPv4 address, and a port." }),
  },
  options: {
    input: optional(file(), {
      short: 'i',
      help: 'Send this file or block device instead of standard input.',
    }),
    raw: flag({
      help: 'Send only the image, immediately, to a backup that is another program and sends no greeting.',
    }),
    connectTimeout: withDefault(wholeNumber('SECONDS', 1, MAX_CONNECT_SECONDS), ATTEMPT_SECONDS, {
      help: 'Try the next address if one does not respond for this long. A name with one address has no such limit.',
    }),
    ...transferOptions,
  },
  notes: [
    REPORTS_NOTE,
    'If the connection breaks during the transfer, the transfer fails and the backup discards what it received; the next run starts over. A backup that is another program receives only the image, followed by the end of the connection.',
  ],
  exitStatus: {
    0: 'The image was sent, and the backup confirmed it. Another program cannot confirm; a note says so.',
    1: 'The image was not sent, or not confirmed.',
  },
  signalStatus: 'Terminated by signal N: 130 by SIGINT, 143 by SIGTERM, 129 by SIGHUP.',
});
