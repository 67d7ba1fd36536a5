// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { membersText, messageText, PartChanges } from '../../../src/metrics/page/part-changes.js';

t.test('a message is an event of a stream, with its time to a tenth of a second', async (t) => {
  const set = new Map([
    ['disk:3', '{"a":1}'],
    ['a "key"', '2'],
  ]);
  t.equal(
    messageText('change', 1_000_000_000.26, set, ['disk:4', 'event:"5"']),
    'event: change\nretry: 1000\ndata: {"at":1000000000.3,' +
      '"set":{"disk:3":{"a":1},"a \\"key\\"":2},"gone":["disk:4","event:\\"5\\""]}\n\n',
  );
  t.match(messageText('snapshot', 1, new Map()), 'data: {"at":1.0,"set":{},"gone":[]}\n\n');
  t.equal(membersText(new Map()), '');
});

t.test('an update has what is new or another than before, and what is gone', async (t) => {
  const changes = new PartChanges();
  const update = (parts: Record<string, string>): unknown => {
    const { set, gone } = changes.update(new Map(Object.entries(parts)));
    return [Object.fromEntries(set), gone];
  };
  t.equal(changes.parts.size, 0);
  t.same(update({ a: '1', b: '2' }), [{ a: '1', b: '2' }, []]);
  t.same(update({ a: '1', b: '3', c: '4' }), [{ b: '3', c: '4' }, []]);
  t.same(update({ a: '1', c: '4' }), [{}, ['b']]);
  t.same(update({ a: '1', c: '4' }), [{}, []]);
  t.same(Object.fromEntries(changes.parts), { a: '1', c: '4' });
});
