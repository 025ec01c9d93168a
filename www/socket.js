// What every page knows about WebSocket: the names of numbers, and its own URL.

import { say } from "./language.js";

const READY_STATES = ["CONNECTING", "OPEN", "CLOSING", "CLOSED"];

// RFC 6455 §7.4.1, and IANA's registry of what came later.
export const CLOSE_CODES = {
  1000: ["normal", "正常关闭"],
  1001: ["going away", "对端离开"],
  1002: ["protocol error", "协议错误"],
  1003: ["unsupported data", "不支持的数据"],
  1005: ["no code given", "未给出关闭码"],
  1006: ["connection lost or never made", "连接丢失或未能建立"],
  1007: ["invalid data", "数据无效"],
  1008: ["policy violation", "违反策略"],
  1009: ["message too big", "消息过大"],
  1010: ["extension missing", "缺少扩展"],
  1011: ["internal error", "内部错误"],
  1012: ["service restart", "服务重启"],
  1013: ["try again later", "请稍后重试"],
  1014: ["bad gateway", "网关错误"],
  1015: ["TLS handshake failed", "TLS 握手失败"],
};

// The server that sent the page, by TLS if the page came by TLS. A page opened
// from disk has no host: it takes the port that fanfare listens on by default.
export function pageSocketUrl() {
  if (!location.host) return "ws://localhost:9999/";
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  return `${scheme}//${location.host}/`;
}

export function readyStateText(socket) {
  return socket ? `${socket.readyState} ${READY_STATES[socket.readyState]}` : "–";
}

export function closeText({ code, reason, wasClean }) {
  const name = CLOSE_CODES[code] ? say(` (${CLOSE_CODES[code][0]})`, `（${CLOSE_CODES[code][1]}）`) : "";
  // What turns text around would turn what stands behind the reason as well.
  const text = reason.replace(/[\u202a-\u202e\u2066-\u2069]/g, "\ufffd");
  return `code ${code}${name}, wasClean ${wasClean}, reason "${text}"`;
}

// Browsers hide the cause from pages on purpose: it would let any page probe
// the network that its reader is in.
export function errorText() {
  return say("the connection failed; only the browser’s console may say why", "连接失败；原因只有浏览器的控制台可能会说明");
}
