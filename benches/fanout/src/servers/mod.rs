//! The broadcasters beside fanfare, each as fast as its library lets it be written in a page.
//!
//! `fanfare-fanout serve NAME PORT` is one of them: it listens on the loopback, says `ready`, and sends every
//! message that a client sends to all of them, the sender too, until it is killed.

mod bare;
mod fastwebsockets;
mod handshake;
mod tungstenite;

use std::error::Error;
use std::io;
use std::net::Ipv4Addr;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;
use tokio::sync::broadcast;

/// Messages that a connection may be behind before it loses some. The closed loop of the load has at most a few dozen.
const BEHIND_MAX: usize = 4096;

/// Serves until it is killed.
pub fn serve(name: &str, port: u16) -> Result<(), Box<dyn Error>> {
    match name {
        "bare" => Ok(bare::serve(port)?),
        "tokio-tungstenite" => Ok(tungstenite::serve(port)?),
        "fastwebsockets" => Ok(fastwebsockets::serve(port)?),
        _ => Err(format!("no server {name}: bare, tokio-tungstenite or fastwebsockets").into()),
    }
}

/// A task for each connection, and one channel in which all of them say and hear everything. One thread, so that nothing
/// is locked in vain.
fn serve_each<M, F>(port: u16, converse: fn(TcpStream, broadcast::Sender<M>) -> F) -> io::Result<()>
where
    M: Clone + Send + 'static,
    F: Future + Send + 'static,
{
    Builder::new_current_thread().enable_io().build()?.block_on(async {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        println!("ready");
        let (sender, _) = broadcast::channel(BEHIND_MAX);
        loop {
            let (stream, _) = listener.accept().await?;
            let conversation = converse(stream, sender.clone());
            tokio::spawn(async move {
                // What goes wrong with one connection ends it, and nothing else.
                let _ended = conversation.await;
            });
        }
    })
}
