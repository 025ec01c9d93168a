// A broadcaster in Node with the package `ws`, as its documentation does it.
import { createRequire } from "node:module";

// The package is not beside this file, but where the driver installed it.
const { WebSocketServer, WebSocket } = createRequire(process.argv[3])("ws");

const server = new WebSocketServer({ port: Number(process.argv[2]), host: "127.0.0.1", perMessageDeflate: false });
server.on("listening", () => console.log("ready"));
server.on("connection", (socket) => {
  socket.on("error", () => {});
  socket.on("message", (data, binary) => {
    for (const client of server.clients) {
      if (client.readyState === WebSocket.OPEN) client.send(data, { binary });
    }
  });
});
