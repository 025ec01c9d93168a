//! The server in twenty lines: every message goes to every client, and on `/echo` back to its sender.
//!
//! `cargo run --release --example broadcast`, then open the page it names.

use fanfare::config::{Audience, Listen};
use fanfare::{Config, Context, Error, Handler, Message, Server};

struct Broadcast;

impl Handler for Broadcast {
    fn message(&mut self, context: &mut Context<'_>, message: Message<'_>) {
        match context.audience() {
            Audience::Everyone => context.publish(&message),
            Audience::Sender => context.send(&message),
        }
    }
}

fn main() -> Result<(), Error> {
    let mut config = Config::default();
    config.listen = vec![Listen::Loopback { port: 9999 }];
    let server = Server::bind(config)?;
    println!("http://localhost:{}/websocket.html", server.addresses()[0].port());
    server.run(Broadcast)
}
