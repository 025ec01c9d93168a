// The payload of a frame: masked ⊕ key = unmasked, four bytes a row because the
// key has four; what a Close says; and what a compressed message was before.

import { say } from "./language.js";
import { bytesEnglish, hexOf, readClose } from "./frame.js";
import { CLOSE_CODES } from "./socket.js";
import { foreign, make, onPointing, rich, roveByKeys, setStop } from "./elements.js";

const MAX_CHARACTERS = 2000;

// `markByte` is called with the byte that is worked out.
export function createPayload(root, markByte) {
  let number = 0;

  // `message` is what the frame is a part of: `{ opcode, isCompressed }`, or null for control frames.
  function show(frame, message) {
    number += 1;
    const mine = number;
    root.replaceChildren(make("h4", "", say("Payload", "有效载荷")));
    if (frame.length === 0) {
      root.append(paragraph(emptyText(frame)));
      return;
    }
    root.append(paragraph(maskText(frame)), ...byteTable(frame, message, markByte));
    if (message?.isCompressed) {
      const box = make("div", "inflated");
      root.append(box);
      showInflated(box, frame, () => mine === number);
    } else {
      root.append(...plainContent(frame, message));
    }
  }

  return { show };
}

function paragraph(text) {
  return make("p", "", ...rich(text));
}

function emptyText({ opcode }) {
  if (opcode === 8) {
    return say(
      "This Close has no payload, so no code: the page of the other side is told 1005, “no code given”.",
      "这个关闭帧没有有效载荷，也就没有关闭码：对方页面得到的是 1005（没有给出关闭码）。",
    );
  }
  return say("This frame has no payload.", "这一帧没有有效载荷。");
}

function maskText(frame) {
  if (!frame.isMasked) {
    return say(
      "Frames from a server are not masked: the mask protects proxies from what a page makes its browser send, and a " +
        "server does not run strangers’ scripts. So the bytes are as they are:",
      "服务器发出的帧不加掩码：掩码是为了防止网页借浏览器发送的内容欺骗代理，而服务器不会运行陌生人的脚本。所以字节就是原样：",
    );
  }
  return say(
    "Each byte on the wire ⊕ (XOR) a byte of the key gives a byte as it was meant. Point at one to see its bits:",
    "线路上的每个字节与密钥的一个字节 ⊕（异或），得到原本的字节。指向其中一个即可看到各个位：",
  );
}

// The table, and the one byte of it whose bits are worked out.
function byteTable(frame, message, markByte) {
  const isText = message?.opcode === 1 && !message.isCompressed;
  const letters = isText || frame.opcode >= 8 ? lettersOf(frame) : null;
  const table = make("table", `payload-bytes${frame.isMasked ? "" : " plain"}`, byteHead(frame, letters));
  const body = make("tbody");
  const perRow = frame.isMasked ? 4 : 8;
  for (let first = 0; first < frame.masked.length; first += perRow) {
    body.append(byteRow(frame, Array.from({ length: perRow }, (_, i) => first + i), letters));
  }
  table.append(body);
  if (!frame.isMasked) return [table];

  const work = make("pre", "xor");
  const buttons = [...body.querySelectorAll("button")];
  function choose(button) {
    const index = Number(button.dataset.index);
    setStop(buttons, button);
    for (const cell of body.querySelectorAll("[data-byte]")) {
      cell.classList.toggle("chosen", Number(cell.dataset.byte) === index);
    }
    work.textContent = xorText(frame, index);
  }
  function mark(button) {
    choose(button);
    markByte(Number(button.dataset.index));
  }
  const buttonAt = (event) => {
    const cell = event.target.closest("[data-byte]");
    return cell && buttons[Number(cell.dataset.byte)];
  };
  const markAt = (event) => buttonAt(event) && mark(buttonAt(event));
  body.addEventListener("click", markAt);
  body.addEventListener("focusin", markAt);
  onPointing(body, markAt);
  roveByKeys(body, () => buttons, choose, () => 4);
  if (buttons.length > 0) choose(buttons[0]);
  return [make("div", "worked-out", table, work)];
}

function byteHead(frame, letters) {
  const head = (text, span) => {
    const cell = make("th", "", text);
    cell.colSpan = span;
    cell.scope = "col";
    return cell;
  };
  const gap = () => make("td", "sign");
  const first = frame.isMasked
    ? [head(say("masked", "掩码后"), 4), gap(), head(say("key", "密钥"), 4), gap(), head(say("unmasked", "去掩码"), 4)]
    : [head(say("bytes", "字节"), 8)];
  const last = letters ? [head(say("text", "文本"), frame.isMasked ? 4 : 8)] : [];
  return make("thead", "", make("tr", "", ...first, ...last));
}

