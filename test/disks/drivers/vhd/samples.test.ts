// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, statSync } from 'node:fs';
import path from 'node:path';
import t, { type Test } from 'tap';
import type { VhdDisk } from '../../../../src/disks/drivers/vhd/disk.js';
import { promiseOf } from '../../../../src/disks/drivers/vhd/steps.js';
import { checkChain } from '../../../../src/disks/drivers/vhd/tools/check.js';
import { convert } from '../../../../src/disks/drivers/vhd/tools/convert.js';
import { VhdError } from '../../../../src/disks/drivers/vhd/vhd-error.js';
import { programPath } from '../../../../scripts/program-path.js';
import { errno } from '../../../../src/posix/errno.js';
import {
  allocatedRanges,
  closeDisk,
  imageDirectory,
  nodeCalls,
  openDisk,
  readDisk,
  writeDisk,
} from './fixture.js';
import { type Sample, samples, taggedSector, unpack, writtenSectors } from './samples.js';

/** Disks up to here are read whole; of larger ones what their chain has. */
const WHOLE_SECTORS = 100_000;
const directory = imageDirectory(t);

function directoryOf(sample: Sample, how: string): string {
  const own = path.join(directory, `${sample.name}-${how}`);
  mkdirSync(own);
  return own;
}

async function refusal(file: string, readOnly: boolean): Promise<string | VhdError> {
  try {
    await closeDisk(await openDisk(file, { readOnly }));
    return 'opens';
  } catch (error) {
    if (error instanceof VhdError) return error;
    throw error;
  }
}

/** Compares a disk with what was written to it, and all else with zeroes. */
async function checkContents(
  t: Test,
  disk: VhdDisk,
  sample: Sample,
  written: Map<number, Buffer>,
): Promise<void> {
  const whole = disk.sectors <= WHOLE_SECTORS;
  const ranges = whole ? [{ sector: 0, sectors: disk.sectors }] : await allocatedRanges(disk);
  const unreadable = sample.expected.unreadable ?? [];
  const seen = new Set<number>();
  const wrong: number[] = [];
  const zero = Buffer.alloc(512);
  for (const { sector, sectors } of ranges) {
    for (let at = sector; at < sector + sectors; at += 1024) {
      const count = Math.min(1024, sector + sectors - at);
      const bytes = await readDisk(disk, at, count);
      const isUnreadable = unreadable.some(([from, length]) => at >= from && at < from + length);
      if (typeof bytes === 'number') {
        if (!isUnreadable || bytes !== -errno.EIO) wrong.push(at);
        continue;
      }
      for (let index = 0; index < count; index++) {
        const expected = written.get(at + index) ?? zero;
        seen.add(at + index);
        if (isUnreadable || !bytes.subarray(index * 512, index * 512 + 512).equals(expected))
          wrong.push(at + index);
      }
    }
  }
  for (const sector of written.keys()) if (!seen.has(sector)) wrong.push(sector);
  t.same(wrong.slice(0, 10), [], 'every sector is as it was written');
}

/** What qemu-img does not read as it is written: parents, more than 2040 GiB, and a disk with data under clear bits. */
function isBeyondQemu({ name, files, expected }: Sample): boolean {
  return files.length > 1 || (expected.sectors ?? 0) > 2 ** 32 - 2 ** 23 || name === 'crash-before-bitmap';
}

const [qemuImg, vhdiinfo] = ['qemu-img', 'vhdiinfo'].map((name) => programPath(name));
if (!qemuImg || !vhdiinfo)
  t.comment('qemu-img or vhdiinfo is not installed: what they say of the images is left out');

