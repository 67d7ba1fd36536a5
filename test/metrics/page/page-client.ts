// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { connect, type Socket } from 'node:net';
import type { Test } from 'tap';
import type { StreamMessage } from '../../../src/metrics/page/wire.js';

/** Server-sent events of a page, as they come. */
export class Page {
  readonly socket: Socket;
  readonly #waiting: (() => void)[] = [];
  #text = '';
  #ended = false;

  constructor(t: Test, port: number) {
    this.socket = connect({ port, host: '127.0.0.1' });
    this.socket.write('GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n');
    this.socket.on('data', (chunk: Buffer) => this.#add(chunk.toString()));
    this.socket.on('close', () => this.#end());
    this.socket.on('error', () => {});
    t.teardown(() => this.socket.destroy());
  }

  /** The head of the answer. */
  async head(): Promise<string> {
    return this.#take('\r\n\r\n');
  }

  async next(): Promise<{ event: string; message: StreamMessage }> {
    const [, event = '', data = ''] =
      /^event: (\w+)\nretry: 1000\ndata: (.*)$/.exec(await this.#take('\n\n')) ?? [];
    return { event, message: JSON.parse(data) as StreamMessage };
  }

  async #take(end: string): Promise<string> {
    while (!this.#text.includes(end)) {
      if (this.#ended) throw new Error(`the stream ended: ${this.#text}`);
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    const [taken = '', ...rest] = this.#text.split(end);
    this.#text = rest.join(end);
    return taken;
  }

  #add(text: string): void {
    this.#text += text;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  #end(): void {
    this.#ended = true;
    this.#add('');
  }
}
