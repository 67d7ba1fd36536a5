// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Test } from 'tap';
import { SimulatedWorld } from '../../../../src/testing/index.js';
import { SideNode } from '../world.js';
import { BACKUP, CSide } from './c-side.js';
import { FifoPair } from './fifo-pair.js';
import { OLD, SECTORS, type Session } from './sessions.js';

/** Time that what was recorded as immediate may take, in seconds. */
export const SOON = 0.3;

/** One of our sides and the other one byte by byte, in a world of their own. */
export class Player {
  readonly t: Test;
  readonly world: SimulatedWorld;
  readonly node: SideNode;
  readonly peer: CSide;
  fifo!: FifoPair;
  /** Results of the guest's requests, in the order in which they ended. */
  readonly completions: string[] = [];

  private constructor(t: Test, role: 'primary' | 'backup', options: object) {
    this.t = t;
    this.world = new SimulatedWorld({ seed: 1, traceLines: 2000 });
    const [own, other] = role === 'backup' ? [BACKUP, '10.0.0.1'] : ['10.0.0.1', BACKUP];
    this.node = new SideNode(
      this.world,
      own,
      { role, peer: 'c', ...options },
      { sectors: SECTORS, fill: OLD },
    );
    this.peer = new CSide(this.world, this.world.host(other));
  }

  static async open(t: Test, role: 'primary' | 'backup', options: object = {}): Promise<Player> {
    const player = new Player(t, role, options);
    if (role === 'primary') player.peer.listen();
    const result = await player.world.complete(player.node.opened);
    if (result !== 0) throw new Error(`the engine does not open: ${result}`);
    player.fifo = await FifoPair.open(player.world, player.node);
    return player;
  }

  /** A request of the guest: `w SECTOR COUNT BYTE` or `r SECTOR COUNT`. -EBUSY is not tried again. */
  request(text: string): void {
    const [what = '', sector = '', count = '', byte = ''] = text.split(' ');
    const buffer = Buffer.alloc(Number(count) * 512, Number.parseInt(byte || '0', 16));
    const name = `guest ${what === 'w' ? 'write' : 'read'} ${sector}+${count}`;
    const ended = (result: number): void => {
      this.completions.push(`${name} = ${Math.min(result, 0)}`);
    };
    if (what === 'w') this.node.engine.write(Number(sector), buffer, ended);
    else this.node.engine.read(Number(sector), buffer, ended);
  }

  /** The first byte of a sector as the disk shows it. */
  async byteAt(sector: number): Promise<number> {
    return (await this.node.read(sector, 1))[0] as number;
  }

  async close(): Promise<void> {
    this.peer.close();
    this.peer.stopListening();
    this.fifo.fifo.close();
    if (this.node.isUp) await this.node.call((done) => this.node.engine.close(done));
  }
}

/** Runs a session in a player of its own; what fails is said with the session's name and the end of the trace. */
export async function play(
  t: Test,
  session: Session,
  role: 'primary' | 'backup',
  run: (player: Player) => Promise<void>,
  options: object = {},
): Promise<void> {
  const player = await Player.open(t, role, options);
  try {
    await run(player);
    await player.close();
  } catch (error) {
    t.fail(`${session.name}: ${String(error)}`);
  }
  if (t.passing()) return;
  const lines = player.world.trace.toString().split('\n');
  t.comment(
    lines
      .filter((line) => !/timerfd|select/.test(line))
      .slice(-40)
      .join('\n'),
  );
}
