// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

/** Keys that servers and clients know, by the names of clients. */
export type PskKeys = ReadonlyMap<string, Buffer>;

/** A shorter one could be guessed; OpenSSL takes no longer one. */
const MIN_KEY_BYTES = 16;
const MAX_KEY_BYTES = 256;

/**
 * Reads a file of GnuTLS's form, as psktool(1) makes it: a line `NAME:KEY` for each client, the key in hexadecimal digits. A
 * name that begins with # is in hexadecimal digits, too.
 *
 * @throws Error that names the line that is wrong, but no key
 */
export function parsePskFile(text: string): PskKeys {
  const keys = new Map<string, Buffer>();
  text.split(/\r?\n/).forEach((line, index) => {
    if (line === '') return;
    const { name = '', key = '' } = /^(?<name>[^:]+):(?<key>[^:]*)$/.exec(line)?.groups ?? {};
    const bytes = bytesOf(key);
    const where = `line ${index + 1}`;
    if (name === '' || bytes === undefined)
      throw new Error(`${where}: expected NAME:KEY with a key in hexadecimal digits`);
    if (bytes.length < MIN_KEY_BYTES || bytes.length > MAX_KEY_BYTES) {
      const range = `${MIN_KEY_BYTES} to ${MAX_KEY_BYTES} bytes`;
      throw new Error(`${where}: expected a key of ${range}, not of ${bytes.length}`);
    }
    const identity = name.startsWith('#') ? bytesOf(name.slice(1))?.toString() : name;
    if (identity === undefined) throw new Error(`${where}: expected hexadecimal digits after #`);
    if (keys.has(identity)) throw new Error(`${where}: a second key for the same name`);
    keys.set(identity, bytes);
  });
  if (keys.size === 0) throw new Error('expected at least one line NAME:KEY');
  return keys;
}

function bytesOf(digits: string): Buffer | undefined {
  return /^(?:[0-9a-f]{2})+$/i.test(digits) ? Buffer.from(digits, 'hex') : undefined;
}
