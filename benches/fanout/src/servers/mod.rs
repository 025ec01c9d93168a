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
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};

/// Serves until it is killed.
pub fn serve(name: &str, port: u16) -> Result<(), Box<dyn Error>> {
    match name {
        "bare" => Ok(bare::serve(port)?),
        "tokio-tungstenite" => Ok(tungstenite::serve(port)?),
        "fastwebsockets" => Ok(fastwebsockets::serve(port)?),
        _ => Err(format!("no server {name}: bare, tokio-tungstenite or fastwebsockets").into()),
    }
}

/// One thread, so that nothing is locked in vain.
fn runtime() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_io().build()
}

async fn listen(port: u16) -> io::Result<TcpListener> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    println!("ready");
    Ok(listener)
}
