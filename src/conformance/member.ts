// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

/** A vector that does not match the format: which member, what was expected, and what was found. */
export class ShapeError extends Error {
  override readonly name = 'ShapeError';

  readonly member: string;
  readonly expected: string;

  constructor(member: string, expected: string, got: unknown) {
    super(`${member || 'the vector'}: expected ${expected}, got ${shorten(got)}`);
    this.member = member;
    this.expected = expected;
  }
}

/** A value as a message shows it: its JSON, cut to at most this many characters. */
export function shorten(value: unknown, most = 60): string {
  if (value === undefined) return 'nothing';
  const text = JSON.stringify(value);
  return text.length <= most ? text : `${text.slice(0, most - 3)}...`;
}

/** A value of a JSON document and the path that leads to it, as in `steps[3][1]`. */
export class Member {
  readonly value: unknown;
  readonly path: string;

  constructor(value: unknown, path = '') {
    this.value = value;
    this.path = path;
  }

  /** @throws ShapeError, always: the member is not what was expected */
  fail(expected: string): never {
    throw new ShapeError(this.path, expected, this.value);
  }

  /** The object's member `key`; its value is undefined where the object has none. */
  get(key: string): Member {
    const object = this.object();
    const path = /^[A-Za-z_]\w*$/.test(key)
      ? `${this.path}${this.path && '.'}${key}`
      : `${this.path}[${JSON.stringify(key)}]`;
    return new Member(Object.hasOwn(object, key) ? object[key] : undefined, path);
  }

  get present(): boolean {
    return this.value !== undefined;
  }

  object(): Readonly<Record<string, unknown>> {
    const { value } = this;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return this.fail('an object');
    return value as Record<string, unknown>;
  }

  /**
   * The object's members, none of which may be any but these.
   *
   * @throws ShapeError when there is another member, or it is no object
   */
  only(known: readonly string[]): this {
    for (const key of Object.keys(this.object())) {
      if (!known.includes(key))
        throw new ShapeError(this.get(key).path, `one of the members ${known.join(', ')}`, key);
    }
    return this;
  }

  entries(): [string, Member][] {
    return Object.keys(this.object()).map((key) => [key, this.get(key)]);
  }

  array(): Member[] {
    const { value } = this;
    if (!Array.isArray(value)) return this.fail('an array');
    return value.map((item: unknown, index) => new Member(item, `${this.path}[${index}]`));
  }

  /** The items of an array of exactly this many. */
  tuple(length: number, expected: string): Member[] {
    const items = this.array();
    if (items.length !== length) return this.fail(expected);
    return items;
  }

  string(expected = 'a string'): string {
    return typeof this.value === 'string' ? this.value : this.fail(expected);
  }

  oneOf<Name extends string>(names: readonly Name[]): Name {
    const name = names.find((known) => known === this.value);
    return name ?? this.fail(`one of ${names.map((known) => JSON.stringify(known)).join(', ')}`);
  }

  /** Any finite number. */
  number(): number {
    return typeof this.value === 'number' && Number.isFinite(this.value) ? this.value : this.fail('a number');
  }

  integer(least = -(2 ** 31), most = 2 ** 31 - 1): number {
    const { value } = this;
    if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return value;
    return this.fail(`a whole number from ${least} to ${most}`);
  }
}
