// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { Random } from '../../src/testing/index.js';
import { DaemonChild } from '../daemon/daemon-child.js';
import { randomSeed } from '../random.js';
import { shortDirectory } from '../short-directory.js';
import { loadUntilKilled } from './kill-load.js';

const ROUNDS = 3;
/** Few, so that writes overlap. */
const SECTORS = 512;

t.test('after kill -9 the file has all acknowledged writes, overlapping ones in order', async (t) => {
  const directory = shortDirectory(t);
  const random = new Random(randomSeed(t));
  for (let round = 0; round < ROUNDS; round++) {
    const image = path.join(directory, `image-${round}`);
    writeFileSync(image, '');
    truncateSync(image, SECTORS * 512);
    const socket = path.join(directory, `n${round}`);
    const daemon = new DaemonChild(t, [
      ...['--control-directory', directory, '--disk', `0=aio:${image}`, '--nbd', socket],
    ]);
    await daemon.ready();
    const disk = { daemon, socket, sectors: SECTORS, lastWord: 0, requests: 1500, isMixed: false };
    const faults = await loadUntilKilled(t, random, disk);
    t.same(faults(readFileSync(image), Buffer.alloc(SECTORS * 512)), []);
  }
});
