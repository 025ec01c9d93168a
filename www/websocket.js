// The user's page: one socket, everything the API offers, and a log of it.
// Nothing is disabled or checked beforehand, so that the log can show what the
// browser itself says to a wrong URL, protocol, state or close code.

import { createInspector } from "./inspector.js";
import { onLanguage, say } from "./language.js";
import { byteCount, createLog } from "./log.js";
import { createReconnect } from "./reconnect.js";
import { CLOSE_CODES, closeText, errorText, pageSocketUrl, readyStateText } from "./socket.js";

const byId = (id) => document.getElementById(id);
const log = createLog(byId("logSection"));
const inspector = createInspector(byId("inspector"));
const reconnect = createReconnect(() => connect(target), byId("retry"));

let socket = null;
let target = null; // what to connect to: { url, protocols }
let attempts = 0;
let isWanted = false; // until the user closes
let isPreparing = false; // the next socket waits for the inspector

// Connecting, and connecting again

// The server went, the network went, or either asked for another try. Any other
// code is an answer, and would be the same again.
const CODES_TO_TRY_AGAIN = [1001, 1006, 1011, 1012, 1013, 1014];
const worked = new Set(); // targets, as JSON: what was mistyped is not tried for ever

function connectByForm() {
  if (socket && socket.readyState !== WebSocket.CLOSED) {
    log.add("note", () => say(
      `the socket is still ${readyStateText(socket)}, close it first`,
      `套接字仍处于 ${readyStateText(socket)}，请先关闭`,
    ));
    return;
  }
  reconnect.stop();
  connect({ url: byId("url").value, protocols: protocolList() });
}

async function connect(newTarget) {
  target = newTarget;
  isWanted = true;
  isPreparing = true;
  attempts += 1;
  const attempt = attempts;
  const url = await inspector.prepare(target.url);
  if (attempt !== attempts) { // overtaken by a later one, or called off
    if (!isWanted) inspector.cancel();
    return;
  }
  isPreparing = false;
  try {
    socket = new WebSocket(url, target.protocols);
  } catch (error) {
    isWanted = false;
    inspector.cancel();
    log.exception(error);
    return;
  }
  const { url: shownUrl } = socket;
  log.add("note", () => say(`connecting to ${shownUrl}`, `正在连接 ${shownUrl}`));
  socket.binaryType = byId("binaryType").value;
  listen(socket);
  showState();
}

function protocolList() {
  return byId("protocols").value.split(",").map((name) => name.trim()).filter(Boolean);
}

function listen(socket) {
  socket.addEventListener("open", () => {
    worked.add(JSON.stringify(target));
    reconnect.opened();
    log.add("open", () => say(`connected to ${socket.url}`, `已连接到 ${socket.url}`));
  });
  socket.addEventListener("message", ({ data }) => {
    if (!bulk.takes(data)) log.message("received", data);
  });
  socket.addEventListener("error", () => log.add("error", errorText));
  socket.addEventListener("close", onClose);
  for (const type of ["open", "error", "close"]) socket.addEventListener(type, showState);
}

function onClose(event) {
  bulk.end();
  const isWorthwhile = CODES_TO_TRY_AGAIN.includes(event.code) && worked.has(JSON.stringify(target));
  const next = isWanted && isWorthwhile ? reconnect.lost() : () => "";
  log.add("close", () => closeText(event) + next());
}

// Sending

const PAYLOADS = {
  string: (text) => text,
  Blob: (text) => new Blob([text]),
  ArrayBuffer: (text) => new TextEncoder().encode(text).buffer,
  Uint8Array: (text) => viewOfPart(new TextEncoder().encode(text)),
};

// The bytes stand in the middle of a larger buffer: only what the view shows is sent.
function viewOfPart(bytes) {
  const store = new Uint8Array(bytes.length + 8).fill(0xff);
  store.set(bytes, 4);
  return store.subarray(4, -4);
}

function send(payload) {
  if (!socket) {
    log.add("note", () => say("there is no socket yet, connect first", "还没有套接字，请先建立连接"));
    return;
  }
  try {
    socket.send(payload);
  } catch (error) {
    log.exception(error);
    return;
  }
  logSent(payload);
  showState();
}

// After the end of a connection send() does not throw: it drops the message
// and only adds its size to bufferedAmount.
function logSent(payload) {
  if (socket.readyState === WebSocket.OPEN) {
    log.message("sent", payload);
    return;
  }
  const [state, amount] = [readyStateText(socket), socket.bufferedAmount];
  log.add("note", () => say(
    `send() while ${state}: dropped, bufferedAmount is now ${amount}`,
    `在 ${state} 状态调用 send()：消息被丢弃，bufferedAmount 现为 ${amount}`,
  ));
}

