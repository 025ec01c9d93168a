// The frame inspector: what really goes over the wire of the page's connection.
// No browser shows a page its frames, but the server sees them. A second
// WebSocket, the viewer, asks it to tell: the viewer names an ID, and the
// connection that is opened with `?trace=ID` is the one that is told about.

import { say, onLanguage } from "./language.js";
import { bytesEnglish, grouped, hexOf, opcodeName, readFrame } from "./frame.js";
import { createDiagram } from "./diagram.js";
import { createHandshake } from "./handshake.js";
import { createPayload, inflate } from "./payload.js";
import { foreign, make, rich } from "./elements.js";

const MAX_ROWS = 200;
const MAX_PREVIEW = 48;
const MAX_WIRE = 2 * 64; // hex digits; whoever tells more would have the diagram fill the memory
const OPEN_WAIT_MS = 2000;
const MAX_ROWS_AT_ONCE = 20; // of which each is seen; where more come, the list is drawn a few times a second
const FLOOD_WAIT_MS = 200;

// The examples of RFC 6455 §1.2 and §5.7, for as long as there is no connection.
const EXAMPLE_REQUEST = `GET /chat HTTP/1.1
Host: server.example.com
Upgrade: websocket
Connection: Upgrade
Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
Origin: http://example.com
Sec-WebSocket-Protocol: chat, superchat
Sec-WebSocket-Version: 13`;
const EXAMPLE_RESPONSE = `HTTP/1.1 101 Switching Protocols
Upgrade: websocket
Connection: Upgrade
Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=
Sec-WebSocket-Protocol: chat`;
const EXAMPLES = [
  ["out", "810548656c6c6f"],
  ["in", "818537fa213d7f9f4d5158"],
  ["out", "010348656c"],
  ["out", "80026c6f"],
  ["out", "890548656c6c6f"],
  ["in", "8a8537fa213d7f9f4d5158"],
  ["out", `827e0100${"00".repeat(60)}`],
  ["out", `827f0000000000010000${"00".repeat(54)}`],
];

