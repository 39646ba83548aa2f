// Math, programs, keys and copying. Texts of rows are only ever read as text here: KaTeX builds its nodes itself and is
// given no trust, and what highlight.js returns is escaped by it.
import hljs from "./highlight/core.min.js";
import bash from "./highlight/bash.min.js";
import cpp from "./highlight/cpp.min.js";
import java from "./highlight/java.min.js";
import javascript from "./highlight/javascript.min.js";
import json from "./highlight/json.min.js";
import python from "./highlight/python.min.js";

for (const [name, grammar] of Object.entries({ bash, cpp, java, javascript, json, python })) hljs.registerLanguage(name, grammar);
const asMarkup = window.trustedTypes?.createPolicy("highlight", { createHTML: (markup) => markup }) ?? { createHTML: (markup) => markup };
const MOST_CHARS = 50000; // of a text that is highlighted or searched for math
const MATH = {
  delimiters: [["$$", "$$", true], ["\\[", "\\]", true], ["\\(", "\\)", false], ["$", "$", false]].map(([left, right, display]) => ({ left, right, display })),
  output: "mathml", trust: false, strict: "ignore", throwOnError: false, maxSize: 20, maxExpand: 200,
};
const written = new Map(); // the text of a piece before its math was drawn

function draw(root) {
  for (const piece of root.querySelectorAll(".prose")) {
    if (written.has(piece) || piece.closest("details:not([open])") || piece.textContent.length > MOST_CHARS) continue;
    written.set(piece, piece.textContent);
    const bare = "formula" in piece.dataset && /\\[a-zA-Z]/.test(piece.textContent) && !/\$|\\\(|\\\[/.test(piece.textContent);
    try { bare ? katex.render(piece.textContent, piece, MATH) : renderMathInElement(piece, MATH); } catch { piece.textContent = written.get(piece); }
  }
  for (const code of root.querySelectorAll("code[class^=language-]:not([data-drawn])")) {
    if (code.closest("details:not([open])") || code.textContent.length > MOST_CHARS) continue;
    code.dataset.drawn = "";
    const language = code.className.slice("language-".length);
    code.innerHTML = asMarkup.createHTML(hljs.highlight(code.textContent, { language, ignoreIllegals: true }).value);
  }
}

function asWritten() {
  if (written.size && document.querySelector(".prose math")) for (const [piece, text] of written) piece.textContent = text;
  else { written.clear(); draw(document); }
}

const rows = () => [...document.querySelectorAll("tr[data-row]")];
function move(by) {
  const all = rows(), at = all.findIndex((row) => row.classList.contains("at"));
  const next = all[Math.min(Math.max(at + by, 0), all.length - 1)];
  if (!next) return;
  all[at]?.classList.remove("at");
  next.classList.add("at");
  next.scrollIntoView({ block: "nearest" });
}
const follow = (selector) => document.querySelector(selector)?.click();
const mark = (says) => (document.querySelector(".response.chosen") ?? document.querySelector(".response"))?.querySelector(`.marking button[value=${says}]`)?.click();

const inList = () => rows().length > 0;
const KEYS = {
  j: () => (inList() ? move(1) : follow("a[rel=next]")), k: () => (inList() ? move(-1) : follow("a[rel=prev]")),
  n: () => follow("a[rel=next]"), p: () => follow("a[rel=prev]"),
  Enter: () => follow("tr.at a.open"), Escape: () => follow("a[rel=up]"),
  r: () => mark("right"), w: () => mark("wrong"), u: () => mark("unsure"),
  c: () => follow("[data-copy]"), m: asWritten,
  "/": () => document.querySelector("input[type=search]")?.focus(),
};
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, select, textarea")) return;
  if (event.key === "Enter" && event.target.matches("a, button, summary")) return;
  if (!Object.hasOwn(KEYS, event.key)) return;
  event.preventDefault();
  KEYS[event.key]();
});
document.addEventListener("click", async (event) => {
  const button = event.target.closest?.("[data-copy]");
  if (!button) return;
  await navigator.clipboard.writeText(button.dataset.copy);
  button.textContent = "copied";
});
document.addEventListener("toggle", (event) => event.target.open && draw(event.target), true);
draw(document);
document.documentElement.dataset.drawn = ""; // tests wait for it
