//! The handshake, as short as it can be: what the servers that have none of their own answer with.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const NAME: &[u8] = b"sec-websocket-key:";

/// The response to a request whose head is complete, and how long the head is.
pub fn answer(input: &[u8]) -> Option<(Vec<u8>, usize)> {
    let end = input.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let key = input[..end].split(|&byte| byte == b'\n').find_map(|line| {
        let (name, value) = line.split_at_checked(NAME.len())?;
        name.eq_ignore_ascii_case(NAME).then(|| value.trim_ascii())
    })?;
    let mut sha = sha1_smol::Sha1::from(key);
    sha.update(GUID);
    let accept = STANDARD.encode(sha.digest().bytes());
    let response = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {accept}\r\n\r\n"
    );
    Some((response.into_bytes(), end))
}
