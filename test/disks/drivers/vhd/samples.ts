// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { createHash } from 'node:crypto';
import {
  closeSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { repositoryFile } from '../../../../scripts/repository-files.js';

const DIRECTORY = repositoryFile('test/disks/drivers/vhd/samples');

interface SampleFile {
  readonly file: string;
  readonly stored: string;
  readonly form: 'gzip' | 'extents';
  readonly bytes: number;
  readonly sha256?: string;
}

/** What a safe driver makes of a sample. */
interface Expected {
  readonly opens: boolean;
  readonly error?: string;
  readonly sectors?: number;
  /** Of the whole disk's content. */
  readonly sha256?: string;
  readonly written?: readonly { readonly sector: number; readonly count: number; readonly tag: string }[];
  readonly unreadable?: readonly (readonly [sector: number, sectors: number])[];
  readonly probes?: readonly { readonly sector: number; readonly sha256: string }[];
  readonly openForWriting?: { readonly opens: boolean; readonly error?: string };
}

/** An image, with the files of its chain, that one of four programs made, or that was made of such a one. */
export interface Sample {
  readonly name: string;
  /** The file to open. */
  readonly open: string;
  readonly note: string;
  readonly files: readonly SampleFile[];
  readonly expected: Expected;
}

export const samples = (
  JSON.parse(readFileSync(path.join(DIRECTORY, 'samples.json'), 'utf8')) as { images: readonly Sample[] }
).images;

export function sampleNamed(name: string): Sample {
  const sample = samples.find((one) => one.name === name);
  if (!sample) throw new Error(`no sample ${name}`);
  return sample;
}

/** Puts a sample's files into a directory, and returns the path to open. */
export function unpack(sample: Sample, directory: string): string {
  for (const { file, stored, form, bytes, sha256 } of sample.files) {
    const target = path.join(directory, file);
    mkdirSync(path.dirname(target), { recursive: true });
    const unzipped = gunzipSync(readFileSync(path.join(DIRECTORY, stored)));
    if (form === 'extents') writeExtents(target, unzipped);
    else writeSparse(target, unzipped);
    if (form === 'gzip' && unzipped.length !== bytes)
      throw new Error(`${stored} has ${unzipped.length} bytes`);
    if (form === 'gzip' && sha256 && sha256 !== createHash('sha256').update(unzipped).digest('hex')) {
      throw new Error(`${stored} is not what it was`);
    }
  }
  return path.join(directory, sample.open);
}

function writeExtents(target: string, json: Buffer): void {
  const { size, extents } = JSON.parse(json.toString()) as {
    size: number;
    extents: readonly { offset: number; base64: string }[];
  };
  const fd = openSync(target, 'w');
  ftruncateSync(fd, size);
  for (const { offset, base64 } of extents)
    writeSync(fd, Buffer.from(base64, 'base64'), 0, undefined, offset);
  closeSync(fd);
}

function writeSparse(target: string, bytes: Buffer): void {
  writeFileSync(target, '');
  const fd = openSync(target, 'w');
  ftruncateSync(fd, bytes.length);
  const piece = 65_536;
  const zeroes = Buffer.alloc(piece);
  for (let at = 0; at < bytes.length; at += piece) {
    const part = bytes.subarray(at, at + piece);
    if (!part.equals(zeroes.subarray(0, part.length))) writeSync(fd, part, 0, part.length, at);
  }
  closeSync(fd);
}

/** Sector `sector` as a sample's maker wrote it with a tag. */
export function taggedSector(sector: number, tag: string): Buffer {
  const bytes = Buffer.alloc(512);
  for (let at = 0; at < 128; at += 8) bytes.writeBigUInt64BE(BigInt(sector), at);
  bytes.fill(tag.padEnd(8, '.'), 128);
  return bytes;
}

/** The sectors of a sample that are not zero. */
export function writtenSectors({ expected }: Sample): Map<number, Buffer> {
  const sectors = new Map<number, Buffer>();
  for (const { sector, count, tag } of expected.written ?? []) {
    for (let at = sector; at < sector + count; at++) sectors.set(at, taggedSector(at, tag));
  }
  return sectors;
}
