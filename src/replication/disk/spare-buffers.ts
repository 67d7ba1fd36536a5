// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { OrdinaryBuffers } from '../../posix/node/ordinary-buffers.js';

/** Memory of all disks for what is on its way: buffers as large as these would be most of the garbage. */
export const spareBuffers = new OrdinaryBuffers();