function byteRow(frame, indexes, letters) {
  const cell = (index, bytes, className) => {
    if (index >= frame.masked.length) return make("td", "");
    const element = make("td", className, make("code", "", hexOf([bytes(index)])));
    element.dataset.byte = index;
    return element;
  };
  const row = make("tr", "", ...indexes.map((i) => cell(i, () => frame.masked[i], "masked")));
  if (frame.isMasked) {
    row.append(
      make("td", "sign", "⊕"),
      ...indexes.map((i) => cell(i, () => frame.key[i % 4], "of-key")),
      make("td", "sign", "="),
      ...indexes.map((i) => byteButton(frame, i)),
    );
  }
  if (letters) row.append(...indexes.map((i) => make("td", "letter", letters[i] ? foreign(letters[i]) : "")));
  return row;
}

function byteButton(frame, index) {
  if (index >= frame.unmasked.length) return make("td", "");
  const button = make("button", "", make("code", "", hexOf([frame.unmasked[index]])));
  button.type = "button";
  button.dataset.index = index;
  button.setAttribute("aria-label", say(
    `byte ${index}: ${hexOf([frame.masked[index]])} XOR ${hexOf([frame.key[index % 4]])} is ` +
      hexOf([frame.unmasked[index]]),
    `字节 ${index}：${hexOf([frame.masked[index]])} 异或 ${hexOf([frame.key[index % 4]])} 得 ` +
      hexOf([frame.unmasked[index]]),
  ));
  const cell = make("td", "unmasked", button);
  cell.dataset.byte = index;
  return cell;
}

// One byte, worked out on paper.
function xorText(frame, index) {
  const line = (sign, name, byte) => {
    const bits = byte.toString(2).padStart(8, "0");
    return `${sign} ${hexOf([byte])}  ${bits.slice(0, 4)} ${bits.slice(4)}  ${name}`;
  };
  return [
    line(" ", say(`byte ${index} on the wire`, `线路上的字节 ${index}`), frame.masked[index]),
    line("⊕", say("key, byte ", "密钥字节 ") + `${index} mod 4 = ${index % 4}`, frame.key[index % 4]),
    line("=", say("as it was meant", "原本的字节"), frame.unmasked[index]),
  ].join("\n");
}

// What each byte is as text: the character where it begins, nothing where it goes on.
function lettersOf({ unmasked, opcode }) {
  const letters = [];
  const start = opcode === 8 ? 2 : 0; // the code is no text
  for (let i = 0; i < unmasked.length;) {
    const lead = unmasked[i];
    const size = i < start || lead < 0xc0 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    const isWhole = i >= start && (lead < 0x80 || size > 1) && i + size <= unmasked.length;
    const letter = isWhole ? new TextDecoder().decode(unmasked.subarray(i, i + size)) : "·";
    letters[i] = [...letter].length === 1 ? letter : "·";
    i += size;
  }
  return letters;
}

function plainContent(frame, message) {
  if (frame.opcode === 8) return closeContent(frame);
  if (message?.opcode !== 1 && frame.opcode < 8) return [];
  return [labelled(say("As text:", "文本："), cut(new TextDecoder().decode(frame.unmasked), frame.missing > 0))];
}

function closeContent(frame) {
  const close = readClose(frame.unmasked);
  if (!close) {
    return [paragraph(say("One byte is no code: a protocol error.", "一个字节不构成关闭码：协议错误。"))];
  }
  const code = `${frame.unmasked[0]} × 256 + ${frame.unmasked[1]} = ${close.code}`;
  const name = CLOSE_CODES[close.code] ?? (close.code < 3000 || close.code > 4999
    ? ["without a common name", "没有通用名称"]
    : ["for applications to choose", "由应用程序自定"]);
  return [
    paragraph(say(
      `The first two bytes are the code: ${code} (${name[0]}). The rest is the reason, in UTF-8.`,
      `前两个字节是关闭码：${code}（${name[1]}）。其余是 UTF-8 编码的原因。`,
    )),
    labelled(say("Reason:", "原因："), close.reason === "" ? say("(none)", "（无）") : cut(close.reason, false)),
  ];
}

function labelled(label, text) {
  return make("p", "content", make("span", "hint", label), " ", make("samp", "", foreign(text)));
}

