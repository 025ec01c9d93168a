"use strict";

// A log of what happens on a socket, one line an event. What a peer sent is
// written with textContent only, so it can never become HTML.

const MAX_LINES = 500;
const MAX_HEX_BYTES = 64;
const MAX_CHARACTERS = 4096; // of one message: 500 lines of 1 MB would stall the page

function createLog(list) {
  let previous = performance.now();

  function sincePrevious() {
    const now = performance.now();
    const elapsed = now - previous;
    previous = now;
    return elapsed < 1000 ? `+${elapsed.toFixed(1)} ms` : `+${(elapsed / 1000).toFixed(2)} s`;
  }

  // Adds a line and returns the element of its body, for those who fill it later.
  function add(kind, detail, body = "") {
    const line = document.createElement("li");
    line.className = kind;
    const bodyElement = part("code", "body", body);
    bodyElement.dir = "auto"; // right-to-left text must not turn the line around
    line.append(
      part("span", "time", sincePrevious()), " ",
      part("span", "kind", kind), " ",
      part("span", "detail", detail), " ",
      bodyElement,
    );
    list.append(line);
    if (list.childElementCount > MAX_LINES) list.firstElementChild.remove();
    return bodyElement;
  }

  // `direction` is "sent" or "received", `data` whatever send() takes.
  function message(direction, data) {
    if (typeof data === "string") {
      add(direction, `text, ${byteCount(utf8Length(data))}`, shorten(data));
    } else if (data instanceof Blob) {
      addBlob(direction, data);
    } else {
      const bytes = bytesOf(data);
      add(direction, `${data.constructor.name}, ${byteCount(bytes.length)}`, hex(bytes));
    }
  }

  // A Blob is read asynchronously. Its line is added at once all the same:
  // otherwise a text that comes right after it would overtake it.
  async function addBlob(direction, blob) {
    const body = add(direction, `Blob, ${byteCount(blob.size)}`, "…");
    const head = await blob.slice(0, MAX_HEX_BYTES).arrayBuffer();
    body.textContent = hex(new Uint8Array(head), blob.size);
  }

  return {
    add,
    message,
    exception: (error) => add("exception", `${error.name}: ${error.message}`),
    clear: () => list.replaceChildren(),
  };
}

function part(tagName, className, text) {
  const element = document.createElement(tagName);
  element.className = className;
  element.textContent = text;
  return element;
}

function byteCount(count) {
  return count === 1 ? "1 byte" : `${count} bytes`;
}

function utf8Length(text) {
  return new TextEncoder().encode(text).length;
}

function bytesOf(data) {
  if (data instanceof ArrayBuffer) return new Uint8Array(data);
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

function hex(bytes, total = bytes.length) {
  const head = Array.from(bytes.subarray(0, MAX_HEX_BYTES), (byte) => byte.toString(16).padStart(2, "0"));
  return head.join(" ") + (total > MAX_HEX_BYTES ? " …" : "");
}

function shorten(text) {
  if (text.length <= MAX_CHARACTERS) return text;
  // The cut must not leave half of a surrogate pair behind.
  const head = text.slice(0, MAX_CHARACTERS).replace(/[\uD800-\uDBFF]$/, "");
  return `${head} … (${text.length - head.length} more characters)`;
}
