// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { defineTable } from '../../../src/cli/command-line/command-table.js';
import { flag, optional, repeated, required, withDefault } from '../../../src/cli/command-line/parameter.js';
import { parseValues } from '../../../src/cli/command-line/parse-values.js';
import {
  decimalNumber,
  oneOf,
  permissions,
  text,
  wholeNumber,
} from '../../../src/cli/command-line/value-type.js';

const table = defineTable({
  name: 'example',
  summary: 'show what can be parsed',
  description: [],
  arguments: {
    from: required(text('FROM'), { help: '' }),
    others: repeated(wholeNumber('N', 0, 9), { help: '' }),
  },
  options: {
    dryRun: flag({ short: 'n', help: '' }),
    colour: withDefault(oneOf('COLOUR', ['red', 'blue']), 'red', { short: 'c', help: '' }),
    tag: repeated(text('TAG'), { help: '' }),
    home: optional(text('PATH'), { help: '', environment: 'EXAMPLE_HOME' }),
    fast: flag({ help: '', excludes: ['slow'] }),
    slow: flag({ help: '', requires: ['dryRun'] }),
  },
  exitStatus: {},
});
const parse = (...argv: string[]) => parseValues(table, argv, { EXAMPLE_HOME: '' });
const absent = { dryRun: false, colour: 'red', tag: [], home: undefined, fast: false, slow: false };

t.test('omitted options have their defaults', async (t) => {
  t.strictSame(parse('a'), { ...absent, from: 'a', others: [] });
});

t.test('options can stand anywhere, in every usual form, until --', async (t) => {
  t.strictSame(parse('-nc', 'blue', 'a', '--tag=x=y', '1', '--tag', 'z', '--home=-h', '2'), {
    ...absent,
    dryRun: true,
    colour: 'blue',
    tag: ['x=y', 'z'],
    home: '-h',
    from: 'a',
    others: [1, 2],
  });
  t.strictSame(parse('--', '--tag', '3'), { ...absent, from: '--tag', others: [3] });
  t.strictSame(parse('-cblue', '-').colour, 'blue');
  t.strictSame(parse('a', '--home', '-').home, '-', 'a dash alone is a value');
});

t.test('a variable supplies what the command line omits; an empty one counts as unset', async (t) => {
  t.equal(parseValues(table, ['a'], { EXAMPLE_HOME: '/e' }).home, '/e');
  t.equal(parseValues(table, ['a', '--home', '/c'], { EXAMPLE_HOME: '/e' }).home, '/c');
  t.equal(parse('a').home, undefined);
  t.strictSame(parseValues(table, ['a'], { undefined: 'x' }), { ...absent, from: 'a', others: [] });
});

t.test('options that require or exclude others are accepted with, or without, those', async (t) => {
  t.strictSame(parse('a', '-n', '--slow'), { ...absent, from: 'a', others: [], dryRun: true, slow: true });
  t.strictSame(parse('a', '--fast'), { ...absent, from: 'a', others: [], fast: true });
});

const wrongs: [string[], string][] = [
  [[], 'missing FROM'],
  [['a', 'x'], 'invalid N "x": expected a whole number from 0 to 9'],
  [['a', '10'], 'invalid N "10": expected a whole number from 0 to 9'],
  [[''], 'invalid FROM "": expected FROM, not an empty string'],
  [['a', '--dryrun'], 'unknown option --dryrun'],
  [['a', '--dry'], 'unknown option --dry: did you mean --dry-run?'],
  [['a', '--dr'], 'unknown option --dr: did you mean --dry-run?'],
  [['a', '--d'], 'unknown option --d'],
  [['a', '--ry'], 'unknown option --ry'],
  [['a', '-x'], 'unknown option -x'],
  [['a', '--\u001B[31m'], 'unknown option "--\\u001b[31m"'],
  [['a', '--toString'], 'unknown option --toString'],
  [['a', '--dry-run=yes'], '--dry-run takes no value'],
  [['a', '--tag'], '--tag requires a value: TAG'],
  [['a', '--tag', '-n'], '--tag requires a value: TAG; write --tag=-n if it begins with a dash'],
  [['a', '--colour', 'green'], 'invalid --colour "green": expected one of red, blue'],
  [['a', '-n', '--dry-run'], '--dry-run can be given only once'],
  [['a', '-c', 'red', '-c', 'red'], '--colour can be given only once'],
  [['a', '--slow'], '--slow requires --dry-run'],
  [['a', '-n', '--slow', '--fast'], '--fast and --slow are mutually exclusive'],
];
for (const [argv, message] of wrongs) {
  t.test(`${JSON.stringify(argv)} is a usage error`, async (t) => {
    const thrown = t.throws(() => parse(...argv), { name: 'UsageError' }) as Error;
    t.equal(thrown.message, message);
  });
}

t.test('an argument too many is a usage error', async (t) => {
  const single = { ...table, arguments: { from: table.arguments.from } };
  t.equal(parseValues(single, ['a'], {}).from, 'a');
  t.throws(() => parseValues(single, ['a', 'b\n', 'c'], {}), {
    name: 'UsageError',
    message: 'unexpected argument "b\\n"',
  });
});

t.test('permissions are octal, and let the owner read and write', async (t) => {
  const mode = permissions('MODE');
  t.equal(mode.parse('640'), 0o640);
  t.equal(mode.parse('0600'), 0o600);
  t.equal(mode.parse('777'), 0o777);
  for (const given of ['', '0', '400', '0200', '0440', '888', '1600', '00600', '0x600', '60'])
    t.throws(() => mode.parse(given), { name: 'UsageError', message: /such as 0640$/ }, given);
});

t.test('a number is in its range, the ends of which are in it', async (t) => {
  const [whole, decimal] = [wholeNumber('N', 2, 4), decimalNumber('N', 0.5, 4)];
  t.equal(whole.range, '2 to 4');
  for (const given of ['2', '3', '4', '003']) t.equal(whole.parse(given), Number(given));
  for (const given of ['1', '5', '', '3.0', '-3', '+3', ' 3', '0x3'])
    t.throws(() => whole.parse(given), { message: 'expected a whole number from 2 to 4' }, given);
  for (const given of ['0.5', '3', '4.0']) t.equal(decimal.parse(given), Number(given));
  for (const given of ['0.49', '4.01', '.5', '3.', '1e0', ''])
    t.throws(() => decimal.parse(given), { message: 'expected a number from 0.5 to 4' }, given);
});