function cut(text, isPart) {
  const head = text.slice(0, MAX_CHARACTERS).replace(/[\uD800-\uDBFF]$/, "");
  return isPart || head.length < text.length ? `${head} …` : head;
}

// permessage-deflate (RFC 7692 §7.2)

const TAIL = [0x00, 0x00, 0xff, 0xff];
// An empty block that says that it is the last: a stream of messages has none, a decompressor wants one.
const LAST_BLOCK = [0x01, 0x00, 0x00, 0xff, 0xff];

async function showInflated(box, frame, isCurrent) {
  box.append(
    make("h4", "", say("Inflated", "解压")),
    paragraph(say(
      "RSV1 says that the message was compressed with DEFLATE (`permessage-deflate`, RFC 7692). The sender cut off " +
        "`00 00 ff ff`, which every such block ends with; the receiver puts it back and inflates. Short messages may " +
        "even grow, long ones shrink to a fraction.",
      "RSV1 表示消息用 DEFLATE 压缩过（`permessage-deflate`，RFC 7692）。发送方去掉了每个块末尾都有的 `00 00 ff ff`，" +
        "接收方把它补回再解压。短消息可能反而变长，长消息则会大大缩小。",
    )),
  );
  if (frame.opcode === 0) {
    box.append(paragraph(say(
      "This is a fragment from the middle of a compressed message, which cannot be inflated without its beginning.",
      "这是压缩消息中间的一个分片，没有开头就无法解压。",
    )));
    return;
  }
  const isWhole = frame.fin && frame.missing === 0;
  const { bytes, isClean } = await inflate(frame.unmasked, isWhole);
  if (!isCurrent()) return; // another frame is shown by now
  if (bytes === null) {
    box.append(paragraph(say(
      "This browser has no `DecompressionStream` for it.",
      "此浏览器没有可用的 `DecompressionStream`。",
    )));
    return;
  }
  box.append(paragraph(inflatedText(frame, isWhole, isClean, bytes.length)));
  if (bytes.length === 0) return;
  const isPart = !isWhole || !isClean;
  const shown = bytes.subarray(0, 64);
  const more = isPart || bytes.length > shown.length;
  box.append(make("p", "content", make("code", "", hexOf(shown) + (more ? " …" : ""))));
  if (frame.opcode === 1) {
    const text = new TextDecoder().decode(bytes, { stream: true });
    box.append(labelled(say("As text:", "文本："), cut(text, isPart)));
  }
}

function inflatedText(frame, isWhole, isClean, count) {
  if (!isWhole) {
    const why = frame.fin
      ? say("Only the first 64 bytes of the frame are recorded", "每帧只记录前 64 字节")
      : say("The rest of the message is in the frames that follow", "消息的其余部分在后面的帧中");
    return count === 0
      ? say(`${why}, and they give nothing yet.`, `${why}，目前还解不出内容。`)
      : say(`${why}. This much of the beginning can be inflated:`, `${why}。开头能解压出的部分：`);
  }
  if (!isClean) {
    return say(
      "It does not inflate by itself: either it refers to earlier messages, or it is broken.",
      "无法单独解压：要么引用了之前的消息，要么已损坏。",
    );
  }
  return say(
    `${bytesEnglish(frame.length)} + \`00 00 ff ff\` → ${bytesEnglish(count)}:`,
    `${frame.length} 字节 + \`00 00 ff ff\` → ${count} 字节：`,
  );
}

// What comes out of a compressed payload; `isClean` when that was all of it.
// `bytes` is null when the browser cannot.
export async function inflate(payload, isWhole) {
  let stream;
  try {
    stream = new DecompressionStream("deflate-raw");
  } catch {
    return { bytes: null, isClean: false };
  }
  const chunks = [];
  const reading = collect(stream.readable.getReader(), chunks);
  const writer = stream.writable.getWriter();
  let isClean = true;
  try {
    await writer.write(Uint8Array.from(isWhole ? [...payload, ...TAIL, ...LAST_BLOCK] : payload));
    await new Promise((resolve) => setTimeout(resolve)); // an error would take along what has not been read
    await writer.close();
  } catch {
    isClean = false;
  }
  await reading;
  const bytes = new Uint8Array(await new Blob(chunks).arrayBuffer());
  return { bytes, isClean };
}

async function collect(reader, chunks) {
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      chunks.push(value);
    }
  } catch {
    // the writer is told as well
  }
}
