// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { spawnSync } from 'node:child_process';
import t from 'tap';
import { programPath } from '../../../scripts/program-path.js';
import { manifest, repositoryFile } from '../../../scripts/repository-files.js';
import { manPages } from '../../../src/cli/command-line/man-page.js';
import { roffArgument, roffText } from '../../../src/cli/command-line/roff.js';
import { program } from '../../../src/cli/commands.js';

const missing = ['man', 'groff'].find((name) => programPath(name) === undefined);
const skip = missing === undefined ? false : `${missing} is not installed`;
if (skip) process.stderr.write(`\n*** not tried: rendering man pages, as ${skip}\n\n`);

for (const page of manifest.man) {
  t.test(`${page} renders without warnings, in 80 columns`, { skip }, async (t) => {
    const { status, stdout, stderr } = spawnSync('man', ['--warnings', '-l', repositoryFile(page)], {
      encoding: 'utf8',
      env: { ...process.env, MANPAGER: 'cat', MANWIDTH: '80', LC_ALL: 'C.UTF-8' },
    });
    t.same([status, stderr], [0, '']);
    t.match(stdout, /NAME\n +tapdisk-ts\S* - [a-z].*\n/);
    t.same(
      stdout.split('\n').filter((line) => line.length > 80),
      [],
    );
  });
}

t.test('a command has a page with its options, arguments, environment and exit statuses', async (t) => {
  const pages = new Map(manPages(program, '1.2.3').map(({ file, text }) => [file, text]));
  t.match(pages.get('tapdisk-ts.1'), '"tapdisk\\-ts primary"');
  t.match(pages.get('tapdisk-ts-primary.1'), '.SH "ARGUMENTS"\n.TP\n.B "HOST:PORT"\n');
  t.match(pages.get('tapdisk-ts-daemon.1'), '.TP\n.B "\\-\\-grace SECONDS"\n');
  t.match(pages.get('tapdisk-ts-daemon.1'), '.SH "ENVIRONMENT"\n.TP\n.B "TAPDISK_TS_CONTROL_DIRECTORY"\n');
  t.match(pages.get('tapdisk-ts-ctl.1'), '.SH "tapdisk\\-ts ctl open"\n.SS "SYNOPSIS"\n');
  t.match(pages.get('tapdisk-ts-backup.1'), '.SH "EXIT STATUS"\n.TP\n.B "0"\n');
});

t.test('text is escaped for troff', async (t) => {
  t.equal(roffText(".so /etc/passwd\n'br a-b \\n"), "\\&.so /etc/passwd\n\\&'br a\\-b \\en");
  t.equal(roffArgument('a "b"'), '"a \\(dqb\\(dq"');
});
