// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import fc from 'fast-check';
import type {
  ModeName,
  SchedulerAction,
  SchedulerStep,
  SchedulerVector,
  ScriptedEvent,
  SelectScript,
} from '../../src/conformance/vector.js';

/** A script of the scheduler suite, and for each of its waits the descriptors that are not open then. */
export interface Program {
  readonly script: SchedulerVector;
  readonly closed: readonly (readonly number[])[];
}

const INT_MAX = 2147483647;
const LABELS = ['a', 'b', 'c', 'd', 'e', 'f'] as const;
/** Few, so that events share them. */
const DESCRIPTORS = [0, 3, 4, 1023] as const;
const MAX_STEPS = 12;
const MAX_FIRINGS = 4;
const MAX_ACTIONS = 4;

const label = fc.constantFrom(...LABELS);
const descriptor = fc.constantFrom(...DESCRIPTORS);
const descriptors = fc.oneof(
  fc.constant<number[]>([...DESCRIPTORS]),
  fc.uniqueArray(descriptor, { maxLength: DESCRIPTORS.length, size: 'max' }),
);
/** Whole seconds around what matters: due at once, soon, at the longest wait, where a deadline wraps. */
const timeout = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(0, 0, 1, 1, 2, 3) },
  { weight: 1, arbitrary: fc.constantFrom(-1, -1000, 599, 600, 601, INT_MAX, -INT_MAX - 1) },
);
/** Multiples of 1/64 s, as the format has it; now and then backwards. */
const seconds = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 192 }).map((parts) => parts / 64) },
  { weight: 1, arbitrary: fc.constantFrom(-1, -2.5, 600, 1_000_000) },
);
const clock = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(1000, 1000.5, 1000.984375) },
  { weight: 1, arbitrary: fc.constantFrom(0, 0.25, -3.5, INT_MAX - 1.5, INT_MAX + 2, 2 ** 32) },
);
/** Near the wrap, so that ids begin anew and meet live ones; and small, so that raw ids hit. */
const uuid = fc.constantFrom(1, 1, 2, INT_MAX, INT_MAX - 1, INT_MAX - 2, 0);

const action: fc.Arbitrary<SchedulerAction> = fc.oneof(
  { weight: 5, arbitrary: label.map((name): SchedulerAction => ['register', name]) },
  { weight: 5, arbitrary: label.map((name): SchedulerAction => ['unregister', name]) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(-1, 0, 1, 2, INT_MAX).map((id): SchedulerAction => ['unregister', id]),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(-1, 0, 1, 5, 600).map((cap): SchedulerAction => ['setMaxTimeout', cap]),
  },
  { weight: 2, arbitrary: seconds.map((by): SchedulerAction => ['elapse', by]) },
  { weight: 1, arbitrary: uuid.map((id): SchedulerAction => ['uuid', id]) },
);

const modeNames = fc.subarray<ModeName>(['READ', 'WRITE', 'EXCEPT', 'TIMEOUT']);
const mode = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.constantFrom<ModeName[]>(['READ'], ['READ', 'TIMEOUT'], ['TIMEOUT'], ['WRITE']),
  },
  { weight: 2, arbitrary: modeNames },
);
const actions = fc.array(fc.array(action, { maxLength: MAX_ACTIONS, size: 'max' }), {
  maxLength: MAX_FIRINGS,
  size: 'max',
});

const event: fc.Arbitrary<ScriptedEvent> = fc.record({ mode, fd: descriptor, timeout, on: actions });
const events = fc.tuple(...LABELS.map(() => event));

interface Wait {
  readonly select: SelectScript;
  readonly closed: readonly number[];
}

const wait: fc.Arbitrary<Wait> = fc.record({
  select: fc.oneof(
    {
      weight: 9,
      arbitrary: fc.record({ read: descriptors, write: descriptors, except: descriptors, elapse: seconds }),
    },
    { weight: 1, arbitrary: fc.record({ errno: fc.constantFrom('EINTR', 'ENOMEM'), elapse: seconds }) },
  ),
  closed: fc.oneof(
    { weight: 6, arbitrary: fc.constant<number[]>([]) },
    { weight: 1, arbitrary: fc.uniqueArray(descriptor, { minLength: 1, maxLength: 2 }) },
  ),
});

interface Step {
  readonly step: SchedulerStep;
  readonly closed?: readonly number[];
}

/** Registrations first, so that there is something to wait for. */
const firstSteps = fc
  .shuffledSubarray([...LABELS, ...LABELS], { minLength: 1, maxLength: LABELS.length })
  .map((names) => names.map((name): Step => ({ step: ['register', name] })));
const waitStep = wait.map(({ select, closed }): Step => ({ step: ['wait', select], closed }));
/** Many events at once, and many gone at once by raw id, for the indexes that grow and shrink. */
const burst = fc
  .record({
    registered: fc.array(label, { minLength: 2, maxLength: 40, size: 'max' }),
    gone: fc.uniqueArray(fc.integer({ min: 1, max: 45 }), { maxLength: 40, size: 'max' }),
  })
  .map(({ registered, gone }): Step[] => [
    ...registered.map((name): Step => ({ step: ['register', name] })),
    ...gone.map((id): Step => ({ step: ['unregister', id] })),
  ]);
const furtherSteps = fc
  .array(
    fc.oneof(
      { weight: 20, arbitrary: action.map((chosen): Step[] => [{ step: chosen }]) },
      { weight: 30, arbitrary: waitStep.map((chosen) => [chosen]) },
      { weight: 1, arbitrary: burst },
    ),
    { minLength: 1, maxLength: MAX_STEPS, size: 'max' },
  )
  .map((steps) => steps.flat());

/**
 * Random programs: registering, unregistering (by label and raw id, live and stale), capping, clock changes, waits, and
 * the same again in callbacks; ids that wrap, shared descriptors, and numbers that are closed and handed out again.
 */
export const program: fc.Arbitrary<Program> = fc
  .record({ clock, uuid, events, first: firstSteps, further: furtherSteps })
  .map(({ first, further, events: chosen, ...rest }) => {
    const steps = [...first, ...further];
    return {
      script: {
        suite: 'scheduler',
        name: 'model',
        about: 'A program on which the scheduler and the reference scheduler part.',
        limit: 60,
        ...rest,
        events: Object.fromEntries(LABELS.map((name, index) => [name, chosen[index] as ScriptedEvent])),
        steps: steps.map((one) => one.step),
      },
      closed: steps.flatMap((one) => (one.closed === undefined ? [] : [one.closed])),
    };
  });
