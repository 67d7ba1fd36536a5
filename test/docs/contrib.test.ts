// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { readFileSync } from 'node:fs';
import t from 'tap';
import { replicationFamilies } from '../../src/metrics/prometheus-replication.js';
import type { VbdReport } from '../../src/metrics/report.js';
import type { ReplicationStatus } from '../../src/replication/disk/status.js';
import { parseStack } from '../../src/disks/stack.js';
import { standardDriverTypes } from '../../src/disks/drivers/index.js';
import { parseRemusArgument } from '../../src/disks/drivers/remus-options.js';
import { repositoryFile } from '../../scripts/repository-files.js';
import { codeBlocks, document, tableRows } from './markdown.js';

const status = { state: 'protected', rpoSeconds: 1, connection: 'established' } as ReplicationStatus;
const exported = new Set(
  replicationFamilies([{ minor: 0, replication: status } as VbdReport]).flatMap(
    (line) => /^# TYPE (\S+)/.exec(line)?.[1] ?? [],
  ),
);

t.test('alert rules and dashboard use metrics that the daemon exports', async (t) => {
  for (const file of ['contrib/prometheus/alerts.yml', 'contrib/grafana/replication.json']) {
    const used = readFileSync(repositoryFile(file), 'utf8').match(/\btapdisk_\w+/g) ?? [];
    t.ok(used.length > 3, `${file} uses ${used.length}`);
    for (const name of used) t.ok(exported.has(name), `${file}: ${name}`);
  }
});

t.test('the disks of replication.md and of the systemd units can be opened by their names', async (t) => {
  const units = ['backup', 'primary'].map((role) =>
    readFileSync(repositoryFile(`contrib/systemd/tapdisk-ts-${role}.service`), 'utf8')
      .replaceAll('${ADDRESS}', '10.0.0.2:9000')
      .replaceAll('${IMAGE}', '/srv/disk.img'),
  );
  const blocks = codeBlocks(document('docs/replication.md').text).map(({ code }) => code);
  const names = [...units, ...blocks].flatMap((text) => text.match(/(?<=\b0=)[^\s']+/g) ?? []);
  t.ok(names.length >= 4, names.join(' '));
  for (const name of names) {
    const stack = parseStack(name, standardDriverTypes);
    t.type(stack, Array, name);
    if (typeof stack !== 'string') t.type(parseRemusArgument(stack[0]?.argument ?? ''), 'object', name);
  }
});

t.test(
  'the units leave the role to the metadata, so that a promoted or rejoined side starts again',
  async (t) => {
    for (const side of ['backup', 'primary']) {
      const unit = readFileSync(repositoryFile(`contrib/systemd/tapdisk-ts-${side}.service`), 'utf8');
      const [, argument = ''] = /0=remus:(.*?)\|/.exec(unit) ?? [];
      const options = parseRemusArgument(argument.replace('${ADDRESS}', '10.0.0.2:9000'));
      t.type(options, 'object', argument);
      t.notMatch(options, { role: /./ }, `${side}: a role that contradicts the metadata is refused`);
    }
  },
);

t.test('units of Type=notify accept what systemd-notify, a process of its own, sends', async (t) => {
  for (const role of ['backup', 'primary']) {
    const lines = readFileSync(repositoryFile(`contrib/systemd/tapdisk-ts-${role}.service`), 'utf8').split(
      '\n',
    );
    t.ok(lines.includes('Type=notify') && lines.includes('NotifyAccess=all'), role);
  }
});

t.test('the table of options in replication.md is complete', async (t) => {
  const unknown = parseRemusArgument('h:1,nonsense=1');
  const wrong = typeof unknown === 'string' ? unknown : '';
  const [, list = ''] = /expected one of (.*)$/.exec(wrong) ?? [];
  const told = tableRows(document('docs/replication.md').text, '## Protect a disk').flatMap(([name = '']) =>
    [...name.matchAll(/`([\w-]+)`/g)].map(([, option = '']) => option),
  );
  t.same(told.toSorted(), list.split(', ').toSorted());
});
