"use strict";

// What both pages know about WebSocket. These are plain scripts rather than
// modules because browsers refuse to load modules when a page is opened from
// disk; what is declared here is visible to the scripts that come after it.

const READY_STATES = ["CONNECTING", "OPEN", "CLOSING", "CLOSED"];
const OPEN = 1;
const CLOSED = 3;

const CLOSE_CODES = {
  1000: "normal",
  1001: "going away",
  1002: "protocol error",
  1003: "unsupported data",
  1005: "no code given",
  1006: "connection lost or never made",
  1007: "invalid data",
  1008: "policy violation",
  1009: "message too big",
  1010: "extension missing",
  1011: "internal error",
  1012: "service restart",
  1013: "try again later",
};

// The server that sent the page. A page opened from disk has no host, so it
// takes the port that fanfare listens on by default.
function pageSocketUrl() {
  if (!location.host) return "ws://localhost:9999/";
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  return `${scheme}//${location.host}/`;
}

function readyStateText(socket) {
  return socket ? `${socket.readyState} ${READY_STATES[socket.readyState]}` : "–";
}

function closeText({ code, reason, wasClean }) {
  const name = CLOSE_CODES[code] ? ` (${CLOSE_CODES[code]})` : "";
  return `code ${code}${name}, wasClean ${wasClean}, reason "${reason}"`;
}

// Browsers hide the cause from pages on purpose: it would let any page probe
// the network that its reader is in.
const ERROR_TEXT = "the connection failed; only the browser’s console may say why";
