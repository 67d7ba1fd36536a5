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
    [
      'if (taio.buff.length <= values.size) taio.buff = new Uint8Array(values.size + 1);',
      'if (taio.buff.length < values.size) taio.buff = new Uint8Array(values.size + 1);',
      'How much more room there is shows only in a transfer that moves more than it may, as ours does not.',
    ],
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
  'src/conformance/scripted-poller.ts': [
    ...[' ?? 1', ''].map((byDefault): Equivalent => [
      'script.errno === undefined ? readyDescriptors(script, interest) : -(scriptedErrno(script.errno) ?? 0);',
      `script.errno === undefined ? readyDescriptors(script, interest) : -(scriptedErrno(script.errno)${byDefault});`,
      ALWAYS_THERE,
    ]),
    [
      'if (interest.conditions(fd) & condition) ready.set(fd, (ready.get(fd) ?? 0) | condition);',
      'if (interest.conditions(fd) & condition) ready.set(fd, (ready.get(fd)) | condition);',
      'Among bits, undefined is 0.',
    ],
  ],
  'src/conformance/page/step-groups.ts': [
    [
      'const index = aligned.expected?.index ?? -1;',
      'const index = aligned.expected?.index ?? -2;',
      'No step ends before the first entry.',
    ],
    [
      'const index = aligned.expected?.index ?? -1;',
      'const index = aligned.expected?.index;',
      'Nothing is at most undefined, so that no step has ended either.',
    ],
  ],
  'src/conformance/page/failure.ts': [
    ...[' ?? 1', ''].map((byDefault): Equivalent => [
      "const where = parted === undefined ? '' : whereText(parted.first, vector?.steps.length ?? 0);",
      `const where = parted === undefined ? '' : whereText(parted.first, vector?.steps.length${byDefault});`,
      ALWAYS_THERE,
    ]),
    [
      "const vector = item.kind === 'vector' ? item.vector : undefined;",
      'const vector = true ? item.vector : undefined;',
      'What is no vector has no member of that name.',
    ],
  ],
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
    [
      'for (let index = 0; index < Math.max(expected.length, actual.length); index++) {',
      'for (let index = 0; index <= Math.max(expected.length, actual.length); index++) {',
      'After the end of both there is nothing that could differ.',
    ],
  ],
  'src/conformance/error-names.ts': [
    [
      'const FIRST_PRIVATE_NUMBER = 10_000;',
      'const FIRST_PRIVATE_NUMBER = 20000;',
      'Every number that no system has serves as well.',
    ],
    ...['> 0', '>= 1'].map((after): Equivalent => [
      'if (result >= 0) return result;',
      `if (result ${after}) return result;`,
      'No error has the number 0, so that it comes back as it is.',
    ]),
  ],
  'src/conformance/name-pattern.ts': [
    [
      '} else if (star >= 0) {',
      '} else if (true) {',
      'Before the first star, nothing of the name fits the pattern at -1, so that it takes longer to find the same.',
    ],
    ['let star = -1;', 'let star = -2;', 'Every number below 0 is no place.'],
    ['let starEnd = 0;', 'let starEnd = 1;', SET_FIRST],
    ...['> 0', '>= 1'].map((after): Equivalent => [
      '} else if (star >= 0) {',
      `} else if (star ${after}) {`,
      'What comes after the last star is never at the beginning.',
    ]),
  ],
  'src/conformance/rule-table.ts': [
    ...[
      'const idWidth = Math.max(0, ...cells.map(([id]) => id.length));',
      'const countWidth = Math.max(0, ...cells.map(([, count]) => count.length));',
    ].map((before): Equivalent => [
      before,
      before.replace('0', '1'),
      'No id and no count is empty, and a table without rules has no lines.',
    ]),
    [
      'const WIDTH = 80;',
      'const WIDTH = 79;',
      'Cells of one width in a line come to 80 with no number of them but one.',
    ],
  ],
  'src/conformance/rules.ts': [
    [
      'if (id === undefined || title === undefined) return [];',
      'if (id === undefined && title === undefined) return [];',
      'A heading that matches has both.',
    ],
  ],
  'src/conformance/reference-scheduler.ts': [
    [
      'if (event.mode & TIMEOUT) event.deadline = this.#deadline(event.timeout); // P4',
      'if (true) event.deadline = this.#deadline(event.timeout); // P4',
      'The deadline of an event without TIMEOUT is never looked at.',
    ],
  ],
  'src/conformance/ramdisk-driver.ts': [';', 'bytes.fill(1);'].map((after): Equivalent => [
    'bytes.fill(0);',
    after,
    'What becomes of the buffer shows only in a ramdisk that keeps it, as ours does not.',
  ]),
  'src/conformance/scheduler-shape.ts': [
    [
      'if (argument !== undefined) ARGUMENTS[name](argument, labels, shape);',
      'if (true) ARGUMENTS[name](argument, labels, shape);',
      ALWAYS_THERE,
    ],
    [
      'if (second !== undefined) SECOND_ARGUMENTS[name]?.(second, labels, shape);',
      'if (true) SECOND_ARGUMENTS[name]?.(second, labels, shape);',
      'A step without a second argument has no check of it.',
    ],
  ],
  'src/conformance/suite-run.ts': [
    [
      "if (trace?.at(-1)?.[0] !== 'panic') return {};",
      "if (trace?.at(-1)?.[0] !== 'panic') return undefined;",
      'It is spread into an object, to which undefined adds nothing either.',
    ],
  ],
  'src/conformance/page/rule-section.ts': [
    [
      "if (rules === 0) return '';",
      'if (rules === 0) return undefined;',
      'Undefined is put into markup as an empty text.',
    ],
  ],
  'src/conformance/page/conformance-page.ts': [
    ['ids.push(id);', 'ids.unshift(id);', 'They become a set, in which only what is in it counts.'],
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
