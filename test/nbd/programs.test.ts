// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { spawnSync } from 'node:child_process';
import t, { type Test } from 'tap';
import { imageWorld, MIB, PROGRAMS_TIMEOUT_MS, succeeds, writeImage } from './image-world.js';
import { nbdWorld } from './nbd-world.js';
import { hasPrograms, skipped } from '../programs.js';

t.setTimeout(PROGRAMS_TIMEOUT_MS);

/** Debian's own: python3-libnbd is for no other. */
const PYTHON = '/usr/bin/python3';

function hasModule(t: Test): boolean {
  if (spawnSync(PYTHON, ['-c', 'import nbd']).status === 0) return true;
  return skipped(t, `${PYTHON} has no module nbd (Debian: python3-libnbd)`);
}

t.test('nbdinfo shows the properties of a disk', async (t) => {
  if (!hasPrograms(t, 'nbdinfo')) return;
  const world = await imageWorld(t, 256);
  await world.open('ram:1', { readOnly: true });
  const { exports } = JSON.parse(await succeeds(t, 'nbdinfo', '--list', '--json', world.uri())) as {
    exports: Record<string, unknown>[];
  };
  const common = {
    can_cache: true,
    can_df: true,
    can_flush: true,
    can_multi_conn: true,
    is_rotational: false,
    block_size_minimum: 512,
    block_size_preferred: 4096,
    block_size_maximum: 32 * MIB,
  };
  const writable = {
    can_fua: true,
    can_fast_zero: true,
    can_trim: true,
    can_zero: true,
    is_read_only: false,
  };
  const readOnly = {
    can_fua: false,
    can_fast_zero: false,
    can_trim: false,
    can_zero: false,
    is_read_only: true,
  };
  t.match(exports, [
    { 'export-name': '0', 'export-size': 256 * MIB, description: /524288 sectors/, ...common, ...writable },
    { 'export-name': '1', 'export-size': MIB, ...common, ...readOnly },
  ]);
});

t.test('nbdcopy of 256 MiB in and out again is the same, byte for byte', async (t) => {
  if (!hasPrograms(t, 'nbdcopy', 'cmp')) return;
  const world = await imageWorld(t, 256);
  const [source, copy] = [world.path('source'), world.path('copy')];
  writeImage(source, 256);
  await succeeds(t, 'nbdcopy', '--flush', source, world.uri());
  await succeeds(t, 'cmp', source, world.image);
  await succeeds(t, 'nbdcopy', world.uri(), copy);
  await succeeds(t, 'cmp', source, copy);
});

t.test('qemu-img converts to and from the disk, and finds no difference', async (t) => {
  if (!hasPrograms(t, 'qemu-img', 'qemu-nbd', 'qemu-io')) return;
  const world = await imageWorld(t, 64);
  const [source, copy] = [world.path('source'), world.path('copy.qcow2')];
  writeImage(source, 32);
  await succeeds(t, 'truncate', '--size=64M', source);
  const uri = world.uri('0');
  await succeeds(t, 'qemu-img', 'convert', '-n', '-f', 'raw', '-O', 'raw', source, uri);
  t.match(await succeeds(t, 'qemu-img', 'compare', '-f', 'raw', '-F', 'raw', source, uri), 'identical');
  await succeeds(t, 'qemu-img', 'convert', '-f', 'raw', '-O', 'qcow2', uri, copy);
  t.match(await succeeds(t, 'qemu-img', 'compare', '-f', 'raw', '-F', 'qcow2', uri, copy), 'identical');
  t.match(await succeeds(t, 'qemu-nbd', '--list', '--socket', world.path('nbd.sock')), /export: '0'/);
  // qemu makes whole blocks of what is not.
  const commands = [
    'write -P 5 100 700',
    'read -P 5 100 700',
    'write -f -P 6 1M 64k',
    'write -z 2M 1M',
    'discard 3M 1M',
    'flush',
    'read -P 0 2M 1M',
  ];
  await succeeds(t, 'qemu-io', '-f', 'raw', ...commands.flatMap((command) => ['-c', command]), uri);
});

for (const [blockSize, mebibytes] of [
  ['4k', 16],
  ['64k', 64],
] as const) {
  t.test(`fio verifies what it has written at random, ${blockSize} at a time, 16 at once`, async (t) => {
    if (!hasPrograms(t, 'fio')) return;
    const world = await imageWorld(t, 64);
    const job = [
      '--name=verify',
      '--ioengine=nbd',
      `--uri=${world.uri('0')}`,
      '--rw=randwrite',
      `--bs=${blockSize}`,
    ];
    const load = ['--iodepth=16', `--size=${mebibytes}M`, '--randseed=7', '--fsync=256'];
    const verify = [
      '--verify=crc32c',
      '--do_verify=1',
      '--verify_fatal=1',
      '--verify_state_save=0',
      '--output-format=json',
    ];
    const output = await succeeds(t, 'fio', ...job, ...load, ...verify);
    const report = JSON.parse(output.slice(output.indexOf('{'), output.lastIndexOf('}') + 1)) as {
      jobs: { error: number; total_err: number; write: { io_bytes: number }; read: { io_bytes: number } }[];
    };
    const bytes = mebibytes * MIB;
    t.match(report.jobs, [{ error: 0, write: { io_bytes: bytes }, read: { io_bytes: bytes } }]);
    t.equal(world.registry.get(0)!.statistics().kinds.write.failed, 0);
  });
}

