// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { AF_INET, type SocketAddress } from '../posix/address.js';

/** The IPv4 addresses that begin with the same bits. */
export class AddressRange {
  readonly #network: number;
  readonly #hosts: number;

  private constructor(network: number, hosts: number) {
    this.#network = network;
    this.#hosts = hosts;
  }

  /**
   * `10.0.0.2`, or `10.0.0.0/24` with how many bits count (0 to 32). Undefined for anything else: octets are decimal and have
   * no zeros in front, and what follows the bits that count must be zero, as a slip would allow more than was meant.
   */
  static parse(text: string): AddressRange | undefined {
    const [, address = '', bits = '32'] = /^([\d.]+)(?:\/(\d|[12]\d|3[0-2]))?$/.exec(text) ?? [];
    const network = numberOf(address);
    const hosts = 2 ** (32 - Number(bits));
    return network === undefined || network % hosts !== 0 ? undefined : new AddressRange(network, hosts);
  }

  /** @param address a dotted quad; anything else is in no range */
  has(address: string): boolean {
    const number = numberOf(address);
    return number !== undefined && number - (number % this.#hosts) === this.#network;
  }
}

/** Whether an address is in one of the ranges, which have IPv4 addresses only. */
export function isInRanges(address: SocketAddress, ranges: readonly AddressRange[]): boolean {
  return address.family === AF_INET && ranges.some((range) => range.has(address.address));
}

const OCTET = /^(?:0|[1-9]\d{0,2})$/;

function numberOf(address: string): number | undefined {
  const octets = address.split('.');
  if (octets.length !== 4 || !octets.every((octet) => OCTET.test(octet) && Number(octet) <= 255))
    return undefined;
  return octets.reduce((number, octet) => number * 256 + Number(octet), 0);
}
