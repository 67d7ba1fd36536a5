// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Server } from 'node:net';
import type { Readable, Writable } from 'node:stream';

/** A Node stream that can stand behind a descriptor: net and tls sockets, pipes, file streams, anything made of bytes. */
export type NodeStream = Readable | Writable;

/** What can be adopted as a descriptor, and what is handed back (rule D5). */
export type NodeObject = NodeStream | Server;
