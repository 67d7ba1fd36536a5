// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { readFileSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';
import { repositoryFiles, root } from '../../scripts/repository-files.js';

/** What a source file takes from elsewhere. */
export interface Source {
  /** From the root of the repository. */
  readonly file: string;
  /** The files of the repository that it imports, types included. */
  readonly imports: readonly string[];
  /** The modules of Node and of packages that it imports; `node:net (types)` when only types are. */
  readonly modules: readonly string[];
  /** The globals out of {@link TIME} that it calls, constructs or takes members of. */
  readonly time: readonly string[];
}

/** The globals by which the time is read or waited for. */
const TIME = new Set(['setTimeout', 'setInterval', 'setImmediate', 'Date', 'performance']);

/** What can be more than an import at the beginning of a line: a use of the time, or an import in the middle. */
const FURTHER_USE = new RegExp(`\\b(?:${[...TIME].join('|')}|import\\()`);
/** An import or export from a module, as the formatter writes it. */
const DECLARATION = /^(?:import|export)\s(?:[^;'"]*\sfrom\s)?'[^']+';$/gm;

export function sources(): Source[] {
  return repositoryFiles()
    .filter((file) => /^src\/.*\.ts$/.test(file))
    .map((file) => sourceOf(file, readFileSync(path.join(root, file), 'utf8')));
}

/** What of a source has to be parsed: to parse all of them whole takes two seconds. */
function toParse(text: string): string {
  return FURTHER_USE.test(text) ? text : (text.match(DECLARATION) ?? []).join('\n');
}

export function sourceOf(file: string, text: string): Source {
  const imports = new Set<string>();
  const modules = new Set<string>();
  const time = new Set<string>();
  const take = (specifier: string, typesOnly: boolean): void => {
    if (specifier.startsWith('.')) {
      imports.add(path.posix.join(path.posix.dirname(file), specifier).replace(/\.js$/, '.ts'));
    } else modules.add(typesOnly ? `${specifier} (types)` : specifier);
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) {
      if (node.moduleSpecifier !== undefined && ts.isStringLiteral(node.moduleSpecifier))
        take(node.moduleSpecifier.text, hasTypesOnly(node));
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const [specifier] = node.arguments;
      if (specifier !== undefined && ts.isStringLiteral(specifier)) take(specifier.text, false);
    } else if (ts.isIdentifier(node) && TIME.has(node.text) && isUse(node)) time.add(node.text);
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(file, toParse(text), ts.ScriptTarget.Latest, true));
  for (const module of modules) modules.delete(`${module} (types)`);
  return { file, imports: [...imports], modules: [...modules].toSorted(), time: [...time].toSorted() };
}

function hasTypesOnly(node: ts.ImportDeclaration | ts.ExportDeclaration): boolean {
  if (ts.isExportDeclaration(node)) return node.isTypeOnly;
  const clause = node.importClause;
  if (clause === undefined) return false;
  if (clause.phaseModifier === ts.SyntaxKind.TypeKeyword) return true;
  const bindings = clause.namedBindings;
  if (clause.name !== undefined || bindings === undefined || !ts.isNamedImports(bindings)) return false;
  return bindings.elements.every((element) => element.isTypeOnly);
}

/** Whether the identifier stands for the global here, and is no name of a member or of something declared. */
function isUse(node: ts.Identifier): boolean {
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent)) return parent.expression === node;
  return (ts.isCallExpression(parent) || ts.isNewExpression(parent)) && parent.expression === node;
}
