// Green's share over time, with what happened.

import { h, s } from "./dom.js";
import { dayOf, fullTime, hourOf, lasting, now, timeOf } from "./words.js";

const HEIGHT = 300;
const EDGE = { left: 54, right: 56, top: 16, bottom: 52 };
const MINUTE = 60000;
const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 2880, 10080].map((m) => m * MINUTE);
const SHORT = [5, 10, 15, 30].map((sec) => sec * 1000);

export const ranges = { attempt: "This attempt", hour: "Last hour", day: "Last day", all: "All" };

const milestones = ["attempt", "phase", "step", "rollback", "question", "asked", "preflight", "journal"];
const lines = ["attempt", "rollback", "question", "phase"];
const weight = { bad: 3, held: 2, good: 1, normal: 0 };

// window chooses the times that are shown.
function window_(detail, range, end) {
  const first = detail.shares.length ? Date.parse(detail.shares[0].at) : end;
  const attempt = detail.timeline.findLast((e) => e.kind === "attempt");
  const from = { hour: end - 60 * MINUTE, day: end - 1440 * MINUTE, all: first }[range] ?? (attempt ? Date.parse(attempt.at) : first);
  const start = range === "hour" || range === "day" ? Math.max(from, first) : from;
  const length = Math.max(end - start, MINUTE / 2);
  return { from: end - length * 1.03, to: end };
}

function scale(w, width) {
  const inner = width - EDGE.left - EDGE.right;
  return {
    x: (t) => EDGE.left + (Math.min(Math.max(t, w.from), w.to) - w.from) / (w.to - w.from) * inner,
    y: (share) => EDGE.top + (1 - share / 100) * (HEIGHT - EDGE.top - EDGE.bottom),
    t: (x) => w.from + (x - EDGE.left) / inner * (w.to - w.from),
  };
}

// pieces are the share from each change to the next.
function pieces(detail, w) {
  const points = detail.shares.map((p) => ({ ...p, t: Date.parse(p.at) }));
  return points.map((p, i) => ({ ...p, from: p.t, to: i + 1 < points.length ? points[i + 1].t : w.to }))
    .filter((p) => p.to >= w.from && p.from <= w.to);
}

function area(parts, c, value) {
  return parts.filter((p) => value(p) !== null).map((p) =>
    `M${c.x(p.from)} ${c.y(0)}V${c.y(value(p))}H${c.x(p.to)}V${c.y(0)}Z`).join("");
}

function line(parts, c, restored) {
  let path = "";
  let at = null;
  for (const p of parts) {
    if (Boolean(p.restored) !== restored) {
      at = null;
      continue;
    }
    path += at === null ? `M${c.x(p.from)} ${c.y(p.intended)}` : `V${c.y(p.intended)}`;
    path += `H${c.x(p.to)}`;
    at = p.to;
  }
  return path;
}

// joins leads from what the journal told to what was seen: how it went is not known.
function joins(parts, c) {
  return parts.slice(1).filter((p, i) => parts[i].restored !== p.restored && parts[i].intended !== p.intended)
    .map((p) => `M${c.x(p.from)} ${c.y(parts[parts.indexOf(p) - 1].intended)}V${c.y(p.intended)}`).join("");
}

function grid(c, width) {
  return [0, 25, 50, 75, 100].map((share) => [
    s("line", { class: "grid", x1: EDGE.left, x2: width - EDGE.right, y1: c.y(share), y2: c.y(share) }),
    share % 50 === 0 && s("text", { class: "axis", x: EDGE.left - 8, y: c.y(share) + 4, "text-anchor": "end" }, share + " %"),
  ]);
}

function planned(detail, c, width) {
  let last = Infinity;
  return detail.steps.map((step) => {
    const y = c.y(step.share);
    const room = Math.abs(last - y) >= 13;
    if (room) last = y;
    return [
      s("line", { class: "planned", x1: EDGE.left, x2: width - EDGE.right, y1: y, y2: y }),
      room && s("text", { class: "axis", x: width - EDGE.right + 7, y: y + 4 }, `${step.share} %${step.approval ? " ◆" : ""}`),
    ];
  });
}

function axis(w, c, width) {
  const room = (width - EDGE.left - EDGE.right) / 84;
  const every = [...SHORT, ...STEPS].find((step) => (w.to - w.from) / step <= room) ?? STEPS.at(-1);
  const zone = new Date(w.from).getTimezoneOffset() * MINUTE;
  const ticks = [];
  for (let t = Math.ceil((w.from - zone) / every) * every + zone; t <= w.to; t += every) ticks.push(t);
  const y = c.y(0);
  const words = every >= 1440 * MINUTE ? dayOf : every < MINUTE ? timeOf : hourOf;
  return ticks.map((t) => [
    s("line", { class: "tick", x1: c.x(t), x2: c.x(t), y1: y, y2: y + 5 }),
    s("text", { class: "axis", x: c.x(t), y: y + 18, "text-anchor": "middle" }, words(t)),
  ]);
}

