// One frame, cut into its fields (RFC 6455 §5.2): from the bytes that were on
// the wire to what they say. Nothing is refused here: a frame with reserved
// bits or opcodes is shown as it is, and so is one that was cut short.
//
// Must not know: the page. What is for people comes as a pair of an English and
// a Chinese text.

// By number: names in both languages, and what the frame is for.
const OPCODES = {
  0x0: {
    name: ["continuation", "延续帧"],
    section: "5.4",
    meaning: [
      "A further fragment of the message that an earlier text or binary frame began. It has that message’s type.",
      "消息的后续分片：该消息由之前的文本帧或二进制帧开始，类型与之相同。",
    ],
  },
  0x1: {
    name: ["text", "文本帧"],
    section: "5.6",
    meaning: [
      "The payload is text in UTF-8. A browser gives it to the page as a string.",
      "有效载荷是 UTF-8 编码的文本，浏览器把它作为字符串交给页面。",
    ],
  },
  0x2: {
    name: ["binary", "二进制帧"],
    section: "5.6",
    meaning: [
      "The payload is bytes, whatever they mean. A browser gives them to the page as a Blob or an ArrayBuffer.",
      "有效载荷是任意字节，浏览器把它作为 Blob 或 ArrayBuffer 交给页面。",
    ],
  },
  0x8: {
    name: ["close", "关闭帧"],
    section: "5.5.1",
    meaning: [
      "A control frame that ends the connection: the other side answers with a Close of its own, then TCP is closed.",
      "结束连接的控制帧：对方以自己的关闭帧回应，然后关闭 TCP。",
    ],
  },
  0x9: {
    name: ["ping", "ping"],
    section: "5.5.2",
    meaning: [
      "A control frame that asks for a sign of life. The answer is a pong with the same payload; pages never see either.",
      "询问对方是否还在的控制帧。回应是有效载荷相同的 pong；页面脚本看不到这两种帧。",
    ],
  },
  0xa: {
    name: ["pong", "pong"],
    section: "5.5.3",
    meaning: [
      "A control frame that answers a ping with the same payload. A browser sends it by itself.",
      "回应 ping 的控制帧，有效载荷与 ping 相同，由浏览器自动发送。",
    ],
  },
};

const NAMES = {
  fin: ["FIN", "FIN（最后一个分片）"],
  rsv1: ["RSV1", "RSV1（保留位）"],
  rsv2: ["RSV2", "RSV2（保留位）"],
  rsv3: ["RSV3", "RSV3（保留位）"],
  opcode: ["opcode", "opcode（操作码）"],
  mask: ["MASK", "MASK（掩码位）"],
  length: ["Payload len", "Payload len（有效载荷长度）"],
  length16: ["Extended payload length, 16 bits", "Extended payload length（扩展长度，16 位）"],
  length64: ["Extended payload length, 64 bits", "Extended payload length（扩展长度，64 位）"],
  key: ["Masking-key", "Masking-key（掩码密钥）"],
  payload: ["Payload Data", "Payload Data（有效载荷）"],
};

// `wire` is a frame from its first byte on, in hex. Gives
// `fields`: each with `id`, `names`, `first` (bit), `count` (of bits), `bits`
//   (those at hand, as "0" and "1"), `value`, `meaning`, `rfc` and `section`;
// `fin`, `rsv` (RSV1 is 4), `opcode`, `isMasked`, `key`;
// `length`: of the payload, and `missing`: how much of that is not at hand;
// `masked`: the payload as it was on the wire, and `unmasked`: as it was meant.
export function readFrame(wire) {
  const bytes = bytesOfHex(wire);
  const bits = bitsOf(bytes);
  const fields = [];
  let next = 0;

  // The field that comes next, and its number: null when it is cut short.
  function take(id, count) {
    const own = bits.slice(next, next + count);
    fields.push({ id, names: NAMES[id], first: next, count, bits: own, value: own });
    next += count;
    return own.length === count && count <= 64 ? BigInt(`0b${own}`) : null;
  }

  const frame = { bytes, fields };
  frame.fin = take("fin", 1) === 1n;
  frame.rsv = Number(take("rsv1", 1)) * 4 + Number(take("rsv2", 1)) * 2 + Number(take("rsv3", 1));
  frame.opcode = Number(take("opcode", 4));
  frame.isMasked = take("mask", 1) === 1n;
  const short = take("length", 7);
  const extended = short === 126n ? take("length16", 16) : short === 127n ? take("length64", 64) : null;
  frame.exactLength = extended ?? short ?? 0n;
  frame.length = Number(frame.exactLength);
  if (frame.isMasked) take("key", 32);
  const header = next / 8;
  frame.header = header;
  frame.key = frame.isMasked && bytes.length >= header ? bytes.subarray(header - 4, header) : null;
  frame.masked = bytes.subarray(header, header + Math.min(frame.length, bytes.length));
  frame.unmasked = unmask(frame.masked, frame.key);
  frame.missing = Math.max(frame.length - frame.masked.length, 0);
  if (frame.length > 0) take("payload", frame.length * 8);
  for (const field of fields) Object.assign(field, { rfc: 6455, section: "5.2" }, explain(field, frame));
  return frame;
}

