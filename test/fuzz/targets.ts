// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { readFileSync } from 'node:fs';
import { Writable } from 'node:stream';
import { repositoryFile } from '../../scripts/repository-files.js';
import { parseVectorFile } from '../../src/conformance/vector-file.js';
import { metricsEndpoint } from '../../src/metrics/metrics-endpoint.js';
import { AF_INET, AF_UNIX } from '../../src/posix/index.js';
import { nullLogger } from '../../src/server/index.js';
import type { Random } from '../../src/testing/random.js';
import { BackupAnswer } from '../../src/transfer/backup-answer.js';
import type { Output } from '../../src/transfer/output.js';
import { GREETING, HEADER, trailer, verdictLine } from '../../src/transfer/wire.js';
import { malformedMessage } from '../control/malformed.js';
import { controlWorld, PID } from '../control/world.js';
import { exampleReport } from '../metrics/example-report.js';
import { malformedHandshake } from '../nbd/malformed.js';
import { nbdWorld } from '../nbd/nbd-world.js';
import { randomBytes } from '../random.js';
import { backupOn, inputOf, primaryOn, sha256 } from '../transfer/world.js';
import { clientTargets } from './client-targets.js';
import type { FuzzTargets } from './fuzz-target.js';
import { mutated } from './mutated.js';
import { replicationTargets } from './replication-targets.js';
import { runningServer } from './running-server.js';
import { visit } from './visit.js';

export const targets: FuzzTargets = {
  ...clientTargets,
  ...replicationTargets,

  'NBD handshake and transmission': async (t) => {
    const world = nbdWorld(t);
    await world.open('ram:1');
    const path = world.path('nbd.sock');
    return {
      say: (random) => {
        world.lines.length = 0;
        return visit({ path }, malformedHandshake(random), random);
      },
      check: async () => void (await (await world.client('0')).read(0, 4096)),
    };
  },

  'control messages': async (t) => {
    const { control, client } = controlWorld(t);
    return {
      say: (random) =>
        visit({ path: control.path }, mutated(random, Buffer.from(malformedMessage(random)), 1), random),
      check: async () => void (await client.pid(PID)),
    };
  },

  'transfer greeting and frames': async (t) => {
    const server = runningServer(t);
    const { backup, log } = backupOn(server, { output: nowhere, maxBytes: 1 << 16 });
    t.teardown(() => backup.stop('end'));
    await backup.start();
    const { address } = await log.event('listening');
    const port = Number(address.split(':')[1]);
    return {
      say: async (random) => {
        log.events.length = 0;
        takeAnswer(random);
        await visit({ port, host: '127.0.0.1' }, mutated(random, framed(random)), random);
      },
      check: async () => {
        const { primary } = primaryOn(server, { name: address, input: inputOf(Buffer.alloc(512)) });
        await primary.start();
        if ((await primary.ended).kind !== 'complete') throw new Error('an image was not taken');
      },
    };
  },

  HTTP: async (t) => {
    const server = runningServer(t);
    const at = { family: AF_INET, address: '127.0.0.1', port: 0 } as const;
    const parts = { registrar: server, posix: server.posix, logger: nullLogger, report: () => exampleReport };
    const listener = metricsEndpoint(at, parts);
    t.teardown(() => listener[Symbol.dispose]());
    const { address } = listener;
    if (address.family === AF_UNIX) throw new Error('not at a port');
    const { port } = address;
    return {
      say: (random) => visit({ port, host: '127.0.0.1' }, mutated(random, httpRequest(random)), random),
      check: async () => {
        const { status } = await fetch(`http://127.0.0.1:${port}/metrics`);
        if (status !== 200) throw new Error(`status ${status}`);
      },
    };
  },

  'vector files': async () => {
    const files = ['scheduler-named', 'replication-named', 'ramdisk', 'async-io-named'];
    const vectors = files.flatMap(
      (name) => JSON.parse(readFileSync(repositoryFile(`test/vectors/${name}.json`), 'utf8')) as unknown[],
    );
    return {
      say: async (random) => {
        const text = JSON.stringify([changed(random, random.pick(vectors))]);
        parseVectorFile('fuzz', String(random.chance(0.3) ? mutated(random, Buffer.from(text)) : text));
        await new Promise(setImmediate);
      },
      check: async () => {
        const [item] = parseVectorFile('fuzz', JSON.stringify(vectors.slice(0, 1)));
        if (item?.kind !== 'vector') throw new Error('a vector is none any more');
      },
    };
  },
};

/** Takes every image, and keeps none. */
const nowhere: Output = {
  name: 'nowhere',
  appends: false,
  begin: async () => {
    const stream = new Writable({ write: (_chunk, _encoding, done) => done() });
    return { stream, commit: async () => void stream.destroy(), abandon: async () => void stream.destroy() };
  },
};

function framed(random: Random): Buffer {
  const image = randomBytes(random, random.pick([0, 1, 100, 5000]));
  const end = trailer({ bytes: image.length, sha256: random.chance(0.8) ? sha256(image) : sha256(HEADER) });
  return Buffer.concat([random.chance(0.9) ? HEADER : GREETING, image, end]);
}

/** What a false backup says to a primary. */
function takeAnswer(random: Random): void {
  const verdict = random.chance(0.5)
    ? verdictLine({ kind: 'ok', bytes: random.integer(0, 2 ** 31 - 1), sha256: sha256(HEADER) })
    : verdictLine({ kind: 'error', code: 'ENOSPC', message: 'x'.repeat(random.integer(0, 600)) });
  const bytes = mutated(random, Buffer.concat([random.chance(0.5) ? GREETING : Buffer.alloc(0), verdict]));
  const answer = new BackupAnswer();
  const cut = random.integer(0, bytes.length);
  answer.take(bytes.subarray(0, cut));
  answer.take(bytes.subarray(cut));
}

function httpRequest(random: Random): Buffer {
  const fields = [
    'Host: 127.0.0.1',
    'Host: [::1]:80',
    'Content-Length: 18446744073709551616',
    'Transfer-Encoding: chunked',
    'Connection: keep-alive, upgrade',
    `X: ${'x'.repeat(random.pick([0, 100, 9000]))}`,
    ' folded',
    ':',
  ];
  const chosen = Array.from({ length: random.integer(0, 5) }, () => random.pick(fields));
  const method = random.pick(['GET', 'HEAD', 'POST', 'PRI', '']);
  const target = random.pick(['/metrics', '/metrics?a=b', 'http://127.0.0.1/metrics', '*', '/../..', '']);
  const lines = [`${method} ${target} HTTP/${random.pick(['1.1', '1.0', '2.0', '0.9', '11'])}`, ...chosen];
  return Buffer.from(`${lines.join(random.chance(0.9) ? '\r\n' : '\n')}\r\n\r\n`);
}

/** A value of JSON in which one place has another value. */
function changed(random: Random, value: unknown): unknown {
  if (value === null || typeof value !== 'object' || random.chance(0.1)) {
    return random.pick([null, -1, 2 ** 53, 1e308, '', '__proto__', '\u202E', [], {}, true, [[[[]]]]]);
  }
  const at = random.pick(Object.keys(value).length === 0 ? [''] : Object.keys(value));
  const entries = Object.entries(value).flatMap(([key, member]): [string, unknown][] => {
    if (key !== at) return [[key, member]];
    return random.chance(0.05) ? [] : [[random.chance(0.05) ? '__proto__' : key, changed(random, member)]];
  });
  return Array.isArray(value) ? entries.map(([, member]) => member) : Object.fromEntries(entries);
}
