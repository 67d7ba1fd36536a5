// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { parseRemusArgument } from '../../../src/disks/drivers/remus-options.js';
import { DEFAULT_REPLICATION_OPTIONS, MIN_JOURNAL_BYTES } from '../../../src/replication/disk/options.js';
import { document, tableRows } from '../../docs/markdown.js';

const defaults: Readonly<Record<string, unknown>> = DEFAULT_REPLICATION_OPTIONS;

t.test('what holds unless it is given is what the table of options in replication.md says', async (t) => {
  let compared = 0;
  for (const [names = '', values = ''] of tableRows(
    document('docs/replication.md').text,
    '## Protect a disk',
  )) {
    const given = [...values.matchAll(/`([^`]+)`/g)].map(([, value]) => value);
    for (const [index, [, name]] of [...names.matchAll(/`([\w-]+)`/g)].entries()) {
      const parsed = parseRemusArgument(`h:1,${name}=${given[index]}`);
      if (typeof parsed === 'string') continue;
      for (const [option, value] of Object.entries(parsed)) {
        if (!(option in defaults) || option === 'peers') continue;
        t.equal(defaults[option], value, `${name}: ${option}`);
        compared += 1;
      }
    }
  }
  t.ok(compared >= 15, `${compared} options`);
});

t.test('as many grains are hot as the protocol says, and addresses are not restricted', async (t) => {
  t.equal(defaults['hotGrains'], 16_384);
  t.same(defaults['peers'], {});
});

t.test('the smallest journal has 4 MiB', async (t) => {
  t.equal(MIN_JOURNAL_BYTES, 4 * 2 ** 20);
});
