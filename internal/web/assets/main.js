// The page: what is shown, and what people do with it.

import { h, show } from "./dom.js";
import { ask, follow, keep, Refused, token } from "./link.js";
import { overview } from "./overview.js";
import { pair } from "./pair.js";
import { point } from "./chart.js";
import { signin } from "./signin.js";
import { phaseName, tick } from "./parts.js";
import { learn, now, spoken, timeOf } from "./words.js";

const state = {
  pairs: new Map(), daemon: null, detail: null, trouble: "", refused: null,
  link: "away", awaySince: now(), filter: "", range: "attempt", width: 640, timeline: { routine: false, whole: false }, access: null,
};

const place = (id) => document.getElementById(id);

// where is the pair that the address names; empty: all.
function where() {
  const found = /^#\/pairs\/([^/]+)$/.exec(location.hash);
  try {
    return found ? decodeURIComponent(found[1]) : "";
  } catch {
    return "";
  }
}

let stream = null; // ends the stream
let drawing = false;
let viewed = false;

// draw draws once, however often it is asked within one frame.
function draw() {
  if (drawing) return;
  drawing = true;
  (document.hidden ? (f) => setTimeout(f, 100) : requestAnimationFrame)(() => {
    drawing = false;
    drawNow();
  });
}

function drawNow() {
  const at = where();
  if (state.refused) show(place("main"), signin(state.refused, state.access?.namespace, state.access?.release));
  else if (at) show(place("main"), ...pair(state));
  else if (state.daemon) show(place("main"), ...overview(state));
  document.title = (at && !state.refused ? at + " · " : "") + "clusterswitch";
  drawTop();
  drawBanner();
  measure();
  document.documentElement.dataset.link = state.link;
  if (!viewed && (state.refused || (at ? state.detail : state.daemon))) {
    viewed = true;
    requestAnimationFrame(() => performance.mark("first-view"));
  }
}

function drawTop() {
  const words = { live: "Live", away: state.daemon ? "Reconnecting" : "Connecting", refused: "Signed out" }[state.link];
  show(place("top"),
    state.daemon && h("span", { class: "version quiet" }, state.daemon.version),
    h("span", { class: "link " + state.link }, h("span", { class: "dot", "aria-hidden": "true" }), words),
    token() && !state.refused && h("button", { type: "button", "data-do": "signout" }, "Sign out"));
}

function drawBanner() {
  const d = state.daemon;
  const away = state.link === "away" && d && now() - state.awaySince > 1500;
  const follows = d && (d.leads === false || [...state.pairs.values()].some((p) => p.source === "journal"));
  show(place("banner"),
    away && h("p", { class: "banner held" }, `Not live since ${timeOf(state.awaySince)}: what you see may be old. Trying again.`),
    !state.refused && follows && h("p", { class: "banner calm" }, h("strong", null, "This replica stands by. "),
      d.leader ? `${d.leader} leads; ` : "Another one is in charge; ", "you see what that one wrote down."));
}

// announce tells screen readers of what changed, of the pair in view only.
let announced = {};
function announce(p) {
  const before = announced[p.pair];
  announced[p.pair] = `${p.phase} ${p.greenShare} ${p.reason}`;
  if (!before || before === announced[p.pair] || (where() && where() !== p.pair)) return;
  place("announcer").textContent = `${p.pair}: ${phaseName(p.phase)}, green ${p.greenShare} %. ${spoken(p.reason)}.`;
}

let asking = null;
let again = false;

// look asks for the pair in view; while it asks, one more question waits at most.
async function look() {
  const at = where();
  if (!at || state.refused) return;
  if (asking) {
    again = true;
    return;
  }
  asking = new AbortController();
  try {
    const detail = await ask("pairs/" + encodeURIComponent(at), asking.signal);
    if (where() === at) {
      state.detail = detail;
      state.trouble = "";
      learn(detail.at);
    }
  } catch (err) {
    if (err instanceof Refused && (err.status === 401 || err.status === 403)) refused(err);
    else if (where() === at && !state.detail) state.trouble = "This pair can't be shown: " + err.message + ".";
  }
  asking = null;
  draw();
  if (again || where() !== at) {
    again = false;
    setTimeout(look, 250);
  }
}

