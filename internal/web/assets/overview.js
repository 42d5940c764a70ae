// All pairs at a glance.

import { h } from "./dom.js";
import { moment, phaseName, pill, sharebar, sign, split, tone } from "./parts.js";
import { plural, spoken } from "./words.js";

const order = { bad: 0, held: 1, moving: 2, good: 3, calm: 4 };
const FILTER_FROM = 9; // pairs

function sorted(pairs) {
  return [...pairs].sort((a, b) => order[tone(a)] - order[tone(b)] || a.pair.localeCompare(b.pair));
}

function counts(pairs) {
  const n = (test) => pairs.filter(test).length;
  const said = [
    [n((p) => p.phase === "RollingBack"), "bad", (k) => `${k} rolling back`],
    [n((p) => p.severity === "person"), "bad", (k) => (k === 1 ? "1 needs a person" : `${k} need a person`)],
    [n((p) => p.severity === "held"), "held", (k) => (k === 1 ? "1 is held" : `${k} are held`)],
    [n((p) => tone(p) === "moving"), "moving", (k) => `${k} on the way`],
  ];
  return said.filter(([k]) => k > 0).map(([k, kind, words]) => pill(kind, words(k)));
}

const fact = (name, value, kind) => value && h("div", null, h("dt", null, name), h("dd", { class: kind || null }, value));

function tile(p) {
  const t = tone(p);
  return h("li", { class: "tile " + t, "data-key": p.pair },
    h("div", { class: "tile-head" },
      h("h2", null, h("a", { class: "cover", href: "#/pairs/" + encodeURIComponent(p.pair) }, p.pair)),
      pill(t, phaseName(p.phase))),
    split(p),
    sharebar(p.seenShare ?? p.greenShare),
    h("p", { class: "why" }, sign(t),
      h("span", null, h("strong", null, p.reason ? spoken(p.reason) + ". " : ""), p.message || "No daemon has said anything about this pair yet.")),
    h("dl", { class: "facts" },
      fact("Attempt", p.attempt > 0 && p.attempt),
      fact("Step", p.step && `${p.step.entered} of ${p.step.of}`),
      fact("Blue can take", p.bluePercent !== null && p.bluePercent + " %", p.bluePercent < p.wantedPercent ? "bad-text" : ""),
      fact("Waits", p.waitsUntil && moment(p.waitsUntil, "left")),
      fact("Looked at", p.updatedAt && moment(p.updatedAt))));
}

export function overview(state) {
  const pairs = sorted(state.pairs.values());
  const wanted = state.filter.trim().toLowerCase();
  const shown = pairs.filter((p) => !wanted || [p.pair, phaseName(p.phase), p.reason, p.severity].some((t) => t.toLowerCase().includes(wanted)));
  return [
    h("div", { class: "page-head" },
      h("h1", null, "Pairs"),
      h("div", { class: "pills" }, pill("calm", plural(pairs.length, "pair")), counts(pairs)),
      pairs.length >= FILTER_FROM && h("label", { class: "filter" }, h("span", { class: "unseen" }, "Show only pairs with"),
        h("input", { id: "filter", type: "search", placeholder: "Name, phase or reason", autocomplete: "off" }))),
    pairs.length === 0 && h("p", { class: "card" }, "The configuration has no pair yet."),
    wanted && h("p", { class: "quiet", role: "status" }, `${shown.length} of ${pairs.length} shown`),
    h("ul", { class: "tiles" }, shown.map(tile)),
  ];
}
