// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { CPeers } from '../sessions.js';
import { CBackupPeer } from './c-backup-peer.js';
import { CPrimarySession } from './c-primary-session.js';

/** The C driver's protocol (block-remus.c), written from how it behaves. */
export const cPeers: CPeers = {
  backupPeer: (connection, events) => new CBackupPeer(connection, events),
  primarySession: (connection, receiver, lost) => new CPrimarySession(connection, receiver, lost),
};
