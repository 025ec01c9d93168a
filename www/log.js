// A log of what happens on a socket: one line an event, the newest 500.
//
// Whatever a peer does, the page stays light. A message costs its line's few
// words when it comes in; lines are drawn once an animation frame, and what
// would have scrolled out by then never is. A hidden tab has no frames: there
// the newest 500 wait. What a peer sent is written with textContent only, so it
// can never become HTML.

import { make } from "./elements.js";
import { onLanguage, say } from "./language.js";

const MAX_LINES = 500;
const MAX_HEX_BYTES = 64;
const MAX_TEXT_BYTES = 4096; // of one message: 500 lines of 1 MB would stall the page
const MAX_TEXT_ROWS = 100; // of one message: 4,096 line feeds would be as high as eighty windows
const MAX_LINES_READ_OUT = 5; // a second: more than that nobody can listen to

const KINDS = { sent: "发送", received: "接收", note: "说明", exception: "异常" }; // the others are names of events

// Works on the elements of a section: ol, .count, buttons .pause, .clear and .save, and .latest, a link that shows the
// newest line at the foot of a small window while the log is out of sight.
export function createLog(section) {
  const list = section.querySelector("ol");
  const pauseButton = section.querySelector(".pause");
  const latest = section.querySelector(".latest");
  let shown = []; // entries of the lines in the list, at most MAX_LINES
  let pending = []; // entries that wait for a frame, or for the end of a pause; at most MAX_LINES
  let total = 0;
  let isPaused = false;
  let waitingSinceTotal = 0; // the total when the pause began
  let frame = null;
  let previous = performance.now();
  let lately = 0; // lines since the second began
  let before = 0; // lines in the second before it
  let secondBegan = previous;

  // `detail` may be a function: then the line follows a switch of the language.
  function add(kind, detail, body = "") {
    const now = performance.now();
    const entry = { kind, detail, body, since: now - previous, date: Date.now(), bodyElement: null };
    pending.push(entry);
    previous = now;
    if (now - secondBegan >= 1000) [before, lately, secondBegan] = [now - secondBegan < 2000 ? lately : 0, 0, now];
    lately += 1;
    if (body instanceof Blob) readLater(entry);
    total += 1;
    if (pending.length > MAX_LINES) pending.shift();
    frame ??= requestAnimationFrame(draw);
  }

  // `direction` is "sent" or "received", `data` whatever send() takes.
  function message(direction, data) {
    if (typeof data === "string") {
      const bytes = new TextEncoder().encode(data);
      add(direction, sized(() => say("text", "文本"), bytes.length), textHead(bytes, data));
    } else if (data instanceof Blob) {
      const { name } = data.constructor; // Blob, or File
      add(direction, sized(() => name, data.size), data);
    } else {
      const bytes = bytesOf(data);
      const { name } = data.constructor;
      add(direction, sized(() => name, bytes.length), hex(bytes));
    }
  }

  function draw() {
    frame = null;
    showCount();
    showLatest();
    if (isPaused || pending.length === 0) return;
    list.setAttribute("aria-live", Math.max(before, lately) > MAX_LINES_READ_OUT ? "off" : "polite");
    const keep = MAX_LINES - pending.length;
    while (list.childElementCount > keep) list.firstElementChild.remove();
    list.append(...pending.map(line));
    shown = [...shown, ...pending].slice(-MAX_LINES);
    pending = [];
  }

  function redraw() {
    list.setAttribute("aria-live", "off");
    list.replaceChildren(...shown.map(line));
    showCount();
    showLatest();
  }

  function showCount() {
    const kept = Math.min(total, MAX_LINES);
    section.querySelector(".count").textContent = total > kept
      ? say(`${total} lines, the newest ${kept} kept`, `共 ${total} 行，保留最新 ${kept} 行`)
      : say(`${total} ${total === 1 ? "line" : "lines"}`, `${total} 行`);
    const waiting = total - waitingSinceTotal;
    pauseButton.textContent = isPaused ? say(`Resume (${waiting})`, `继续（${waiting}）`) : say("Pause", "暂停");
  }

  function showLatest() {
    const entry = pending.at(-1) ?? shown.at(-1);
    latest.textContent = say("Log", "日志") + (entry ? `: ${kindText(entry.kind)} ${detailText(entry)}` : "");
  }

  function pause() {
    isPaused = !isPaused;
    waitingSinceTotal = total;
    pauseButton.classList.toggle("on", isPaused);
    draw();
  }

  function clear() {
    shown = [];
    pending = [];
    total = 0;
    waitingSinceTotal = 0;
    redraw();
  }

  function save() {
    const entries = [...shown, ...pending].slice(-MAX_LINES);
    const text = entries.map(plainLine).join("\n");
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text, "\n"], { type: "text/plain" }));
    link.download = `fanfare-${new Date().toISOString().slice(0, 19).replaceAll(":", "-")}.txt`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000); // by then it has been written
  }

  pauseButton.addEventListener("click", pause);
  section.querySelector(".clear").addEventListener("click", clear);
  section.querySelector(".save").addEventListener("click", save);
  new IntersectionObserver(([{ isIntersecting }]) => { latest.hidden = isIntersecting; }).observe(section);
  onLanguage(redraw);

  return { add, message, exception: (error) => add("exception", `${error.name}: ${error.message}`) };
}

