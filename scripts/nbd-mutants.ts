// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Mutant } from './mutant.js';
import { noticedBy } from './outside-mutants.js';

/** Small ways to break the NBD server, and how a daemon listens, reloads and resizes. */
export const NBD_MUTANTS: readonly Mutant[] = [
  ...noticedBy('nbd/extended-headers', 'nbd/requests.ts', [
    [
      'takes every length for that of a payload',
      'CMD_FLAG_PAYLOAD_LEN) === 0 ? 0 : length',
      'CMD_FLAG_PAYLOAD_LEN) === 0 ? length : length',
    ],
    ['lets any command have a payload', 'isExtended && payloadCommands.has(command)', 'isExtended'],
    [
      'lets plain headers have a payload',
      'isExtended && payloadCommands.has(command)',
      'payloadCommands.has(command)',
    ],
  ]),
  ...noticedBy('nbd/extended-headers', 'nbd/replies.ts', [
    ['repeats no offset', 'chunk.writeUInt32BE(place.low, 20);', 'chunk.writeUInt32BE(0, 20);'],
    ['repeats half of an offset', 'chunk.writeUInt32BE(place.high, 16);', 'chunk.writeUInt32BE(0, 16);'],
    [
      'counts one extent too many',
      'head = [context, extents.length]',
      'head = [context, extents.length + 1]',
    ],
  ]),
  ...noticedBy('nbd/extended-headers', 'nbd/transmission.ts', [
    [
      'takes any context for its own',
      'context === ALLOCATION_CONTEXT_ID ? this.#rangeError(filtered) : -errno.EINVAL',
      'this.#rangeError(filtered)',
    ],
    [
      'takes filters of any length',
      'return payloadBytes === STATUS_FILTER_BYTES ? 0 : -errno.EINVAL;',
      'return payloadBytes >= STATUS_FILTER_BYTES ? 0 : -errno.EINVAL;',
    ],
    [
      'goes on after a write without PAYLOAD_LEN',
      'return isMissing && length > 0 ?',
      'return isMissing && length < 0 ?',
    ],
    ['drops data of any length', 'if (payloadBytes > MAX_SKIPPED_BYTES)', 'if (payloadBytes > Infinity)'],
    ['caches on for nobody', 'isNeeded = (): boolean => !this.#ended', 'isNeeded = (): boolean => true'],
  ]),
  ...noticedBy('nbd/extended-headers', 'nbd/handshake.ts', [
    [
      'falls back to structured replies',
      "if (this.#replies === 'extended')",
      "if (this.#replies === 'simple')",
    ],
  ]),
  ...noticedBy('nbd/tls-psk', 'nbd/psk-file.ts', [
    ['takes short keys', 'bytes.length < MIN_KEY_BYTES ||', 'bytes.length < 1 ||'],
    ['takes the last of two keys', 'if (keys.has(identity)) throw', 'if (keys.size < 0) throw'],
  ]),
  ...noticedBy('nbd/tls-psk', 'nbd/tls-psk.ts', [
    [
      'has a key for everybody',
      'return keys.get(name) ?? null;',
      'return keys.get(name) ?? [...keys.values()][0] ?? null;',
    ],
    ['takes TLS 1.2 unasked', "minVersion = 'TLSv1.3'", "minVersion = 'TLSv1.2'"],
  ]),
  ...noticedBy('daemon/tls-files', 'daemon/tls-files.ts', [
    [
      'reads nothing again',
      '  reload(): void {\n    this.#current = this.#read();',
      '  reload(): void {\n    this.#read();',
    ],
  ]),
  ...noticedBy('nbd/server', 'nbd/server.ts', [
    [
      'stops on its first address only',
      'for (const acceptor of this.#acceptors.splice(0))',
      'for (const acceptor of this.#acceptors.splice(0, 1))',
    ],
  ]),
  ...noticedBy('nbd/server', 'nbd/connection.ts', [
    ['takes nobody for idle', ' < idleTimeoutSeconds) return;', ' < Infinity) return;'],
    ['takes everybody for idle', 'String(this.#receiver.receivedBytes);', "'';"],
  ]),
  ...noticedBy('daemon/pid-file', 'daemon/pid-file.ts', [
    ['removes what another process wrote', ' && readWholeFile(this.#path).toString() === this.#text', ''],
    [
      'removes another file of the same number',
      'found?.dev === own.dev && found.ino === own.ino',
      'found !== undefined',
    ],
  ]),
  ...noticedBy('daemon/parent-watch', 'daemon/parent-watch.ts', [
    ['tells of the parent again and again', '      this.#timer.clear();\n      onGone();', '      onGone();'],
  ]),
  ...noticedBy('daemon/passed-sockets', 'daemon/passed-sockets.ts', [
    ["takes another process's sockets", ' || forPid !== String(pid)', ''],
  ]),
  ...noticedBy('cli/ctl/resize-command', 'disks/drivers/aio.ts', [
    ['shrinks', 'if (now < was) {', 'if (now < 0) {'],
  ]),
];
