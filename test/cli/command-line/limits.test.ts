// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { type Command, type CommandGroup, isGroup } from '../../../src/cli/command-line/command.js';
import type { CommandTable } from '../../../src/cli/command-line/command-table.js';
import type { Parameter } from '../../../src/cli/command-line/parameter.js';
import { optionName } from '../../../src/cli/command-line/parameter-names.js';
import { program } from '../../../src/cli/commands.js';

/** The table of each command, by its words. */
function* tablesOf(
  entry: Command | CommandGroup,
  before: string,
): Generator<readonly [where: string, table: CommandTable]> {
  if (!isGroup(entry)) yield [`${before}${entry.table.name}`, entry.table];
  else
    for (const each of entry.commands)
      yield* tablesOf(each, entry === program ? '' : `${before}${entry.name} `);
}

/** Each option and argument, by its command. */
function* parametersOf(
  group: CommandGroup,
): Generator<readonly [where: string, parameter: Parameter<unknown>]> {
  for (const [path, { options, arguments: named }] of tablesOf(group, '')) {
    for (const [key, option] of Object.entries(options)) yield [`${path} ${optionName(key)}`, option];
    for (const [key, argument] of Object.entries(named)) yield [`${path} ${key.toUpperCase()}`, argument];
  }
}

const parameters = [...parametersOf(program)];
const COMMON = /--(?:pid|minor|control-directory)$| MINOR$/;

t.test('values have these ranges, and these defaults', async (t) => {
  const limits = parameters.filter(
    ([where, { type, defaultText }]) =>
      !COMMON.test(where) && (type?.range !== undefined || defaultText !== undefined),
  );
  t.same(
    limits.map(([where, { type, defaultText = 'none' }]) => `${where}: ${type?.range}; ${defaultText}`),
    [
      'primary --connect-timeout: 1 to 3600; 10',
      'primary --idle-timeout: 0 to 86400; 0',
      'primary --silence-timeout: 0 to 86400; 30',
      'backup --mode: 0600 to 0777; none',
      'backup --max-size: 1 to 9007199254740991; none',
      'backup --min-rate: 0 to 9007199254740991; 0',
      'backup --idle-timeout: 0 to 86400; 0',
      'backup --silence-timeout: 0 to 86400; 30',
      'daemon --tls-min: 1.2, 1.3; 1.3',
      'daemon --max-connections: 1 to 65536; 128',
      'daemon --max-connections-per-peer: 1 to 65536; 64',
      'daemon --handshake-timeout: 1 to 86400; 30',
      'daemon --idle-timeout: 0 to 86400; 0',
      'daemon --max-request-memory: 64 to 1048576; 256',
      'daemon --log-level: emerg, alert, crit, err, warning, notice, info, debug; info',
      'daemon --log-format: text, json; text',
      'daemon --dialect: tapdisk2, tapdisk3; tapdisk2',
      'daemon --trace-limit: 1 to 1048576; 64',
      'daemon --grace: 0 to 86400; 60',
      'replication status --require: protected, catching-up, backup; none',
      'replication watch --seconds: 1 to 86400; none',
      'vhd create --max-size: in bytes, or with K, M, G or T for powers of 1024; rounded up to 512 bytes; none',
      'vhd create --block-size: 512 to 2M, a power of two; 2M',
      'vhd create SIZE: in bytes, or with K, M, G or T for powers of 1024; rounded up to 512 bytes; none',
      'vhd resize SIZE: in bytes, or with K, M, G or T for powers of 1024; rounded up to 512 bytes; none',
      'vhd convert --from: raw, vhd; vhd if it has a valid footer, else raw',
      'vhd convert --to: raw, vhd, vhd-fixed; vhd',
      'conformance --suite: scheduler, replication, async-io, ramdisk, ramdisk-guarded; none',
      'conformance --dialect: tapdisk2, tapdisk3; none',
      'conformance --show: 0 to 1000000; 10, or 100 in html',
      'conformance --format: text, json, tap, junit, html; text',
      'conformance --jobs: 1 to 256; 1',
      'conformance --timeout: 0.001 to 86400; 10',
      'simulate --seeds: undefined; 1..1000',
      'simulate --seed: 0 to 9007199254740991; none',
      'simulate --dialect: tapdisk2, tapdisk3; tapdisk2',
      'completion SHELL: bash, zsh, fish; none',
    ],
  );
});

t.test('process ids and minor numbers have the same ranges everywhere', async (t) => {
  const ranges = new Set(
    parameters.flatMap(([where, { type }]) => {
      const [, name] = /(pid|minor)$/i.exec(where) ?? [];
      return name === undefined ? [] : [`${name.toLowerCase()}: ${type?.range}`];
    }),
  );
  t.same([...ranges], ['pid: 1 to 2147483647', 'minor: 0 to 65534']);
});

