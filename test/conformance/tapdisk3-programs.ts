// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import fc from 'fast-check';
import type {
  ModeName,
  SelectScript,
  Tapdisk3ScriptedEvent,
  Tapdisk3Step,
  Tapdisk3Vector,
} from '../../src/conformance/vector.js';

const INT_MAX = 2147483647;
const LABELS = ['a', 'b', 'c', 'd', 'e', 'f'] as const;
/** Few, so that events share them; one that no select is asked for. */
const DESCRIPTORS = [0, 3, 4, 1023] as const;
const MAX_STEPS = 12;
const MAX_FIRINGS = 4;
const MAX_ACTIONS = 4;

const label = fc.constantFrom(...LABELS);
const descriptors = fc.oneof(
  fc.constant<number[]>([...DESCRIPTORS]),
  fc.uniqueArray(fc.constantFrom(...DESCRIPTORS), { maxLength: DESCRIPTORS.length, size: 'max' }),
);
/** By label mostly, else by a raw id, live, stale or none. */
const target: fc.Arbitrary<string | number> = fc.oneof(
  { weight: 8, arbitrary: label },
  { weight: 1, arbitrary: fc.constantFrom(-1, 0, 1, 2, 3, INT_MAX) },
);
/** Microseconds around what matters: due at once, soon, at the longest wait, never. */
const span = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(0, 0, 1, 2, 1_000_000, 1_500_000) },
  { weight: 2, arbitrary: fc.constantFrom(-1, -1_000_000) },
  { weight: 1, arbitrary: fc.constantFrom(599_999_999, 600_000_000, 600_000_001, 2 ** 32 * 1_000_000) },
);
/** Now and then backwards. */
const elapse = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(0, 1, 2, 999_999, 1_000_000, 1_500_000) },
  { weight: 1, arbitrary: fc.constantFrom(-1, -2_500_000, 600_000_000, 2 ** 40) },
);
const clock = fc.constantFrom(1_000_000_000, 1_000_000_001, 0, -1, 2 ** 31 * 1_000_000);
/** Near the wrap, so that ids begin anew and meet held ones; and small, so that raw ids hit. */
const uuid = fc.constantFrom(1, 1, 1, 2, INT_MAX, INT_MAX - 1, INT_MAX - 2, 0, -7);

const ready = fc.record({ read: descriptors, write: descriptors, except: descriptors, elapse });
const interruption = fc.record({ errno: fc.constant('EINTR'), elapse });
const answer: fc.Arbitrary<SelectScript> = fc.oneof(
  { weight: 12, arbitrary: ready },
  { weight: 2, arbitrary: interruption },
  { weight: 1, arbitrary: fc.record({ errno: fc.constantFrom('EBADF', 'ENOMEM'), elapse }) },
);
const wait = fc
  .tuple(answer, fc.array(answer, { maxLength: 2 }))
  .map(([first, further]): Tapdisk3Step => ['wait', first, ...further]);

const flag: fc.Arbitrary<boolean | number> = fc.oneof(fc.boolean(), fc.constantFrom(0, 1, -3));
const action: fc.Arbitrary<Tapdisk3Step> = fc.oneof(
  { weight: 5, arbitrary: label.map((name): Tapdisk3Step => ['register', name]) },
  { weight: 4, arbitrary: target.map((what): Tapdisk3Step => ['unregister', what]) },
  { weight: 4, arbitrary: fc.tuple(target, flag).map(([what, on]): Tapdisk3Step => ['mask', what, on]) },
  {
    weight: 3,
    arbitrary: fc.tuple(target, span).map(([what, to]): Tapdisk3Step => ['setTimeout', what, to]),
  },
  { weight: 1, arbitrary: span.map((cap): Tapdisk3Step => ['setMaxTimeout', cap]) },
  { weight: 2, arbitrary: elapse.map((by): Tapdisk3Step => ['elapse', by]) },
  { weight: 1, arbitrary: uuid.map((id): Tapdisk3Step => ['uuid', id]) },
);
/** What a callback does: a wait within it, now and then. */
const callbackAction = fc.oneof({ weight: 6, arbitrary: action }, { weight: 1, arbitrary: wait });

const mode = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.constantFrom<ModeName[]>(['READ'], ['READ', 'TIMEOUT'], ['TIMEOUT'], ['READ', 'WRITE']),
  },
  { weight: 2, arbitrary: fc.subarray<ModeName>(['READ', 'WRITE', 'EXCEPT', 'TIMEOUT']) },
);
const event: fc.Arbitrary<Tapdisk3ScriptedEvent> = fc.record({
  mode,
  fd: fc.oneof(
    { weight: 9, arbitrary: fc.constantFrom<number>(...DESCRIPTORS) },
    { weight: 1, arbitrary: fc.constantFrom(-1, -64) },
  ),
  timeout: span,
  on: fc.array(fc.array(callbackAction, { maxLength: MAX_ACTIONS, size: 'max' }), {
    maxLength: MAX_FIRINGS,
    size: 'max',
  }),
});

/** Registrations first, so that there is something to wait for. */
const firstSteps = fc
  .shuffledSubarray([...LABELS, ...LABELS], { minLength: 1, maxLength: LABELS.length })
  .map((names) => names.map((name): Tapdisk3Step => ['register', name]));
/** Many events at once, and many gone or masked at once by raw id, for the indexes that grow and shrink. */
const burst = fc
  .record({
    registered: fc.array(label, { minLength: 2, maxLength: 40, size: 'max' }),
    masked: fc.uniqueArray(fc.integer({ min: 1, max: 45 }), { maxLength: 20, size: 'max' }),
    gone: fc.uniqueArray(fc.integer({ min: 1, max: 45 }), { maxLength: 40, size: 'max' }),
  })
  .map(({ registered, masked, gone }): Tapdisk3Step[] => [
    ...registered.map((name): Tapdisk3Step => ['register', name]),
    ...masked.map((id): Tapdisk3Step => ['mask', id, true]),
    ...gone.map((id): Tapdisk3Step => ['unregister', id]),
  ]);
const furtherSteps = fc
  .array(
    fc.oneof(
      { weight: 20, arbitrary: action.map((chosen) => [chosen]) },
      { weight: 30, arbitrary: wait.map((chosen) => [chosen]) },
      { weight: 1, arbitrary: burst },
    ),
    { minLength: 1, maxLength: MAX_STEPS, size: 'max' },
  )
  .map((steps) => steps.flat());

/**
 * Random programs of tapdisk3's dialect: registering, unregistering, masking and setting timeouts (by label and raw id, live,
 * dead and stale), capping, clock changes, waits that are interrupted and fail, and the same again in callbacks, waits
 * too; ids that wrap, shared descriptors and negative ones.
 */
export const tapdisk3Program: fc.Arbitrary<Tapdisk3Vector> = fc
  .record({
    clock,
    uuid,
    events: fc.tuple(...LABELS.map(() => event)),
    first: firstSteps,
    further: furtherSteps,
  })
  .map(({ first, further, events: chosen, ...rest }) => ({
    suite: 'scheduler',
    dialect: 'tapdisk3',
    name: 'model',
    about: 'A program on which the scheduler and the reference scheduler part.',
    limit: 60,
    ...rest,
    events: Object.fromEntries(LABELS.map((name, index) => [name, chosen[index] as Tapdisk3ScriptedEvent])),
    steps: [...first, ...further],
  }));
