// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

/**
 * How the page looks. Good is blue and bad is orange, which the colour-blind can tell apart, and each has its word beside it.
 * All texts have a contrast of 4.5 to 1 or more with what is behind them, in light and in dark.
 */
export const STYLE = `
:root {
  color-scheme: light dark;
  --paper: #fff; --card: #f5f6f8; --ink: #1b1f24; --soft: #57606a; --line: #d0d7de;
  --good: #0550ae; --good-paper: #ddf1ff; --bad: #953800; --bad-paper: #fff1e5; --mark: #ffd8b5; --link: #0550ae;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #0d1117; --card: #161b22; --ink: #e6edf3; --soft: #9aa4af; --line: #30363d;
    --good: #79c0ff; --good-paper: #0c2d4d; --bad: #ffb77c; --bad-paper: #3d2106; --mark: #70400f; --link: #79c0ff;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
header, main { max-width: 96rem; margin: 0 auto; padding: 0 clamp(0.75rem, 3vw, 2.5rem); }
header { padding-top: 1.5rem; }
h1 { margin: 0; font-size: 1.9rem; line-height: 1.2; }
h2 { margin: 2.2rem 0 0.6rem; font-size: 1.35rem; }
h3 { margin: 1.4rem 0 0.5rem; font-size: 1rem; }
p { margin: 0.4rem 0; }
header p, .file, .where, .skips { color: var(--soft); }
nav { margin-top: 0.5rem; display: flex; gap: 1.2rem; flex-wrap: wrap; }
a { color: var(--link); }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; border-radius: 3px; }
code, pre, .id, .index { font-family: ui-monospace, monospace; font-size: 0.85em; }
code { overflow-wrap: anywhere; }
pre { margin: 0.5rem 0; padding: 0.7rem; overflow: auto; background: var(--card); border: 1px solid var(--line); border-radius: 6px; }
table { border-collapse: collapse; width: 100%; }
th, td { padding: 0.3rem 0.6rem; text-align: left; vertical-align: top; }
.word { font-size: 0.8rem; font-weight: 600; white-space: nowrap; }
.good { color: var(--good); }
.bad { color: var(--bad); }
.none { color: var(--soft); }

.cards { list-style: none; margin: 0; padding: 0; display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(min(17rem, 100%), 1fr)); }
.cards > li { padding: 0.9rem 1.1rem; background: var(--card); border: 1px solid var(--line); border-radius: 10px; }
.cards h3 { margin: 0; font-weight: 600; overflow-wrap: anywhere; }
.verdict { font-size: 1.35rem; font-weight: 700; }
.skips { margin: 0.4rem 0 0; padding-left: 1.1rem; font-size: 0.9rem; }
.bar { display: block; border-radius: 5px; background: var(--line); }
.bar .good { fill: var(--good); }
.bar .bad { fill: var(--bad); }

.scroll { overflow-x: auto; border: 1px solid var(--line); border-radius: 10px; }
.rules { font-variant-numeric: tabular-nums; }
.rules thead th { background: var(--card); overflow-wrap: anywhere; min-width: 6.5rem; }
.rules thead th:first-child { min-width: 9rem; }
.rules td, .rules tbody th { border-top: 1px solid var(--line); }
.rules tbody th { font-weight: 400; }
.rules .group th { padding-top: 1.1rem; font-weight: 700; }
.rules .id { display: inline-block; min-width: 3.4em; font-weight: 700; }
.rules td { white-space: nowrap; color: var(--ink); }
.rules td.good .word { color: var(--good); }
.rules td.bad .word, .rules td.bad a { color: var(--bad); }
.rules td.none { color: var(--soft); }
.rules td.bad { background: var(--bad-paper); }
.rules td .word { display: inline-block; min-width: 4.2em; }
.rules tr:target th { outline: 3px solid var(--link); outline-offset: -3px; }

.failure { margin: 0.6rem 0; border: 1px solid var(--line); border-left: 4px solid var(--bad); border-radius: 6px; }
.failure > summary { padding: 0.55rem 0.8rem; overflow-wrap: anywhere; }
.failure > div { padding: 0 0.8rem 0.8rem; }
summary { cursor: pointer; }
.steps, .script, .more { margin: 0.6rem 0; }
.trace { table-layout: fixed; margin: 0.5rem 0; border: 1px solid var(--line); }
.trace caption { text-align: left; font-weight: 700; padding: 0.3rem 0; }
.steps caption { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
.trace th:last-child, .trace td:last-child { width: 6.5rem; }
.trace thead th { background: var(--card); font-size: 0.85rem; }
.trace .step th { width: auto; font-weight: 600; border-top: 2px solid var(--line); background: var(--card); }
.trace td { border-top: 1px solid var(--line); }
.trace td + td { border-left: 1px solid var(--line); }
.trace .index { color: var(--soft); display: inline-block; min-width: 1.6em; text-align: right; }
.trace .same .word, .nothing { color: var(--soft); font-weight: 400; }
.trace .differs td, .trace .missing td, .trace .unexpected td { background: var(--bad-paper); }
.differs .word, .missing .word, .unexpected .word { color: var(--bad); }
.nothing { font-style: italic; font-size: 0.85em; }
.trace .missing .nothing, .trace .unexpected .nothing { color: inherit; }
mark { background: var(--mark); color: inherit; font-weight: 700; text-decoration: underline; border-radius: 3px; }

@media (max-width: 40rem) {
  body { font-size: 15px; }
  th, td { padding: 0.3rem 0.4rem; }
  .trace th:last-child, .trace td:last-child { width: 4.6rem; }
  .trace .index { display: block; text-align: left; }
  .rules td { white-space: normal; }
  .word { white-space: normal; }
}
@media print {
  :root { --paper: #fff; --card: #f5f6f8; --ink: #000; --soft: #444; --line: #999; --good: #003d82; --bad: #7a2d00; --bad-paper: #fff1e5; --mark: #ffd8b5; --link: #000; }
  body { font-size: 10pt; }
  nav { display: none; }
  .scroll { overflow: visible; }
  tr, .cards > li { break-inside: avoid; }
  thead { display: table-header-group; }
  details::details-content { content-visibility: visible; block-size: auto; }
}
`;