t.test('of a range both ends are taken, and nothing beyond them', async (t) => {
  let count = 0;
  for (const [where, { type }] of parameters) {
    const [, min, max] = /^([\d.]+) to (\d+)$/.exec(type?.range ?? '') ?? [];
    if (type === undefined || min === undefined || max === undefined || type.placeholder === 'MODE') continue;
    count += 1;
    for (const end of [min, max]) t.equal(type.parse(end), Number(end), where);
    const above = String(BigInt(max) + 1n);
    const below = Number(min) >= 1 ? String(Number(min) - 1) : `${Number(min) / 2 || -1}`;
    for (const beyond of [below, above, '', 'x'])
      t.throws(() => type.parse(beyond), { name: 'UsageError', message: /expected / }, `${where} ${beyond}`);
  }
  t.ok(count > 40);
});

t.test('these options may be given again and again, and these must be given', async (t) => {
  const where = (isSo: (parameter: Parameter<unknown>) => boolean): string[] =>
    parameters.filter(([, parameter]) => isSo(parameter)).map(([each]) => each);
  t.same(
    where(({ repeatable }) => repeatable),
    [
      'primary --allow',
      'backup --allow',
      'daemon --disk',
      'daemon --read-only-disk',
      'daemon --nbd',
      'daemon --description',
      'daemon --tls-allow',
      'daemon --metrics-host',
      'vhd info --parents',
      'vhd info IMAGES',
      'vhd check --parents',
      'vhd snapshot --parents',
      'vhd coalesce --relink',
      'vhd coalesce --parents',
      'vhd convert --parents',
      'conformance --cmd',
      'conformance FILES',
    ],
  );
  t.same(
    where(({ required }) => required).filter((each) => !/^(?:ctl|replication) .*(?:pid|minor)$/i.test(each)),
    [
      'primary ADDRESS',
      'backup ADDRESS',
      'ctl open --args',
      'ctl snapshot CHILD',
      'replication discard --keep',
      'vhd create IMAGE',
      'vhd create SIZE',
      'vhd check IMAGE',
      'vhd snapshot IMAGE',
      'vhd snapshot CHILD',
      'vhd coalesce CHILD',
      'vhd resize IMAGE',
      'vhd resize SIZE',
      'vhd repair IMAGE',
      'vhd convert SOURCE',
      'vhd convert TARGET',
      'record SCRIPT',
      'completion SHELL',
    ],
  );
});

t.test('commands exit with 0 or 1 beside the status of a usage error, and these with others', async (t) => {
  const statuses = [...tablesOf(program, '')].map(
    ([where, { exitStatus, signalStatus }]) =>
      `${where}: ${Object.keys(exitStatus).join(' ')}${signalStatus === undefined ? '' : ' 128+N'}`,
  );
  const kinds = '10 11 12 13 14 15 16 17 18 19';
  t.same(
    statuses.filter((each) => !each.endsWith(': 0 1')),
    [
      'primary: 0 1 128+N',
      'backup: 0 1 3 128+N',
      'daemon: 0 1 128+N',
      `vhd create: 0 1 ${kinds}`,
      `vhd info: 0 1 ${kinds}`,
      `vhd check: 0 1 ${kinds}`,
      `vhd snapshot: 0 1 ${kinds}`,
      `vhd coalesce: 0 1 3 ${kinds}`,
      `vhd resize: 0 1 ${kinds}`,
      `vhd repair: 0 1 ${kinds}`,
      `vhd convert: 0 1 3 ${kinds}`,
      'completion: 0',
    ],
  );
});

t.test('options that go only with others, or not with them, are these', async (t) => {
  const conditions = parameters.flatMap(([where, { requires, excludes }]) => [
    ...(requires ?? []).map((key) => `${where} requires ${optionName(key)}`),
    ...(excludes ?? []).map((key) => `${where} excludes ${optionName(key)}`),
  ]);
  t.same(conditions, [
    'primary --status excludes --no-status',
    'backup --mode requires --output',
    'backup --previous requires --output',
    'backup --raw excludes --no-raw',
    'backup --status excludes --no-status',
    'daemon --description requires --nbd',
    'daemon --default-disk requires --nbd',
    'daemon --tls-cert requires --tls-key',
    'daemon --tls-cert requires --nbd',
    'daemon --tls-key requires --tls-cert',
    'daemon --tls-ca requires --tls-cert',
    'daemon --tls-allow requires --tls-cert',
    'daemon --tls-psk requires --nbd',
    'daemon --tls-psk excludes --tls-cert',
    'daemon --tls-min requires --nbd',
    'daemon --metrics-host requires --metrics',
    'daemon --metrics-token-file requires --metrics',
    'daemon --trace-limit requires --trace',
    'vhd create --max-size excludes --fixed',
    'vhd create --block-size excludes --fixed',
    'conformance --own requires --cmd',
    'simulate --seed excludes --seeds',
    'simulate --trace requires --seed',
  ]);
});
