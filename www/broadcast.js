// The page of whoever sends notices to all. It is left open for days, so it
// connects again by itself whenever the connection is lost, whatever the cause.

import { createChart } from "./chart.js";
import { onLanguage, say } from "./language.js";
import { createLog } from "./log.js";
import { createReconnect } from "./reconnect.js";
import { closeText, errorText, pageSocketUrl, readyStateText } from "./socket.js";

const byId = (id) => document.getElementById(id);
const log = createLog(byId("logSection"));
const chart = createChart(byId("chart"));
const reconnect = createReconnect(connect, byId("retry"));

let socket = null;

function connect() {
  socket = new WebSocket(pageSocketUrl());
  socket.binaryType = "arraybuffer";
  socket.addEventListener("open", onOpen);
  socket.addEventListener("message", onMessage);
  socket.addEventListener("error", () => log.add("error", errorText));
  socket.addEventListener("close", onClose);
  showState();
}

function isOpen() {
  return socket !== null && socket.readyState === WebSocket.OPEN;
}

function onOpen() {
  const { url } = socket;
  reconnect.opened();
  log.add("open", () => say(`connected to ${url}`, `已连接到 ${url}`));
  stats.isMissing = false; // another server may have come
  showState();
}

function onMessage({ data }) {
  chart.delivered();
  returns.note(data);
  log.message("received", data);
}

function onClose(event) {
  returns.forget();
  const next = reconnect.lost();
  log.add("close", () => closeText(event) + next());
  showState();
}

// Notices

// One that could not be sent stays in its field.
function sendNotice() {
  const input = byId("inputMessage");
  if (!isOpen()) {
    log.add("note", () => say("not connected: the notice has not been sent", "未连接：通知没有发出"));
    return;
  }
  send(input.value);
  log.message("sent", input.value);
  input.value = "";
  input.focus();
  showCounts();
}

function send(text) {
  socket.send(text);
  returns.expect(text);
  chart.sent();
}

// What this page has sent and not heard yet. All receivers hear everything in
// one order, so an own notice comes back behind the own ones before it.
const returns = {
  sent: 0,
  back: 0,
  roundTrip: null, // milliseconds
  expected: [], // { text, sentAt }

  expect(text) {
    this.sent += 1;
    this.expected.push({ text, sentAt: performance.now() });
    if (this.expected.length > 10000) this.expected.shift(); // nothing comes back: --no-self
  },

  note(data) {
    const index = this.expected.findIndex(({ text }) => text === data); // most often 0
    if (index < 0) return;
    // Those before it never come: a server may leave some out for a slow page (--slow-consumer skip).
    const { sentAt } = this.expected.splice(0, index + 1)[index];
    this.back += 1;
    this.roundTrip = performance.now() - sentAt;
  },

  forget() {
    this.expected = [];
  },
};

// A rate, paced by time: a timer may be late, and frames come as the screen
// wants them. What is due is sent; what a late timer has left behind is made
// good up to a tenth of a second, and given up beyond.

const MAX_BUFFERED_BYTES = 262144; // on their way to the network: more, and it takes less than is sent
const TIMER_MS = 10;
const MAX_BEHIND_S = 0.1;

