//! What a request is for: a WebSocket, a page, or the server's figures.
//!
//! Must not know: how either is answered.

use super::Refusal;
use super::request::{Method, Request};
use super::response::{Content, Status};

/// What a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// A WebSocket where everybody hears everybody.
    Broadcast,
    /// A WebSocket on `/echo`.
    Echo,
    /// A WebSocket on `/inspect`, which watches another one.
    Inspect,
    /// A page, or its head alone.
    Page(Content),
    /// The server's figures, on `/stats`.
    Stats(Content),
    /// What may be asked for.
    Options,
}

/// Routes a request. Whatever has a header of the WebSocket handshake is one, so that a wrong handshake
/// is told what is wrong with it rather than given a page.
///
/// # Errors
/// 405 for methods that nothing here takes, 501 for those that nobody knows (RFC 9110 §9.1).
pub fn route(request: &Request<'_>) -> Result<Route, Refusal> {
    let path = request.target.split('?').next().unwrap_or_default();
    if is_handshake(request) {
        return Ok(match path {
            "/echo" => Route::Echo,
            "/inspect" => Route::Inspect,
            _ => Route::Broadcast,
        });
    }
    match request.method {
        Method::Get | Method::Head if path == "/stats" => Ok(Route::Stats(request.method.content())),
        Method::Get | Method::Head => Ok(Route::Page(request.method.content())),
        Method::Options => Ok(Route::Options),
        Method::Other => Err(Refusal::new(Status::MethodNotAllowed, "pages take GET and HEAD")),
        Method::Unknown => Err(Refusal::new(Status::NotImplemented, "this method is not known here")),
    }
}

fn is_handshake(request: &Request<'_>) -> bool {
    request.headers.has_token("upgrade", "websocket")
        || ["sec-websocket-key", "sec-websocket-version", "sec-websocket-key1", "sec-websocket-key2"]
            .into_iter()
            .any(|name| request.headers.contains(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::request;

    #[test]
    fn routes() {
        let not_allowed = Err(Status::MethodNotAllowed);
        let rows = [
            ("GET / HTTP/1.1", "", Ok(Route::Page(Content::Sent))),
            ("HEAD /a HTTP/1.1", "", Ok(Route::Page(Content::Omitted))),
            ("GET / HTTP/1.1", "Upgrade: h2c\r\n", Ok(Route::Page(Content::Sent))),
            ("POST / HTTP/1.1", "", not_allowed),
            ("OPTIONS / HTTP/1.1", "", Ok(Route::Options)),
            ("BREW / HTTP/1.1", "", Err(Status::NotImplemented)),
            ("GET /any HTTP/1.1", "Upgrade: h2c, WebSocket\r\n", Ok(Route::Broadcast)),
            ("GET /echo?x HTTP/1.1", "Upgrade: websocket\r\n", Ok(Route::Echo)),
            ("GET /echo/ HTTP/1.1", "Upgrade: websocket\r\n", Ok(Route::Broadcast)),
            ("GET /inspect?trace=x HTTP/1.1", "Upgrade: websocket\r\n", Ok(Route::Inspect)),
            ("GET /inspect HTTP/1.1", "", Ok(Route::Page(Content::Sent))),
            ("GET /stats HTTP/1.1", "", Ok(Route::Stats(Content::Sent))),
            ("HEAD /stats?x HTTP/1.1", "", Ok(Route::Stats(Content::Omitted))),
            ("GET /stats/ HTTP/1.1", "", Ok(Route::Page(Content::Sent))),
            ("POST /stats HTTP/1.1", "", not_allowed),
            ("GET / HTTP/1.1", "Sec-WebSocket-Key: x\r\n", Ok(Route::Broadcast)),
            ("POST / HTTP/1.1", "Upgrade: websocket\r\n", Ok(Route::Broadcast)),
        ];
        for (line, headers, want) in rows {
            let wire = format!("{line}\r\nHost: h\r\n{headers}\r\n");
            let (request, _) = request::parse(wire.as_bytes()).expect("right").expect("complete");
            assert_eq!(route(&request).map_err(|refusal| refusal.status), want, "{line}, {headers}");
        }
    }
}
