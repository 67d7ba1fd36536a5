// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { Random, SimulatedWorld } from '../../../../src/testing/index.js';
import { SideNode } from '../world.js';
import { BACKUP, CSide } from './c-side.js';
import { FifoPair } from './fifo-pair.js';
import { mutated, statesAfter } from './mutated-bytes.js';
import { OLD, recordedSessions, SECTORS, type Session } from './sessions.js';

const PRIMARY = '10.0.0.1';
const JOURNAL_BYTES = 1 << 20;
/** What an engine with its files, a connection and the FIFOs may have open at most. */
const MAX_DESCRIPTORS = 32;

const sessions = recordedSessions();
const streamOf = ({ steps }: Session, side: 'primary' | 'backup'): Buffer =>
  Buffer.concat(steps.filter(({ from }) => from === side).map(({ bytes }) => bytes));
const streams = {
  primary: sessions.map((session) => streamOf(session, 'primary')).filter(({ length }) => length > 0),
  backup: sessions.map((session) => streamOf(session, 'backup')).filter(({ length }) => length > 0),
};

/** One of our sides, and a peer that sends what a C driver has sent, with something wrong in it. */
class MutatedLife {
  readonly random: Random;
  readonly world: SimulatedWorld;
  readonly node: SideNode;
  readonly peer: CSide;
  fifo!: FifoPair;

  constructor(seed: number, role: 'primary' | 'backup') {
    this.random = new Random(seed);
    this.world = new SimulatedWorld({ seed, traceLines: 200 });
    const [own, other] = role === 'backup' ? [BACKUP, PRIMARY] : [PRIMARY, BACKUP];
    const peer = this.random.chance(0.5) ? 'c' : 'auto';
    const done = this.random.chance(0.3) ? 'received' : 'durable';
    const options = { role, peer, done, journalBytes: JOURNAL_BYTES } as const;
    this.node = new SideNode(this.world, own, options, { sectors: SECTORS, fill: OLD });
    this.peer = new CSide(this.world, this.world.host(other));
  }

  async open(): Promise<void> {
    const result = await this.world.complete(this.node.opened);
    if (result !== 0) throw new Error(`the engine does not open: ${result}`);
    this.fifo = await FifoPair.open(this.world, this.node);
  }

  /** In pieces, with pauses, some of them longer than a message may stand still. */
  async send(bytes: Buffer): Promise<void> {
    const { random, peer, world } = this;
    for (let at = 0; at < bytes.length;) {
      const length = random.integer(1, random.chance(0.5) ? 40 : 3000);
      await peer.send(bytes.subarray(at, at + length));
      at += length;
      if (random.chance(0.3))
        await world.run(random.chance(0.1) ? random.fraction() * 3 : random.fraction() * 0.01);
    }
    await world.run(0.05);
  }

  end(): void {
    const { random, peer } = this;
    const how = random.integer(0, 3);
    if (how === 0) peer.reset();
    else if (how === 1) peer.halfClose();
    else peer.close();
  }

  /** A command is answered at once, whatever the peer does. @throws Error otherwise */
  async checkResponsive(): Promise<void> {
    const before = this.fifo.answers.length;
    this.fifo.command('what');
    await this.world.run(0.01);
    if (this.fifo.answers.length <= before) throw new Error('a command is not answered within 10 ms');
    const { posix } = this.node.host;
    const open = posix.openDescriptors().length;
    if (open > MAX_DESCRIPTORS) throw new Error(`${open} descriptors are open`);
  }

  /** @throws Error when something is left open */
  async close(): Promise<void> {
    const { node, world, peer } = this;
    peer.close();
    peer.stopListening();
    this.fifo.close();
    const result = await node.call((done) => node.engine.close(done));
    if (result < 0) throw new Error(`the close ends with ${result}`);
    await world.run(0.1);
    const left = node.host.posix
      .openDescriptors()
      .filter(({ description }) => !/eventfd|counter/.test(description));
    if (left.length > 0)
      throw new Error(`left open: ${left.map(({ description }) => description).join(', ')}`);
  }
}

async function liveAsBackup(life: MutatedLife): Promise<void> {
  const { node, peer, random } = life;
  let states: Buffer[] = [Buffer.alloc(SECTORS * 512, OLD)];
  for (let connections = random.integer(1, 2); connections > 0; connections--) {
    if ((await peer.connect()) < 0) break;
    const bytes = mutated(random.pick(streams.primary), streams.primary, random);
    states = statesAfter(bytes, states[0] as Buffer);
    await life.send(bytes);
    await life.checkResponsive();
    const answers = peer.come.toString('latin1');
    const dones = /^(?:done)*/.exec(answers)?.[0].length ?? 0;
    if (random.chance(0.3)) await life.world.run(2);
    life.end();
    await life.world.run(2);
    const shown = await node.read(0, SECTORS);
    const at = states.findLastIndex((state) => state.equals(shown));
    if (at < 0) throw new Error('the backup shows no checkpoint that was sent');
    const least = states.findIndex((state, index) => index >= dones / 4 && state.equals(shown));
    if (least < 0)
      throw new Error(`${dones / 4} commits were answered, the backup shows the state after ${at}`);
    states = [shown];
  }
}

async function liveAsPrimary(life: MutatedLife): Promise<void> {
  const { node, peer, random, world, fifo } = life;
  const image = Buffer.alloc(SECTORS * 512, OLD);
  let commands = 0;
  peer.listen();
  const extra = (): number => node.events.filter(({ kind }) => kind === 'unsolicited').length;
  for (let steps = random.integer(3, 12); steps > 0; steps--) {
    const sectors = random.integer(1, 16);
    const sector = random.integer(0, SECTORS - sectors);
    const byte = random.integer(1, 255);
    image.fill(byte, sector * 512, (sector + sectors) * 512);
    const result = await node.write(sector, sectors, byte);
    if (result < 0) throw new Error(`a write failed: ${result}`);
    if (random.chance(0.5)) {
      commands += 1;
      fifo.command('flush');
      await world.run(0.01);
    }
    await peer.until(() => peer.accept() || peer.connections > 0, 0.1);
    if (peer.connections > 0 && random.chance(0.7)) {
      const done = Buffer.from('done', 'latin1');
      const bytes = random.chance(0.6) ? done : mutated(random.pick(streams.backup), streams.backup, random);
      await life.send(bytes);
      commands += 1;
      await life.checkResponsive();
    }
    if (random.chance(0.1)) peer.close();
  }
  peer.stopListening();
  life.end();
  await peer.until(() => node.engine.status().state === 'unprotected', 10);
  if (peer.connections === 0) await world.run(6);
  await world.run(0.1);
  const answered = fifo.answers.length / 4;
  if (answered !== commands + extra()) {
    throw new Error(`${answered} answers to ${commands} commands and ${extra()} answers too many`);
  }
  if (!(await node.read(0, SECTORS)).equals(image)) throw new Error('the local disk is not what was written');
}

/** @throws (rejects with) Error when something that must hold does not */
export async function liveMutated(seed: number): Promise<void> {
  const role = seed % 2 === 0 ? 'primary' : 'backup';
  const life = new MutatedLife(seed, role);
  await life.open();
  await (role === 'primary' ? liveAsPrimary(life) : liveAsBackup(life));
  await life.close();
}

/** Runs seeds; what failed, in a line each. */
export async function checkMutated(first: number, count: number): Promise<string[]> {
  const failures: string[] = [];
  for (let seed = first; seed < first + count; seed++) {
    try {
      await liveMutated(seed);
    } catch (error) {
      failures.push(`TEST_SEED=${seed}: ${String(error)}`);
    }
  }
  return failures;
}
