// One pair.

import { h, s } from "./dom.js";
import { chart } from "./chart.js";
import { card, command, glyph, moment, phaseName, pill, sharebar, sign, split, tone, worded } from "./parts.js";
import { amount, fullTime, lasting, plural, spoken, timeOf } from "./words.js";

const SHORT_TIMELINE = 12;
const FIRST_COMMANDS = 2;
const routine = ["reason", "reached", "write"];

function head(d) {
  const p = d.summary;
  return [
    h("nav", { class: "crumbs", "aria-label": "Where you are" }, h("a", { href: "#/" }, "All pairs"), h("span", { "aria-hidden": "true" }, " / "), h("span", { "aria-current": "page" }, p.pair)),
    h("div", { class: "page-head" }, h("h1", null, p.pair), h("div", { class: "pills" },
      pill(tone(p), phaseName(p.phase)),
      p.attempt > 0 && pill("calm", "Attempt ", p.attempt),
      p.step && pill("calm", `Step ${p.step.entered} of ${p.step.of}`),
      d.asked.paused && pill("held", "Paused"), d.asked.handsOff && pill("held", "Hands off"))),
    h("section", { class: "hero card " + tone(p), "aria-label": "Where it stands" },
      split(p, "big"),
      sharebar(p.seenShare ?? p.greenShare),
      h("div", { class: "because" }, sign(tone(p)),
        h("div", null,
          h("p", { class: "reason" }, p.reason ? spoken(p.reason) : "Nothing known yet"),
          h("p", { class: "message" }, p.message || "No daemon has said anything about this pair yet."),
          p.toDo && !p.toDo.startsWith("Nothing.") && h("p", { class: "quiet" }, h("strong", null, "What you can do: "), worded(p.toDo.replaceAll("PAIR", p.pair))))),
      h("dl", { class: "facts" },
        p.waitsUntil && h("div", null, h("dt", null, p.phase === "Standby" ? "Standby" : "Hold"), h("dd", null, moment(p.waitsUntil, "left"))),
        p.since && h("div", null, h("dt", null, "Share changed"), h("dd", null, moment(p.since))),
        p.updatedAt && h("div", null, h("dt", null, p.source === "journal" ? "Written down" : "Looked at"), h("dd", null, moment(p.updatedAt))))),
    d.rollback && h("p", { class: "note bad" }, h("strong", null, d.rollback.automatic ? "Rolled back by the daemon itself: " : `Rollback asked for by ${d.rollback.by}: `), d.rollback.why, ". ", h("span", { class: "quiet when" }, fullTime(Date.parse(d.rollback.at)))),
  ];
}

function action(a) {
  return h("li", { class: "action " + a.kind, "data-key": a.command },
    h("h3", null, a.title), h("p", { class: "quiet" }, a.why), command(a.command),
    a.kubectl && a.kubectl !== a.command && h("details", null, h("summary", null, "With kubectl"), command(a.kubectl)));
}

function actions(d) {
  const now = d.actions.filter((a) => a.kind === "wanted");
  const rest = d.actions.filter((a) => a.kind !== "wanted");
  const first = rest.slice(0, FIRST_COMMANDS);
  const more = rest.slice(FIRST_COMMANDS);
  return [
    now.length > 0 && card("It waits for a person", { class: "wanted", "data-key": "wanted" },
      d.question && d.question.message !== d.summary.message && h("p", null, d.question.message), h("ul", { class: "actions" }, now.map(action))),
    card("Commands", { "data-key": "commands" }, h("ul", { class: "actions" }, first.map(action)),
      more.length > 0 && h("details", { class: "more" }, h("summary", null, plural(more.length, "more command")), h("ul", { class: "actions" }, more.map(action)))),
  ];
}

function number(n) {
  const limit = n.atMost ?? n.atLeast;
  const good = (n.atMost === null || n.value <= n.atMost) && (n.atLeast === null || n.value >= n.atLeast);
  const part = limit > 0 ? Math.min(1, n.value / (limit * (n.atMost === null ? 1 : 1.25))) : 0;
  return h("li", { class: "number" },
    h("span", null, n.name), h("b", null, amount(n.value, n.unit)),
    limit !== null && h("span", { class: "quiet" }, (n.atMost !== null ? "at most " : "at least ") + amount(limit, n.unit)),
    limit > 0 && s("svg", { class: "meter " + (good ? "pass" : n.atMost !== null ? "fail" : "wait"), viewBox: "0 0 100 4", preserveAspectRatio: "none", "aria-hidden": "true" },
      s("rect", { class: "rail", width: 100, height: 4 }), s("rect", { class: "value", width: 100 * part, height: 4 }),
      s("rect", { class: "mark", x: n.atMost === null ? 99 : 79.500, width: 1, height: 4 })));
}

