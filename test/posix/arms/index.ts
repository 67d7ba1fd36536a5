// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { connecting } from './connecting.js';
import { descriptors } from './descriptors.js';
import { eventfd } from './eventfd.js';
import { listeningSockets } from './listening.js';
import { numericNames } from './names.js';
import { socketOptions } from './options.js';
import { readinessTable } from './readiness.js';
import { streams } from './streams.js';
import { timerfd } from './timerfd.js';
import type { Behaviour } from './world.js';

/** All that holds for every implementation of Posix. */
export const behaviours: readonly Behaviour[] = [
  ...descriptors,
  ...readinessTable,
  ...connecting,
  ...listeningSockets,
  ...streams,
  ...socketOptions,
  ...eventfd,
  ...timerfd,
  ...numericNames,
];
