// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { AF_INET, SOCK_STREAM } from '../../../../src/posix/index.js';
import { ControlFifo } from '../../../../src/replication/disk/control-fifo.js';
import type { SimulatedWorld } from '../../../../src/testing/index.js';
import type { SideNode } from '../world.js';

const CONTROL_PORT = 7000;

/** The two FIFOs of a disk on a simulated host, each a connection of the host to itself. */
export class FifoPair {
  readonly #node: SideNode;
  readonly #commands: number;
  readonly #answers: number;
  readonly fifo: ControlFifo;
  #come = '';

  private constructor(node: SideNode, commands: readonly number[], answers: readonly number[]) {
    const { posix, logger } = node.host;
    this.#node = node;
    this.#commands = commands[0] as number;
    this.#answers = answers[0] as number;
    this.fifo = new ControlFifo({
      registrar: node.server,
      posix,
      logger,
      replication: node.engine,
      commands: commands[1] as number,
      answers: answers[1] as number,
    });
  }

  static async open(world: SimulatedWorld, node: SideNode): Promise<FifoPair> {
    const { posix, name } = node.host;
    const pairs: number[][] = [];
    for (const port of [CONTROL_PORT, CONTROL_PORT + 1]) {
      const address = { family: AF_INET, address: name, port } as const;
      const listener = posix.socket(AF_INET, SOCK_STREAM);
      posix.bind(listener, address);
      posix.listen(listener, 1);
      const near = posix.socket(AF_INET, SOCK_STREAM);
      posix.connect(near, address);
      await world.complete(posix.select({ read: [listener] }, 5));
      pairs.push([near, posix.accept(listener)]);
      posix.close(listener);
    }
    return new FifoPair(node, pairs[0] as number[], pairs[1] as number[]);
  }

  /** Closes both ends of both. */
  close(): void {
    this.fifo.close();
    this.#node.host.posix.close(this.#commands);
    this.#node.host.posix.close(this.#answers);
  }

  command(text: string): void {
    this.#node.host.posix.write(this.#commands, Buffer.from(text, 'latin1'));
  }

  /** All that was answered since it was taken. */
  get answers(): string {
    const buffer = Buffer.alloc(4096);
    for (;;) {
      const count = this.#node.host.posix.read(this.#answers, buffer);
      if (count <= 0) return this.#come;
      this.#come += buffer.toString('latin1', 0, count);
    }
  }

  take(length: number): string {
    const taken = this.answers.slice(0, length);
    this.#come = this.#come.slice(length);
    return taken;
  }
}
