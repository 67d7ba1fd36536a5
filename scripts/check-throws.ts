// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// Demands `@throws` in the doc comment of every exported function, and public method or constructor of an exported class,
// that has a throw statement of its own. A throw in a function within it, or of what was caught, does not count.

import { readFileSync } from 'node:fs';
import ts from 'typescript';
import { conclude } from './conclude.js';
import { repositoryFile, repositoryFiles } from './repository-files.js';

type Documented =
  | ts.FunctionDeclaration
  | ts.MethodDeclaration
  | ts.ConstructorDeclaration
  | ts.AccessorDeclaration;

const complaints: string[] = [];
let throwing = 0;

for (const file of repositoryFiles().filter((name) => /^src\/.*\.ts$/.test(name))) {
  const source = ts.createSourceFile(
    file,
    readFileSync(repositoryFile(file), 'utf8'),
    ts.ScriptTarget.Latest,
    true,
  );
  for (const statement of source.statements) {
    if (!isExported(statement)) continue;
    if (ts.isFunctionDeclaration(statement)) check(source, statement);
    if (!ts.isClassDeclaration(statement)) continue;
    for (const member of statement.members) {
      if (isDocumented(member) && isPublic(member)) check(source, member);
    }
  }
}
conclude('check-throws', `${throwing} exported functions and methods that throw say so`, complaints);

function check(source: ts.SourceFile, node: Documented): void {
  if (node.body === undefined || !throwsItself(node.body)) return;
  throwing += 1;
  const comments = ts.getJSDocCommentsAndTags(node);
  if (comments.some((comment) => /@throws|\bthrows\b/i.test(comment.getText(source)))) return;
  const { line } = source.getLineAndCharacterOfPosition(node.getStart(source));
  const name = node.name?.getText(source) ?? 'constructor';
  complaints.push(`${source.fileName}:${line + 1}: ${name} throws: say in its comment what, with @throws`);
}

function throwsItself(body: ts.Node): boolean {
  let found = false;
  const visit = (node: ts.Node): void => {
    if (ts.isFunctionLike(node) || ts.isClassLike(node)) return;
    if (ts.isThrowStatement(node) && ts.isNewExpression(node.expression)) found = true;
    if (!found) ts.forEachChild(node, visit);
  };
  ts.forEachChild(body, visit);
  return found;
}

function isExported(node: ts.Statement): boolean {
  const modifiers = ts.canHaveModifiers(node) ? (ts.getModifiers(node) ?? []) : [];
  return modifiers.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword);
}

function isDocumented(member: ts.ClassElement): member is Exclude<Documented, ts.FunctionDeclaration> {
  return ts.isMethodDeclaration(member) || ts.isConstructorDeclaration(member) || ts.isAccessor(member);
}

function isPublic(member: ts.ClassElement): boolean {
  if (member.name && ts.isPrivateIdentifier(member.name)) return false;
  const modifiers = ts.canHaveModifiers(member) ? (ts.getModifiers(member) ?? []) : [];
  return !modifiers.some(
    ({ kind }) => kind === ts.SyntaxKind.PrivateKeyword || kind === ts.SyntaxKind.ProtectedKeyword,
  );
}
