// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

/** Parts of a state as JSON, by key. */
export type PartTexts = ReadonlyMap<string, string>;

/** How soon a browser connects again, in milliseconds. */
const RETRY_MS = 1000;

/** The members of a JSON object that has these parts. */
export function membersText(parts: PartTexts): string {
  return [...parts].map(([key, text]) => `${JSON.stringify(key)}:${text}`).join(',');
}

/** A message of the stream that sets these parts; see StreamMessage. */
export function messageText(event: string, at: number, set: PartTexts, gone: readonly string[] = []): string {
  const data = `{"at":${at.toFixed(1)},"set":{${membersText(set)}},"gone":${JSON.stringify(gone)}}`;
  return `event: ${event}\nretry: ${RETRY_MS}\ndata: ${data}\n\n`;
}

/** The changes of a state that is sent in parts. */
export class PartChanges {
  #parts: PartTexts = new Map();

  /** The parts as they were last sent. */
  get parts(): PartTexts {
    return this.#parts;
  }

  /** Takes the parts as they are now, and returns those that are others than before, and the keys of those that are gone. */
  update(parts: PartTexts): { set: PartTexts; gone: string[] } {
    const before = this.#parts;
    this.#parts = parts;
    return {
      set: new Map([...parts].filter(([key, text]) => before.get(key) !== text)),
      gone: [...before.keys()].filter((key) => !parts.has(key)),
    };
  }
}