const pace = {
  timer: null,
  number: 0,
  due: 0, // notices, with what is left of one
  lastAt: 0,
  trouble: null,
  mark: Math.random().toString(36).slice(2, 6), // tells this page's from another's

  toggle() {
    if (this.timer === null) this.start();
    else this.stop();
    showPace();
  },

  start() {
    const rate = sliderRate();
    this.number = 0;
    this.due = 1; // the first at once
    this.lastAt = performance.now();
    this.timer = setInterval(() => this.turn(), TIMER_MS);
    log.add("note", () => say(
      `sending ${rate} a second; what comes back is in the log, what is sent is only counted`,
      `每秒发送 ${rate} 条；返回的会写入日志，发送的只计数`,
    ));
    this.turn();
  },

  stop() {
    clearInterval(this.timer);
    this.timer = null;
    this.trouble = null;
    const { number } = this;
    log.add("note", () => say(`stopped after ${number}`, `共发送 ${number} 条后停止`));
  },

  turn() {
    const now = performance.now();
    const rate = sliderRate();
    const most = Math.max(1, rate * MAX_BEHIND_S);
    this.due = Math.min(most, this.due + ((now - this.lastAt) / 1000) * rate);
    this.lastAt = now;
    this.setTrouble(this.obstacle());
    if (this.trouble) {
      this.due = 0;
      return;
    }
    for (; this.due >= 1; this.due -= 1) {
      this.number += 1;
      send(`notice ${this.number} · ${this.mark}`);
    }
  },

  obstacle() {
    if (document.hidden) return "hidden";
    if (!isOpen()) return "closed";
    return socket.bufferedAmount > MAX_BUFFERED_BYTES ? "full" : null;
  },

  setTrouble(trouble) {
    if (trouble === this.trouble) return;
    this.trouble = trouble;
    showPace();
  },
};

// 1 to 1,000, three steps of ten: the same way on the slider is the same factor.
function sliderRate() {
  return Math.round(10 ** (byId("rate").value / 100));
}

function paceText() {
  if (pace.timer === null) return say("Stopped.", "已停止。");
  return {
    hidden: () => say("Paused: nobody sees this tab.", "已暂停：本标签页不可见。"),
    closed: () => say("Paused: not connected.", "已暂停：未连接。"),
    full: () => say("Paused: the network takes less than is sent (bufferedAmount).",
      "已暂停：网络来不及发送（bufferedAmount）。"),
  }[pace.trouble]?.() ?? say("Running.", "正在发送。");
}

function showPace() {
  const rate = sliderRate();
  byId("rateText").textContent = rate;
  byId("rate").setAttribute("aria-valuetext", say(`${rate} a second`, `每秒 ${rate} 条`));
  byId("rateButton").textContent = pace.timer === null ? say("Start", "开始") : say("Stop", "停止");
  byId("rateStatus").textContent = paceText();
}

// Receivers

const stats = {
  isMissing: false, // the server knows nothing of /stats: it is not asked again
  isAsking: false,

  async ask() {
    if (!isOpen()) byId("receivers").textContent = "–";
    if (!isOpen() || this.isMissing || this.isAsking) return;
    this.isAsking = true;
    try {
      const response = await fetch("stats", { signal: AbortSignal.timeout(5000) });
      this.isMissing = !response.ok;
      const { receivers } = response.ok ? await response.json() : {};
      byId("receivers").textContent = receivers ?? "–";
    } catch {
      byId("receivers").textContent = "–"; // the server has gone, and the socket tells
    }
    this.isAsking = false;
  },
};

function showState() {
  byId("readyState").textContent = readyStateText(socket);
  stats.ask();
}

function showCounts() {
  byId("sentCount").textContent = returns.sent;
  byId("backCount").textContent = returns.back;
  byId("roundTrip").textContent = returns.roundTrip === null ? "–" : `${returns.roundTrip.toFixed(1)} ms`;
}

function everySecond() {
  if (document.hidden) return;
  const rates = chart.draw();
  byId("sentRate").textContent = rates.sent;
  byId("deliveredRate").textContent = rates.delivered;
  stats.ask();
}

byId("sendForm").addEventListener("submit", (event) => {
  event.preventDefault(); // stay on the page
  sendNotice();
});
byId("inputMessage").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) byId("sendButton").click();
});
byId("rate").addEventListener("input", showPace);
byId("rateButton").addEventListener("click", () => pace.toggle());
document.addEventListener("visibilitychange", everySecond);
setInterval(everySecond, 1000);
setInterval(() => { if (!document.hidden) showCounts(); }, 100);
onLanguage(showPace);

showState();
if (window.WebSocket) connect(); // without it support.js has said so
