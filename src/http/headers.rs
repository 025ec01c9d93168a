//! The header lines of a request (RFC 9110 §5): found by name, taken as lists or once.
//!
//! Must not know: what any of them means.

use super::Refusal;

/// One header line; the name as the client wrote it, the value without white space around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header<'a> {
    /// Compare it without case.
    pub name: &'a str,
    /// Any bytes but control characters.
    pub value: &'a [u8],
}

/// All header lines in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers<'a> {
    lines: Vec<Header<'a>>,
}

impl<'a> FromIterator<Header<'a>> for Headers<'a> {
    fn from_iter<I: IntoIterator<Item = Header<'a>>>(lines: I) -> Self {
        Self { lines: lines.into_iter().collect() }
    }
}

impl<'a> Headers<'a> {
    /// The header lines, in their order.
    pub fn iter(&self) -> impl Iterator<Item = &Header<'a>> {
        self.lines.iter()
    }

    /// Whether there is a line of this name.
    pub fn contains(&self, name: &str) -> bool {
        self.values(name).next().is_some()
    }

    /// The values of all header lines of one name.
    pub fn values(&self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        self.lines
            .iter()
            .filter(move |header| header.name.eq_ignore_ascii_case(name))
            .map(|header| header.value)
    }

    /// The value of a header that may be there once.
    ///
    /// # Errors
    /// When it is there twice.
    pub fn single(&self, name: &str) -> Result<Option<&'a [u8]>, Refusal> {
        let mut values = self.values(name);
        let first = values.next();
        match values.next() {
            Some(_) => Err(Refusal::bad("a header that may be there once is there twice")),
            None => Ok(first),
        }
    }

    /// The members of a list, over all header lines of one name (RFC 9110 §5.6.1).
    pub fn list(&self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        self.values(name)
            .flat_map(|value| value.split(|&byte| byte == b','))
            .map(<[u8]>::trim_ascii)
            .filter(|member| !member.is_empty())
    }

    /// Whether a token is a member of a list, without case.
    pub fn has_token(&self, name: &str, token: &str) -> bool {
        self.list(name).any(|member| member.eq_ignore_ascii_case(token.as_bytes()))
    }
}

/// Whether a text is a token: not empty, and of letters, digits and these (RFC 9110 §5.6.2).
pub fn is_token(text: &[u8]) -> bool {
    let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    !text.is_empty() && text.iter().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn found_by_name() {
        let lines = [("X", "1 , ,2"), ("y", "a"), ("x", "3"), ("Z", "")];
        let headers: Headers<'_> =
            lines.into_iter().map(|(name, value)| Header { name, value: value.as_bytes() }).collect();
        assert_eq!(headers.list("x").collect::<Vec<_>>(), [b"1", b"2", b"3"]);
        assert!(headers.has_token("Y", "A") && !headers.has_token("x", "4"));
        assert_eq!(headers.single("Y"), Ok(Some(&b"a"[..])));
        assert_eq!(headers.single("none"), Ok(None));
        assert!(headers.single("X").is_err(), "there twice");
        assert!(headers.contains("z") && headers.list("z").next().is_none(), "there, and empty");
    }
}
