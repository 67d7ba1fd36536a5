// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import ts from 'typescript';

/** Something that a source file declares at its top level, or a member of that. */
export interface Declaration {
  /** Such as `Poller`, or `Poller.select` for a member; private ones are `Pass.#sweep`. */
  readonly name: string;
  /** The line of its name, from 1. */
  readonly line: number;
}

/** The declarations of a TypeScript source in their order. A getter and its setter are two of one name. */
export function declarationsOf(source: string): Declaration[] {
  const file = ts.createSourceFile('source.ts', source, ts.ScriptTarget.Latest, true);
  const declarations: Declaration[] = [];
  const add = (name: ts.Node | undefined, owner?: string): void => {
    if (name === undefined || !(ts.isIdentifier(name) || ts.isPrivateIdentifier(name))) return;
    const { line } = file.getLineAndCharacterOfPosition(name.getStart());
    declarations.push({ name: owner === undefined ? name.text : `${owner}.${name.text}`, line: line + 1 });
  };
  for (const statement of file.statements) {
    if (ts.isVariableStatement(statement)) {
      for (const { name } of statement.declarationList.declarations) add(name);
    } else if (ts.isFunctionDeclaration(statement) || ts.isTypeAliasDeclaration(statement)) {
      add(statement.name);
    } else if (
      ts.isClassDeclaration(statement) ||
      ts.isInterfaceDeclaration(statement) ||
      ts.isEnumDeclaration(statement)
    ) {
      add(statement.name);
      for (const member of statement.members) {
        add(member.name, statement.name?.text);
        if (ts.isConstructorDeclaration(member)) {
          for (const parameter of member.parameters) {
            if (ts.isParameterPropertyDeclaration(parameter, member))
              add(parameter.name, statement.name?.text);
          }
        }
      }
    }
  }
  return declarations;
}

/**
 * The line that declares a name: `name`, `Owner.name`, or the bare name of a member that no other owner in the file has.
 * Undefined when nothing of that name is declared, or several things are.
 */
export function lineOf(name: string, declarations: readonly Declaration[]): number | undefined {
  const exact = declarations.find((declaration) => declaration.name === name);
  if (exact !== undefined) return exact.line;
  const members = declarations.filter((declaration) => declaration.name.split('.')[1] === name);
  return new Set(members.map((member) => member.name)).size === 1 ? members[0]?.line : undefined;
}
