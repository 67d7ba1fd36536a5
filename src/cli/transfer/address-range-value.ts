// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { AddressRange } from '../../server/address-range.js';
import type { ValueType } from '../command-line/value-type.js';
import { UsageError } from '../usage-error.js';

/** An IPv4 address, or a range of them. */
export const addressRange: ValueType<AddressRange> = {
  placeholder: 'ADDRESS[/BITS]',
  parse(text) {
    const range = AddressRange.parse(text);
    if (range === undefined)
      throw new UsageError(
        'expected an IPv4 address such as 10.0.0.2, or a range such as 10.0.0.0/24, whose other bits are zero',
      );
    return range;
  },
};
