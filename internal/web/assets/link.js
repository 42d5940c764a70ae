// The way to the daemon: the token, the questions, the stream.

const KEY = "clusterswitch.token";
let memory = ""; // where the browser keeps nothing

export function token() {
  try {
    return sessionStorage.getItem(KEY) || memory;
  } catch {
    return memory;
  }
}

export function keep(value) {
  memory = value;
  try {
    if (value) sessionStorage.setItem(KEY, value);
    else sessionStorage.removeItem(KEY);
  } catch {
    // It lives as long as this page, then.
  }
}

// Refused is an answer that isn't what was asked for.
export class Refused extends Error {
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

async function request(path, more) {
  const headers = { Accept: more?.accept || "application/json" };
  if (token()) headers.Authorization = "Bearer " + token();
  const answer = await fetch("api/v1/" + path, { headers, signal: more?.signal, cache: "no-store", credentials: "omit" });
  if (answer.ok) return answer;
  const said = await answer.json().catch(() => ({}));
  throw new Refused(answer.status, said.code || "", said.error || `the daemon answered ${answer.status}`);
}

export const ask = async (path, signal) => (await request(path, { signal })).json();

const SILENT = 45000; // without a sign of life for so long the stream is dead
const FIRST = 500;
const LONGEST = 10000;

// follow reads the stream for as long as signal lasts, and begins again when it
// breaks. told gets each event, state "live", "away" or "refused".
export async function follow(signal, told, state) {
  let wait = FIRST;
  while (!signal.aborted) {
    try {
      await once(signal, (name, document) => {
        wait = FIRST;
        told(name, document);
      }, state);
    } catch (err) {
      if (signal.aborted) return;
      if (err instanceof Refused && (err.status === 401 || err.status === 403)) {
        state("refused", err);
        return;
      }
    }
    if (signal.aborted) return;
    state("away");
    await pause(wait * (0.75 + Math.random() / 2), signal);
    wait = Math.min(wait * 2, LONGEST);
  }
}

function pause(ms, signal) {
  return new Promise((done) => {
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      done();
    }, { once: true });
  });
}

async function once(signal, told, state) {
  const ours = new AbortController();
  const end = () => ours.abort();
  signal.addEventListener("abort", end);
  let timer = setTimeout(end, SILENT);
  try {
    const answer = await request("events", { signal: ours.signal, accept: "text/event-stream" });
    state("live");
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      clearTimeout(timer);
      timer = setTimeout(end, SILENT);
      const blocks = (text + value).split("\n\n");
      text = blocks.pop();
      for (const block of blocks) {
        const event = parse(block);
        if (event.name === "refused") throw new Refused(event.document.code === "RightMissing" ? 403 : 401, event.document.code, event.document.error);
        if (event.name) told(event.name, event.document);
      }
    }
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", end);
  }
}

function parse(block) {
  let name = "";
  let data = "";
  for (const line of block.split("\n")) {
    if (line.startsWith("event: ")) name = line.slice(7);
    else if (line.startsWith("data: ")) data += line.slice(6);
  }
  return data ? { name, document: JSON.parse(data) } : {};
}