t.test('libnbd accepts the corner cases of the handshake', async (t) => {
  if (!hasPrograms(t, PYTHON) || !hasModule(t)) return;
  const world = nbdWorld(t);
  await world.open('ram:1');
  await world.open('ram:2', { readOnly: true });
  const script = `
import errno, nbd
SOCKET = '${world.path('nbd.sock')}'

def fails(call, number):
    try:
        call()
    except nbd.Error as error:
        assert error.errnum == number, (error.errno, error.string)
    else:
        raise AssertionError('no error')

h = nbd.NBD()
h.set_opt_mode(True)
h.connect_unix(SOCKET)
assert h.get_protocol() == 'newstyle-fixed'
names = []
h.opt_list(lambda name, description: names.append((name, description)))
assert [name for name, _ in names] == ['0', '1'], names
h.set_export_name('nothing')
fails(h.opt_info, errno.ENOENT)
h.set_export_name('')
fails(h.opt_info, errno.ENOENT)
h.set_full_info(True)
h.set_export_name('1')
h.opt_info()
assert h.is_read_only() and h.get_size() == 2 << 20
assert h.get_canonical_export_name() == '1'
h.add_meta_context('base:allocation')
h.add_meta_context('qemu:allocation-depth')
h.set_export_name('0')
h.opt_go()
assert h.get_structured_replies_negotiated()
assert h.can_meta_context('base:allocation')
assert not h.can_meta_context('qemu:allocation-depth')
assert h.get_block_size(nbd.SIZE_MINIMUM) == 512
assert h.get_block_size(nbd.SIZE_MAXIMUM) == 32 << 20
assert h.can_df() and h.can_multi_conn() and h.can_fast_zero()
h.pwrite(b'a' * 4096, 512, nbd.CMD_FLAG_FUA)
seen = []
def chunk(data, offset, status, error):
    assert status == nbd.READ_DATA and error.value == 0
    seen.append((offset, bytes(data)))
assert h.pread_structured(4096, 512, chunk, nbd.CMD_FLAG_DF) == b'a' * 4096
assert seen == [(512, b'a' * 4096)]
h.zero(512, 512, nbd.CMD_FLAG_NO_HOLE | nbd.CMD_FLAG_FUA)
assert h.pread(1024, 512) == bytes(512) + b'a' * 512
h.trim(4096, 0)
h.cache(1 << 20, 0)
h.flush()
h.set_strict_mode(0)
fails(lambda: h.pread(512, 1 << 20), errno.EINVAL)
fails(lambda: h.pwrite(b'x' * 512, 1 << 20), errno.ENOSPC)
fails(lambda: h.zero(512, 1 << 20), errno.ENOSPC)
def status(length, offset, flags=0):
    found = []
    def extent(context, at, entries, error):
        assert (context, at, error.value) == ('base:allocation', offset, 0)
        found.extend(zip(entries[::2], entries[1::2]))
    h.block_status(length, offset, extent, flags)
    return found
assert status(1 << 20, 0) == [(1 << 20, 0)]
assert status(512, 512, nbd.CMD_FLAG_REQ_ONE) == [(512, 0)]
h.pwrite(b'xyz', 510)
assert h.pread(5, 509) == b'\\0xyz\\0', h.pread(5, 509)
h.zero(1, 511)
h.trim(700, 100)
assert h.pread(4, 510) == b'x\\0z\\0'
assert status(2, 511) == [(2, 0)]
fails(lambda: status(0, 0), errno.EINVAL)
fails(lambda: status(1024, (1 << 20) - 512), errno.EINVAL)
fails(lambda: h.pread(0, 0), errno.EINVAL)
h.zero(1 << 20, 0, nbd.CMD_FLAG_FAST_ZERO)
assert status(1 << 20, 0) == [(1 << 20, 3)]
holes = []
h.pread_structured(1 << 20, 0, lambda data, at, kind, error: holes.append((at, len(data), kind)))
assert holes == [(0, 1 << 20, nbd.READ_HOLE)], holes
fails(lambda: h.trim(512, 0, 1 << 15), errno.EINVAL)
assert len(h.pread(512, 0)) == 512
h.shutdown()

h = nbd.NBD()
h.set_opt_mode(True)
h.connect_unix(SOCKET)
h.opt_abort()

# Neither fixed newstyle nor no-zeroes: EXPORT_NAME, with its zeroes, and simple replies.
h = nbd.NBD()
h.set_handshake_flags(0)
h.set_export_name('0')
h.connect_unix(SOCKET)
assert h.get_protocol() == 'newstyle' and h.get_size() == 1 << 20
assert not h.get_structured_replies_negotiated() and not h.can_df()
h.pwrite(b'b' * 512, 0)
assert h.pread(512, 0) == b'b' * 512
h.shutdown()

h = nbd.NBD()
h.set_request_structured_replies(False)
h.set_export_name('1')
h.connect_unix(SOCKET)
assert h.pread(512, 0) == bytes(512)
h.set_strict_mode(0)
fails(lambda: h.pwrite(b'x' * 512, 0), errno.EPERM)
h.shutdown()

h = nbd.NBD()
h.set_tls(nbd.TLS_ALLOW)
h.set_export_name('0')
h.connect_unix(SOCKET)
assert not h.get_tls_negotiated()
h.shutdown()
print('all as it should be')
`;
  t.match(await succeeds(t, PYTHON, '-c', script), 'all as it should be');
});

t.test('nbdkit’s nbd plugin serves the disk on to others', async (t) => {
  if (!hasPrograms(t, 'nbdkit', 'nbdcopy', 'cmp')) return;
  const world = await imageWorld(t, 8);
  const [source, copy] = [world.path('source'), world.path('copy')];
  writeImage(source, 8);
  const through = ['-U', '-', 'nbd', `uri=${world.uri('0')}`, '--run'];
  await succeeds(t, 'nbdkit', ...through, `nbdcopy ${source} "$uri" && nbdcopy "$uri" ${copy}`);
  await succeeds(t, 'cmp', source, copy);
});
