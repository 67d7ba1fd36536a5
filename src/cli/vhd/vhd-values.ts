// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { MAX_BLOCK_BYTES } from '../../disks/drivers/vhd/header.js';
import { flag, repeated } from '../command-line/parameter.js';
import { directory, file, type ValueType } from '../command-line/value-type.js';
import { UsageError } from '../usage-error.js';

const UNITS = ['', 'K', 'M', 'G', 'T'];
/** The largest disk whose blocks all fit into a file. */
const MAX_SIZE = 2 ** 43;

/** Bytes with an optional unit, rounded up to whole sectors: `10G`. */
export const diskSize: ValueType<number> = {
  placeholder: 'SIZE',
  range: 'in bytes, or with K, M, G or T for powers of 1024; rounded up to 512 bytes',
  parse(text) {
    const [, digits = '', unit = ''] = /^(\d{1,15})([KMGT]?)$/.exec(text) ?? [];
    const size = Math.ceil((Number(digits) * 1024 ** UNITS.indexOf(unit)) / 512) * 512;
    if (digits === '' || size === 0 || size > MAX_SIZE) {
      throw new UsageError('expected 1 to 8T, a whole number with an optional unit K, M, G or T');
    }
    return size;
  },
};

/** A power of two from 512 bytes to 2 MiB. */
export const blockSize: ValueType<number> = {
  placeholder: 'SIZE',
  range: '512 to 2M, a power of two',
  parse(text) {
    const size = diskSize.parse(text);
    if (size > MAX_BLOCK_BYTES || !Number.isInteger(Math.log2(size))) {
      throw new UsageError('expected a power of two from 512 to 2M');
    }
    return size;
  },
};

export const image = file('IMAGE');

export const json = { json: flag({ help: 'Print JSON.' }) } as const;

export const parents = {
  parents: repeated(directory(), {
    help: 'Refuse parents outside this directory; if repeated, outside all of them.',
  }),
} as const;

/** The directories that {@link parents} names; undefined without any: parents may lie anywhere then. */
export function directoriesOf(named: readonly string[]): readonly string[] | undefined {
  return named.length > 0 ? named : undefined;
}
