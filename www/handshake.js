// The handshake as it was on the wire, and the proof in it worked out.

import { say } from "./language.js";
import { GUID, acceptSteps, base64Groups, headerOf } from "./accept.js";
import { bytesEnglish, hexOf } from "./frame.js";
import { make, rich, visible } from "./elements.js";

const KEY = "Sec-WebSocket-Key";
const ACCEPT = "Sec-WebSocket-Accept";

export function createHandshake(root) {
  // Either text may be null: it has not come.
  function show(request, response) {
    if (request === null) {
      root.replaceChildren(make("p", "hint", say(
        "The request and the response of the connection will be shown here, byte for byte.",
        "连接的请求和响应会逐字节显示在这里。",
      )));
      return;
    }
    const key = headerOf(request, KEY);
    const accept = response === null ? null : headerOf(response, ACCEPT);
    root.replaceChildren(
      make("div", "wires",
        wire(say("Request, from the browser ↑", "请求，来自浏览器 ↑"), request, KEY),
        wire(say("Response, from the server ↓", "响应，来自服务器 ↓"), response, ACCEPT)),
      ...(key === null ? [] : [steps(key, accept, response)]),
    );
  }

  return { show };
}

function wire(title, text, name) {
  const pre = make("pre", "wire");
  if (text === null) {
    pre.append("…");
  } else {
    pre.append(...highlighted(text, name));
  }
  return make("div", "", make("h4", "", title), pre);
}

// The lines, with a mark on the value of one header.
function highlighted(text, name) {
  const start = `${name.toLowerCase()}:`;
  return text.trimEnd().split("\r\n").flatMap((line, i) => {
    const before = i === 0 ? "" : "\n";
    if (!line.toLowerCase().startsWith(start)) return [before + visible(line)];
    const [, space, value, end] = /^(\s*)(.*?)(\s*)$/.exec(line.slice(start.length));
    return [before + line.slice(0, start.length) + space, make("mark", "", visible(value)), end];
  });
}

function steps(key, answered, response) {
  const { joined, digest, accept } = acceptSteps(key);
  const list = make("ol", "steps",
    step(say(
      "The browser made this key: 16 random bytes in base64, new for each connection. It is no secret.",
      "浏览器生成了这个密钥：16 个随机字节的 base64，每个连接都不同。它不是秘密。",
    ), KEY, key, keyBytes(key)),
    step(say(
      "The server appends a GUID that stands in RFC 6455 and nowhere else, so only a server that knows WebSocket does.",
      "服务器在后面接上 RFC 6455 规定的 GUID。只有懂得 WebSocket 的服务器才会这样做。",
    ), say("key + GUID", "密钥 + GUID"), make("span", "", key, make("mark", "second", joined.slice(-GUID.length)))),
    step(say(
      "SHA-1 makes 20 bytes of it. Nobody could answer with them by accident or from a cache.",
      "SHA-1 由此算出 20 个字节。没有人会碰巧答对，缓存也不可能答对。",
    ), say("SHA-1, in hex", "SHA-1（十六进制）"), hexOf(digest)),
    step(say(
      "Base64 makes text of the bytes that fits into a header: three bytes are four characters of six bits each.",
      "Base64 把字节变成可以放进头部的文本：三个字节变成四个字符，每个六位。",
    ), "base64", make("mark", "", accept), base64Details(digest)),
  );
  list.append(verdict(accept, answered, response));
  return list;
}

function step(sentence, name, value, ...more) {
  return make("li", "", make("p", "", ...rich(sentence)), make("code", "", make("small", "", name), value), ...more);
}

// What the key is in bytes, if it is base64 at all.
function keyBytes(key) {
  try {
    const bytes = Uint8Array.from(atob(key), (character) => character.charCodeAt(0));
    return make("code", "", make("small", "", say(bytesEnglish(bytes.length), `${bytes.length} 字节`)), hexOf(bytes));
  } catch {
    return "";
  }
}

function verdict(accept, answered, response) {
  if (answered === null) {
    const status = response === null ? "" : visible(response.split("\r\n")[0]);
    return make("li", "verdict", make("p", "", response === null
      ? say("The server has not answered yet.", "服务器尚未回应。")
      : say(`The server did not agree to a WebSocket: ${status}`, `服务器没有同意建立 WebSocket：${status}`)));
  }
  const isEqual = accept === answered;
  const sentence = isEqual
    ? say("✓ Equals what the server answered: it speaks WebSocket, and it answered this very request.",
      "✓ 与服务器的回答相同：它懂 WebSocket，而且回答的正是这个请求。")
    : say("✗ Differs from what the server answered: the browser has to give up the connection.",
      "✗ 与服务器的回答不同：浏览器必须放弃这个连接。");
  const item = step(sentence, ACCEPT, make("mark", "", visible(answered)));
  item.className = `verdict ${isEqual ? "equal" : "different"}`;
  return item;
}

// The bits behind base64, three bytes a row.
function base64Details(digest) {
  const rows = base64Groups(digest).map(({ bytes, sextets, characters }) => make("tr", "",
    ...[hexOf(bytes), sextets.join(" "), characters].map((text) => make("td", "", make("code", "", text)))));
  const heads = [say("bytes", "字节"), say("six bits each", "每六位一组"), say("characters", "字符")];
  const head = make("tr", "", ...heads.map((text) => make("th", "", text)));
  return make("details", "base64",
    make("summary", "", say("Show the bits", "显示各个位")),
    make("table", "", make("thead", "", head), make("tbody", "", ...rows)),
    make("p", "hint", say(
      `${bytesEnglish(digest.length)} are six groups of three and two bytes more: one "=" fills the last group up.`,
      `${digest.length} 字节是六组三字节再加两个字节：最后一组用一个 "=" 补齐。`,
    )));
}