const DEFAULT_MAX_MESSAGE_BYTES = 1048576; // fanfare's --max-message

function sendFile() {
  const [file] = byId("file").files;
  if (file) send(file);
  else log.add("note", () => say("no file is chosen", "没有选择文件"));
}

function showFile() {
  const [file] = byId("file").files;
  byId("fileNote").hidden = !file || file.size <= DEFAULT_MAX_MESSAGE_BYTES;
  showCode();
}

// A file that misses the section must not replace the page either.
function onDrop(event) {
  event.preventDefault();
  if (event.dataTransfer.files.length === 0 || !byId("sendSection").contains(event.target)) return;
  byId("file").files = event.dataTransfer.files;
  showFile();
}

// 8 MB at once, to watch bufferedAmount. In pieces, because a message over
// --max-message would be closed with 1009; random, because what repeats itself
// is compressed to nothing. 128 lines would bury the log: what comes back is
// known by its size and counted.

const PIECE_BYTES = 65536;
const PIECES = 128;
const MOST_PATIENCE_MS = 10000; // with --no-self nothing ever comes back

const bulk = {
  left: 0, // pieces that have not come back
  startedAt: 0,
  heardAt: 0, // when the last one came
  drainedAt: null,

  start() {
    if (!socket || socket.readyState !== WebSocket.OPEN) {
      log.add("note", () => say("not connected: nothing has been sent", "未连接：什么都没有发送"));
      return;
    }
    if (this.left > 0 && this.isPatient()) {
      log.add("note", () => say("the last 8 MB are still on their way", "上一次的 8 MB 还在途中"));
      return;
    }
    const piece = crypto.getRandomValues(new Uint8Array(PIECE_BYTES));
    this.left = PIECES;
    this.startedAt = performance.now();
    this.heardAt = this.startedAt;
    this.drainedAt = null;
    peak = 0;
    for (let sent = 0; sent < PIECES; sent += 1) socket.send(piece);
    log.add("sent", () => say(`${PIECES} times `, `${PIECES} 次 `) + byteCount(PIECE_BYTES));
    showState();
  },

  // Whether a message is one of those that come back.
  takes(data) {
    if (this.left === 0 || typeof data === "string" || (data.size ?? data.byteLength) !== PIECE_BYTES) return false;
    if (!this.isPatient()) {
      this.end();
      return false; // somebody else's
    }
    this.heardAt = performance.now();
    this.left -= 1;
    if (this.left === 0) {
      const elapsed = (performance.now() - this.startedAt).toFixed(0);
      log.add("received", () => say(
        `${PIECES} times ${byteCount(PIECE_BYTES)}, the last one after ${elapsed} ms`,
        `${PIECES} 次 ${byteCount(PIECE_BYTES)}，最后一条在 ${elapsed} ms 后到达`,
      ));
    }
    return true;
  },

  isPatient() {
    return performance.now() - this.heardAt < MOST_PATIENCE_MS;
  },

  drained() {
    if (this.left === 0 || this.drainedAt !== null) return;
    this.drainedAt = performance.now();
    const [elapsed, most] = [(this.drainedAt - this.startedAt).toFixed(0), peak];
    log.add("note", () => say(
      `bufferedAmount was ${most} at most, and 0 again after ${elapsed} ms`,
      `bufferedAmount 最大为 ${most}，${elapsed} ms 后回到 0`,
    ));
  },

  end() {
    this.left = 0;
  },
};

// Closing

function closeSocket() {
  const isWaiting = isWanted && !byId("retry").hidden;
  if (isWaiting || isPreparing) {
    callOff();
    log.add("note", () => say("no further attempts", "不再尝试连接"));
    return;
  }
  if (!socket || socket.readyState === WebSocket.CLOSED) {
    callOff();
    log.add("note", () => say("there is no open connection to close", "没有可关闭的连接"));
    return;
  }
  try {
    socket.close(...closeArguments());
    callOff();
  } catch (error) {
    log.exception(error);
  }
  showState();
}

function callOff() {
  isWanted = false;
  isPreparing = false;
  attempts += 1;
  reconnect.stop();
}

// An empty field leaves the argument out, anything else is for the browser to judge.
function closeArguments() {
  const code = byId("closeCode").value.trim();
  const reason = byId("closeReason").value;
  if (reason !== "") return [code === "" ? undefined : Number(code), reason];
  return code === "" ? [] : [Number(code)];
}

// Showing

let peak = 0; // of bufferedAmount
let isSampling = false;

