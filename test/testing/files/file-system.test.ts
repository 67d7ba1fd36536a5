// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import assert from 'node:assert/strict';
import t from 'tap';
import { FileNode } from '../../../src/testing/files/file-node.js';
import { SimulatedFileSystem } from '../../../src/testing/files/file-system.js';
import { EVERYTHING_SURVIVES, NOTHING_SURVIVES } from '../../../src/testing/files/survival.js';
import { FileWorld, O_CREAT, O_WRONLY } from './fixture.js';

const names = (system: SimulatedFileSystem): string[] => [...system.entries().keys()];

function create(system: SimulatedFileSystem, path: string): FileNode {
  const file = system.open(path, O_CREAT | O_WRONLY);
  assert(typeof file !== 'number' && file.node instanceof FileNode);
  system.close(file);
  return file.node;
}

function root(system: SimulatedFileSystem) {
  const node = system.lookup('/');
  assert(typeof node !== 'number');
  return node;
}

t.test('a sync of a directory covers what was done before it began, in its order', async (t) => {
  const system = new SimulatedFileSystem();
  create(system, '/gone');
  system.unlink('/gone');
  create(system, '/kept');
  const moment = system.momentOf(root(system));
  create(system, '/later');
  system.sync(root(system), moment);
  system.losePower(NOTHING_SURVIVES);
  t.same(names(system), ['/kept']);
});

t.test(
  'a copy has the room of the original, and a sync of it covers what was not synced there',
  async (t) => {
    const system = new SimulatedFileSystem();
    system.capacityBytes = 8192;
    create(system, '/a');
    create(system, '/b');
    const copy = system.copy();
    t.equal(copy.capacityBytes, 8192);
    create(copy, '/c');
    copy.sync(root(copy));
    copy.losePower(NOTHING_SURVIVES);
    t.same(names(copy), ['/a', '/b', '/c']);
    system.losePower(NOTHING_SURVIVES);
    t.same(names(system), []);
  },
);

t.test('a file that was put there takes no room any more when it is removed', async (t) => {
  const { files } = new FileWorld();
  files.put('/a', Buffer.alloc(8192));
  files.system.capacityBytes = 8192;
  const other = create(files.system, '/b');
  t.ok(files.system.write(other, Buffer.alloc(1), 0) < 0);
  files.system.unlink('/a');
  t.equal(files.system.write(other, Buffer.alloc(8192), 0), 8192);
});

t.test('nothing is open after a loss of power, or a return to another state', async (t) => {
  const ends: ((system: SimulatedFileSystem) => void)[] = [
    (system) => system.losePower(EVERYTHING_SURVIVES),
    (system) => system.restore(system.copy()),
  ];
  for (const end of ends) {
    const system = new SimulatedFileSystem();
    system.write(create(system, '/a'), Buffer.alloc(4096), 0);
    system.open('/a', O_WRONLY);
    end(system);
    system.unlink('/a');
    system.capacityBytes = 4096;
    t.equal(system.write(create(system, '/b'), Buffer.alloc(4096), 0), 4096, end.toString());
  }
});

t.test('only whole pages are room, and directories take none', async (t) => {
  const system = new SimulatedFileSystem();
  system.mkdir('/d');
  system.capacityBytes = 8191;
  t.equal(system.write(create(system, '/d/a'), Buffer.alloc(8192), 0), 4096);
});
