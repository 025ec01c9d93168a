//! What kind of file a name is: the media types of the web (RFC 9110 §8.3).
//!
//! Must not know: what is in the file.

/// The `Content-Type` of a file, by the ending of its name. What is not known is downloaded, not shown.
pub fn of(name: &str) -> &'static str {
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    let known =
        TYPES.iter().find(|(endings, _)| endings.iter().any(|known| known.eq_ignore_ascii_case(ending)));
    known.map_or("application/octet-stream", |(_, content_type)| content_type)
}

const TYPES: [(&[&str], &str); 47] = [
    (&["html", "htm"], "text/html; charset=utf-8"),
    (&["css"], "text/css; charset=utf-8"),
    (&["js", "mjs", "cjs"], "text/javascript; charset=utf-8"),
    (&["json", "map"], "application/json"),
    (&["jsonld"], "application/ld+json"),
    (&["webmanifest"], "application/manifest+json"),
    (&["wasm"], "application/wasm"),
    (&["txt", "log", "conf", "ini"], "text/plain; charset=utf-8"),
    (&["md"], "text/markdown; charset=utf-8"),
    (&["csv"], "text/csv; charset=utf-8"),
    (&["xml"], "text/xml; charset=utf-8"),
    (&["rss"], "application/rss+xml"),
    (&["atom"], "application/atom+xml"),
    (&["xhtml"], "application/xhtml+xml"),
    (&["ics"], "text/calendar; charset=utf-8"),
    (&["vtt"], "text/vtt; charset=utf-8"),
    (&["svg"], "image/svg+xml"),
    (&["png"], "image/png"),
    (&["jpg", "jpeg"], "image/jpeg"),
    (&["apng"], "image/apng"),
    (&["gif"], "image/gif"),
    (&["webp"], "image/webp"),
    (&["avif"], "image/avif"),
    (&["ico"], "image/x-icon"),
    (&["tif", "tiff"], "image/tiff"),
    (&["bmp"], "image/bmp"),
    (&["woff"], "font/woff"),
    (&["woff2"], "font/woff2"),
    (&["ttf"], "font/ttf"),
    (&["otf"], "font/otf"),
    (&["eot"], "application/vnd.ms-fontobject"),
    (&["mp4", "m4v"], "video/mp4"),
    (&["webm"], "video/webm"),
    (&["mov"], "video/quicktime"),
    (&["m3u8"], "application/vnd.apple.mpegurl"),
    (&["ogv"], "video/ogg"),
    (&["mp3"], "audio/mpeg"),
    (&["ogg", "oga", "opus"], "audio/ogg"),
    (&["flac"], "audio/flac"),
    (&["aac"], "audio/aac"),
    (&["wav"], "audio/wav"),
    (&["m4a"], "audio/mp4"),
    (&["pdf"], "application/pdf"),
    (&["zip"], "application/zip"),
    (&["tar"], "application/x-tar"),
    (&["zst"], "application/zstd"),
    (&["gz"], "application/gzip"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_the_last_ending_without_case() {
        for (name, want) in [
            ("index.HTML", "text/html; charset=utf-8"),
            ("a.min.mjs", "text/javascript; charset=utf-8"),
            ("a/b.d/c.svg", "image/svg+xml"),
            ("archive.tar.gz", "application/gzip"),
            ("README", "application/octet-stream"),
            ("a.", "application/octet-stream"),
        ] {
            assert_eq!(of(name), want, "{name}");
        }
    }
}
