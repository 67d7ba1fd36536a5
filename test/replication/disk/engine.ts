// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { Replication } from '../../../src/replication/disk/engine.js';
import type { CreateReplication } from './simulation/node.js';

/** The engine as it is. */
export const create: CreateReplication = (parts, options) => new Replication(options, parts);
