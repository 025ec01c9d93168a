// What a client made with Node's `ws` sees of a server: one scenario a run.
//
//     ws_client.mjs SCENARIO URL
//
// URL is the server's, without a path; what options a scenario's server is started with says ../clients.rs. The exit
// code is 0 when everything was as it should be, else 1, with one line that says what was expected and what came.
// websockets_client.py has the same scenarios under the same names: who changes one changes both.

import { createRequire } from "node:module";
import { randomBytes } from "node:crypto";
import { inspect, isDeepStrictEqual } from "node:util";

// `import` would not look into NODE_PATH.
const WebSocket = createRequire(import.meta.url)("ws");

// For the whole scenario; ../clients.rs has more patience than that.
const LIMIT_SECONDS = 40;
const MEBIBYTE = 1024 * 1024;
// Ends a text of exactly so many bytes: one byte long.
const FILLER = ".";

/** Something came that was not to come, or nothing did. */
class Unexpected extends Error {}

const SCENARIOS = {
  /** Everybody hears everything, the sender too, in one order and in its kind. */
  async broadcast(url) {
    const clients = await connectAll(url, ["/", "/", "/"]);
    const rows = ["Grüße, 世界 🎺", Buffer.from("\x00\xff\x81 is no text", "latin1"), "", Buffer.of(), "the end"];
    clients[0].sendAll(rows);
    for (const [at, each] of clients.entries()) {
      expectAll(`client ${at}`, await each.receiveAll(rows.length), rows);
    }
    // And now all at once: what one said stays in its order, and all hear the same.
    const said = clients.map((_, at) => Array.from({ length: 100 }, (_, number) => `${at} says ${number}`));
    clients.forEach((each, at) => each.sendAll(said[at]));
    const heard = await Promise.all(clients.map((each) => each.receiveAll(100 * clients.length)));
    for (const [at, each] of heard.entries()) {
      expectAll(`client ${at}, all at once`, each, heard[0]);
      const own = heard[0].filter((message) => message.startsWith(`${at} `));
      expectAll(`what client ${at} said at once`, own, said[at]);
    }
    await leave(...clients);
  },

  /** With --no-self everybody hears everything but what is their own. */
  async no_self(url) {
    const [one, other] = await connectAll(url, ["/", "/"]);
    for (const message of ["ä", Buffer.of(0xe4), ""]) {
      one.send(message);
      expect("the other", await other.receive(), message);
    }
    other.send("from the other");
    expect("the first thing the one hears", await one.receive(), "from the other");
    one.send("from the one");
    expect("the next thing the other hears", await other.receive(), "from the one");
    await leave(one, other);
  },

  /** On /echo a message of any length comes back, to its sender alone. */
  async echo(url) {
    const [one, other] = await connectAll(url, ["/echo", "/echo"]);
    const sizes = [0, 1, 2, 124, 125, 126, 127, 128, 65_534, 65_535, 65_536, 65_537, 1_000_000];
    const rows = sizes.flatMap((size) => [text(size), binary(size)]);
    one.sendAll(rows);
    expectAll("echo", await one.receiveAll(rows.length), rows);
    other.send("other");
    expect("the first thing another one hears", await other.receive(), "other");
    await leave(one, other);
  },

  /** Messages of 16 MiB, back and to several. */
  async big(url) {
    const rows = [text(16 * MEBIBYTE), binary(16 * MEBIBYTE)];
    const alone = await connect(`${url}/echo`);
    for (const message of rows) {
      alone.send(message);
      expect("an echo of 16 MiB", await alone.receive(), message);
    }
    const clients = await connectAll(url, ["/", "/", "/"]);
    for (const message of rows) {
      clients[0].send(message);
      for (const [at, each] of clients.entries()) {
        expect(`16 MiB to client ${at}`, await each.receive(), message);
      }
    }
    await leave(alone, ...clients);
  },

  /** A message in fragments arrives as one, behind what another says and a ping that is answered meanwhile. */
  async fragments(url) {
    const [one, other] = await connectAll(url, ["/", "/"]);
    const rows = [["Grü", "", "ße"], [Buffer.of(0xff), Buffer.of(), binary(70_000)]];
    for (const [first, middle, last] of rows) {
      one.send(first, { fin: false });
      await one.pong(Buffer.from("in the middle"));
      other.send("in between");
      expect("meanwhile", await one.receive(), "in between");
      one.send(middle, { fin: false });
      one.send(last, { fin: true });
      const whole = typeof first === "string" ? first + middle + last : Buffer.concat([first, middle, last]);
      expect("who sent the fragments", await one.receive(), whole);
      expectAll("the other", await other.receiveAll(2), ["in between", whole]);
    }
    await leave(one, other);
  },

  /** The server speaks chat.v2 and chat.v1, and likes the former better. */
  async subprotocols(url) {
    const rows = [
      [["chat.v1", "chat.v2"], "chat.v2"],
      [["chat.v1", "other"], "chat.v1"],
      [[], ""],
    ];
    for (const [offered, chosen] of rows) {
      const one = await connect(`${url}/echo`, offered);
      expect(`the choice from ${offered}`, one.socket.protocol, chosen);
      one.send("hello");
      expect(`with ${chosen}`, await one.receive(), "hello");
      await leave(one);
    }
    // This client goes when none of those it offers is chosen, which is its right.
    const { opened } = new Client(`${url}/echo`, ["other", "CHAT.V1"]);
    const complaint = await soon("a handshake", opened.catch((error) => error.message));
    expect("no choice", complaint, "Server sent no subprotocol");
  },

  /** Without asking for anything else a client gets permessage-deflate, whatever window it wants from 9 to 15. */
  async compression(url) {
    const base = ["permessage-deflate", "server_no_context_takeover", "client_no_context_takeover"];
    const windows = [[undefined], [15, "server_max_window_bits=15"], [12, "server_max_window_bits=9"], [9, "server_max_window_bits=9"]];
    const clients = [];
    for (const [asked, ...told] of windows) {
      const one = await connect(`${url}/`, [], { perMessageDeflate: { serverMaxWindowBits: asked, threshold: 100 } });
      const agreed = one.agreed.split("; ").toSorted();
      expectAll(`what is agreed on with a window of ${asked}`, agreed, [...base, ...told].toSorted());
      clients.push(one);
    }
    const rows = [text(200), text(20_000), binary(20_000), "short", text(500_000), ""];
    for (const sender of clients) {
      sender.sendAll(rows);
      for (const [at, each] of clients.entries()) {
        expectAll(`client ${at}`, await each.receiveAll(rows.length), rows);
      }
    }
    await leave(...clients);
  },

  /** With --no-deflate nothing is agreed on. */
  async no_compression(url) {
    const one = await connect(`${url}/echo`);
    expect("what is agreed on", one.agreed, "");
    one.send(text(5_000));
    expect("an echo", await one.receive(), text(5_000));
    await leave(one);
  },

  /** A pong has what its ping had. */
  async ping(url) {
    for (const path of ["/", "/echo"]) {
      const one = await connect(url + path);
      for (const payload of [Buffer.of(), Buffer.from("p"), Buffer.from([...Array(125).keys()])]) {
        await one.pong(payload);
      }
      one.send("and messages still come");
      expect("behind the pongs", await one.receive(), "and messages still come");
      await leave(one);
    }
  },

  /** A Close is answered with its code and its reason, and then the connection ends. */
  async close(url) {
    for (const path of ["/", "/echo"]) {
      const rows = [[1000, ""], [1000, "bye"], [3000, "r".repeat(123)], [3001, ""], [4999, "Grüße 🎺"]];
      for (const [code, reason] of rows) {
        const one = await connect(url + path);
        one.socket.close(code, reason);
        await expectClosed(path, one, code, reason);
      }
      const one = await connect(url + path);
      one.socket.close();
      await expectClosed(path, one, 1005, "");
    }
  },

  /** The server takes 1,024 bytes. Who sends more is closed with 1009, and nobody hears of it. */
  async too_big(url) {
    const other = await connect(`${url}/`);
    const rows = [[text(1025)], [binary(1025)], [binary(8 * MEBIBYTE)], [binary(600), binary(600)]];
    for (const fragments of rows) {
      const one = await connect(`${url}/`);
      one.send("still fits");
      expect("the one", await one.receive(), "still fits");
      fragments.forEach((fragment, at) => one.send(fragment, { fin: at === fragments.length - 1 }));
      await expectClose("a message that is too big", one, 1009);
      expect("the other", await other.receive(), "still fits");
    }
    other.send(binary(1024));
    expect("the longest message", await other.receive(), binary(1024));
    await leave(other);
  },

  /** The server is asked to stop once this says that it is ready: everybody is closed with 1001. */
  async drain(url) {
    const clients = await connectAll(url, ["/", "/echo", "/"]);
    console.error("ready");
    for (const each of clients) {
      await expectClose("a server that stops", each, 1001);
    }
  },
};