function told(name, document_) {
  switch (name) {
    case "overview":
      learn(document_.at);
      state.daemon = document_.daemon;
      state.pairs = new Map(document_.pairs.map((p) => [p.pair, p]));
      document_.pairs.forEach(announce);
      look();
      break;
    case "pair":
      state.pairs.set(document_.pair, document_);
      announce(document_);
      if (document_.pair === where()) look();
      break;
    case "gone":
      state.pairs.delete(document_.pair);
      if (document_.pair === where()) {
        state.detail = null;
        state.trouble = "The configuration doesn't have this pair any more.";
      }
      break;
    default:
  }
  draw();
}

function refused(err) {
  stream?.abort();
  stream = null;
  state.refused = err;
  state.link = "refused";
  state.pairs = new Map();
  state.detail = state.daemon = null;
  keep("");
  draw();
}

function linked(link, err) {
  if (link === "refused") {
    refused(err);
    return;
  }
  if (link === "away" && state.link !== "away") state.awaySince = now();
  state.link = link;
  draw();
}

// begin asks nothing that needs a token where the page says that one is needed and
// there is none.
function begin() {
  state.access = JSON.parse(document.querySelector("meta[name=access]").content);
  if (state.access.tokenNeeded && !token()) {
    refused(new Refused(401, "TokenMissing", "a token is needed"));
    return;
  }
  connect();
  look(); // beside the stream, not after it: people wait
}

function connect() {
  stream?.abort();
  stream = new AbortController();
  state.refused = null;
  state.link = "away";
  state.awaySince = now();
  follow(stream.signal, told, linked);
}

// measure gives the chart the room that there is.
function measure() {
  const box = document.querySelector(".chart");
  const width = box ? Math.max(280, Math.floor(box.clientWidth)) : 0;
  if (width && width !== state.width) {
    state.width = width;
    draw();
  }
}

async function copy(button) {
  const text = button.dataset.copy;
  try {
    await navigator.clipboard.writeText(text);
  } catch { // not over plain HTTP: select it, so that the keyboard can copy
    const code = button.parentNode.querySelector("code");
    getSelection().selectAllChildren(code);
    document.execCommand("copy");
  }
  button.textContent = "Copied";
  place("announcer").textContent = "The command was copied.";
  setTimeout(() => { button.textContent = "Copy"; }, 1500);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  const { copy: text, range, toggle } = button.dataset;
  if (text) copy(button);
  else if (range) state.range = range;
  else if (toggle) state.timeline[toggle] = !state.timeline[toggle];
  else if (button.dataset.do === "signout") refused(new Refused(401, "TokenMissing", "signed out"));
  else return;
  if (!text) draw();
});

document.addEventListener("submit", (event) => {
  event.preventDefault();
  if (event.target.id !== "signin") return;
  const value = event.target.token.value.trim();
  event.target.token.value = "";
  keep(value.replace(/^Bearer\s+/i, ""));
  connect();
});

document.addEventListener("input", (event) => {
  if (event.target.id !== "filter") return;
  state.filter = event.target.value;
  draw();
});

document.addEventListener("pointermove", (event) => {
  const svg = event.target.closest?.("svg.plot");
  if (svg && state.detail) point(svg, event, state.detail, state.range);
});

addEventListener("hashchange", () => {
  state.detail = null;
  state.trouble = "";
  asking?.abort();
  draw();
  look();
  scrollTo(0, 0);
  place("main").focus({ preventScroll: true });
});
addEventListener("resize", measure);
addEventListener("pageshow", (event) => { if (event.persisted && !state.refused) begin(); });
addEventListener("pagehide", () => stream?.abort());
setInterval(() => {
  tick(document);
  if (state.link === "away") drawBanner();
}, 1000);

begin();