function line(entry) {
  const element = make("li", entry.kind);
  const body = make("code", "body");
  body.dir = "auto"; // right-to-left text must not turn the line around
  body.textContent = bodyText(entry);
  entry.bodyElement = body;
  element.append(
    make("span", "time", sinceText(entry.since)), " ",
    make("span", "kind", kindText(entry.kind)), " ",
    make("span", "detail", detailText(entry)), " ",
    body,
  );
  return element;
}

// A Blob is read asynchronously, and its line is there at once all the same:
// otherwise a text that comes right after it would overtake it. The newest is
// read first, and of thousands a second most never are.
const unread = []; // entries, at most MAX_LINES
let isReading = false;

function readLater(entry) {
  unread.push(entry);
  if (unread.length > MAX_LINES) unread.shift();
  if (!isReading) readBlobs();
}

async function readBlobs() {
  isReading = true;
  while (unread.length > 0) {
    const entry = unread.pop();
    entry.body = await headOf(entry.body);
    if (entry.bodyElement) entry.bodyElement.textContent = entry.body;
  }
  isReading = false;
}

async function headOf(blob) {
  try {
    const head = await blob.slice(0, MAX_HEX_BYTES).arrayBuffer();
    return hex(new Uint8Array(head), blob.size);
  } catch (error) { // of a file that was moved, say
    return `${error.name}: ${error.message}`;
  }
}

function plainLine(entry) {
  const body = bodyText(entry);
  const words = [new Date(entry.date).toISOString(), sinceText(entry.since), kindText(entry.kind), detailText(entry)];
  // What a peer says stays indented, whatever ends a line for who reads the file.
  return (words.join("  ") + (body && `\n${body}`)).replace(/\r\n|[\n\v\f\r\x85\u2028\u2029]/g, "\n    ");
}

function bodyText({ body }) {
  return body instanceof Blob ? "…" : body;
}

function kindText(kind) {
  return say(kind, KINDS[kind] ?? kind);
}

function detailText({ detail }) {
  return typeof detail === "function" ? detail() : detail;
}

function sinceText(milliseconds) {
  return milliseconds < 1000 ? `+${milliseconds.toFixed(1)} ms` : `+${(milliseconds / 1000).toFixed(2)} s`;
}

// A function of its own, so that what it returns keeps no message in memory.
function sized(name, size) {
  return () => name() + say(", ", "，") + byteCount(size);
}

export function byteCount(count) {
  return say(count === 1 ? "1 byte" : `${count} bytes`, `${count} 字节`);
}

function bytesOf(data) {
  if (data instanceof ArrayBuffer) return new Uint8Array(data);
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

function hex(bytes, total = bytes.length) {
  const head = Array.from(bytes.subarray(0, MAX_HEX_BYTES), (byte) => byte.toString(16).padStart(2, "0"));
  return head.join(" ") + (total > MAX_HEX_BYTES ? " …" : "");
}

// Decoded anew, because a slice would keep the whole message in memory; as part
// of a stream, so that half a character at its end is left out.
function textHead(bytes, text) {
  const isCut = bytes.length > MAX_TEXT_BYTES;
  const head = isCut ? new TextDecoder().decode(bytes.subarray(0, MAX_TEXT_BYTES), { stream: true }) : text;
  const rows = head.split("\n", MAX_TEXT_ROWS).join("\n");
  return isCut || rows.length < head.length ? `${rows} …` : text;
}