// §5.3: byte i of the payload is XORed with byte i mod 4 of the key. Once more gives it back.
function unmask(payload, key) {
  return key ? payload.map((byte, i) => byte ^ key[i % 4]) : payload;
}

export function opcodeName(opcode) {
  return OPCODES[opcode]?.name ?? [`reserved ${opcode}`, `保留 ${opcode}`];
}

function isControl(opcode) {
  return opcode >= 8;
}

// What a Close frame says; null when there is no code in it.
export function readClose(payload) {
  if (payload.length < 2) return null;
  return { code: payload[0] * 256 + payload[1], reason: new TextDecoder().decode(payload.subarray(2)) };
}

// What a field says in this frame: its value, its meaning, the section to read.
function explain(field, frame) {
  if (field.bits.length === 0) return { value: "", meaning: CUT };
  switch (field.id) {
    case "fin": return { meaning: finMeaning(frame), section: "5.4" };
    case "rsv1": return rsv1(frame);
    case "rsv2":
    case "rsv3": return { meaning: field.bits === "0" ? RSV_CLEAR : RSV_SET };
    case "opcode": return opcode(frame);
    case "mask": return { meaning: frame.isMasked ? MASKED : NOT_MASKED, section: "5.1" };
    case "length": return { value: String(parseInt(field.bits, 2)), meaning: lengthMeaning(parseInt(field.bits, 2)) };
    case "length16":
    case "length64": return { value: String(frame.exactLength), meaning: extendedMeaning(field, frame) };
    case "key": return { value: frame.key ? hexOf(frame.key) : "", meaning: KEY, section: "5.3" };
    case "payload": return { value: hexOf(frame.masked), meaning: payloadMeaning(frame), ...payloadSection(frame) };
  }
  return {};
}

const CUT = ["This field is not among the bytes that are at hand.", "现有的字节中没有这个字段。"];

function finMeaning({ fin, opcode: number }) {
  if (!fin && isControl(number)) {
    return [
      "0: not the last fragment. A control frame must not be fragmented, so the receiver has to fail the connection.",
      "0：不是最后一个分片。控制帧不允许分片，接收方必须使连接失败。",
    ];
  }
  if (!fin) {
    return [
      "0: this is not the end of the message. More fragments follow, in continuation frames.",
      "0：消息尚未结束，后面还有以延续帧发送的分片。",
    ];
  }
  if (number === 0) {
    return [
      "1: this is the last fragment. With it the message is whole.",
      "1：这是最后一个分片，消息到此完整。",
    ];
  }
  return [
    "1: this is the last fragment of the message. Most messages have only this one.",
    "1：这是消息的最后一个分片。大多数消息只有这一个分片。",
  ];
}

function rsv1({ rsv, opcode: number }) {
  const isSet = (rsv & 4) !== 0;
  if (!isSet) {
    return {
      meaning: [
        "Reserved for extensions. `permessage-deflate` would set it on the first frame of a compressed message; " +
          "this frame does not begin one.",
        "为扩展保留。`permessage-deflate` 会在压缩消息的第一个帧上设置它；这一帧不是压缩消息的开始。",
      ],
    };
  }
  if (number === 1 || number === 2) {
    return {
      meaning: [
        "Reserved for extensions, and in use: with `permessage-deflate` it says that this message is compressed.",
        "为扩展保留，且正在使用：在 `permessage-deflate` 中它表示这条消息经过压缩。",
      ],
      rfc: 7692,
      section: "6",
    };
  }
  return {
    meaning: [
      "Set, where it may not be: `permessage-deflate` uses it on the first frame of a text or binary message only.",
      "在不允许的地方被设置：`permessage-deflate` 只在文本或二进制消息的第一个帧上使用它。",
    ],
    rfc: 7692,
    section: "6.1",
  };
}

const RSV_CLEAR = [
  "Reserved for extensions that are to come. It must be 0 unless one was agreed on that says what it means.",
  "为将来的扩展保留。除非协商了定义它的扩展，否则必须为 0。",
];
const RSV_SET = [
  "Set, although no extension in use says what it means: the receiver has to fail the connection.",
  "被设置了，但没有任何使用中的扩展定义它的含义：接收方必须使连接失败。",
];

