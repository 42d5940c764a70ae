// What several views draw.

import { h, s } from "./dom.js";
import { ago, fullTime, left, spoken } from "./words.js";

// tone is how a pair looks by what it needs and where it goes.
export function tone(summary) {
  if (summary.phase === "RollingBack") return "bad";
  if (summary.severity === "person") return "bad";
  if (summary.severity === "held") return "held";
  if (summary.phase === "Completed" || summary.phase === "Standby") return "good";
  if (summary.phase === "Shifting" || summary.phase === "Preflight" || summary.phase === "Returning") return "moving";
  return "calm";
}

const phases = {
  "": "Not known yet", Idle: "At rest", Preflight: "Preflight", Shifting: "Shifting", Standby: "Standby",
  Completed: "Completed", Returning: "Planned way back", RollingBack: "Rolling back", RolledBack: "Rolled back",
};

export const phaseName = (phase) => phases[phase] ?? spoken(phase);

export const pill = (tone, ...text) => h("span", { class: "pill " + tone }, ...text);

const glyphs = {
  pass: "M3.500 8.500l3 3 6-7", good: "M3.500 8.500l3 3 6-7",
  fail: "M4 4l8 8M12 4l-8 8", bad: "M8 3.500v5.500M8 12v.6",
  wait: "M8 4v4.300l2.800 1.700", held: "M6 4.500v7M10 4.500v7",
  unknown: "M5.800 6.200a2.200 2.200 0 1 1 3 2c-.6.3-.8.6-.8 1.300M8 12v.4", normal: "M5 8h6",
};

// glyph is a small sign that tells by its shape too.
export const glyph = (kind) => s("svg", { class: "glyph " + kind, viewBox: "0 0 16 16", "aria-hidden": "true" },
  s("circle", { cx: 8, cy: 8, r: 8 }), s("path", { d: glyphs[kind] || glyphs.normal }));

// sharebar shows how users' traffic is split.
export function sharebar(green, label) {
  return h("div", { class: "sharebar", role: "img", "aria-label": label || `Blue has ${100 - green} %, green ${green} % of the traffic` },
    s("svg", { viewBox: "0 0 100 10", preserveAspectRatio: "none", "aria-hidden": "true" },
      s("rect", { class: "fill-blue", x: 0, y: 0, width: 100, height: 10 }),
      s("rect", { class: "fill-green", x: 100 - green, y: 0, width: green, height: 10 })));
}

// split says in numbers how traffic is split: as AWS has it, and where it goes.
export function split(p, size) {
  const green = p.seenShare ?? p.greenShare;
  const moving = p.severity !== "person" || p.phase === "RollingBack";
  const goes = green === p.greenShare ? "" : moving ? ` → ${p.greenShare} %` : `, ${p.greenShare} % intended`;
  return h("div", { class: "split " + (size || "") },
    h("span", { class: "blue-text" }, h("b", null, 100 - green), " % blue"),
    h("span", { class: "green-text" }, h("b", null, green), " % green", goes && h("span", { class: "goes" }, goes)));
}

// sign is the glyph of a pair's tone.
export const sign = (t) => glyph({ bad: "bad", held: "held", good: "good", moving: "wait" }[t] || "normal");

// moment is a time that goes on by itself.
export const moment = (at, how) => {
  const t = Date.parse(at);
  return h("time", { datetime: at, title: fullTime(t), "data-clock": how || "ago" }, how === "left" ? left(t) : ago(t));
};

// tick lets all moments go on.
export function tick(root) {
  for (const node of root.querySelectorAll("time[data-clock]")) {
    const t = Date.parse(node.dateTime);
    const text = node.dataset.clock === "left" ? left(t) : ago(t);
    if (node.textContent !== text) node.textContent = text;
  }
}

// worded turns code in backticks into code.
export const worded = (text) => (text || "").split("`").map((part, i) => (i % 2 ? h("code", null, part) : part));

export const card = (title, attributes, ...content) => h("section", { ...attributes, class: "card " + (attributes?.class || "") },
  h("h2", null, title), ...content);

// command is a line to copy.
export const command = (text) => h("div", { class: "command" },
  h("pre", { tabindex: "0", role: "group", "aria-label": "Command" }, h("code", null, text)),
  h("button", { type: "button", class: "copy", "data-copy": text, "aria-label": "Copy the command " + text }, "Copy"));
