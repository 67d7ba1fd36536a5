// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import {
  ALWAYS_THERE,
  descriptorOrErrno,
  OUR_FAULT,
  SET_FIRST,
  type Equivalents,
  type Equivalent,
} from './shared.js';

const ANY_IDLE = 'Whichever of the idle processes gets a script, it runs it.';
const NEXT_THROWS = 'The next line throws without it.';

/** An argument that a tuple was checked to have. */
function checkedArgument(): Equivalent[] {
  return ['if (argument === undefined) ;', 'if (false) return;'].map((after) => [
    'if (argument === undefined) return;',
    after,
    ALWAYS_THERE,
  ]);
}

export const conformance: Equivalents = {
  'src/conformance/adapter.ts': [
    [
      'for (let process = this.#idle.pop(); process !== undefined; process = this.#idle.pop()) {',
      'for (let process = this.#idle.pop(); process !== undefined; process = this.#idle.shift()) {',
      ANY_IDLE,
    ],
    [
      'for (let process = this.#idle.pop(); process !== undefined; process = this.#idle.pop()) {',
      'for (let process = this.#idle.shift(); process !== undefined; process = this.#idle.pop()) {',
      ANY_IDLE,
    ],
    [
      'if (!process.ended) this.#idle.push(process);',
      'if (!process.ended) this.#idle.unshift(process);',
      ANY_IDLE,
    ],
  ],
  'src/conformance/scripted-sockets.ts': [
    ...descriptorOrErrno('if (result >= 0) this.#open.add(result);'),
    [
      'if (result >= 0) this.#open.add(result);',
      'if (true) this.#open.add(result);',
      'No script opens a descriptor below 0, whatever is noted as open.',
    ],
  ],
  'src/conformance/async-io-driver.ts': [
    ...['values.size + 0', 'values.size + 2'].map((size): Equivalent => [
      'if (taio.buff.length <= values.size) taio.buff = new Uint8Array(values.size + 1);',
      `if (taio.buff.length <= values.size) taio.buff = new Uint8Array(${size});`,
      'How much more room there is shows only in a transfer that moves more than it may, as ours does not.',
    ]),
    ...[
      'if (false) throw new Error(`no transfer has the label ${action[1]}`);',
      'if (one === undefined) ;',
    ].map((after): Equivalent => [
      'if (one === undefined) throw new Error(`no transfer has the label ${action[1]}`);',
      after,
      'The labels of a vector are checked when it is read.',
    ]),
  ],
  'src/conformance/async-io-shape.ts': checkedArgument(),
  'src/conformance/vector-shape.ts': checkedArgument(),
  'src/conformance/outcome-shape.ts': [
    ['if (family === undefined || address === undefined) continue;', 'if (false) continue;', ALWAYS_THERE],
    [
      'if (family === undefined || address === undefined) continue;',
      'if (family === undefined && address === undefined) continue;',
      ALWAYS_THERE,
    ],
    [
      'if (family === undefined || address === undefined) continue;',
      'if (family === undefined || address === undefined) ;',
      ALWAYS_THERE,
    ],
  ],
  'src/conformance/outcome-list.ts': ['?? 1)', ')'].map((byDefault): Equivalent => [
    "return typeof outcome === 'string' ? -(scriptedErrno(outcome) ?? 0) : success;",
    `return typeof outcome === 'string' ? -(scriptedErrno(outcome)${byDefault === ')' ? '' : ' '}${byDefault} : success;`,
    ALWAYS_THERE,
  ]),
  'src/conformance/scripted-poller.ts': [' ?? 1', ''].map((byDefault): Equivalent => [
    'script.errno === undefined ? readyDescriptors(script, interest) : -(scriptedErrno(script.errno) ?? 0);',
    `script.errno === undefined ? readyDescriptors(script, interest) : -(scriptedErrno(script.errno)${byDefault});`,
    ALWAYS_THERE,
  ]),
  'src/conformance/page/step-groups.ts': [
    [
      'const index = aligned.expected?.index ?? -1;',
      'const index = aligned.expected?.index ?? -2;',
      'No step ends before the first entry.',
    ],
  ],
  'src/conformance/page/failure.ts': [' ?? 1', ''].map((byDefault): Equivalent => [
    "const where = parted === undefined ? '' : whereText(parted.first, vector?.steps.length ?? 0);",
    `const where = parted === undefined ? '' : whereText(parted.first, vector?.steps.length${byDefault});`,
    ALWAYS_THERE,
  ]),
  'src/conformance/reference-ramdisk.ts': ['if (false) throw', 'if (write === undefined) ;'].map(
    (after): Equivalent => [
      'if (write === undefined) throw new Error(`write ${number} ends, but was not issued`);',
      after.endsWith(';') ? after : `${after} new Error(\`write \${number} ends, but was not issued\`);`,
      NEXT_THROWS,
    ],
  ),
  'src/conformance/vector-file.ts': [
    ...['if (false) throw error;', 'if (!(error instanceof ShapeError)) ;'].map((after): Equivalent => [
      'if (!(error instanceof ShapeError)) throw error;',
      after,
      OUR_FAULT,
    ]),
    [
      "return vectorName({ suite, name: value.name, dialect: 'dialect' in value ? value.dialect : undefined });",
      'return vectorName({ suite, name: value.name, dialect: true ? value.dialect : undefined });',
      'A member that is not there is undefined.',
    ],
  ],
  'src/conformance/comparison.ts': [
    ...['-2 : 1', '-1 : 2'].map((signs): Equivalent => [
      'return Object.fromEntries(Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1)));',
      `return Object.fromEntries(Object.entries(value).toSorted(([one], [other]) => (one < other ? ${signs})));`,
      'Only the sign counts.',
    ]),
    [
      'return Object.fromEntries(Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1)));',
      'return Object.fromEntries(Object.entries(value).toSorted(([one], [other]) => (one <= other ? -1 : 1)));',
      'No two keys of an object are equal.',
    ],
    [
      'return Object.fromEntries(Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1)));',
      'return Object.fromEntries(Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 2)));',
      'Of the result of a comparison only the sign counts.',
    ],
  ],
  'src/conformance/error-names.ts': [
    [
      'const FIRST_PRIVATE_NUMBER = 10_000;',
      'const FIRST_PRIVATE_NUMBER = 20000;',
      'Every number that no system has serves as well.',
    ],
  ],
  'src/conformance/name-pattern.ts': [
    ['let star = -1;', 'let star = -2;', 'Every number below 0 is no place.'],
    ['let starEnd = 0;', 'let starEnd = 1;', SET_FIRST],
    ...['> 0', '>= 1'].map((after): Equivalent => [
      '} else if (star >= 0) {',
      `} else if (star ${after}) {`,
      'What comes after the last star is never at the beginning.',
    ]),
  ],
  'src/conformance/rule-table.ts': [
    [
      'const WIDTH = 80;',
      'const WIDTH = 79;',
      'Cells of one width in a line come to 80 with no number of them but one.',
    ],
  ],
  'src/conformance/trace-diff.ts': [
    [
      'const lengths = new Uint32Array((one.length + 1) * width);',
      'const lengths = new Uint32Array((one.length + 2) * width);',
      'The table has a row of zeroes more, which nothing is read from.',
    ],
    [
      'while (i < one.length && j < other.length) {',
      'while (i <= one.length && j < other.length) {',
      'Behind the end there is no key, so that no pair is found there.',
    ],
    [
      'while (i < one.length && j < other.length) {',
      'while (i < one.length && j <= other.length) {',
      'After the end of the other one there is no pair.',
    ],
    [
      'else if (lengthAt(i + 1, j) >= lengthAt(i, j + 1)) i++;',
      'else if (lengthAt(i + 1, j) >= lengthAt(i, j + 0)) i++;',
      'Where two entries differ, what can follow them is as long as the longer of what follows when either is left out.',
    ],
  ],
};
