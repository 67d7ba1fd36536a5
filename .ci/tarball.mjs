// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// Fails when the tarball named on the command line lacks a file that package.json promises, or has one that nobody
// who installs the package needs.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

/** What the status page may add to the package. */
const MAX_PAGE_BYTES = 100_000;

const [tarball] = process.argv.slice(2);
const listed = execFileSync('tar', ['-tzf', tarball], { encoding: 'utf8' }).trim().split('\n');
const files = new Set(listed.map((file) => file.replace(/^package\//, '')));
const packed = JSON.parse(
  execFileSync('tar', ['-xzOf', tarball, 'package/package.json'], { encoding: 'utf8' }),
);
const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));

const complaints = [];
const promised = [
  'README.md',
  'NOTICE',
  'LICENSES/BSD-3-Clause.txt',
  'LICENSES/LGPL-2.1-only.txt',
  'LICENSES/MIT.txt',
  ...['index.html', 'page.js', 'page.css', 'icon.svg'].map((file) => `dist/page/${file}`),
  ...Object.values(manifest.bin),
  ...Object.values(manifest.exports).flatMap((entry) =>
    typeof entry === 'string' ? [entry] : Object.values(entry),
  ),
];
for (const file of promised) {
  if (!files.has(file.replace(/^\.\//, ''))) complaints.push(`lacks ${file}`);
}
for (const file of files) {
  const wanted =
    /^(?:package\.json|[A-Z]+\.md|NOTICE|LICENSE|LICENSES\/[^/]+\.txt|docs\/[^/]+\.md|contrib\/.*|man\/[^/]+\.1)$/.test(
      file,
    ) ||
    /^src\/.*\.ts$/.test(file) ||
    /^test\/vectors\/[^/]+\.(?:json|md)$/.test(file) ||
    /^examples\/[^/]+\/[^/]+\.(?:mjs|py)$/.test(file) ||
    /^dist\/.*\.(?:js|d\.ts)(?:\.map)?$/.test(file) ||
    /^dist\/page\/(?:index\.html|page\.css|icon\.svg)$/.test(file);
  if (!wanted || /\.test\./.test(file)) complaints.push(`has ${file}, which is not needed`);
}
// A source map leads to the source it was made of, so the two are published together.
// (Those of the program, which is a bundle, have the sources' names in them; the status page, a bundle too, has none.)
for (const file of [...files].filter((name) => !/^dist\/(?:program|page)\//.test(name))) {
  const source = /^dist\/(.*)\.js$/.exec(file)?.[1];
  if (source !== undefined && !files.has(`src/${source}.ts`))
    complaints.push(`has ${file} without src/${source}.ts`);
}

// The status page, compressed as the package is.
const ofThePage = [...files].filter((file) => /^(?:dist\/page|(?:dist|src)\/metrics\/page)\//.test(file));
const paths = ofThePage.map((file) => `package/${file}`);
const page = gzipSync(execFileSync('tar', ['-xzOf', tarball, ...paths], { maxBuffer: 1 << 26 })).length;
if (page > MAX_PAGE_BYTES)
  complaints.push(`has ${page} bytes of the status page, compressed: ${MAX_PAGE_BYTES} at most`);

// Whoever installs the package runs none of it.
for (const script of ['preinstall', 'install', 'postinstall', 'preprepare', 'prepare', 'postprepare']) {
  if (packed.scripts?.[script] !== undefined)
    complaints.push(`runs a script when it is installed: ${script}`);
}
// npm makes an install script of its own for this file.
if (files.has('binding.gyp'))
  complaints.push('has binding.gyp, for which npm runs a build when it is installed');

// The README's links lead somewhere for readers who have the package alone.
const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
for (const [, target] of readme.matchAll(/\]\(([^)#\s]+)/g)) {
  if (!/^https?:/.test(target) && !files.has(target))
    complaints.push(`README.md links to ${target}, which it lacks`);
}

for (const complaint of complaints) console.error(`tarball: ${complaint}`);
if (complaints.length === 0)
  console.log(
    `tarball: ${files.size} files, all of them needed; the status page is ${page} bytes of it, compressed`,
  );
process.exitCode = complaints.length === 0 ? 0 : 1;
