// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

export type Labels = Readonly<Record<string, string | number>>;
export type Sample = readonly [suffix: string, labels: Labels, value: number];

/** The lines of one metric: help, type and samples. */
export function family(name: string, type: string, help: string, samples: readonly Sample[]): string[] {
  const full = `tapdisk_${name}`;
  return [
    `# HELP ${full} ${help}`,
    `# TYPE ${full} ${type}`,
    ...samples.map(([suffix, labels, value]) => `${full}${suffix}${labelText(labels)} ${value}`),
  ];
}

function labelText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escape(String(value))}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function escape(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
