// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// One side is an engine, the other's frames are written by hand.

import { SimulatedWorld } from '../../../../src/testing/index.js';
import { type NodeOptions, SideNode } from '../world.js';
import { HandPeer, PEER_ADDRESS } from './hand-peer.js';

/** A new backup, and a connection to it on which nothing was said. */
export async function called(options: NodeOptions = {}) {
  const world = new SimulatedWorld({ seed: 1 });
  const backup = new SideNode(world, PEER_ADDRESS, options);
  await world.complete(backup.opened);
  const peer = await HandPeer.connect(world);
  return { world, backup, peer };
}

/** Waits for a side's connection, and says that the one that listens is an own one. */
export async function acceptOwn(world: SimulatedWorld): Promise<HandPeer> {
  const peer = await HandPeer.accept(world);
  peer.raw(Buffer.from('rp01'));
  return peer;
}

/** A new primary, and a listening side that has said that it is an own one. */
export async function calling(options: NodeOptions = {}) {
  const world = new SimulatedWorld({ seed: 1 });
  world.host(PEER_ADDRESS);
  const primary = new SideNode(world, '10.0.0.1', options);
  await world.complete(primary.opened);
  return { world, primary, peer: await acceptOwn(world) };
}

/** How a side saw its last connection end. */
export function reasonOf({ events }: SideNode): string {
  const ended = events.findLast(({ kind }) => kind === 'disconnected');
  return ended?.kind === 'disconnected' ? ended.reason : 'it has not';
}
