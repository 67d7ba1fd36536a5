// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { walkConnectModule } from './connect-walk.js';

t.test(
  'the connect module keeps its invariants in every state, for every input and outcome of every call',
  async (t) => {
    const { transitions, steps, broken } = walkConnectModule();
    t.equal(broken, undefined);
    t.comment(`${Object.keys(transitions).length} states, ${steps} steps`);

    const idle = { status: ['none'], kill: ['none'] };
    const fromIdle = {
      server_start: ['server listens'],
      server_restart: ['server listens'],
      client_start: ['client about to dial'],
    };
    /** What a client's callback leads to: established, killed or given up, robbed by a restart, started anew. */
    const afterCallback = [
      'client established',
      'client robbed',
      'closed',
      'server listens',
      'client about to dial',
    ];
    t.same(
      sorted(transitions),
      sorted({
        none: { ...idle, ...also(fromIdle, 'none'), init: ['none'] },
        closed: {
          ...also(fromIdle, 'closed'),
          init: ['closed', 'none'],
          kill: ['closed'],
          status: ['closed'],
        },
        'server listens': {
          ...inUse('server listens'),
          fire: ['server established', 'server listens', 'closed'],
        },
        'server established': {
          ...inUse('server established'),
          server_restart: ['server listens'],
          fire: ['server established'],
        },
        'client about to dial': {
          ...inUse('client about to dial'),
          fire: [...afterCallback, 'client dials'],
        },
        'client dials': {
          ...inUse('client dials'),
          fire: [...afterCallback, 'client dials'],
        },
        'client established': { ...inUse('client established'), server_restart: ['client robbed'] },
        'client robbed': inUse('client robbed'),
      }),
    );
  },
);

type Transitions = Readonly<Record<string, readonly string[]>>;

/** In use a start changes nothing, and kill ends it. */
function inUse(state: string): Transitions {
  const unchanged = [state];
  return {
    server_start: unchanged,
    server_restart: unchanged,
    client_start: unchanged,
    status: unchanged,
    kill: ['closed'],
  };
}

function also(transitions: Transitions, state: string): Transitions {
  return Object.fromEntries(
    Object.entries(transitions).map(([input, states]) => [input, [...states, state]]),
  );
}

function sorted(transitions: Readonly<Record<string, Transitions>>): unknown {
  return Object.fromEntries(
    Object.entries(transitions).map(([state, inputs]) => [
      state,
      Object.fromEntries(Object.entries(inputs).map(([input, states]) => [input, states.toSorted()])),
    ]),
  );
}