// events puts those that would lie on each other into one sign.
function events(detail, w, c) {
  const signs = [];
  for (const e of detail.timeline) {
    const t = Date.parse(e.at);
    if (!milestones.includes(e.kind) || t < w.from || t > w.to) continue;
    const last = signs.at(-1);
    if (last && c.x(t) - last.x < 13) {
      last.all.push(e);
      if (weight[e.level] > weight[last.level]) last.level = e.level;
    } else {
      signs.push({ x: c.x(t), level: e.level, all: [e] });
    }
  }
  return signs.map((sign) => {
    const lined = sign.all.some((e) => lines.includes(e.kind) && (e.kind !== "phase" || e.level !== "normal"));
    return s("g", { class: "sign " + sign.level },
      lined && s("line", { x1: sign.x, x2: sign.x, y1: EDGE.top, y2: HEIGHT - 20 }),
      s("circle", { cx: sign.x, cy: HEIGHT - 15, r: sign.all.length > 1 ? 6.5 : 5 }),
      sign.all.length > 1 && s("text", { x: sign.x, y: HEIGHT - 11.5, "text-anchor": "middle" }, sign.all.length),
      s("title", null, sign.all.map((e) => `${timeOf(Date.parse(e.at))}  ${e.title}`).join("\n")));
  });
}

function said(detail, w) {
  const last = detail.shares.at(-1);
  const high = Math.max(0, ...pieces(detail, w).map((p) => p.intended));
  return `Green's share of the traffic over ${lasting(w.to - w.from)}: at most ${high} %, now ${last ? last.intended : 0} %. The same is in the table below.`;
}

export function chart(detail, width, range) {
  const w = window_(detail, range, now());
  const c = scale(w, width);
  const parts = pieces(detail, w);
  const last = parts.at(-1);
  return h("figure", { class: "chart" },
    h("div", { class: "chart-head" },
      h("div", { class: "legend", "aria-hidden": "true" },
        h("span", { class: "key seen" }, "Green's share at AWS"), h("span", { class: "key intended" }, "intended"), h("span", { class: "key planned" }, "planned steps", detail.steps.some((step) => step.approval) && ", ◆ by approval")),
      h("div", { class: "ranges", role: "group", "aria-label": "Time shown" }, Object.entries(ranges).map(([key, name]) =>
        h("button", { type: "button", "data-range": key, "aria-pressed": String(key === range) }, name)))),
    s("svg", { class: "plot", role: "img", "aria-label": said(detail, w), width, height: HEIGHT, viewBox: `0 0 ${width} ${HEIGHT}` },
      s("rect", { class: "plot-blue", x: EDGE.left, y: EDGE.top, width: width - EDGE.left - EDGE.right, height: HEIGHT - EDGE.top - EDGE.bottom }),
      s("path", { class: "area", d: area(parts, c, (p) => p.seen) }),
      s("path", { class: "area restored", d: area(parts.filter((p) => p.restored), c, (p) => p.intended) }),
      grid(c, width), planned(detail, c, width), axis(w, c, width),
      s("path", { class: "line joins", d: joins(parts, c) }),
      s("path", { class: "line restored", d: line(parts, c, true) }),
      s("path", { class: "line", d: line(parts, c, false) }),
      last && s("circle", { class: "tip", cx: c.x(w.to), cy: c.y(last.intended), r: 4.500 }),
      s("text", { class: "axis", x: EDGE.left - 8, y: HEIGHT - 11, "text-anchor": "end" }, "Events"),
      events(detail, w, c),
      s("g", { class: "pointer", "data-pointer": "" })),
    h("p", { class: "readout quiet", "data-readout": "", "aria-hidden": "true" }, "Point at the chart to read it."),
    table(detail));
}

function table(detail) {
  return h("details", { class: "table" }, h("summary", null, "The same as a table"),
    h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Green's share over time" },
      h("table", null,
        h("thead", null, h("tr", null, ["From", "Intended", "At AWS", "Seen by"].map((t) => h("th", { scope: "col" }, t)))),
        h("tbody", null, detail.shares.slice(-100).reverse().map((p) => h("tr", null,
          h("td", null, h("time", { datetime: p.at }, fullTime(Date.parse(p.at)))),
          h("td", null, p.intended + " %"),
          h("td", null, p.seen === null ? "not known" : p.seen + " %"),
          h("td", null, p.restored ? "the journal" : "this replica")))))));
}

// point reads the chart under the pointer.
export function point(svg, event, detail, range) {
  const box = svg.getBoundingClientRect();
  const width = svg.width.baseVal.value;
  const w = window_(detail, range, now());
  const c = scale(w, width);
  const t = c.t(event.clientX - box.left);
  const group = svg.querySelector("[data-pointer]");
  const readout = svg.parentNode.querySelector("[data-readout]");
  const part = pieces(detail, w).find((p) => t >= p.from && t <= p.to);
  group.replaceChildren();
  if (!part || t < w.from || t > w.to) {
    readout.textContent = "Point at the chart to read it.";
    return;
  }
  group.append(s("line", { x1: c.x(t), x2: c.x(t), y1: EDGE.top, y2: c.y(0) }), s("circle", { cx: c.x(t), cy: c.y(part.intended), r: 4 }));
  const seen = part.seen === null ? "not known" : part.seen + " %";
  readout.textContent = `${timeOf(t)}: ${part.intended} % intended, at AWS ${seen}${part.restored ? ", as the journal tells" : ""}`;
}
