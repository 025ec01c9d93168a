"use strict";

// The page of whoever sends notices to all. It is left open for days, so it
// connects again by itself whenever the connection is lost.

const MIN_DELAY = 1000;
const MAX_DELAY = 30000;

const byId = (id) => document.getElementById(id);
const log = createLog(byId("log"));
let socket = null;
let failures = 0;
let steadyTimer;

function connect() {
  socket = new WebSocket(pageSocketUrl());
  socket.binaryType = "arraybuffer";
  socket.addEventListener("open", onOpen);
  socket.addEventListener("message", (event) => log.message("received", event.data));
  socket.addEventListener("close", onClose); // comes after an error as well
  showState();
}

function onOpen() {
  // Only a connection that lasts ends the row of failures: a server that
  // accepts and closes at once is in trouble as well.
  steadyTimer = setTimeout(() => { failures = 0; }, MAX_DELAY);
  log.add("open", `connected to ${socket.url}`);
  showState();
}

function onClose(event) {
  clearTimeout(steadyTimer);
  const delay = reconnectDelay(failures++);
  log.add("close", `${closeText(event)}; next attempt in ${(delay / 1000).toFixed(1)} s`);
  setTimeout(connect, delay);
  showState();
}

// Twice as long after each failure, at most 30 s, so that a server in trouble
// is left alone; at random within that, so that after its restart not all
// pages come back in the same instant. 1 to 2 s, 2 to 4 s, ... 15 to 30 s.
function reconnectDelay(failures) {
  const longest = Math.min(MAX_DELAY, 2 * MIN_DELAY * 2 ** failures);
  return longest * (0.5 + 0.5 * Math.random());
}

// A notice that could not be sent stays in its field.
function sendNotice() {
  const input = byId("inputMessage");
  if (!socket || socket.readyState !== OPEN) {
    log.add("note", "not connected: the notice has not been sent");
    return;
  }
  socket.send(input.value);
  log.message("sent", input.value);
  input.value = "";
  input.focus();
}

function showState() {
  byId("readyState").textContent = readyStateText(socket);
}

byId("sendForm").addEventListener("submit", (event) => {
  event.preventDefault(); // stay on the page
  sendNotice();
});
byId("inputMessage").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) byId("sendButton").click();
});
byId("clearButton").addEventListener("click", log.clear);

showState();
if (window.WebSocket) connect(); // without it support.js has said so