function showState() {
  showText("readyState", readyStateText(socket));
  showText("socketUrl", socket ? socket.url : "");
  showText("protocol", socket ? socket.protocol : "");
  showText("extensions", socket ? socket.extensions : "");
  showBuffered();
}

// No event tells that bufferedAmount has changed: it is looked at in every
// frame while it drains. After the end of a connection it never does.
function showBuffered() {
  const amount = socket ? socket.bufferedAmount : 0;
  peak = Math.max(peak, amount);
  showText("bufferedAmount", String(amount));
  showText("bufferedPeak", String(peak));
  byId("bufferedMeter").value = amount;
  live("buffered", String(amount));
  if (amount === 0) bulk.drained();
  if (amount > 0 && socket.readyState < WebSocket.CLOSED && !isSampling) {
    isSampling = true;
    requestAnimationFrame(() => {
      isSampling = false;
      showBuffered();
    });
  }
}

// Writes only what has changed, or a selection in it would be lost each time.
function showText(id, text) {
  const element = byId(id);
  if (element.textContent !== text) element.textContent = text;
}

// The code beside each control, with what is in the fields now.

const SEND_CODE = { // TEXT is replaced
  string: "socket.send(TEXT);",
  Blob: "socket.send(new Blob([TEXT]));",
  ArrayBuffer: `const { buffer } = new TextEncoder().encode(TEXT);
socket.send(buffer);`,
  Uint8Array: `const bytes = new TextEncoder().encode(TEXT);
const store = new Uint8Array(bytes.length + 8);
store.set(bytes, 4);
socket.send(store.subarray(4, -4));`,
};

const READ_CODE = {
  blob: "data.arrayBuffer().then(showBytes)",
  arraybuffer: "showBytes(data)",
};

function showCode() {
  const protocols = protocolList();
  const url = literal(byId("url").value);
  const kind = byId("binaryType").value;
  const [file] = byId("file").files;
  live("connect", protocols.length === 0 ? url : `${url}, ${JSON.stringify(protocols)}`);
  live("binaryType", literal(kind));
  live("read", READ_CODE[kind]);
  showSendCode(literal(byId("inputMessage").value));
  live("file", file ? `${file.name}, ${byteCount(file.size)}` : say("no file yet", "尚无文件"));
  live("close", closeArguments().map((value) => (typeof value === "string" ? literal(value) : String(value))).join(", "));
  live("support", String(Boolean(window.WebSocket)));
}

function showSendCode(text) {
  const [before, after] = SEND_CODE[byId("sendAs").value].split("TEXT");
  const value = document.createElement("span");
  value.dataset.live = "text";
  value.textContent = text;
  byId("sendCode").replaceChildren(before, value, after);
}

function literal(text) {
  return JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}…` : text);
}

function live(name, text) {
  const element = document.querySelector(`[data-live="${name}"]`);
  if (element.textContent !== text) element.textContent = text;
}

function showCloseCodes() {
  byId("closeCodes").replaceChildren(...Object.entries(CLOSE_CODES).map(([code, names]) => {
    const row = document.createElement("tr");
    for (const text of [code, say(...names)]) row.insertCell().textContent = text;
    return row;
  }));
}

function onSubmit(id, action) {
  byId(id).addEventListener("submit", (event) => {
    event.preventDefault(); // stay on the page
    action();
  });
}

onSubmit("connectForm", connectByForm);
onSubmit("closeForm", closeSocket);
onSubmit("fileForm", sendFile);
onSubmit("sendForm", () => {
  send(PAYLOADS[byId("sendAs").value](byId("inputMessage").value));
  // The next message is typed over this one, which can as well be sent again.
  if (document.activeElement === byId("inputMessage")) byId("inputMessage").select();
});
byId("bulkButton").addEventListener("click", () => bulk.start());
byId("binaryType").addEventListener("change", (event) => {
  if (socket) socket.binaryType = event.target.value;
});
byId("file").addEventListener("change", showFile);
addEventListener("dragover", (event) => event.preventDefault());
addEventListener("drop", onDrop);
for (const type of ["input", "change"]) addEventListener(type, showCode);

byId("url").value = pageSocketUrl();
// Where there is room, the code is shown.
for (const details of document.querySelectorAll(".code")) details.open = matchMedia("(min-width: 56rem)").matches;
showState();
onLanguage(() => {
  showCode();
  showCloseCodes();
});
const ownTarget = { url: pageSocketUrl(), protocols: [] };
worked.add(JSON.stringify(ownTarget)); // the page came from there
if (window.WebSocket) connect(ownTarget); // without it support.js has said so
