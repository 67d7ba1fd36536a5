// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { defineTable } from '../command-line/command-table.js';
import { flag, optional, required, withDefault } from '../command-line/parameter.js';
import { file, permissions, wholeNumber } from '../command-line/value-type.js';
import { hostPort } from '../host-port.js';
import { REPORTS_NOTE, transferOptions } from './transfer-options.js';

export const backupTable = defineTable({
  name: 'backup',
  summary: 'receive images from a primary, one after another',
  description: [
    'Listens on HOST:PORT, an address of this host, receives the image that a primary sends, and then waits for the next one.',
  ],
  redirection: '> COPY',
  arguments: {
    address: required(hostPort(0), {
      help: 'Where to listen: a name or an IPv4 address of this host, or 0.0.0.0 for all of them. Port 0 picks and reports a free port.',
    }),
  },
  options: {
    output: optional(file(), {
      short: 'o',
      help: 'Write each image to this file or device instead of standard output.',
    }),
    mode: optional(permissions('MODE'), {
      help: 'Permissions of the copy, in octal. Default: those of the replaced file, or 0600.',
      requires: ['output'],
    }),
    previous: flag({
      help: 'Keep the replaced copy as FILE.previous.',
      requires: ['output'],
    }),
    once: flag({ help: 'Exit after the first complete image.' }),
    raw: flag({
      help: 'Also accept images from programs other than tapdisk-ts primary: everything that one sends until it closes the connection replaces the copy.',
      excludes: ['noRaw'],
    }),
    noRaw: flag({ help: 'Accept images only from tapdisk-ts primary (the default).' }),
    maxSize: optional(wholeNumber('BYTES', 1, Number.MAX_SAFE_INTEGER), {
      help: 'Refuse larger images.',
    }),
    minRate: withDefault(wholeNumber('BYTES', 0, Number.MAX_SAFE_INTEGER), 0, {
      help: 'Drop a primary that sends fewer bytes per second, measured over 10 s; 0 means never. Time spent waiting for the local disk does not count.',
    }),
    ...transferOptions,
  },
  notes: [
    REPORTS_NOTE,
    'An image is written to FILE.partial and renamed to FILE once it is complete and on stable storage: FILE is always a whole image, and a broken transfer leaves the previous one. A device is written in place. Standard output receives one image after another; if a transfer to it breaks off, the backup exits with status 1.',
    'If an image cannot be written, for example for lack of space, both sides report it, and the backup waits for the next one.',
    'With --raw, another program sends only the image, and the end of its connection is the end of the image. A connection without any data changes nothing.',
  ],
  exitStatus: {
    0: 'With --once: the image is complete.',
    1: 'Could not write standard output, or, with --once, FILE (except for lack of space); or could not listen on the address.',
    3: 'The address is not one of this host: the other host is the backup.',
  },
  signalStatus: 'Terminated by signal N: 130 by SIGINT, 143 by SIGTERM, 129 by SIGHUP.',
});