function gates(d) {
  const failing = d.gates.filter((g) => g.judgement !== "pass").length;
  return card("Gates", { "data-key": "gates" },
    d.gates.length === 0
      ? h("p", { class: "quiet" }, "No gate was judged in the last turn: nothing asks for a rise now.")
      : h("p", { class: "quiet" }, failing === 0 ? `All ${d.gates.length} pass.` : `${d.gates.length - failing} of ${d.gates.length} pass; green rises when all do.`),
    h("ul", { class: "gates" }, d.gates.map((g) => h("li", { "data-key": g.gate },
      glyph(g.judgement), h("div", null,
        h("p", null, h("strong", null, g.gate), " ", h("span", { class: "judgement " + g.judgement }, g.judgement)),
        h("p", { class: "quiet" }, g.message),
        g.numbers.length > 0 && h("ul", { class: "numbers" }, g.numbers.map(number)))))));
}

function history(p) {
  const width = 30;
  const shown = p.results.slice(-width);
  const failed = shown.filter((r) => r.error).length;
  return s("svg", { class: "tries", role: "img", "aria-label": `${shown.length - failed} of the last ${shown.length} tries succeeded`, viewBox: `0 0 ${width * 6} 20`, preserveAspectRatio: "xMaxYMid meet" },
    shown.map((r, i) => s("rect", { class: r.error ? "bad" : "good", x: (width - shown.length + i) * 6, y: r.error ? 0 : 7, width: 4.500, height: r.error ? 20 : 13, rx: 1.500 },
      s("title", null, `${timeOf(Date.parse(r.at))} ${r.error || "succeeded"}`))));
}

function probes(d) {
  if (d.probes.length === 0) return null;
  return card("Probes", { "data-key": "probes" }, h("ul", { class: "probes" }, d.probes.map((p) => {
    const last = p.results.at(-1);
    return h("li", { "data-key": p.side + p.name },
      glyph(p.passing ? "pass" : p.results.length ? "fail" : "unknown"),
      h("div", null,
        h("p", null, h("strong", null, p.name), " ", h("span", { class: "side " + p.side }, p.side), " ", h("span", { class: "judgement " + (p.passing ? "pass" : "fail") }, p.passing ? "passing" : p.results.length ? "not passing" : "no result yet")),
        last?.error && h("p", { class: "quiet" }, last.error)),
      history(p));
  })));
}

function capacity(side, c, wanted) {
  const part = c.percent === null ? 0 : Math.min(c.percent, 150) / 150;
  const enough = c.percent !== null && c.percent >= wanted;
  return h("div", { class: "capacity" },
    h("p", null, h("b", { class: "figure " + (c.percent === null ? "" : enough ? "good-text" : "bad-text") }, c.percent === null ? "unknown" : c.percent + " %"), " ",
      h("span", { class: "quiet" }, side === "blue" ? `of all the load on blue, ${wanted} % is wanted` : "of its part of the load on green")),
    s("svg", { class: "meter " + (enough ? "pass" : "fail"), viewBox: "0 0 100 4", preserveAspectRatio: "none", "aria-hidden": "true" },
      s("rect", { class: "rail", width: 100, height: 4 }), s("rect", { class: "value", width: 100 * part, height: 4 }), s("rect", { class: "mark", x: wanted / 1.5, width: 0.700, height: 4 })),
    h("p", { class: "quiet" }, c.why || `${c.weakest || "All workloads"}: ${c.ready} ready, ${c.needed} needed${c.byLoad ? " by the measured load" : ""}`));
}

function readiness(d) {
  const r = d.readiness;
  const blue = d.summary.blueReady;
  return card("If everybody went back now", { "data-key": "readiness" },
    r ? [
      h("p", null, r.message, "."), capacity("blue", r.blue, r.wantedPercent), capacity("green", r.green, 100),
      h("dl", { class: "facts rows" },
        r.takesSeconds !== null && [h("dt", null, "Takes up to"), h("dd", null, lasting(r.takesSeconds * 1000))],
        r.tails.map((t) => [h("dt", null, `${t.entrance}: ${t.kind}`), h("dd", null, `may stay on ${t.side} ${t.forSeconds === null ? "without end" : "for " + lasting(t.forSeconds * 1000)}`)])),
    ] : h("p", { class: "quiet" }, "Blue has all traffic, or nobody is on the way: there is nothing to go back."),
    blue && h("p", { class: "quiet" }, `${blue.ready} of ${plural(blue.wanted, "replica")} of blue are ready.`));
}

function entrances(d) {
  return card("Entrances", { "data-key": "entrances" }, h("ul", { class: "entrances" }, d.entrances.map((e) => h("li", { "data-key": e.name },
    h("p", null, h("strong", null, e.name), " ", h("span", { class: "side" }, { route53: "Route 53", rule: "load balancer rule", listener: "load balancer listener" }[e.kind] || e.kind), e.pending && pill("held", "being written")),
    h("p", { class: "quiet target" }, e.target),
    sharebar(e.seen ? e.seen.greenShare : e.greenShare, `${e.name}: green has ${e.seen ? e.seen.greenShare : e.greenShare} %`),
    h("p", { class: "quiet" }, e.seen ? `At AWS: ${e.seen.says}` : `${e.greenShare} % intended, not read here`,
      e.seen?.blueTargets && `; healthy targets: ${e.seen.blueTargets.healthy} of ${e.seen.blueTargets.total} blue`,
      e.seen?.greenTargets && `, ${e.seen.greenTargets.healthy} of ${e.seen.greenTargets.total} green`),
    e.trouble && h("p", { class: "note bad" }, e.trouble)))));
}

