"use strict";

// The user's page: one socket, everything the API offers, and a log of it.
// Nothing is disabled or checked beforehand, so that the log can show what the
// browser itself says to a wrong URL, protocol, state or close code.

const byId = (id) => document.getElementById(id);
const log = createLog(byId("log"));
let socket = null;

function connect() {
  if (socket && socket.readyState !== CLOSED) {
    log.add("note", `the socket is still ${readyStateText(socket)}, close it first`);
    return;
  }
  try {
    socket = new WebSocket(byId("url").value, protocolList());
  } catch (error) {
    log.exception(error);
    return;
  }
  log.add("note", `connecting to ${socket.url}`);
  applyBinaryType();
  listen(socket);
  showState();
}

function protocolList() {
  return byId("protocols").value.split(",").map((name) => name.trim()).filter(Boolean);
}

function listen(socket) {
  socket.addEventListener("open", () => log.add("open", `connected to ${socket.url}`));
  socket.addEventListener("message", (event) => log.message("received", event.data));
  socket.addEventListener("error", () => log.add("error", ERROR_TEXT));
  socket.addEventListener("close", (event) => log.add("close", closeText(event)));
  for (const type of ["open", "error", "close"]) socket.addEventListener(type, showState);
}

function applyBinaryType() {
  if (socket) socket.binaryType = byId("binaryType").value;
}

const PAYLOADS = {
  string: (text) => text,
  Blob: (text) => new Blob([text]),
  ArrayBuffer: (text) => new TextEncoder().encode(text).buffer,
  Uint8Array: (text) => new TextEncoder().encode(text),
};

function sendMessage() {
  if (!socket) {
    log.add("note", "there is no socket yet, connect first");
    return;
  }
  const payload = PAYLOADS[byId("sendAs").value](byId("inputMessage").value);
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
  if (socket.readyState === OPEN) {
    log.message("sent", payload);
  } else {
    log.add("note", `send() while ${readyStateText(socket)}: dropped, bufferedAmount is now ${socket.bufferedAmount}`);
  }
}

function closeSocket() {
  if (!socket || socket.readyState === CLOSED) {
    log.add("note", "there is no open connection to close");
    return;
  }
  const code = byId("closeCode").value.trim();
  const reason = byId("closeReason").value;
  try {
    // An empty field leaves the argument out, anything else is for the browser to judge.
    socket.close(code === "" ? undefined : Number(code), reason === "" ? undefined : reason);
  } catch (error) {
    log.exception(error);
  }
  showState();
}

function showState() {
  showText("readyState", readyStateText(socket));
  showText("protocol", socket ? socket.protocol : "");
  showText("extensions", socket ? socket.extensions : "");
  showText("bufferedAmount", String(socket ? socket.bufferedAmount : 0));
}

// Writes only what has changed, or a selection in it would be lost each time.
function showText(id, text) {
  const element = byId(id);
  if (element.textContent !== text) element.textContent = text;
}

function onSubmit(id, action) {
  byId(id).addEventListener("submit", (event) => {
    event.preventDefault(); // stay on the page
    action();
  });
}

onSubmit("connectForm", connect);
onSubmit("closeForm", closeSocket);
onSubmit("sendForm", () => {
  sendMessage();
  // The next message is typed over this one, which can as well be sent again.
  if (document.activeElement === byId("inputMessage")) byId("inputMessage").select();
});
byId("binaryType").addEventListener("change", applyBinaryType);
byId("clearButton").addEventListener("click", log.clear);

byId("url").value = pageSocketUrl();
connect();
showState();
setInterval(showState, 100); // no event tells that bufferedAmount has changed