export function createInspector(section) {
  const part = (id) => section.querySelector(`#${id}`);
  const list = part("frames");
  const handshake = createHandshake(part("handshakeBody"));
  const diagram = createDiagram(part("diagram"));
  const payload = createPayload(part("payload"), diagram.markByte);

  let state = "idle";
  let areExamples = true; // what the list shows
  let viewer = null;
  let request = null;
  let response = null;
  let records = []; // what the list shows, the newest last
  let pending = []; // what it will show with the next animation frame
  let isHandshakeNew = false;
  let openMessages = {}; // by direction: the message whose fragments are under way
  let lastSerial = 0;
  let connections = 0;
  let selected = null;
  let isFollowing = true;
  let isScheduled = false;
  let isFlood = false;

  // The viewer

  async function prepare(url) {
    if (!window.WebSocket) return url; // an old browser: the page says so, and why
    viewer?.close();
    viewer = null;
    const target = parse(url);
    if (!target || target.host !== location.host) {
      const reason = target ? "other" : "invalid";
      if (state !== reason) startAnew(reason); // a page that tries again does not disturb who reads
      return url;
    }
    if (state !== "refused") setState("opening");
    const id = randomId();
    const mine = new WebSocket(viewerUrl(id, target));
    viewer = mine;
    const isOpen = await opens(mine);
    if (viewer !== mine) return url; // prepared once more meanwhile
    if (!isOpen) {
      viewer = null;
      mine.close();
      setState("refused"); // what is shown may be studied while the server is away
      return url;
    }
    startAnew("waiting");
    // Not otherwise: that writes the whole query anew, and "a%20b" becomes "a+b".
    if (target.searchParams.has("trace")) target.searchParams.delete("trace");
    target.search += `${target.search ? "&" : "?"}trace=${id}`;
    return target.href;
  }

  // No connection comes of what was prepared: the server need not keep a place for it.
  function cancel() {
    if (state !== "opening" && state !== "waiting") return;
    viewer?.close();
    viewer = null;
    startAnew("idle");
  }

  function opens(socket) {
    socket.addEventListener("message", (event) => viewer === socket && take(event.data));
    socket.addEventListener("close", () => {
      if (viewer === socket && (state === "waiting" || state === "watching")) setState("lost");
    });
    return new Promise((resolve) => {
      socket.addEventListener("open", () => resolve(true));
      socket.addEventListener("close", () => resolve(false));
      setTimeout(resolve, OPEN_WAIT_MS, false);
    });
  }

  function startAnew(next) {
    records = [];
    pending = [];
    openMessages = {};
    selected = null;
    list.replaceChildren();
    setFollowing(true);
    areExamples = next !== "waiting";
    request = areExamples ? EXAMPLE_REQUEST.replaceAll("\n", "\r\n") : null;
    response = areExamples ? EXAMPLE_RESPONSE.replaceAll("\n", "\r\n") : null;
    setState(next);
    handshake.show(request, response);
    if (!areExamples) {
      connections += 1;
      add({ kind: "start", number: connections, clock: new Date().toLocaleTimeString("en-GB") });
    } else {
      for (const record of examples()) add({ ...record, message: messageOf(record) });
    }
    flush();
    if (areExamples) pick(records[1]); // a masked Hello; the last one is zeros
  }

  // One record of the server's.
  function take(text) {
    let record;
    try {
      record = JSON.parse(text) ?? {};
    } catch {
      return; // from a server that this page does not know
    }
    if (record.kind === "handshake") {
      if (record.dir === "in") request = String(record.text);
      else response = String(record.text);
      isHandshakeNew = true;
      if (record.dir === "out" && /^HTTP\/1\.1 101\b/.test(response)) setState("watching");
    } else if (record.kind === "frame") {
      add({ ...record, wire: String(record.wire).slice(0, MAX_WIRE), message: messageOf(record) });
    } else if (record.kind === "dropped") {
      openMessages = {};
      add(record);
    } else if (record.kind === "close") {
      add(record);
      setState("ended");
    }
    schedule();
  }

  // What a frame is a part of: fragments do not say it themselves.
  function messageOf({ dir, opcode, rsv, fin }) {
    if (opcode >= 8) return null;
    const message = opcode === 0 ? openMessages[dir] ?? null : { opcode, isCompressed: (rsv & 4) !== 0 };
    openMessages[dir] = fin ? null : message;
    return message;
  }

  function add(record) {
    lastSerial += 1;
    pending.push({ ...record, serial: lastSerial });
    // A hidden tab draws nothing, for hours perhaps.
    if (pending.length > 2 * MAX_ROWS) pending = pending.slice(-MAX_ROWS);
  }

  function schedule() {
    if (isScheduled) return;
    isScheduled = true;
    if (isFlood) setTimeout(requestAnimationFrame, FLOOD_WAIT_MS, flush);
    else requestAnimationFrame(flush);
  }

  // The list

  function flush() {
    isScheduled = false;
    if (isHandshakeNew) handshake.show(request, response);
    isHandshakeNew = false;
    const fresh = pending.slice(-MAX_ROWS);
    pending = [];
    isFlood = fresh.length > MAX_ROWS_AT_ONCE; // then previews may not cost more than their frames
    records = [...records, ...fresh].slice(-MAX_ROWS);
    list.append(...fresh.map((record) => row(record, !isFlood)));
    while (list.childElementCount > records.length) list.firstElementChild.remove();
    if (selected && !rowOf(selected)) list.removeAttribute("aria-activedescendant"); // it had to make room
    if (isFollowing) selectNewest();
  }

  function selectNewest() {
    const newest = records.findLast((record) => record.kind === "frame") ?? records.at(-1);
    if (newest && newest !== selected) select(newest);
    list.scrollTop = list.scrollHeight;
  }

  function select(record) {
    if (selected) rowOf(selected)?.setAttribute("aria-selected", "false");
    selected = record;
    rowOf(record)?.setAttribute("aria-selected", "true");
    list.setAttribute("aria-activedescendant", rowId(record));
    showSelected();
  }

  // Chosen by the user: from here on nothing else takes its place.
  function pick(record) {
    setFollowing(false);
    select(record);
    const chosen = rowOf(record);
    // Not scrollIntoView(): that would move the page as well.
    const above = chosen.offsetTop - list.scrollTop;
    const below = above + chosen.offsetHeight - list.clientHeight;
    if (above < 0) list.scrollTop += above;
    else if (below > 0) list.scrollTop += below;
  }

  function showSelected() {
    const isFrame = selected?.kind === "frame";
    part("frameBody").hidden = !isFrame;
    part("frameHeading").textContent = selected ? heading(selected) : "";
    part("frameNote").replaceChildren(...rich(selected ? note(selected) : ""));
    if (!isFrame) return;
    const frame = readFrame(selected.wire);
    diagram.show(frame);
    payload.show(frame, selected.message);
  }

  function row(record, mayInflate) {
    const element = make("li", `${record.kind} ${record.dir ?? ""}`);
    element.id = rowId(record);
    element.setAttribute("role", "option");
    element.setAttribute("aria-selected", String(record === selected));
    if (record.kind === "frame") element.append(...frameCells(record, mayInflate));
    else element.append(make("span", "note", heading(record)), time(record));
    return element;
  }

  function frameCells(record, mayInflate) {
    const preview = make("code", "preview");
    fillPreview(preview, record, mayInflate);
    const flags = [record.fin ? "FIN" : say("more follow", "未完"), ...rsvNames(record.rsv)];
    const cells = [
      make("span", "direction", direction(record)),
      make("span", "opcode", say(...opcodeName(record.opcode))),
      time(record),
      make("span", "break"),
      make("span", "flags", flags.join(" ")),
      make("span", "length", sizeText(record.length)),
      preview,
    ];
    return cells.flatMap((cell) => [cell, " "]);
  }

  async function fillPreview(preview, record, mayInflate) {
    const text = await previewOf(record, mayInflate);
    const head = text.slice(0, MAX_PREVIEW).replace(/[\uD800-\uDBFF]$/, "");
    preview.replaceChildren(foreign(head.length < text.length ? `${head}…` : text));
  }

  const rowId = (record) => `frame${record.serial}`;
  const rowOf = (record) => part(rowId(record));

  list.addEventListener("click", (event) => {
    const id = event.target.closest("[role=option]")?.id;
    const record = records.find((record) => rowId(record) === id);
    if (record) pick(record);
  });

  list.addEventListener("keydown", (event) => {
    const here = records.indexOf(selected);
    const target = {
      ArrowUp: here < 0 ? records.length - 1 : here - 1,
      ArrowDown: here + 1,
      PageUp: here - 8,
      PageDown: here + 8,
      Home: 0,
      End: records.length - 1,
    }[event.key];
    if (target === undefined || records.length === 0 || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    pick(records[Math.min(Math.max(target, 0), records.length - 1)]);
  });

  // The rest of the controls

  function setFollowing(isOn) {
    isFollowing = isOn;
    part("follow").setAttribute("aria-pressed", String(isOn));
    if (isOn) selectNewest();
  }

  function setState(next) {
    state = next;
    section.dataset.state = next;
    showState();
  }

  function showState() {
    part("inspectorState").replaceChildren(...rich(stateText(state) + belowText(state, areExamples)));
    part("pingMe").disabled = state !== "watching";
    part("pingHint").textContent = state === "watching"
      ? say("The server sends a ping; the browser answers it by itself. See both below.",
        "服务器发送 ping，浏览器会自动回应。两者都会显示在下面。")
      : say("Needs a connection that is watched.", "需要一个正在观察的连接。");
  }

  part("follow").addEventListener("click", () => setFollowing(!isFollowing));
  part("pingMe").addEventListener("click", () => viewer?.readyState === WebSocket.OPEN && viewer.send("ping"));

  part("handshake").open = matchMedia("(min-width: 56rem)").matches; // on a phone the frames come first
  startAnew("idle");
  onLanguage(() => {
    showState();
    handshake.show(request, response);
    list.replaceChildren(...records.map((record, i) => row(record, i >= records.length - MAX_ROWS_AT_ONCE)));
    showSelected();
  });

  return { prepare, cancel };
}

// Addresses

function parse(url) {
  try {
    const target = new URL(url, location.href);
    return /^(ws|http)s?:$/.test(target.protocol) ? target : null;
  } catch {
    return null;
  }
}

// A server that wants a token wants it of the viewer as well.
function viewerUrl(id, target) {
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  const token = target.searchParams.get("token");
  return `${scheme}//${location.host}/inspect?trace=${id}${token ? `&token=${encodeURIComponent(token)}` : ""}`;
}

function randomId() {
  return hexOf(crypto.getRandomValues(new Uint8Array(16)), "");
}

// Words

function stateText(state) {
  return {
    idle: () => say("There is no connection.", "没有连接。"),
    opening: () => say("Asking the server to be allowed to watch …", "正在请求服务器允许观察……"),
    waiting: () => say("Watching: the connection is about to be opened.", "正在观察：连接即将打开。"),
    watching: () => say(
      "Watching this connection: the server tells of every frame that it reads or writes.",
      "正在观察此连接：服务器读到或写出的每一帧都会显示。",
    ),
    ended: () => say(
      "Ended: the connection is closed. Its frames stay here to be studied.",
      "已结束：连接已关闭，它的帧留在这里供研究。",
    ),
    lost: () => say(
      "The server has stopped telling. What came until then stays here to be studied.",
      "服务器已不再报告。在此之前的内容留在这里供研究。",
    ),
    other: () => say(
      "Not available: the URL leads to another host than this page, and only the page’s own server tells what it sees.",
      "不可用：该 URL 指向与本页不同的主机，只有本页所在的服务器会告诉我们它看到的内容。",
    ),
    invalid: () => say(
      "Not available: this is no URL of a WebSocket.",
      "不可用：这不是 WebSocket 的 URL。",
    ),
    refused: () => say(
      "Not available: the server cannot be reached, or does not let this page watch. It lets pages on its own " +
        "machine, or all of them when it runs as `fanfare --inspect`, and at most 16 at a time.",
      "不可用：无法连接服务器，或者服务器不允许本页观察。它只允许在其本机上打开的页面；以 `fanfare --inspect` " +
        "运行时允许所有页面；同时最多 16 个。",
    ),
  }[state]();
}

// Who has come by the network and may not watch shall not take the examples for frames of theirs.
function belowText(state, areExamples) {
  if (areExamples) return say(" Below are the examples of RFC 6455 (§1.2, §5.7).", "下面是 RFC 6455（§1.2、§5.7）的示例。");
  return state === "refused" ? say(" What is below is from before.", "下面是此前的内容。") : "";
}

function direction({ dir }) {
  return dir === "in" ? say("↑ to the server", "↑ 发往服务器") : say("↓ to the page", "↓ 发往页面");
}

function rsvNames(rsv) {
  return ["RSV1", "RSV2", "RSV3"].filter((name, i) => rsv & (4 >> i));
}

function sizeText(length) {
  return say(bytesEnglish(length), `${grouped.format(length)} 字节`);
}

function time({ at_us: time }) {
  if (typeof time !== "number") return make("span", "time");
  const text = time < 1e6 ? `${(time / 1e3).toFixed(1)} ms` : `${(time / 1e6).toFixed(2)} s`;
  return make("span", "time", text);
}

function heading(record) {
  switch (record.kind) {
    case "frame":
      return [direction(record), say(...opcodeName(record.opcode)), sizeText(record.length)].join(" · ");
    case "start":
      return say(`Connection ${record.number}, ${record.clock}`, `连接 ${record.number}，${record.clock}`);
    case "dropped":
      return say(`${record.count} records had to give way`, `${record.count} 条记录已被舍弃`);
    default:
      return record.dir === "in"
        ? say("TCP closed by the browser", "TCP 由浏览器关闭")
        : say("TCP closed by the server", "TCP 由服务器关闭");
  }
}

function note(record) {
  switch (record.kind) {
    case "start":
      return say("What follows in the list went over this connection.", "列表中此后的内容都属于这条连接。");
    case "dropped":
      return say(
        "More happened than could be told: the server keeps 512 KiB for a viewer that does not keep up.",
        "发生的事情太多：对于跟不上的观察者，服务器只保留 512 KiB。",
      );
    case "close":
      return say(
        "After both Close frames the TCP connection itself ends; with it everything that can be told.",
        "双方的关闭帧之后，TCP 连接本身结束，能报告的内容也到此为止。",
      );
    default:
      return fragmentNote(record);
  }
}

function fragmentNote({ opcode, fin, message }) {
  if (opcode >= 8) return "";
  if (opcode === 0) {
    if (!message) return say("The beginning of its message is not known.", "这条消息的开头未知。");
    const [english, chinese] = opcodeName(message.opcode);
    return say(`A fragment of a message that began as ${english}.`, `这是以${chinese}开始的消息的一个分片。`);
  }
  return fin ? "" : say("The first fragment of a message.", "这是一条消息的第一个分片。");
}

// What there is of the payload, in a few words.
async function previewOf(record, mayInflate) {
  if (typeof record.preview === "string") return record.preview;
  const frame = readFrame(record.wire);
  if (frame.length === 0) return "";
  if (record.message?.isCompressed) {
    const isText = frame.opcode === 1;
    const isWhole = frame.fin && frame.missing === 0;
    const { bytes } = mayInflate && frame.opcode !== 0 ? await inflate(frame.unmasked, isWhole) : {};
    if (!bytes?.length) return say("compressed", "已压缩");
    return isText ? textOf(bytes) : hexOf(bytes.subarray(0, 16));
  }
  if (record.message?.opcode === 1 || frame.opcode > 8) return textOf(frame.unmasked);
  return hexOf(frame.unmasked.subarray(0, 16));
}

function textOf(bytes) {
  return new TextDecoder().decode(bytes, { stream: true });
}

// Records as the server would tell them.
function examples() {
  return EXAMPLES.map(([dir, wire]) => {
    const { fin, rsv, opcode, length } = readFrame(wire);
    return { kind: "frame", dir, wire, fin, rsv, opcode, length };
  });
}
