// A server made with Node's `ws`, for `fanfare bench`: what it does with a message is said by the path.
//
//     ws_server.mjs [CERTIFICATE KEY]
//
// With the two files, in PEM, it speaks TLS. It takes a port that the system picks and says `listening on PORT` on standard error, and nothing else while all is
// well. It compresses for those who offer to. websockets_server.py has the same paths: who changes one changes both.

import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { createRequire } from "node:module";

// `import` would not look into NODE_PATH.
const { WebSocketServer } = createRequire(import.meta.url)("ws");

const PATHS = {
  /** Everybody gets it. */
  "/broadcast": (sender, message, isBinary) => {
    everybody("/broadcast").forEach((client) => client.send(message, { binary: isBinary }));
  },
  /** Everybody but its sender does. */
  "/no-self": (sender, message, isBinary) => {
    const others = everybody("/no-self").filter((client) => client !== sender);
    others.forEach((client) => client.send(message, { binary: isBinary }));
  },
  /** Its sender does. */
  "/echo": (sender, message, isBinary) => sender.send(message, { binary: isBinary }),
  /** Everybody gets it, within JSON. */
  "/wrap": (sender, message) => {
    const wrapped = JSON.stringify({ from: sender.number, text: message.toString() });
    everybody("/wrap").forEach((client) => client.send(wrapped));
  },
};

let connected = 0;
const [certificate, key] = process.argv.slice(2).map((file) => readFileSync(file));
const listener = key ? createSecureServer({ cert: certificate, key }) : createServer();
// From the first byte, so that --deflate is what it says.
const server = new WebSocketServer({ server: listener, perMessageDeflate: { threshold: 0 } });

function everybody(path) {
  return [...server.clients].filter((client) => client.path === path);
}

server.on("connection", (client, request) => {
  client.path = request.url;
  client.number = ++connected;
  client.on("message", (message, isBinary) => PATHS[client.path](client, message, isBinary));
  client.on("error", (error) => console.error(`client ${client.number}: ${error.message}`));
});
listener.on("tlsClientError", (error) => console.error(`TLS: ${error.message}`));
listener.listen(0, "127.0.0.1", () => console.error(`listening on ${listener.address().port}`));
