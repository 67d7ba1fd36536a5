// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { copyFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { repositoryFile } from '../../scripts/repository-files.js';
import { DaemonChild, nbdClient } from '../daemon/daemon-child.js';
import { run } from '../programs.js';
import { shortDirectory } from '../short-directory.js';

const manifest = JSON.parse(readFileSync(repositoryFile('package.json'), 'utf8')) as {
  readonly version: string;
  readonly bin: Readonly<Record<string, string>>;
};

/** What esbuild reports of the files that it writes. */
interface Outputs {
  readonly [file: string]: {
    readonly entryPoint?: string;
    readonly inputs: Readonly<Record<string, unknown>>;
    readonly imports: readonly { readonly path: string; readonly kind: string }[];
  };
}

const directory = shortDirectory(t);
const outdir = path.join(directory, 'program');

/** What the bundle is made of, which is made once. */
const bundled = (async (): Promise<Outputs> => {
  const metafile = path.join(directory, 'meta.json');
  const bundler = ['--import=tsx', repositoryFile('scripts/bundle.ts'), outdir, metafile];
  const { status, stderr } = await run(process.execPath, bundler);
  if (status !== 0) throw new Error(`scripts/bundle.ts ended with ${status}: ${stderr}`);
  return (JSON.parse(readFileSync(metafile, 'utf8')) as { readonly outputs: Outputs }).outputs;
})();

/** The sources in a file of the bundle, and in those that are loaded with it. */
function loadedSources(outputs: Outputs, start: string): Set<string> {
  const files = new Set([start]);
  for (const file of files) {
    for (const { path: imported, kind } of outputs[file]?.imports ?? []) {
      if (kind === 'import-statement') files.add(imported);
    }
  }
  return new Set([...files].flatMap((file) => Object.keys(outputs[file]?.inputs ?? {})));
}

t.test('help loads no server, no sockets and no images: a command loads them when it runs', async (t) => {
  const outputs = await bundled;
  const [start = ''] =
    Object.entries(outputs).find(([, { entryPoint }]) => entryPoint === 'src/cli/main-program.ts') ?? [];
  const loaded = loadedSources(outputs, start);
  t.ok(loaded.has('src/cli/commands.ts'));
  const heavy = [
    'src/disks/drivers/vhd/disk.ts',
    'src/disks/vbd.ts',
    'src/nbd/server.ts',
    'src/posix/node/node-posix.ts',
    'src/server/tapdisk-server.ts',
  ];
  t.same(
    heavy.filter((source) => loaded.has(source)),
    [],
  );
  const all = Object.values(outputs).flatMap(({ inputs }) => Object.keys(inputs));
  t.same(
    heavy.filter((source) => !all.includes(source)),
    [],
    'which are in the bundle',
  );
});

t.test('the status page is loaded by a daemon that serves it, and by no other', async (t) => {
  const outputs = await bundled;
  const [start = ''] =
    Object.entries(outputs).find(([, { entryPoint }]) => entryPoint === 'src/cli/daemon/daemon-command.ts') ??
    [];
  const loaded = loadedSources(outputs, start);
  t.ok(loaded.has('src/daemon/metrics-service.ts'));
  const ofThePage = (sources: Iterable<string>): string[] =>
    [...sources].filter((source) => source.startsWith('src/metrics/page/'));
  t.same(ofThePage(loaded), []);
  t.not(ofThePage(Object.values(outputs).flatMap(({ inputs }) => Object.keys(inputs))).length, 0);
});

t.test('the published bundle serves disks with their own threads', async (t) => {
  await bundled;
  copyFileSync(repositoryFile('package.json'), path.join(directory, 'package.json'));
  const main = path.join(outdir, path.basename(manifest.bin['tapdisk-ts'] ?? ''));
  t.match((await run(process.execPath, [main, '--version'])).stdout, manifest.version);

  const image = path.join(directory, 'image');
  writeFileSync(image, Buffer.alloc(1 << 20, 'i'));
  const socket = path.join(directory, 'n');
  const argv = [
    '--control-directory',
    directory,
    '--disk',
    `0=aio:${image}`,
    '--nbd',
    socket,
    '--metrics',
    '127.0.0.1:0',
  ];
  const daemon = new DaemonChild(t, argv, {}, [main, 'daemon']);
  const { metrics = '' } = await daemon.ready();
  await daemon.told(/--metrics: no status page: the status page was not built: .*index\.html is missing/);
  t.equal((await fetch(`http://${metrics}/metrics`)).status, 200, 'metrics are served without the page');
  const threads = (): number => readdirSync(`/proc/${daemon.pid}/task`).length;
  const client = await nbdClient(t, socket);
  const before = threads();
  for (let round = 0; round < 1000 && threads() === before; round++) {
    const reads = await Promise.all([0, 1, 2, 3].map((place) => client.read(place * 8192, 4096)));
    for (const bytes of reads) if (bytes.some((byte) => byte !== 0x69)) t.fail('other bytes');
  }
  t.ok(threads() > before, 'a thread makes the calls');
  for (let round = 0; round < 100; round++) {
    const reads = await Promise.all([0, 1, 2, 3].map((place) => client.read(place * 8192, 4096)));
    for (const bytes of reads) if (bytes.some((byte) => byte !== 0x69)) t.fail('other bytes');
  }
  daemon.kill('SIGTERM');
  t.equal(await daemon.exit(), 0);
  t.notMatch(daemon.stderr, /thread/);
});