/** Has qemu-img compare an image with our reading of it, and vhdiinfo read it. */
async function checkWithOthers(t: Test, sample: Sample, file: string): Promise<void> {
  if (qemuImg && !isBeyondQemu(sample)) {
    const raw = `${file}.raw`;
    const made = { targetFormat: 'raw', uuid: new Uint8Array(16), unixSeconds: 0 } as const;
    await promiseOf(convert(nodeCalls(), { source: file, sourceFormat: 'vhd', target: raw, ...made }));
    const image = `driver=vpc,force_size_calc=current_size,file.filename=${file}`;
    const options = ['--image-opts', `driver=raw,file.filename=${raw}`, image];
    const { status, stdout, stderr } = await run(qemuImg, ['compare', ...options]);
    t.equal(status, 0, `qemu-img: ${stdout}${stderr}`);
  }
  if (vhdiinfo) {
    const { status, stdout, stderr } = await run(vhdiinfo, [file]);
    t.equal(status, 0, `vhdiinfo: ${stdout}${stderr}`);
  }
}

function run(
  program: string,
  argv: readonly string[],
): Promise<{ status: unknown; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(program, argv, (error, stdout, stderr) =>
      resolve({ status: error ? error.code : 0, stdout, stderr }),
    );
  });
}

for (const sample of samples) {
  const { name, note, expected } = sample;
  t.test(`${name}: ${note}`, async (t) => {
    const file = unpack(sample, directoryOf(sample, 'ro'));
    if (!expected.opens) {
      for (const readOnly of [true, false]) {
        const error = await refusal(file, readOnly);
        t.match(error, { kind: expected.error }, 'refused for the right reason');
      }
      return;
    }
    const before = statSync(file);
    const disk = await openDisk(file, { readOnly: true });
    t.equal(disk.sectors, expected.sectors);
    await checkContents(t, disk, sample, writtenSectors(sample));
    if (expected.sha256 !== undefined && disk.sectors <= WHOLE_SECTORS) {
      const bytes = await readDisk(disk, 0, disk.sectors);
      t.equal(
        createHash('sha256')
          .update(bytes as Buffer)
          .digest('hex'),
        expected.sha256,
      );
    }
    for (const { sector, sha256 } of expected.probes ?? []) {
      const bytes = await readDisk(disk, sector, 1);
      t.equal(
        createHash('sha256')
          .update(bytes as Buffer)
          .digest('hex'),
        sha256,
        `sector ${sector}`,
      );
    }
    await closeDisk(disk);
    t.same(statSync(file).mtimeMs, before.mtimeMs, 'reading changes nothing');
  });

  t.test(`${name}, written`, { skip: !expected.opens }, async (t) => {
    const file = unpack(sample, directoryOf(sample, 'rw'));
    if (expected.openForWriting?.opens === false) {
      t.match(await refusal(file, false), { kind: expected.openForWriting.error });
      return;
    }
    const written = writtenSectors(sample);
    const disk = await openDisk(file);
    const changes = [0, 3, 4090, Math.floor(disk.sectors / 2) - 1, disk.sectors - 1];
    for (const [index, sector] of changes.entries()) {
      const count = Math.min(9, disk.sectors - sector);
      const tag = `new${index}`;
      const sectors = Array.from({ length: count }, (_, at) => taggedSector(sector + at, tag));
      for (const [at, bytes] of sectors.entries()) written.set(sector + at, bytes);
      t.equal(await writeDisk(disk, sector, Buffer.concat(sectors)), 0);
    }
    await checkContents(t, disk, sample, written);
    await closeDisk(disk);
    const again = await openDisk(file, { readOnly: true });
    t.equal(
      again.chain[0]?.kind === 'vhd' && again.chain[0].image.endFooter?.sectors,
      disk.sectors,
      'a footer is at the end',
    );
    await checkContents(t, again, sample, written);
    await closeDisk(again);
    const { findings } = await promiseOf(checkChain(nodeCalls(), file, { bitmaps: true }));
    t.same(
      findings.filter(({ severity }) => severity === 'error'),
      [],
      'our check finds no error',
    );
    await checkWithOthers(t, sample, file);
  });
}
