// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import ts from 'typescript';

/** Another text for `[start, end)` of a source file. */
export interface Replacement {
  /** What is broken: `boundary`, `removed call` and so on. */
  readonly kind: string;
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

const { SyntaxKind } = ts;

/** Operators and what each is taken for. A boundary moves, or the sense turns round. */
const OPERATORS = new Map<ts.SyntaxKind, readonly [kind: string, ...texts: string[]]>([
  [SyntaxKind.LessThanToken, ['boundary', '<=', '>=']],
  [SyntaxKind.LessThanEqualsToken, ['boundary', '<', '>']],
  [SyntaxKind.GreaterThanToken, ['boundary', '>=', '<=']],
  [SyntaxKind.GreaterThanEqualsToken, ['boundary', '>', '<']],
  [SyntaxKind.EqualsEqualsEqualsToken, ['comparison', '!==']],
  [SyntaxKind.ExclamationEqualsEqualsToken, ['comparison', '===']],
  [SyntaxKind.AmpersandAmpersandToken, ['logic', '||']],
  [SyntaxKind.BarBarToken, ['logic', '&&']],
  [SyntaxKind.PlusToken, ['arithmetic', '-']],
  [SyntaxKind.MinusToken, ['arithmetic', '+']],
  [SyntaxKind.AsteriskToken, ['arithmetic', '/']],
  [SyntaxKind.SlashToken, ['arithmetic', '*']],
  [SyntaxKind.PercentToken, ['arithmetic', '*']],
  [SyntaxKind.LessThanLessThanToken, ['arithmetic', '>>']],
  [SyntaxKind.GreaterThanGreaterThanToken, ['arithmetic', '<<']],
  [SyntaxKind.GreaterThanGreaterThanGreaterThanToken, ['arithmetic', '<<']],
  [SyntaxKind.AmpersandToken, ['arithmetic', '|']],
  [SyntaxKind.BarToken, ['arithmetic', '&']],
  [SyntaxKind.CaretToken, ['arithmetic', '&']],
  [SyntaxKind.PlusEqualsToken, ['arithmetic', '-=', '=']],
  [SyntaxKind.MinusEqualsToken, ['arithmetic', '+=', '=']],
  [SyntaxKind.BarEqualsToken, ['arithmetic', '&=']],
  [SyntaxKind.AmpersandEqualsToken, ['arithmetic', '|=']],
  [SyntaxKind.QuestionQuestionEqualsToken, ['logic', '=']],
]);

/** Methods that are easily taken for each other. */
const METHODS = new Map([
  ['min', 'max'],
  ['max', 'min'],
  ['floor', 'ceil'],
  ['ceil', 'floor'],
  ['some', 'every'],
  ['every', 'some'],
  ['startsWith', 'endsWith'],
  ['endsWith', 'startsWith'],
  ['push', 'unshift'],
  ['shift', 'pop'],
  ['pop', 'shift'],
]);

const LOG_METHOD = /^#?(?:log|notice|warn|info|debug|[DE]PRINTF)$/;

function calledName(node: ts.Node): string {
  if (!ts.isCallExpression(node)) return '';
  const { expression } = node;
  if (ts.isIdentifier(expression)) return expression.text;
  return ts.isPropertyAccessExpression(expression) ? expression.name.text : '';
}

/** Types, what is imported, and texts for people: log lines and the messages of errors. */
export function isLeftAlone(node: ts.Node): boolean {
  return (
    ts.isTypeNode(node) ||
    ts.isInterfaceDeclaration(node) ||
    ts.isTypeAliasDeclaration(node) ||
    ts.isImportDeclaration(node) ||
    ts.isExportDeclaration(node) ||
    LOG_METHOD.test(calledName(node)) ||
    (ts.isNewExpression(node) && node.expression.getText().endsWith('Error'))
  );
}

/** `+` joins texts as well, and those are not subtracted. */
function isText(node: ts.Expression): boolean {
  return (
    ts.isStringLiteralLike(node) ||
    ts.isTemplateExpression(node) ||
    (ts.isParenthesizedExpression(node) && isText(node.expression)) ||
    (ts.isBinaryExpression(node) && (isText(node.left) || isText(node.right)))
  );
}

/** The ways in which one node, without what is in it, can be broken. */
export function* replacementsOf(node: ts.Node): Generator<Replacement> {
  const whole = (kind: string, text: string): Replacement => ({
    kind,
    start: node.getStart(),
    end: node.getEnd(),
    text,
  });
  const inPlaceOf = (part: ts.Node, kind: string, text: string): Replacement => ({
    kind,
    start: part.getStart(),
    end: part.getEnd(),
    text,
  });

  if (ts.isBinaryExpression(node)) {
    const { left, operatorToken, right } = node;
    const [kind, ...texts] = OPERATORS.get(operatorToken.kind) ?? [''];
    const joinsText = operatorToken.kind === SyntaxKind.PlusToken && (isText(left) || isText(right));
    if (!joinsText) for (const text of texts) yield inPlaceOf(operatorToken, kind, text);
    if (operatorToken.kind === SyntaxKind.QuestionQuestionToken) yield whole('no default', left.getText());
  }
  if (ts.isIfStatement(node) || ts.isConditionalExpression(node)) {
    const condition = ts.isIfStatement(node) ? node.expression : node.condition;
    yield inPlaceOf(condition, 'condition', 'true');
    yield inPlaceOf(condition, 'condition', 'false');
  }
  if (ts.isWhileStatement(node)) yield inPlaceOf(node.expression, 'condition', 'false');
  if (ts.isPrefixUnaryExpression(node)) {
    const { operator, operand } = node;
    if (operator === SyntaxKind.ExclamationToken) yield whole('negation', operand.getText());
    if (operator === SyntaxKind.TildeToken || operator === SyntaxKind.MinusToken) {
      yield whole('sign', operand.getText());
    }
  }
  if (ts.isPrefixUnaryExpression(node) || ts.isPostfixUnaryExpression(node)) {
    const { operator } = node;
    if (operator === SyntaxKind.PlusPlusToken) yield whole('arithmetic', node.getText().replace('++', '--'));
    if (operator === SyntaxKind.MinusMinusToken)
      yield whole('arithmetic', node.getText().replace('--', '++'));
  }
  if (ts.isNumericLiteral(node) && !ts.isEnumMember(node.parent)) {
    const value = Number(node.text);
    if (value >= 100 && value % 10 === 0) {
      // A time or a size in round numbers: one more makes no difference to anybody.
      yield whole('constant', String(2 * value));
    } else {
      yield whole('constant', String(value + 1));
      if (value > 0) yield whole('constant', String(value - 1));
    }
  }
  if (ts.isBigIntLiteral(node)) yield whole('constant', `(${node.text} + 1n)`);
  if (node.kind === SyntaxKind.TrueKeyword && !ts.isLiteralTypeNode(node.parent))
    yield whole('constant', 'false');
  if (node.kind === SyntaxKind.FalseKeyword && !ts.isLiteralTypeNode(node.parent))
    yield whole('constant', 'true');
  if (ts.isAwaitExpression(node)) yield whole('removed await', node.expression.getText());
  if (ts.isPropertyAccessExpression(node) && ts.isCallExpression(node.parent)) {
    const other = METHODS.get(node.name.text);
    if (other !== undefined && node.parent.expression === node) yield inPlaceOf(node.name, 'method', other);
  }
  if (ts.isExpressionStatement(node) && !isLeftAlone(node.expression)) {
    const { expression } = node;
    if (!(ts.isCallExpression(expression) && expression.expression.kind === SyntaxKind.SuperKeyword)) {
      yield whole(ts.isBinaryExpression(expression) ? 'removed assignment' : 'removed call', ';');
    }
  }
  if (ts.isThrowStatement(node)) yield whole('removed throw', ';');
  if (ts.isBreakStatement(node) || ts.isContinueStatement(node)) yield whole('removed jump', ';');
  if (ts.isReturnStatement(node)) {
    if (node.expression === undefined) yield whole('removed return', ';');
    else if (!isSimple(node.expression)) yield whole('returned value', 'return undefined;');
  }
  if (ts.isArrowFunction(node) && !ts.isBlock(node.body) && !isSimple(node.body)) {
    yield inPlaceOf(node.body, 'returned value', 'undefined');
  }
}

/** Broken in other ways already, or nothing. */
function isSimple(node: ts.Expression): boolean {
  return (
    isLeftAlone(node) ||
    ts.isNumericLiteral(node) ||
    node.kind === SyntaxKind.TrueKeyword ||
    node.kind === SyntaxKind.FalseKeyword ||
    node.kind === SyntaxKind.NullKeyword ||
    (ts.isIdentifier(node) && node.text === 'undefined')
  );
}
