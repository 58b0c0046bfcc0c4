"""The page's style and its one script."""

from typing import Final

from streams.web.style import STYLE

PAGE_STYLE: Final = (
    STYLE
    + """
:root { --good: #1a7f37; --bad: #b3261e; --fair: #8a5a00; --raised: #f6f8fa; }
@media (prefers-color-scheme: dark) { :root { --good: #5fd07e; --bad: #ff9a91; --fair: #e8b85c; --raised: #1b212a; } }
body { max-width: 76rem; }
header { display: flex; flex-wrap: wrap; gap: 0.5rem 1rem; align-items: center; padding-bottom: 0.5rem;
  border-bottom: 1px solid var(--line); }
header nav { flex: 1 1 20rem; }
nav a { display: inline-block; padding: 0.25rem 0; }
nav [aria-current] { font-weight: 600; color: var(--text); text-decoration-thickness: 2px; }
.skip { position: absolute; left: -100rem; background: var(--ground); padding: 0.5rem; }
.skip:focus { left: 1rem; top: 0.5rem; z-index: 1; }
main:focus { outline: none; }
button { font: inherit; color: var(--text); background: var(--raised); border: 1px solid var(--quiet);
  border-radius: 0.3rem; padding: 0.25rem 0.75rem; min-height: 2rem; cursor: pointer; }
input, select { font: inherit; color: var(--text); background: var(--ground); border: 1px solid var(--quiet);
  border-radius: 0.3rem; padding: 0.2rem 0.4rem; min-height: 2rem; max-width: 100%; }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(10.5rem, 1fr)); gap: 0.75rem; margin: 1rem 0; }
.card { border: 1px solid var(--line); border-left: 4px solid var(--line); border-radius: 0.3rem;
  padding: 0.5rem 0.75rem; background: var(--raised); }
.card dt { color: var(--quiet); } .card dd { margin: 0; }
.card dd a { display: block; font-size: 1.5rem; line-height: 1.3; font-variant-numeric: tabular-nums; }
.card dd span { color: var(--quiet); font-size: 0.9rem; }
.card.kept { border-left-color: var(--good); } .card.missed { border-left-color: var(--bad); }
.card.unclear { border-left-color: var(--fair); }
.filters { display: grid; grid-template-columns: repeat(auto-fill, minmax(11rem, 1fr)); gap: 0.5rem 1rem;
  align-items: end; margin: 1rem 0; }
.filters label, .sign-in label { display: grid; color: var(--quiet); }
.sign-in { display: grid; gap: 0.75rem; max-width: 22rem; }
figure.scroll svg { min-width: 54rem; }
.place { fill: transparent; stroke: none; } a:hover .place { fill: var(--text); fill-opacity: 0.08; }
svg a:focus-visible { outline: none; } a:focus-visible .place { stroke: var(--s1); stroke-width: 2; }
p.missed { color: var(--bad); }
.notice { border-left: 4px solid var(--fair); padding-left: 0.75rem; }
.said { white-space: pre-wrap; overflow-wrap: anywhere; }
tbody th { min-width: 11.5rem; } td.words { min-width: 5rem; }
@media print { header, .filters, .links { display: none; } }
"""
)

# Draws the view again when the server says that there is something new. The keyboard's focus stays where it is, and
# nothing moves while the reader has paused it, or looks at another tab. A browser gives a stream of events up for good
# where it is refused, as by a proxy whose server starts again: then, and after a drawing that failed, all is tried
# again five seconds later, and meanwhile the page says that it may be old.
SCRIPT: Final = """
"use strict";
const live = document.getElementById("live");
const pause = document.getElementById("pause");
if (live && pause) {
  let source = null, paused = false, busy = false, missed = false, waiting = 0;
  const lost = document.createElement("p");
  lost.className = "notice";
  lost.setAttribute("role", "status");
  lost.textContent = "Not connected: what is shown may be old.";
  const draw = async () => {
    if (busy || paused || document.hidden) { missed = true; return; }
    busy = true; missed = false;
    try {
      const answer = await fetch(location.href, {headers: {Accept: "text/html"}});
      if (answer.status === 401 || answer.status === 403) { location.reload(); return; }
      const drawn = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = answer.ok && drawn.getElementById("live");
      if (!fresh) throw new Error("there is no view in the answer");
      if (paused) missed = true; else put(fresh);
      if (source.readyState === 1) lost.remove();
    } catch { tryLater(); }
    busy = false;
    if (missed && !waiting) draw();
  };
  const tryLater = () => {
    missed = true;
    live.before(lost);
    waiting ||= setTimeout(() => {
      waiting = 0;
      if (source.readyState === 2) open();
      draw();
    }, 5000);
  };
  const put = (fresh) => {
    const focused = live.contains(document.activeElement) ? document.activeElement : null;
    const like = focused && focused.localName + "[" + ["href", "aria-labelledby"].map((name) =>
      focused.hasAttribute(name) ? name + '="' + CSS.escape(focused.getAttribute(name)) + '"' : "").find(Boolean) + "]";
    const scrolled = [...live.querySelectorAll(".scroll")].map((part) => part.scrollLeft);
    live.replaceChildren(...fresh.childNodes);
    live.dataset.seen = fresh.dataset.seen;
    [...live.querySelectorAll(".scroll")].forEach((part, at) => { part.scrollLeft = scrolled[at] || 0; });
    if (like) { try { live.querySelector(like)?.focus({preventScroll: true}); } catch { /* it had no name */ } }
  };
  const open = () => {
    source?.close();
    source = new EventSource("/changes?seen=" + encodeURIComponent(live.dataset.seen));
    source.addEventListener("change", draw);
    source.addEventListener("open", () => lost.remove());
    source.addEventListener("error", tryLater);
  };
  document.addEventListener("visibilitychange", () => { if (!document.hidden && missed) draw(); });
  pause.hidden = false;
  pause.addEventListener("click", () => {
    paused = !paused;
    pause.textContent = paused ? "Resume updates" : "Pause updates";
    if (!paused && missed) draw();
  });
  window.addEventListener("pagehide", () => source && source.close());
  window.addEventListener("pageshow", (event) => { if (event.persisted) open(); });
  open();
}
"""
