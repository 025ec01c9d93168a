// A broadcaster on uWebSockets, as its documentation does it: everybody subscribes to one topic.
#include "App.h"
#include <cstdio>
#include <cstdlib>

struct Nothing {};

int main(int, char **argv) {
    uWS::App app;
    app.ws<Nothing>("/*", {
        .compression = uWS::DISABLED,
        .maxPayloadLength = 16 * 1024 * 1024,
        .idleTimeout = 960,
        .maxBackpressure = 64 * 1024 * 1024,
        .open = [](auto *socket) { socket->subscribe("all"); },
        .message = [&app](auto *, std::string_view message, uWS::OpCode opcode) {
            app.publish("all", message, opcode, false);
        },
    }).listen("127.0.0.1", atoi(argv[1]), [](auto *listening) {
        if (!listening) exit(1);
        puts("ready");
        fflush(stdout);
    }).run();
}
