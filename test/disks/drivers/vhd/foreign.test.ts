// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { checkChain } from '../../../../src/disks/drivers/vhd/tools/check.js';
import { Random } from '../../../../src/testing/index.js';
import { randomBytes, randomSeed } from '../../../random.js';
import { FileWorld } from '../../../testing/files/fixture.js';
import { drawnChain, type ForeignChain } from './foreign-chain.js';
import { sealed, sparseImage } from './foreign-writer.js';
import { openSimulated, simulated, simulatedResult, tagged } from './sim-disk.js';
import { readState, stateCalls, stateOutcome } from './state-files.js';

/** As many as take a second or two; TEST_SEEDS in the environment sets another number. */
const SEEDS = Number(process.env['TEST_SEEDS'] ?? 50);

function worldOf({ files }: ForeignChain, seed: number): FileWorld {
  const world = new FileWorld({ seed, traceLines: 0 });
  for (const [path, bytes] of files) world.files.put(path, bytes);
  return world;
}

/** What of a disk is not as it should be. */
function faultsOf(world: FileWorld, leaf: string, content: readonly number[]): string | undefined {
  const bytes = readState(world.files.system, leaf);
  if (bytes.length !== content.length * 512)
    return `${bytes.length / 512} sectors, expected ${content.length}`;
  for (const [sector, tag] of content.entries()) {
    if (Buffer.compare(bytes.subarray(sector * 512, sector * 512 + 512), tagged(1, tag)) !== 0)
      return `sector ${sector} is not ${tag}`;
  }
  return undefined;
}

/** Reads a chain, writes to it, and reads it again. Returns what is wrong. */
async function foreignSeed(seed: number): Promise<string | undefined> {
  const random = new Random(seed);
  const chain = drawnChain(random);
  const { leaf, content, files } = chain;
  const world = worldOf(chain, seed);
  const wrong = faultsOf(world, leaf, content);
  if (wrong !== undefined) return `${chain.what}: read: ${wrong}`;
  const disk = await openSimulated(world, leaf, { readOnly: false });
  const after = [...content];
  for (let count = random.integer(0, 8); count > 0; count--) {
    const sector = random.integer(0, content.length - 1);
    const sectors = Math.min(random.pick([1, 5, 40]), content.length - sector);
    after.fill(90_000 + count, sector, sector + sectors);
    const range = { sector, sectors, buffer: tagged(sectors, 90_000 + count), complete: () => {} };
    const result = await simulatedResult(world, (done) => disk.write(range, done));
    if (result !== 0) return `${chain.what}: write: ${result}`;
  }
  await simulated(world, disk.close());
  const wrongAfter = faultsOf(world, leaf, after);
  if (wrongAfter !== undefined) return `${chain.what}: written: ${wrongAfter}`;
  for (const [path, bytes] of files) {
    if (path !== leaf && Buffer.compare(world.files.contents(path), bytes) !== 0)
      return `${path} was changed`;
  }
  const { findings } = stateOutcome(checkChain(stateCalls(world.files.system), leaf, { bitmaps: true }));
  const errors = findings.filter(({ severity }) => severity === 'error');
  return errors.length > 0 ? `${chain.what}: check: ${JSON.stringify(errors)}` : undefined;
}

t.test('images of every program have their content, and accept writes', async (t) => {
  const first = randomSeed(t);
  for (let seed = first; seed < first + SEEDS; seed++) {
    const wrong = await foreignSeed(seed).catch((error: unknown) => String((error as Error).stack));
    if (wrong !== undefined) {
      t.fail(`seed ${seed}: ${wrong}`);
      return;
    }
  }
  t.pass(`${SEEDS} chains`);
});

