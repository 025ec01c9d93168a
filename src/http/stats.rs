//! The server's figures as JSON, for pages that show how many hear them.
//!
//! Must not know: where the figures come from.

/// So many receivers hear what is broadcast, of so many connections.
pub fn json(receivers: usize, connections: usize) -> String {
    format!("{{\"receivers\":{receivers},\"connections\":{connections}}}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_an_object() {
        assert_eq!(json(2, 3), r#"{"receivers":2,"connections":3}"#);
    }
}
