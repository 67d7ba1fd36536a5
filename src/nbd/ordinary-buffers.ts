// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { OrdinaryBuffers } from '../posix/node/ordinary-buffers.js';

/**
 * Memory for the requests of all servers on disks that copy their data. A pool for each server would collect the garbage of
 * the whole process once for each of them.
 */
export const ordinaryBuffers = new OrdinaryBuffers();