/** What makes an image of 100 sectors in blocks of 16 one that is refused. */
const REFUSED: readonly (readonly [what: string, kind: string, spoil: (image: Buffer) => void])[] = [
  [
    'a footer of version 2',
    'unsupported',
    (image) => inFooters(image, (footer) => footer.writeUInt32BE(0x2_0000, 12)),
  ],
  ['no disk type', 'unsupported', (image) => inFooters(image, (footer) => footer.writeUInt32BE(0, 60))],
  ['reserved disk type', 'unsupported', (image) => inFooters(image, (footer) => footer.writeUInt32BE(6, 60))],
  ['tap 0.1', 'unsupported', (image) => inFooters(image, (footer) => footer.writeUInt32BE(1, 32))],
  ['a journal', 'disabled', (image) => inFooters(image, (footer) => footer.write('v_poison', 0, 'latin1'))],
  [
    'a larger disk than its BAT',
    'bad-header',
    (image) => inFooters(image, (footer) => footer.writeBigUInt64BE(2n ** 40n, 48)),
  ],
  [
    'a header outside',
    'bad-header',
    (image) => inFooters(image, (footer) => footer.writeBigUInt64BE(2n ** 50n, 16)),
  ],
  [
    'a header of version 2',
    'bad-header',
    (image) => inHeader(image, (header) => header.writeUInt32BE(0x2_0000, 24)),
  ],
  [
    'something after the header',
    'bad-header',
    (image) => inHeader(image, (header) => header.writeBigUInt64BE(0n, 8)),
  ],
  [
    'a BAT outside',
    'bad-header',
    (image) => inHeader(image, (header) => header.writeBigUInt64BE(2n ** 50n, 16)),
  ],
  [
    'a BAT between sectors',
    'bad-header',
    (image) => inHeader(image, (header) => header.writeBigUInt64BE(1537n, 16)),
  ],
  ['blocks of nothing', 'bad-header', (image) => inHeader(image, (header) => header.writeUInt32BE(0, 32))],
  [
    'blocks of 4 MiB',
    'bad-header',
    (image) => inHeader(image, (header) => header.writeUInt32BE(4 << 20, 32)),
  ],
  [
    'an unknown locator',
    'bad-header',
    (image) => inHeader(image, (header) => header.write('Unix', 576, 'latin1')),
  ],
  [
    'a text longer than its space',
    'bad-header',
    (image) => inHeader(image, (header) => header.writeUInt32BE(2 * 512 + 1, 584)),
  ],
  [
    'a text outside',
    'bad-header',
    (image) => inHeader(image, (header) => header.writeBigUInt64BE(2n ** 50n, 592)),
  ],
  ['a block in the metadata', 'bad-bat', (image) => void image.writeUInt32BE(2, tableOf(image))],
  [
    'two blocks at one place',
    'bad-bat',
    (image) => image.copyWithin(tableOf(image) + 4, tableOf(image), tableOf(image) + 4),
  ],
  ['an encrypted disk', 'unsupported', (image) => void (image[image.indexOf('tdbatmap') + 29] = 1)],
  ['another uuid', 'parent-mismatch', (image) => inHeader(image, (header) => header.writeUInt32BE(1, 40))],
];

function inFooters(image: Buffer, change: (footer: Buffer) => unknown): void {
  for (const at of [0, image.length - 512]) {
    const footer = image.subarray(at, at + 512);
    change(footer);
    sealed(footer, 64);
  }
}

function headerOf(image: Buffer): Buffer {
  const at = Number(image.readBigUInt64BE(16));
  return image.subarray(at, at + 1024);
}

function inHeader(image: Buffer, change: (header: Buffer) => unknown): void {
  const header = headerOf(image);
  change(header);
  sealed(header, 36);
}

function tableOf(image: Buffer): number {
  return Number(headerOf(image).readBigUInt64BE(16));
}

t.test('a faulty image is refused with the kind of its fault', async (t) => {
  const random = new Random(randomSeed(t));
  const disk = {
    size: 100 * 512,
    blockSectors: 16,
    content: new Map([5, 20, 40].map((sector) => [sector, 7])),
  };
  const creator = { creator: 'tap\0', creatorVersion: 0x1_0003 };
  const [parentUuid, uuid] = [randomBytes(random, 16), randomBytes(random, 16)];
  const parent = sparseImage({ kind: 'dynamic', ...disk, ...creator, uuid: parentUuid }, 'both', random);
  const locators = [{ code: 'MacX', text: Buffer.from('file://./parent.vhd') }];
  const child = { uuid: parentUuid, name: 'parent.vhd', locators };
  const leaf = '/d/leaf.vhd';
  for (const [what, kind, spoil] of REFUSED) {
    const world = new FileWorld({ seed: 1, traceLines: 0 });
    const image = sparseImage(
      { kind: 'differencing', ...disk, ...creator, uuid, parent: child },
      'both',
      random,
    );
    world.files.put('/d/parent.vhd', parent);
    world.files.put(leaf, image);
    t.equal(
      faultsOf(
        world,
        leaf,
        Array.from({ length: 100 }, (_, sector) => disk.content.get(sector) ?? 0),
      ),
      undefined,
    );
    spoil(image);
    world.files.put(leaf, image);
    for (const readOnly of [true, false])
      await t.rejects(openSimulated(world, leaf, { readOnly }), { name: 'VhdError', kind }, what);
    t.same(world.files.descriptors(), []);
  }
});
