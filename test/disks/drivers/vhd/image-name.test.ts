// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { parseVhdName, withVhdPath } from '../../../../src/disks/drivers/vhd/image-name.js';

t.test('a name is a path, with options in brackets before it', async (t) => {
  const plain = { parents: undefined, answersEarly: false };
  t.same(parseVhdName('/a.vhd'), { path: '/a.vhd', ...plain });
  t.same(parseVhdName('/a[b].vhd'), { path: '/a[b].vhd', ...plain });
  t.same(parseVhdName('[]/a.vhd'), { path: '/a.vhd', ...plain });
  t.same(parseVhdName('[answer=early]/a.vhd'), { path: '/a.vhd', parents: undefined, answersEarly: true });
  t.same(parseVhdName('[parents=/x,answer=early,parents=/y=z]a]b'), {
    path: 'a]b',
    parents: ['/x', '/y=z'],
    answersEarly: true,
  });
});

t.test('what is wrong with a name is said', async (t) => {
  t.equal(parseVhdName(''), 'the name has no path');
  t.equal(parseVhdName('[answer=early]'), 'the name has no path');
  t.equal(parseVhdName('/a\0b'), 'the name has no path');
  t.equal(parseVhdName('[answer=early/a'), "'[answer=early/a' has no ']' after its options");
  for (const option of ['x', 'parents=', 'answer=late', 'answer=early ', ''])
    t.equal(parseVhdName(`[answer=early,${option}]/a`), `unknown option '${option}'`);
  t.equal(parseVhdName('[x]/a'), "unknown option 'x'");
});

t.test('another path keeps the drivers above and the options', async (t) => {
  t.same(withVhdPath('vhd:/a.vhd', '/b.vhd'), { name: 'vhd:/b.vhd', path: '/a.vhd' });
  t.same(withVhdPath('log:|vhd:[answer=early]/a.vhd', '/b.vhd'), {
    name: 'log:|vhd:[answer=early]/b.vhd',
    path: '/a.vhd',
  });
  t.same(withVhdPath('log:x|log:vhd:/a:b|c', '/b'), { name: 'log:x|log:vhd:/b', path: '/a:b|c' });
  t.equal(withVhdPath('aio:/a', '/b'), undefined);
  t.equal(withVhdPath('aio:/vhd:x', '/b'), undefined);
  t.equal(withVhdPath('vhd:[x]/a', '/b'), undefined);
});
