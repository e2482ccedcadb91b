#pragma once

// The fixed parts of the page that search --html writes.
namespace bridgetower::cli {

constexpr const char* kPageStart = R"html(<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>Search results</title>
<style>
:root {
  --page: #f6f6f4; --card: #ffffff; --text: #1d1d1b; --quiet: #5d5d58; --line: #dcdcd6;
  --accent: #8a3a12; --on-accent: #ffffff; --bar: #e9e8e2; --error: #a3171c; --focus: #1a5fd0;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #161615; --card: #222220; --text: #efeee9; --quiet: #aeada5; --line: #3a3a36;
    --accent: #f3a36b; --on-accent: #1d1208; --bar: #34342f; --error: #ff8f8f; --focus: #8ab8ff;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; padding: 1.5rem clamp(1rem, 4vw, 3rem) 3rem; background: var(--page); color: var(--text);
  font: 1rem/1.45 system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif;
}
h1 { font-size: 1.1rem; font-weight: 600; color: var(--quiet); margin: 0 0 .25rem; }
h2 { font-size: 1.6rem; line-height: 1.2; margin: 2rem 0 .25rem; overflow-wrap: anywhere; }
h3 { font-size: 1rem; margin: 0; overflow-wrap: anywhere; }
p { margin: 0; }
.quiet { color: var(--quiet); font-size: .875rem; overflow-wrap: anywhere; }
.like { max-width: 128px; max-height: 128px; border-radius: .4rem; display: block; margin: .5rem 0; }
.cards {
  list-style: none; margin: 1rem 0 0; padding: 0; display: grid; align-items: start;
  gap: 1rem; grid-template-columns: repeat(auto-fill, minmax(min(100%, 17.5rem), 1fr));
}
article {
  background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: .9rem;
  display: flex; flex-direction: column; gap: .6rem;
}
.frame {
  background: var(--bar); border-radius: .4rem; aspect-ratio: 1; display: grid; place-items: center; overflow: hidden;
}
.frame img { width: 100%; height: 100%; object-fit: contain; display: block; }
.missing { color: var(--quiet); font-size: .875rem; }
dl { margin: 0; display: grid; grid-template-columns: auto 1fr auto; gap: .3rem .6rem; align-items: center; }
dt { color: var(--quiet); font-size: .875rem; }
dd { margin: 0; font-variant-numeric: tabular-nums; }
.number { grid-column: 3; text-align: right; font-weight: 600; }
.bar { grid-column: 2; height: .45rem; border-radius: .25rem; background: var(--bar); overflow: hidden; }
.bar i { display: block; height: 100%; background: var(--accent); }
.error { color: var(--error); font-size: .9rem; overflow-wrap: anywhere; }
button {
  font: inherit; font-size: .9rem; color: inherit; background: none; border: 1px solid var(--line);
  border-radius: .4rem; padding: .4rem .7rem; min-height: 2.25rem; cursor: pointer;
}
button:hover { border-color: var(--accent); }
button:focus-visible { outline: 3px solid var(--focus); outline-offset: 2px; }
.toggle { text-align: left; }
.toggle::before { content: "\25B8" / ""; display: inline-block; width: 1.1em; }
.toggle[aria-expanded="true"]::before { content: "\25BE" / ""; }
.words { display: flex; flex-wrap: wrap; gap: .35rem; margin: .6rem 0 .4rem; }
.words button { overflow-wrap: anywhere; padding: .2rem .55rem; min-height: 2rem; }
.words button[aria-pressed="true"] { background: var(--accent); border-color: var(--accent); color: var(--on-accent); }
[hidden] { display: none; }
@media print { .toggle { display: none; } }
</style>
</head>
<body>
)html";

constexpr const char* kPageEnd = R"html(<script>
"use strict";
function show(word) {
  const panel = word.closest(".looks");
  for (const other of panel.querySelectorAll(".words button")) {
    other.setAttribute("aria-pressed", String(other === word));
  }
  const image = panel.querySelector("img");
  image.src = word.dataset.heat;
  image.alt = "Where the word " + word.textContent + " looks";
  panel.querySelector("[aria-live]").textContent = word.dataset.note;
}
document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if (!button.classList.contains("toggle")) return show(button);
  const panel = document.getElementById(button.getAttribute("aria-controls"));
  panel.hidden = button.getAttribute("aria-expanded") === "true";
  button.setAttribute("aria-expanded", String(!panel.hidden));
  if (!panel.hidden) show(panel.querySelector(".words button[aria-pressed=true]"));
});
</script>
</body>
</html>
)html";

}  // namespace bridgetower::cli
