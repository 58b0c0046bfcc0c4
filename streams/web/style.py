"""How pages look: dark or light as the reader's system is, on narrow screens and on paper."""

from typing import Final

# Text and lines have a contrast to the ground of 4.5 and 3 at least, WCAG 2.2 AA; series differ in form, too.
STYLE: Final = """
:root { color-scheme: light dark; --ground: #ffffff; --text: #1b1f24; --quiet: #57606a; --line: #d0d7de;
  --s1: #0b57d0; --s2: #a8480f; --s3: #1a7f37; }
@media (prefers-color-scheme: dark) { :root { --ground: #12161c; --text: #e6eaef; --quiet: #9da7b3; --line: #343b44;
  --s1: #7aa9ff; --s2: #ffb37d; --s3: #5fd07e; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 60rem; padding: 1rem; background: var(--ground); color: var(--text);
  font: 1rem/1.5 system-ui, sans-serif; }
h1 { font-size: 1.6rem; line-height: 1.2; }
h2 { font-size: 1.25rem; margin-top: 2.5rem; border-bottom: 1px solid var(--line); }
nav ul { display: flex; flex-wrap: wrap; gap: 0.25rem 1rem; margin: 0; padding: 0; list-style: none; }
a { color: var(--s1); }
p { max-width: 44rem; }
.scroll { overflow-x: auto; margin: 1rem 0; }
:focus-visible { outline: 2px solid var(--s1); outline-offset: 2px; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
caption { text-align: left; color: var(--quiet); padding-bottom: 0.25rem; }
th, td { padding: 0.2rem 0.75rem 0.2rem 0; text-align: right; border-bottom: 1px solid var(--line);
  vertical-align: top; }
th { font-weight: 600; white-space: nowrap; }
tbody th { font-weight: 400; white-space: normal; overflow-wrap: anywhere; }
.words { text-align: left; }
figure { margin: 1rem 0; }
figcaption { color: var(--quiet); }
svg { width: 100%; height: auto; font: 12px system-ui, sans-serif; }
svg text { fill: var(--quiet); }
.grid { stroke: var(--line); }
.s1 { fill: var(--s1); stroke: var(--s1); } .s2 { fill: var(--s2); stroke: var(--s2); }
.s3 { fill: var(--s3); stroke: var(--s3); }
.line { fill: none; stroke-width: 2; } .s2.line { stroke-dasharray: 6 3; } .s3.line { stroke-dasharray: 2 3; }
.interval { stroke-width: 5; stroke-opacity: 0.35; }
.key { display: inline-block; width: 1.5rem; margin: 0 0.3rem; border-top: 3px solid; vertical-align: middle; }
.key.s1 { color: var(--s1); } .key.s2 { color: var(--s2); border-top-style: dashed; }
.key.s3 { color: var(--s3); border-top-style: dotted; }
@media print { nav { display: none; } .scroll { overflow: visible; } }
"""
