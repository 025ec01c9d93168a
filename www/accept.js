// How a handshake proves itself (RFC 6455 §4.2.2): the server joins the key of
// the request with a fixed GUID, hashes that with SHA-1 and answers the hash in
// base64. Worked out by hand: `crypto.subtle` is missing on http:// pages of
// another machine, and the steps are what there is to see.

export const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

// Every step from the key to the answer.
export function acceptSteps(key) {
  const joined = key + GUID;
  const digest = sha1(new TextEncoder().encode(joined));
  return { key, joined, digest, accept: base64(digest) };
}

// SHA-1 (FIPS 180-4): blocks of 64 bytes, each of which stirs five 32-bit words 80 times.
export function sha1(bytes) {
  const view = new DataView(padded(bytes).buffer);
  const hash = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0];
  const words = new Array(80);
  for (let block = 0; block < view.byteLength; block += 64) {
    for (let i = 0; i < 80; i += 1) {
      words[i] = i < 16
        ? view.getUint32(block + 4 * i)
        : rotate(words[i - 3] ^ words[i - 8] ^ words[i - 14] ^ words[i - 16], 1);
    }
    let [a, b, c, d, e] = hash;
    for (let i = 0; i < 80; i += 1) {
      const next = (rotate(a, 5) + mix(i, b, c, d) + e + ROUND[Math.floor(i / 20)] + words[i]) | 0;
      [a, b, c, d, e] = [next, a, rotate(b, 30), c, d];
    }
    [a, b, c, d, e].forEach((word, i) => { hash[i] = (hash[i] + word) | 0; });
  }
  const digest = new DataView(new ArrayBuffer(20));
  hash.forEach((word, i) => digest.setInt32(4 * i, word));
  return new Uint8Array(digest.buffer);
}

const ROUND = [0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6];

function mix(i, b, c, d) {
  if (i < 20) return (b & c) | (~b & d);
  if (i >= 40 && i < 60) return (b & c) | (b & d) | (c & d);
  return b ^ c ^ d;
}

function rotate(word, count) {
  return (word << count) | (word >>> (32 - count));
}

// A one bit, zeros, and the length in bits as 64 bits, to whole blocks of 64 bytes.
function padded(bytes) {
  const blocks = new Uint8Array(Math.ceil((bytes.length + 9) / 64) * 64);
  blocks.set(bytes);
  blocks[bytes.length] = 0x80;
  const view = new DataView(blocks.buffer);
  view.setUint32(blocks.length - 8, Math.floor(bytes.length / 2 ** 29));
  view.setUint32(blocks.length - 4, (bytes.length << 3) >>> 0);
  return blocks;
}

export function base64(bytes) {
  return base64Groups(bytes).map((group) => group.characters).join("");
}

// Three bytes are 24 bits, which are four characters of six bits each. What is
// missing at the end is filled up with zeros, and marked with "=".
export function base64Groups(bytes) {
  const groups = [];
  for (let i = 0; i < bytes.length; i += 3) {
    const group = bytes.subarray(i, i + 3);
    const bits = Array.from(group, (byte) => byte.toString(2).padStart(8, "0")).join("");
    const sextets = (bits + "0000").match(/.{6}/g).slice(0, group.length + 1);
    const characters = sextets.map((sextet) => ALPHABET[parseInt(sextet, 2)]).join("").padEnd(4, "=");
    groups.push({ bytes: group, sextets, characters });
  }
  return groups;
}

// The value of a header in a request or response as it was on the wire, or null.
export function headerOf(text, name) {
  const start = `${name.toLowerCase()}:`;
  const line = text.split("\r\n").slice(1).find((line) => line.toLowerCase().startsWith(start));
  return line === undefined ? null : line.slice(start.length).trim();
}
