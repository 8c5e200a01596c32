"""The style sheet of a report: system fonts, light and dark, A4."""

from __future__ import annotations

STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --dim: #57606a; --paper: #ffffff; --line: #d0d7de;
  --soft: #f6f8fa; --mark: #8a4600; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --dim: #9da7b3; --paper: #0d1117;
  --line: #30363d; --soft: #161b22; --mark: #f0b072; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem; max-width: 72rem; color: var(--ink); background: var(--paper);
  font: 15px/1.5 system-ui, sans-serif; }
h1 { margin: 0; font-size: 1.6rem; } h2 { margin: 2rem 0 .5rem; font-size: 1.25rem; }
h3 { margin: 0 0 .5rem; font-size: 1.05rem; overflow-wrap: anywhere; }
small, header p, dt, .replay { color: var(--dim); font-weight: normal; }
header p { margin: .25rem 0 1rem; }
dl { margin: 0; }
.totals { display: grid; grid-template-columns: repeat(auto-fill, minmax(14rem, 1fr)); gap: .75rem; }
.totals div { padding: .6rem .8rem; border: 1px solid var(--line); border-radius: 6px; background: var(--soft); }
.totals dd { margin: 0; font-size: 1.05rem; font-weight: 600; overflow-wrap: anywhere; }
article { margin: 1rem 0; padding: 1rem; border: 1px solid var(--line); border-radius: 6px; }
details { margin-bottom: .75rem; } summary { cursor: pointer; color: var(--dim); }
details div { display: grid; grid-template-columns: 9rem 1fr; gap: .5rem; padding: .15rem 0; }
details dd { margin: 0; overflow-wrap: anywhere; }
table { width: 100%; border-collapse: collapse; font-size: .9rem; }
th, td { padding: .4rem .6rem .4rem 0; border-bottom: 1px solid var(--line); text-align: left;
  vertical-align: top; overflow-wrap: anywhere; }
th { color: var(--dim); font-weight: 600; }
td:first-child { min-width: 7rem; } article th:nth-child(3) { width: 45%; }
code { font: .85rem/1.4 ui-monospace, monospace; white-space: pre-wrap; overflow-wrap: anywhere; }
.replay { font-size: .75rem; }
.inferred { padding: 0 .35rem; border: 1px solid var(--mark); border-radius: 4px; color: var(--mark);
  font-size: .75rem; }
@media (max-width: 40rem) { body { padding: .75rem; } article { padding: .6rem; }
  details div { grid-template-columns: 1fr; gap: 0; }
  thead { display: none; } tr { display: block; border-bottom: 1px solid var(--line); padding: .4rem 0; }
  td { display: block; border: 0; padding: .1rem 0; } }
@page { size: A4; margin: 15mm; }
@media print { :root { --ink: #000; --dim: #444; --paper: #fff; --line: #bbb; --soft: #fff; --mark: #000; }
  body { max-width: none; padding: 0; font-size: 10pt; } article { border-width: 1px 0 0; border-radius: 0; padding: .5rem 0; }
  details > summary { display: none; }
  h2, h3, thead { break-after: avoid; } tr, .totals div { break-inside: avoid; } thead { display: table-header-group; } }
"""
