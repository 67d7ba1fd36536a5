// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { parseJson } from '../../../posix/json-text.js';
import { MAX_ANCESTORS, type Reach, type Standing } from '../standing.js';
import { ProtocolError } from '../wire/frame.js';

/** What a hello has at most, in bytes. */
const MAX_HELLO_BYTES = 4096;

/** A side's standing, and the version of the program. */
export interface Hello {
  readonly version: string;
  readonly standing: Standing;
}

export function encodeHello(hello: Hello): Uint8Array {
  return Buffer.from(JSON.stringify(hello), 'utf8');
}

/** @throws ProtocolError for anything but a hello, or an impossible standing */
export function decodeHello(body: Uint8Array): Hello {
  if (body.length > MAX_HELLO_BYTES) {
    throw new ProtocolError(`a hello has ${body.length} bytes, expected at most ${MAX_HELLO_BYTES}`);
  }
  const hello = objectOf(parsed(body), 'hello');
  const standing = objectOf(hello['standing'], 'standing');
  const { role, line } = standing;
  if (role !== 'primary' && role !== 'backup') throw wrong('role', role);
  if (!Array.isArray(line) || line.length > MAX_ANCESTORS + 1) throw wrong('line', line);
  return {
    version: text(hello['version'], 'version', /^[\x20-\x7e]{1,64}$/),
    standing: {
      role,
      diskId: orNull(standing['diskId'], 'diskId', /^[0-9a-f]{32}$/),
      sectors: count(standing['sectors'], 'sectors'),
      grainSectors: count(standing['grainSectors'], 'grainSectors'),
      hasState: flag(standing['hasState'], 'hasState'),
      takesFirstSync: flag(standing['takesFirstSync'], 'takesFirstSync'),
      promoted: flag(standing['promoted'], 'promoted'),
      rejoining: flag(standing['rejoining'], 'rejoining'),
      full: flag(standing['full'], 'full'),
      line: line.map(decodeReach),
      resyncId: orNull(standing['resyncId'], 'resyncId', /^[0-9a-f]{16}$/),
    },
  };
}

function decodeReach(value: unknown): Reach {
  const reach = objectOf(value, 'line');
  return {
    generation: text(reach['generation'], 'generation', /^[0-9a-f]{16}$/),
    low: count(reach['low'], 'low'),
    high: count(reach['high'], 'high'),
  };
}

function parsed(body: Uint8Array): unknown {
  try {
    return parseJson(Buffer.from(body).toString('utf8'));
  } catch {
    throw new ProtocolError('a hello is not valid JSON');
  }
}

function objectOf(value: unknown, name: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrong(name, value);
  return value as Record<string, unknown>;
}

function text(value: unknown, name: string, pattern: RegExp): string {
  if (typeof value !== 'string' || !pattern.test(value)) throw wrong(name, value);
  return value;
}

function orNull(value: unknown, name: string, pattern: RegExp): string | null {
  return value === null ? null : text(value, name, pattern);
}

function count(value: unknown, name: string): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw wrong(name, value);
  return value;
}

function flag(value: unknown, name: string): boolean {
  if (typeof value !== 'boolean') throw wrong(name, value);
  return value;
}

function wrong(name: string, value: unknown): ProtocolError {
  const shown = JSON.stringify(value) ?? 'nothing';
  return new ProtocolError(`a hello's ${name} cannot be ${shown.slice(0, 40)}`);
}
