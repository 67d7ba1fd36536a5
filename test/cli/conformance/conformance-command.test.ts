// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { execFile } from 'node:child_process';
import { linkSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { join } from 'node:path';
import t from 'tap';
import { programArguments } from '../../../scripts/program.js';
import { repositoryFile } from '../../../scripts/repository-files.js';
import { parseValues } from '../../../src/cli/command-line/parse-values.js';
import { commandWords } from '../../../src/cli/conformance/command-words.js';
import { runConformance } from '../../../src/cli/conformance/conformance-command.js';
import { conformanceTable } from '../../../src/cli/conformance/conformance-table.js';
import { killVector } from '../../conformance/example-vectors.js';
import { command } from '../command.js';

const conformance = (...argv: string[]) => command('conformance', ...argv);
const record = (...argv: string[]) => command('record', ...argv);

/** Registers three events with the third on a descriptor that becomes ready. */
const steps = [
  ['register', 'a'],
  ['register', 'b'],
  ['register', 'c'],
  ['wait', { read: [5] }],
];
const events = {
  a: { mode: ['READ'], fd: 3, timeout: 0 },
  b: { mode: ['READ'], fd: 4, timeout: 0 },
  c: { mode: ['READ'], fd: 5, timeout: 0 },
};
const trace = [
  ['register', 'a', 1],
  ['register', 'b', 2],
  ['register', 'c', 3],
  ['select', { nfds: 6, read: [3, 4, 5], write: [], except: [], timeout: 0 }],
  ['fire', 'c', 3, 'READ'],
  ['wait', 1],
];
const right = { suite: 'scheduler', name: 'right', about: 'Right.', clock: 1000, events, steps, trace };
const wrongTrace = [...trace.slice(0, 4), ['fire', 'b', 2, 'READ'], ['wait', 1], ['wait', 0]];
const wrong = { ...right, name: 'wrong', about: 'Wrong & <so>.', trace: wrongTrace };
const directory = t.testdir({
  'right.json': JSON.stringify([right, killVector]),
  'wrong.json': JSON.stringify([wrong, { ...right, name: 'fine' }]),
  'bad.json': JSON.stringify([{ ...right, steps: [['sleep', 1]] }]),
  'faulty.json': JSON.stringify([
    { ...right, clock: '' },
    { ...right, name: 'second', steps: 1 },
  ]),
  'noted.json': JSON.stringify([{ ...right, seed: 1 }]),
  'broken.json': '[{]',
  'script.json': JSON.stringify({ ...right, trace: undefined }),
});
const file = (name: string): string => join(directory, name);

t.test('passed vectors are counted in the last line, with status 0', async (t) => {
  t.same(await conformance(file('right.json')), { status: 0, stdout: '2 passed, 0 failed\n', stderr: '' });
});

t.test(
  'a failure is reported with the first differing entry and a diff in context, and the status is 1',
  async (t) => {
    const { status, stdout } = await conformance(file('wrong.json'), file('right.json'));
    t.equal(status, 1);
    t.equal(
      stdout,
      `failed scheduler/wrong (${file('wrong.json')})
  Wrong & <so>.
  entry 4: expected ["fire","b",2,"READ"], got ["fire","c",3,"READ"]
  - expected, + observed:
    ...
       1  ["register","b",2]
       2  ["register","c",3]
       3  ["select",{"nfds":6,"read":[3,4,5],"write":[],"except":[],"timeout":0}]
  -    4  ["fire","b",2,"READ"]
  +    4  ["fire","c",3,"READ"]
       5  ["wait",1]
  -    6  ["wait",0]
3 passed, 1 failed
`,
    );
  },
);

t.test('bad files fail by file, vector and member, and the others still run', async (t) => {
  const { status, stdout } = await conformance(
    file('bad.json'),
    file('broken.json'),
    file('none.json'),
    file('right.json'),
  );
  t.equal(status, 1);
  t.match(
    stdout,
    `failed scheduler/right (${file('bad.json')})\n  bad vector: steps[0][0]: expected one of `,
  );
  t.match(stdout, `failed ${file('broken.json')} (${file('broken.json')})\n  bad vector: not JSON: `);
  t.match(stdout, `failed ${file('none.json')} (${file('none.json')})\n  bad vector: cannot be read: ENOENT`);
  t.match(stdout, /\n2 passed, 3 failed\n$/);
});

t.test('a file that is nested too deeply, or not UTF-8, fails as a whole', async (t) => {
  const nested = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
  const own = t.testdir({
    'deep.json': nested,
    'unknown.json': JSON.stringify([{ ...right, more: '@' }]).replace('"@"', nested),
    'utf16.json': Buffer.from(`\uFEFF${JSON.stringify([right])}`, 'utf16le'),
    'latin1.json': Buffer.from(JSON.stringify([{ ...right, name: 'caf\u00e9' }]), 'latin1'),
  });
  for (const [name, message] of [
    ['deep', 'not JSON: arrays and objects are nested deeper than 100'],
    ['unknown', 'not JSON: arrays and objects are nested deeper than 100'],
    ['utf16', 'not UTF-8'],
    ['latin1', 'not UTF-8'],
  ] as const) {
    const path = join(own, `${name}.json`);
    const run = await conformance(path);
    t.equal(run.status, 1, name);
    t.equal(run.stdout, `failed ${path} (${path})\n  bad vector: ${message}\n0 passed, 1 failed\n`);
    t.match(await record(path), { status: 1, stdout: '', stderr: `${name}.json: ${message}\n` });
  }
});

t.test('an unknown member causes a warning on standard error', async (t) => {
  const { status, stderr } = await conformance(file('noted.json'));
  t.equal(status, 0);
  t.equal(stderr, `warning: ${file('noted.json')}: scheduler/right: unknown member seed is passed over\n`);
});

t.test('--suite and --grep choose vectors', async (t) => {
  t.match(await conformance('--suite', 'replication', file('right.json'), file('wrong.json')), {
    status: 0,
    stdout: '1 passed, 0 failed\n',
  });
  for (const [pattern, stdout] of [
    ['/fine', '1 passed, 0 failed\n'],
    ['scheduler/?i??*', '2 passed, 0 failed\n'],
  ] as const) {
    const result = await conformance('--grep', pattern, file('right.json'), file('wrong.json'));
    t.match(result, { status: 0, stdout });
  }
});

t.test('--dialect chooses vectors of the schedulers, and reports where the C panics', async (t) => {
  t.match(await conformance('--dialect', 'tapdisk3', '--grep', '/panic-'), {
    status: 0,
    stdout: '6 passed, 0 failed; 6 passed by going on where the C panics\n',
  });
  t.match(await conformance('--dialect', 'tapdisk2', file('right.json')), {
    status: 0,
    stdout: '1 passed, 0 failed\n',
  });
});

t.test('if nothing is selected the status is 1', async (t) => {
  t.same(await conformance('--grep', 'nothing', file('right.json')), {
    status: 1,
    stdout: '0 passed, 0 failed\n',
    stderr: 'warning: no vector in the files is selected\n',
  });
});

t.test('without a FILE the vectors of the source tree run', async (t) => {
  t.match(await conformance('--grep', 'scheduler/read-'), { status: 0, stdout: '4 passed, 0 failed\n' });
});

t.test('--format json is one document', async (t) => {
  const { status, stdout } = await conformance('--format', 'json', file('wrong.json'));
  t.equal(status, 1);
  t.match(JSON.parse(stdout), {
    passed: 1,
    failed: 1,
    skipped: 0,
    results: [
      {
        file: file('wrong.json'),
        name: 'scheduler/wrong',
        outcome: 'failed',
        traces: { expected: wrongTrace, actual: trace },
      },
      { name: 'scheduler/fine', outcome: 'passed' },
    ],
  });
});

const skipping = `'${process.execPath}' '${repositoryFile('examples/adapter-js/adapter.mjs')}'`;

t.test('--format tap is TAP 14', async (t) => {
  const { stdout } = await conformance(
    '--format',
    'tap',
    '--cmd',
    skipping,
    file('wrong.json'),
    file('right.json'),
  );
  t.match(
    stdout,
    /^TAP version 14\nnot ok 1 - scheduler\/wrong\n {2}---\n {2}file: ".*"\n {2}message: \|\n {4}entry 4: /,
  );
  t.match(stdout, /\n {2}\.\.\.\nok 2 - scheduler\/fine\nok 3 - scheduler\/right\n/);
  t.match(
    stdout,
    /\nok 4 - replication\/kill # SKIP it has a scheduler only\n1\.\.4\n# 2 passed, 1 failed, 1 skipped\n$/,
  );
  t.equal(
    (await conformance('--format', 'tap', '--grep', 'nothing', file('right.json'))).stdout,
    'TAP version 14\n1..0\n# 0 passed, 0 failed\n',
  );
});

t.test('--format junit prints XML with special characters escaped', async (t) => {
  const { stdout } = await conformance(
    '--format',
    'junit',
    '--cmd',
    skipping,
    file('wrong.json'),
    file('right.json'),
  );
  t.match(
    stdout,
    /^<\?xml version="1.0" encoding="UTF-8"\?>\n<testsuites tests="4" failures="1" errors="0" skipped="1" time="/,
  );
  t.match(stdout, `<testsuite name="${file('wrong.json')}" tests="2" failures="1" errors="0" skipped="0"`);
  t.match(
    stdout,
    /<testcase classname="scheduler" name="wrong" time="\d+\.\d{3}">\n {6}<failure message="entry 4: expected \[&#34;fire&#34;/,
  );
  t.match(stdout, /<skipped message="it has a scheduler only"\/>/);
  t.match(stdout, /<testcase classname="scheduler" name="right" time="\d+\.\d{3}"\/>\n/);
});

t.test('a run that skips everything does not pass', async (t) => {
  t.match(await conformance('--suite', 'replication', '--cmd', skipping, file('right.json')), {
    status: 1,
    stdout: /0 passed, 0 failed, 1 skipped\n$/,
  });
});

t.test('a usage error states what is wrong, with status 2', async (t) => {
  const wrongs: [string[], RegExp][] = [
    [['--suite', 'x'], /invalid --suite "x": expected one of scheduler, replication/],
    [['--format', 'xml'], /invalid --format "xml": expected one of text, json, tap, junit/],
    [['--jobs', '0'], /invalid --jobs "0": expected a whole number from 1 to 256/],
    [['--jobs', '1.5'], /invalid --jobs "1.5"/],
    [['--timeout', '-1'], /--timeout requires a value: SECONDS; write --timeout=-1/],
    [['--timeout', '0'], /invalid --timeout "0": expected a number from 0.001 to 86400/],
    [['--timeout', 'soon'], /invalid --timeout "soon"/],
    [['--cmd', ''], /invalid --cmd "": expected a program/],
    [['--cmd', '"a'], /invalid --cmd .*: expected a closing quote/],
    [['--unknown'], /unknown option --unknown/],
  ];
  for (const [argv, message] of wrongs) {
    const { status, stdout, stderr } = await conformance(...argv, file('right.json'));
    t.same([status, stdout], [2, ''], argv.join(' '));
    t.match(stderr, message);
    t.match(stderr, /^tapdisk-ts conformance: .*\nTry tapdisk-ts conformance --help\.\n$/s);
  }
});

t.test('record writes a vector file with the trace that was observed', async (t) => {
  const { status, stdout, stderr } = await record(file('script.json'));
  t.same([status, stderr], [0, '']);
  t.same(JSON.parse(stdout), [right]);
  t.match(stdout, /^\[\n\{"suite":"scheduler".*\}\n\]\n$/);
});

t.test('record replaces a trace that is there', async (t) => {
  t.same(JSON.parse((await record(file('wrong.json'))).stdout), [
    { ...wrong, trace },
    { ...right, name: 'fine' },
  ]);
});

t.test('record writes nothing when the file cannot be used', async (t) => {
  const { status, stdout, stderr } = await record(file('bad.json'));
  t.same([status, stdout], [1, '']);
  t.match(stderr, `tapdisk-ts record: ${file('bad.json')}: scheduler/right: steps[0][0]: expected one of `);
  const faults = (await record(file('faulty.json'))).stderr.trimEnd().split('\n');
  t.match(faults, [/scheduler\/right: clock: /, /scheduler\/second: steps: /], 'each fault, in their order');
  t.match(await record(file('none.json')), { status: 1, stderr: /cannot be read/ });
  t.match(await record(), { status: 2, stderr: /missing SCRIPT/ });
  t.match(await record('a', 'b'), { status: 2, stderr: /unexpected argument "b"/ });
});

t.test('a command line is split into words as by a shell, without expansions', async (t) => {
  t.same(commandWords('node  adapter.mjs\t--x'), ['node', 'adapter.mjs', '--x']);
  t.same(commandWords(` "a b"'c d'e `), ['a bc de']);
  t.same(commandWords(String.raw`a\ b "\"\\\x" '\' \$HOME`), ['a b', String.raw`"\\x`, '\\', '$HOME']);
  t.same(commandWords(`'' ""`), ['', '']);
  t.same(commandWords(''), []);
  t.equal(commandWords(`a 'b`), undefined);
  t.equal(commandWords('a "b'), undefined);
  t.equal(commandWords('a \\'), undefined);
});

t.test('npm run conformance exits with the status of its command', async (t) => {
  const child = promisify(execFile)(process.execPath, [
    ...programArguments('src/cli/conformance/run.ts'),
    file('wrong.json'),
  ]);
  await t.rejects(child, { code: 1, stdout: /\n1 passed, 1 failed\n$/ });
});

t.test(
  'a text report ends with a table by rule, shows so many failures, and can stop at the first',
  async (t) => {
    const folder = t.testdir();
    const path = join(folder, 'wrong.json');
    const broken = Array.from({ length: 12 }, (_, index) => ({
      ...right,
      name: index === 0 ? 'twelve-events' : `wrong-${index}`,
      trace: wrongTrace,
    }));
    writeFileSync(path, JSON.stringify(broken));
    const { stdout, status } = await conformance(path);
    t.equal(status, 1);
    t.equal(stdout.match(/^failed /gm)?.length, 10);
    t.match(stdout, /^2 more did not pass and are not shown \(--show N\)$/m);
    t.match(stdout, /^E1 0\/1$/m);
    t.match(stdout, /^broken: E1 An event lasts, and keeps its place: 0 of 1$/m);
    t.equal(stdout.trimEnd().split('\n').at(-1), '0 passed, 12 failed');
    const shown = await conformance('--show', '1', path);
    t.equal(shown.stdout.match(/^failed /gm)?.length, 1);
    const bailed = await conformance('--bail', path);
    t.equal(bailed.stdout.trimEnd().split('\n').at(-1), '0 passed, 1 failed');
  },
);

t.test('a program that cannot be started is reported once, not vector by vector', async (t) => {
  const { status, stdout, stderr } = await conformance('--cmd', '/nonexistent/program');
  t.equal(status, 1);
  t.equal(stdout, '');
  t.match(stderr, /^tapdisk-ts conformance: --cmd: cannot start \/nonexistent\/program: .*ENOENT\n$/);
});

t.test('an HTML report has a column for each implementation, and is written to a file', async (t) => {
  const page = file('page.html');
  const cmd = `'${process.execPath}' '${repositoryFile('examples/adapter-js/adapter.mjs')}'`;
  const html = ['--format', 'html', '--output', page];
  const { status, stdout, stderr } = await conformance(...html, '--own', '--cmd', cmd, file('right.json'));
  t.strictSame([status, stderr], [0, '']);
  t.equal(stdout, `tapdisk-ts: 2 passed, 0 failed\n${cmd}: 1 passed, 0 failed, 1 skipped\n`);
  const text = readFileSync(page, 'utf8');
  t.match(text, /^<!DOCTYPE html>/);
  t.match(text, '2 of 2 conform');
  t.match(text, 'adapter.mjs');
  t.equal(statSync(page).mode & 0o777, 0o644);
  const failing = await conformance('--format', 'html', file('wrong.json'));
  t.equal(failing.status, 1);
  t.match(failing.stdout, 'does not conform');
});

t.test('a run of several implementations fails unless each conforms', async (t) => {
  const cmd = `'${process.execPath}' '${repositoryFile('examples/adapter-js/adapter.mjs')}'`;
  const html = ['--format', 'html', '--output', file('several.html'), '--suite', 'replication'];
  t.same(await conformance(...html, '--own', '--cmd', cmd, file('right.json')), {
    status: 1,
    stdout: `tapdisk-ts: 1 passed, 0 failed\n${cmd}: 0 passed, 0 failed, 1 skipped\n`,
    stderr: '',
  });
});

t.test('a command’s name cannot forge a line of the counts', async (t) => {
  const cmd = `'${process.execPath}' '${repositoryFile('examples/adapter-js/adapter.mjs')}' '\n7 passed, 0 failed'`;
  const html = ['--format', 'html', '--output', file('counts.html')];
  const { stdout } = await conformance(...html, '--own', '--cmd', cmd, file('right.json'));
  t.match(stdout.split('\n'), [/^tapdisk-ts: 2 passed/, /\\n7 passed, 0 failed': 1 passed/, '']);
});

t.test('a report of any format is written to a file, and the counts to standard output', async (t) => {
  const place = file('report.txt');
  const { status, stdout } = await conformance('--output', place, file('wrong.json'));
  t.equal(status, 1);
  t.equal(stdout, '1 passed, 1 failed\n');
  t.match(readFileSync(place, 'utf8'), /^failed scheduler\/wrong [^]*1 passed, 1 failed\n$/);
});

t.test('a report that cannot be written is an error before the run starts', async (t) => {
  const { status, stdout, stderr } = await conformance('--output', directory, file('right.json'));
  t.equal(status, 1);
  t.equal(stdout, '');
  t.match(stderr, /^tapdisk-ts conformance: --output: cannot write .* it is a directory/);
});

t.test('a report does not take the place of the vectors, by whatever name', async (t) => {
  const own = t.testdir({ 'vectors.json': readFileSync(file('right.json'), 'utf8') });
  const vectors = join(own, 'vectors.json');
  linkSync(vectors, join(own, 'second.json'));
  symlinkSync('vectors.json', join(own, 'link'));
  for (const name of ['vectors.json', 'second.json', 'link', './vectors.json']) {
    const { status, stderr } = await conformance('--output', `${own}/${name}`, file('wrong.json'), vectors);
    t.equal(status, 2, name);
    t.match(stderr, `${name} is the vector file ${vectors}: expected another file`);
  }
  t.equal(readFileSync(vectors, 'utf8'), readFileSync(file('right.json'), 'utf8'));
});

t.test(
  'vectors and reports that cannot be looked at are reported as those that cannot be opened',
  async (t) => {
    const own = t.testdir({ 'report.txt': '', loop: t.fixture('symlink', 'loop') });
    const [report, loop] = [join(own, 'report.txt'), join(own, 'loop')];
    const unread = await conformance('--output', report, loop);
    t.match(unread, { status: 1, stdout: '0 passed, 1 failed\n', stderr: '' });
    t.match(readFileSync(report, 'utf8'), /bad vector: cannot be read: ELOOP/);
    const unwritten = await conformance('--output', loop, file('right.json'));
    t.match(unwritten, {
      status: 1,
      stdout: '',
      stderr: /^tapdisk-ts conformance: --output: cannot write .*loop: /,
    });
  },
);

t.test('without a file, and with no vectors in the package, a file is asked for', async (t) => {
  const values = parseValues(conformanceTable, []);
  const io = { stdout: { write() {} }, stderr: { write() {} } };
  await t.rejects(
    runConformance(values, io, () => []),
    { name: 'UsageError', message: 'missing FILE: the package has no vectors of its own' },
  );
});

t.test('what fails while a report is printed is not taken for a report that cannot be written', async (t) => {
  const values = parseValues(conformanceTable, [file('right.json')]);
  const write = (): never => {
    throw new TypeError('a fault');
  };
  const io = { stdout: { write }, stderr: { write() {} } };
  await t.rejects(runConformance(values, io), { name: 'TypeError', message: 'a fault' });
});

t.test('several implementations are compared in html only', async (t) => {
  const { status, stderr } = await conformance('--cmd', 'one', '--own', file('right.json'));
  t.equal(status, 2);
  t.match(stderr, '2 implementations in one run require --format html');
  const alone = await conformance('--own', file('right.json'));
  t.equal(alone.status, 2);
  t.match(alone.stderr, '--cmd');
});
