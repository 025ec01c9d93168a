//! A broadcaster on fastwebsockets: a task for each connection, and a broadcast channel of bytes, cheap to clone.
//!
//! The library reads and writes one frame at a time, and a read that is given up in the middle loses its place. So the
//! halves are split and both go on side by side, and a buffer behind the writing half collects all that waits for one
//! write. The handshake is ours: the library's own brings an HTTP server with it.

use super::handshake;
use fastwebsockets::{
    FragmentCollectorRead, Frame, OpCode, Payload, Role, WebSocketError, WebSocketWrite,
    after_handshake_split,
};
use futures_util::future::{Either, select};
use std::convert::Infallible;
use std::pin::pin;
use tokio::io::{self, AsyncReadExt, AsyncWriteExt, BufWriter};
use tokio::net::TcpStream;
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::sync::broadcast;

/// Holds what a `-w 32` of 64 bytes makes wait; a longer message goes past it.
const WRITE_BUFFER_BYTES: usize = 8 * 1024;

/// What all receivers share of a message.
#[derive(Clone)]
struct Message {
    opcode: OpCode,
    payload: bytes::Bytes,
}

pub fn serve(port: u16) -> io::Result<()> {
    super::serve_each(port, converse)
}

async fn converse(mut stream: TcpStream, sender: broadcast::Sender<Message>) -> Result<(), WebSocketError> {
    stream.set_nodelay(true)?;
    shake_hands(&mut stream).await?;
    let receiver = sender.subscribe();
    let (read, write) = stream.split();
    let write = BufWriter::with_capacity(WRITE_BUFFER_BYTES, write);
    let (mut read, write) = after_handshake_split(read, write, Role::Server);
    // A Close is answered with the end of the connection.
    read.set_auto_close(false);
    let hearing = pin!(hear(FragmentCollectorRead::new(read), &sender));
    let telling = pin!(tell(write, receiver));
    match select(hearing, telling).await {
        Either::Left((ended, _)) | Either::Right((ended, _)) => ended,
    }
}

/// A client that waits for the answer sends nothing behind its request.
async fn shake_hands(stream: &mut TcpStream) -> io::Result<()> {
    let mut request = Vec::with_capacity(1024);
    loop {
        if stream.read_buf(&mut request).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if let Some((response, _)) = handshake::answer(&request) {
            return stream.write_all(&response).await;
        }
    }
}

/// Gives on what the client says, until it closes.
async fn hear(
    mut socket: FragmentCollectorRead<ReadHalf<'_>>,
    sender: &broadcast::Sender<Message>,
) -> Result<(), WebSocketError> {
    // Pings are not sent by who measures here.
    let mut answer = async |_: Frame| Ok::<_, Infallible>(());
    loop {
        let frame = socket.read_frame(&mut answer).await?;
        match frame.opcode {
            OpCode::Text | OpCode::Binary => {
                let payload = match frame.payload {
                    Payload::Bytes(bytes) => bytes.freeze(),
                    other => Vec::from(other).into(),
                };
                // Nobody to hear it is no failure: we are one of the receivers.
                let _receivers = sender.send(Message { opcode: frame.opcode, payload });
            }
            OpCode::Close => return Ok(()),
            OpCode::Continuation | OpCode::Ping | OpCode::Pong => {}
        }
    }
}

/// Sends what is broadcast, all that waits in one write.
async fn tell(
    mut socket: WebSocketWrite<BufWriter<WriteHalf<'_>>>,
    mut receiver: broadcast::Receiver<Message>,
) -> Result<(), WebSocketError> {
    // Who is too far behind is closed.
    while let Ok(message) = receiver.recv().await {
        write(&mut socket, &message).await?;
        while let Ok(message) = receiver.try_recv() {
            write(&mut socket, &message).await?;
        }
        socket.flush().await?;
    }
    Ok(())
}

async fn write(
    socket: &mut WebSocketWrite<BufWriter<WriteHalf<'_>>>,
    message: &Message,
) -> Result<(), WebSocketError> {
    let payload = Payload::Borrowed(&message.payload);
    socket.write_frame(Frame::new(true, message.opcode, None, payload)).await
}
