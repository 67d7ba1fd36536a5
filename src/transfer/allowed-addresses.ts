// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { AddressRange } from '../server/address-range.js';
import { TransferError } from './transfer-error.js';

/**
 * IPv4 addresses, and ranges of them such as `10.0.0.0/24`.
 *
 * @throws TransferError EINVAL for a text that is neither
 */
export function allowedAddresses(texts: readonly string[]): AddressRange[] {
  return texts.map((text) => {
    const range = AddressRange.parse(text);
    if (range !== undefined) return range;
    throw new TransferError(
      'EINVAL',
      `allow has ${JSON.stringify(text)}: expected an IPv4 address, or a range such as 10.0.0.0/24`,
    );
  });
}