function preflight(d) {
  const p = d.preflight;
  if (!p) return null;
  const findings = p.findings || [];
  return card("Preflight", { "data-key": "preflight" },
    h("div", { class: "pills" }, pill(p.blocks ? "bad" : "good", p.blocks ? `${p.blocks} block` : "nothing blocks"), p.warns > 0 && pill("held", `${p.warns} warn`), p.waived > 0 && pill("calm", `${p.waived} waived`)),
    h("p", { class: "quiet" }, p.trouble ? "It can't be made: " + p.trouble : p.at ? ["What green lacks of what blue has. First found so ", moment(p.at), "."] : "Green is being compared with blue."),
    p.findingsTrouble && h("p", { class: "note held" }, p.findingsTrouble),
    findings.length > 0 && h("details", { open: p.blocks > 0 }, h("summary", null, plural(findings.length, "finding")),
      h("ul", { class: "findings" }, findings.map((f) => h("li", { "data-key": f.id },
        pill(f.waived ? "calm" : { block: "bad", warn: "held" }[f.severity] || "calm", f.waived ? "waived" : f.severity), h("div", null,
          h("p", null, h("strong", { class: "target" }, f.object)), h("p", null, f.message), h("p", { class: "quiet" }, f.do)))))));
}

function clusters(d) {
  if (d.clusters.length === 0) return null;
  return card("Clusters", { "data-key": "clusters" }, h("ul", { class: "clusters" }, d.clusters.map((c) => h("li", null,
    h("p", null, h("span", { class: "side " + c.side }, c.side), " ", c.trouble ? h("span", { class: "bad-text" }, c.trouble)
      : `${c.replicas.ready} of ${plural(c.replicas.wanted, "replica")} of ${plural(c.workloads, "workload")} ready, ${c.nodesReady} of ${plural(c.nodes, "node")}`),
    c.notReady.length > 0 && h("ul", { class: "plain" }, c.notReady.map((w) => h("li", { class: "quiet" }, w.workload, ": ", w.why)),
      c.notReadyTotal > c.notReady.length && h("li", { class: "quiet" }, `and ${c.notReadyTotal - c.notReady.length} more`))))));
}

function singletons(d) {
  if (d.singletons.length === 0) return null;
  return card("Singletons", { "data-key": "singletons" }, h("ul", { class: "plain" }, d.singletons.map((one) => h("li", { "data-key": one.key },
    h("strong", { class: "target" }, one.key), " ", h("span", { class: "side " + one.side }, one.side), ` ${one.stage} since `, moment(one.since), one.failed && h("p", { class: "note bad" }, one.failed)))));
}

const notes = (d) => d.notes.length > 0 && card("Notes", { "data-key": "notes" }, h("ul", { class: "plain" }, d.notes.map((n) => h("li", null, n))));

function timeline(d, view) {
  const all = [...d.timeline].reverse().filter((e) => view.routine || !routine.includes(e.kind) || e.level === "bad");
  const shown = view.whole ? all : all.slice(0, SHORT_TIMELINE);
  return card("What happened", { "data-key": "timeline" },
    h("div", { class: "ranges" },
      h("button", { type: "button", "data-toggle": "routine", "aria-pressed": String(view.routine) }, "Also routine")),
    h("ol", { class: "timeline" }, shown.map((e) => h("li", { class: e.level, "data-key": "e" + e.id },
      glyph(e.level), h("div", null,
        h("p", null, h("strong", null, e.title), e.restored && h("span", { class: "quiet" }, " (from the journal)")),
        e.text && h("p", { class: "quiet" }, e.text),
        h("p", { class: "quiet" }, h("time", { datetime: e.at, title: fullTime(Date.parse(e.at)) }, timeOf(Date.parse(e.at))), ` · green ${e.greenShare} %`))))),
    all.length > SHORT_TIMELINE && h("button", { type: "button", "data-toggle": "whole", "aria-pressed": String(view.whole) }, view.whole ? "Show fewer" : `Show all ${all.length}`));
}

export function pair(state) {
  const d = state.detail;
  if (!d) {
    return [h("nav", { class: "crumbs" }, h("a", { href: "#/" }, "All pairs")), h("p", { class: "card" }, state.trouble || "Loading…")];
  }
  const [wanted, commands] = actions(d);
  return [
    head(d), wanted,
    h("div", { class: "columns" },
      h("div", { class: "column wide" },
        card("Traffic over time", { class: "traffic", "data-key": "traffic" }, chart(d, state.width, state.range)),
        gates(d), probes(d), timeline(d, state.timeline)),
      h("div", { class: "column" }, readiness(d), commands, entrances(d), preflight(d), clusters(d), singletons(d), notes(d))),
  ];
}