// What a client does. What waits for something has it come within the scenario's time.

async function soon(what, something) {
  let timer;
  const never = new Promise((_, reject) => {
    const error = new Unexpected(`expected ${what}, came nothing in ${LIMIT_SECONDS} s`);
    timer = setTimeout(reject, deadline - performance.now(), error);
  });
  return Promise.race([something, never]).finally(() => clearTimeout(timer));
}

async function connect(url, subprotocols = [], options = {}) {
  const client = new Client(url, subprotocols, options);
  const failed = await soon("a handshake", client.opened.catch((error) => error));
  if (failed) {
    throw new Unexpected(`expected a handshake, came ${failed.message}`);
  }
  return client;
}

async function connectAll(url, paths) {
  const clients = [];
  for (const path of paths) {
    clients.push(await connect(url + path));
  }
  return clients;
}

/** A WebSocket whose messages wait until they are asked for. */
class Client {
  #events = [];
  #wake = () => {};

  /** What the server has agreed to, of extensions. */
  agreed = "";

  constructor(url, subprotocols, options = {}) {
    // Nobody knows the certificate of a trial.
    const socket = new WebSocket(url, subprotocols, { rejectUnauthorized: false, ...options });
    this.socket = socket;
    socket.once("upgrade", (response) => (this.agreed = response.headers["sec-websocket-extensions"] ?? ""));
    this.opened = new Promise((resolve, reject) => socket.once("open", () => resolve()).once("error", reject));
    this.closed = new Promise((resolve) => socket.addEventListener("close", resolve));
    // An error later on ends the connection, and its end is looked at.
    socket.on("error", () => {});
    socket.on("message", (data, isBinary) => this.#note({ message: isBinary ? data : data.toString() }));
    socket.on("close", (code) => this.#note({ code }));
  }

  #note(event) {
    this.#events.push(event);
    this.#wake();
  }

  /** What comes next, a message or the end. */
  async next() {
    if (this.#events.length === 0) {
      await soon("a message", new Promise((resolve) => (this.#wake = resolve)));
    }
    return this.#events.shift();
  }

  send(message, options = {}) {
    this.socket.send(message, options);
  }

  sendAll(messages) {
    messages.forEach((message) => this.send(message));
  }

  async receive() {
    const { message, code } = await this.next();
    if (message === undefined) {
      throw new Unexpected(`expected a message, came the end with ${code}`);
    }
    return message;
  }

  async receiveAll(count) {
    const messages = [];
    while (messages.length < count) {
      messages.push(await this.receive());
    }
    return messages;
  }

  /** Sends a ping and waits for its pong, which is one with the same payload. */
  async pong(payload) {
    const pong = new Promise((resolve) => this.socket.once("pong", resolve));
    this.socket.ping(payload);
    expect("a pong", await soon(`the pong for ${shown(payload)}`, pong), payload);
  }
}

async function leave(...clients) {
  for (const each of clients) {
    each.socket.close(1000);
    await expectClosed("who leaves", each, 1000, "");
  }
}

// What came, beside what was expected.

function expect(what, came, expected) {
  if (!isDeepStrictEqual(came, expected)) {
    throw new Unexpected(`${what}: expected ${shown(expected)}, came ${shown(came)}`);
  }
}

function expectAll(what, came, expected) {
  expect(`${what}, messages`, came.length, expected.length);
  came.forEach((message, at) => expect(`${what}, message ${at}`, message, expected[at]));
}

/** Waits until the server closes; nothing but its Close may come. Its reason is its own affair. */
async function expectClose(what, client, code) {
  const { message } = await client.next();
  if (message !== undefined) {
    throw new Unexpected(`${what}: expected a Close with ${code}, came ${shown(message)}`);
  }
  const { reason } = await client.closed;
  await expectClosed(what, client, code, reason);
}

/** Both have said Close, and this is what the server's said. */
async function expectClosed(what, client, code, reason) {
  const came = await soon("the end", client.closed);
  expect(`${what}: the server's Close`, [came.code, came.reason], [code, reason]);
  expect(`${what}: whether the end was clean`, came.wasClean, true);
}

/** A value in a line: of a long one its kind, its length and how it begins. */
function shown(value) {
  const line = (part) => inspect(part, { breakLength: Infinity });
  const kind = typeof value === "string" ? "text" : "binary";
  const isMessage = kind === "text" || Buffer.isBuffer(value);
  return isMessage && value.length > 60 ? `${kind} of ${value.length}, ${line(value.slice(0, 40))}…` : line(value);
}

// Messages of a certain length in bytes. No part of them looks like another.

function text(size) {
  const line = (number) => `${String(number).padStart(7, "0")} Grüße 🎺\n`;
  const count = Math.floor(size / Buffer.byteLength(line(0)));
  const lines = Array.from({ length: count }, (_, number) => line(number)).join("");
  return lines + FILLER.repeat(size - Buffer.byteLength(lines));
}

const randomness = new Map();

/** The same for the same size. */
function binary(size) {
  if (!randomness.has(size)) {
    randomness.set(size, randomBytes(size));
  }
  return randomness.get(size);
}

const [name, url] = process.argv.slice(2);
const deadline = performance.now() + 1000 * LIMIT_SECONDS;
try {
  await SCENARIOS[name](url);
} catch (error) {
  // Anything else is a mistake in here, and needs its stack.
  console.error(error instanceof Unexpected ? `${name}: ${error.message}` : error);
  process.exit(1);
}
