// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// `npm run docs`: writes the API reference of the package's entries to build/reference. Fails when an exported name has no
// doc comment, or a comment has a link that leads nowhere. `--check` writes nothing.

import { Application, type DeclarationReflection, ReflectionKind, TSConfigReader } from 'typedoc';
import { conclude } from './conclude.js';
import { manifest, repositoryFile } from './repository-files.js';

const entryPoints = Object.values(manifest.exports)
  .flatMap((entry) => (typeof entry === 'string' ? [] : [entry.default]))
  .map((file) => file.replace('./dist/', 'src/').replace(/\.js$/, '.ts'));

const complaints: string[] = [];
const application = await Application.bootstrapWithPlugins(
  {
    entryPoints: entryPoints.map(repositoryFile),
    tsconfig: repositoryFile('tsconfig.json'),
    name: 'tapdisk-ts',
    readme: 'none',
    excludePrivate: true,
    excludeInternal: true,
    disableGit: true,
    sourceLinkTemplate: 'src/{path}#L{line}',
    blockTags: ['@ported', '@param', '@returns', '@throws', '@typeParam', '@example', '@see'],
    validation: { notExported: false, invalidLink: true, notDocumented: false },
    logLevel: 'Warn',
  },
  [new TSConfigReader()],
);
const project = await application.convert();
if (!project) throw new Error('the sources do not compile');
application.validate(project);
if (application.logger.hasWarnings() || application.logger.hasErrors())
  complaints.push('see the warnings above');

for (const module of project.getChildrenByKind(ReflectionKind.Module)) {
  const names = (module.children ?? []).toSorted((a, b) => placeOf(a).localeCompare(placeOf(b)));
  let documented = '';
  for (const name of names) {
    // A comment goes for the constants on the lines after it, too.
    if (isDocumented(name) || nextPlace(documented) === placeOf(name)) documented = placeOf(name);
    else complaints.push(`${module.name}: ${name.name} has no doc comment`);
  }
}
if (!process.argv.includes('--check')) {
  await application.generateDocs(project, repositoryFile('build/reference'));
}
conclude('reference', `every name that ${entryPoints.length} entries export has a doc comment`, complaints);

function isDocumented(name: DeclarationReflection): boolean {
  if (name.kind === ReflectionKind.Reference || name.hasComment()) return true;
  return (name.signatures ?? []).some((signature) => signature.hasComment());
}

/** Where a name is declared, so that places compare as lines do. */
function placeOf({ sources }: DeclarationReflection): string {
  const [source] = sources ?? [];
  return `${source?.fileName}:${String(source?.line).padStart(6, '0')}`;
}

function nextPlace(place: string): string {
  const [file, line] = place.split(':');
  return `${file}:${String(Number(line) + 1).padStart(6, '0')}`;
}