function opcode({ opcode: number }) {
  const known = OPCODES[number];
  const value = `0x${number.toString(16)}`;
  if (known) return { value, meaning: known.meaning, section: known.section };
  const kind = isControl(number) ? ["control frames", "控制帧"] : ["data frames", "数据帧"];
  return {
    value,
    meaning: [
      `Reserved for further ${kind[0]} that nobody has defined. The receiver has to fail the connection.`,
      `为尚未定义的${kind[1]}保留。接收方必须使连接失败。`,
    ],
  };
}

const MASKED = [
  "1: the payload is masked, and the key for it follows. Every frame from a client to a server has to be.",
  "1：有效载荷经过掩码处理，密钥随后给出。客户端发给服务器的每一帧都必须如此。",
];
const NOT_MASKED = [
  "0: the payload is not masked, and there is no key. So it is from a server; a client’s frame would be refused.",
  "0：有效载荷没有掩码，也没有密钥。服务器发出的帧就是这样；客户端若这样发送会被拒绝。",
];

function lengthMeaning(number) {
  if (number === 126) {
    return [
      "126 is no length: it says that the length is in the 16 bits that follow.",
      "126 不是长度，而是表示长度在随后的 16 位中。",
    ];
  }
  if (number === 127) {
    return [
      "127 is no length: it says that the length is in the 64 bits that follow.",
      "127 不是长度，而是表示长度在随后的 64 位中。",
    ];
  }
  return [
    `The payload has ${bytesEnglish(number)}. Up to 125 fits into these seven bits; 126 and 127 announce a longer form.`,
    `有效载荷为 ${number} 字节。125 以内用这 7 位即可表示；126 和 127 表示后面有更长的形式。`,
  ];
}

function extendedMeaning({ id, bits, count }, frame) {
  if (bits.length < count) return CUT;
  const isLong = id === "length64";
  const isShortest = isLong ? frame.exactLength > 0xffffn : frame.exactLength > 125n;
  if (!isShortest) {
    return [
      `The payload has ${bytesEnglish(frame.length)}, which a shorter form could say: the shortest one must be used.`,
      `有效载荷为 ${frame.length} 字节，可以用更短的形式表示：规定必须使用最短的形式。`,
    ];
  }
  const form = isLong ? ["up to 2⁶³ − 1", "最多 2⁶³ − 1"] : ["126 to 65,535", "126 到 65,535"];
  return [
    `The payload has ${bytesEnglish(frame.length)}, most significant byte first. This form is for ${form[0]}.`,
    `有效载荷为 ${frame.length} 字节，高位字节在前。这种形式用于 ${form[1]} 字节。`,
  ];
}

const KEY = [
  "Four random bytes, new for each frame; byte i of the payload is XORed with byte i mod 4 of them. It hides nothing, " +
    "for the key is right here: it keeps a page from choosing the bytes on the wire, which could fool old proxies.",
  "四个随机字节，每帧重新生成；有效载荷的第 i 个字节与其中第 i mod 4 个字节异或。它并不保密，因为密钥就在这里：" +
    "它的作用是让页面无法决定线路上的字节，以免欺骗旧的代理服务器。",
];

function payloadMeaning(frame) {
  const some = frame.missing > 0;
  const size = [
    `${bytesEnglish(frame.length)}${some ? `, the first ${frame.masked.length} of which are shown` : ""}`,
    `${frame.length} 字节${some ? `，此处显示前 ${frame.masked.length} 字节` : ""}`,
  ];
  if ((frame.rsv & 4) && !isControl(frame.opcode)) {
    return [
      `The message, compressed: ${size[0]}. What it was before is worked out below.`,
      `压缩后的消息：${size[1]}。下面算出压缩前的内容。`,
    ];
  }
  if (frame.isMasked) {
    return [
      `What the frame carries, as it was on the wire: ${size[0]}. Without the mask it is below.`,
      `帧所携带的内容，与线路上一致：${size[1]}。去除掩码后的内容见下。`,
    ];
  }
  return [`What the frame carries: ${size[0]}.`, `帧所携带的内容：${size[1]}。`];
}

function payloadSection({ rsv, opcode: number, isMasked }) {
  if ((rsv & 4) && !isControl(number)) return { rfc: 7692, section: "7.2" };
  if (isControl(number)) return { section: OPCODES[number]?.section ?? "5.5" };
  return { section: isMasked ? "5.3" : "5.6" };
}

export function bytesEnglish(count) {
  return count === 1 ? "1 byte" : `${grouped.format(count)} bytes`;
}

export const grouped = new Intl.NumberFormat("en-US");

// What is no hex ends it.
function bytesOfHex(hex) {
  const pairs = /^(?:[0-9a-f]{2})*/i.exec(hex)[0].match(/../g) ?? [];
  return Uint8Array.from(pairs, (pair) => parseInt(pair, 16));
}

export function hexOf(bytes, between = " ") {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(between);
}

function bitsOf(bytes) {
  return Array.from(bytes, (byte) => byte.toString(2).padStart(8, "0")).join("");
}
