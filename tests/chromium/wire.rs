//! What the inspector works out and draws: its arithmetic against known answers, its diagram against the wire.

use crate::browser::Browser;
use crate::outside::server::Server;
use crate::page::{Page, literal};
use serde_json::{Value, json};

/// SHA-1 and base64 by hand, and the key of a handshake: known answers, at each length about the ends of blocks.
pub(crate) fn accept_key(server: Server, browser: &Browser) {
    let page = browser.open(&server.url("websocket.html"));
    for (text, want) in [
        ("", "da39a3ee5e6b4b0d3255bfef95601890afd80709"),
        ("abc", "a9993e364706816aba3e25717850c26c9cd0d89d"),
        (&*"a".repeat(55), "c1c8bbdc22796e28c0e15163d20899b65621d65a"),
        (&*"a".repeat(56), "c2db330f6083854c99d4b5bfb6e8f29f201be699"),
        (&*"a".repeat(63), "03f09f5b158a7a8cdad920bddc29b81c18a551f5"),
        (&*"a".repeat(64), "0098ba824b5c16427bd7a1122a5a442a25ec644d"),
        (&*"a".repeat(65), "11655326c708d70319be2610e8a57d9a5b959d3b"),
        (&*"a".repeat(119), "ee971065aaa017e0632a8ca6c77bb3bf8b1dfc56"),
        (&*"a".repeat(120), "f34c1488385346a55709ba056ddd08280dd4c6d6"),
        (&*"a".repeat(1000), "291e9a6c66994949b57ba5e650361e98fc36b1ba"),
    ] {
        let script = format!(
            "Promise.all([import('/accept.js'), import('/frame.js')]).then(([accept, frame]) =>
                frame.hexOf(accept.sha1(new TextEncoder().encode({})), ''))",
            literal(text)
        );
        assert_eq!(page.value(&script), want, "SHA-1 of {} bytes", text.len());
    }
    for (key, want) in [
        ("sN9cRrP/n9NdMgdcy2VJFQ==", "fFBooB7FAkLlXgRSz0BT3v4hq5s="),
        ("dGhlIHNhbXBsZSBub25jZQ==", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
    ] {
        let script =
            format!("import('/accept.js').then(({{ acceptSteps }}) => acceptSteps({}).accept)", literal(key));
        assert_eq!(page.value(&script), want, "the answer to {key}");
    }
    let wrong = page.value(
        "import('/accept.js').then(({ base64 }) => Array.from({ length: 60 }, (_, length) => {
            const bytes = crypto.getRandomValues(new Uint8Array(length));
            return base64(bytes) === btoa(String.fromCharCode(...bytes)) ? null : length;
        }).filter((length) => length !== null))",
    );
    assert_eq!(wrong, json!([]), "lengths whose base64 is not the browser's");
    assert_compares(&page);
}

/// An answer that is not the worked-out one is said to be none.
#[track_caller]
fn assert_compares(page: &Page<'_>) {
    page.value(
        "import('/handshake.js').then(({ createHandshake }) => {
            const root = document.createElement('div');
            const handshake = createHandshake(root);
            window.verdict = (key, response) => {
                handshake.show(`GET / HTTP/1.1\\r\\nSec-WebSocket-Key: ${key}\\r\\n\\r\\n`, response);
                return root.querySelector('.verdict').className;
            };
        })",
    );
    let key = "sN9cRrP/n9NdMgdcy2VJFQ==";
    for (response, want) in [
        ("HTTP/1.1 101 .\r\nsec-websocket-accept:fFBooB7FAkLlXgRSz0BT3v4hq5s=\r\n\r\n", "verdict equal"),
        ("HTTP/1.1 101 .\r\nSec-WebSocket-Accept: fFBooB7FAkLlXgRSz0BT3v4hq5S=\r\n\r\n", "verdict different"),
        ("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", "verdict"),
    ] {
        let shown = page.value(&format!("verdict({}, {})", literal(key), literal(response)));
        assert_eq!(shown, want, "{response}");
    }
}

/// A frame: its name, its bytes in hex, and what its fields say, in order.
type Row = (&'static str, String, &'static [(&'static str, u64, &'static str)]);

/// The examples of RFC 6455 §5.7, and what a peer may send that is none.
fn frames() -> [Row; 15] {
    let zeros = |count| "00".repeat(count);
    [
        (
            "unmasked text",
            "810548656c6c6f".into(),
            &[
                ("fin", 1, "1"),
                ("rsv1", 1, "0"),
                ("rsv2", 1, "0"),
                ("rsv3", 1, "0"),
                ("opcode", 4, "0x1"),
                ("mask", 1, "0"),
                ("length", 7, "5"),
                ("payload", 40, "48 65 6c 6c 6f"),
            ],
        ),
        (
            "masked text",
            "818537fa213d7f9f4d5158".into(),
            &[
                ("opcode", 4, "0x1"),
                ("mask", 1, "1"),
                ("length", 7, "5"),
                ("key", 32, "37 fa 21 3d"),
                ("payload", 40, "7f 9f 4d 51 58"),
            ],
        ),
        ("first fragment", "010348656c".into(), &[("fin", 1, "0"), ("opcode", 4, "0x1"), ("length", 7, "3")]),
        ("last fragment", "80026c6f".into(), &[("fin", 1, "1"), ("opcode", 4, "0x0"), ("length", 7, "2")]),
        ("ping", "890548656c6c6f".into(), &[("opcode", 4, "0x9"), ("payload", 40, "48 65 6c 6c 6f")]),
        ("pong", "8a8537fa213d7f9f4d5158".into(), &[("opcode", 4, "0xa"), ("key", 32, "37 fa 21 3d")]),
        (
            "256 bytes, the first 60 of them",
            format!("827e0100{}", zeros(60)),
            &[("opcode", 4, "0x2"), ("length", 7, "126"), ("length16", 16, "256")],
        ),
        (
            "64 KiB",
            format!("827f0000000000010000{}", zeros(54)),
            &[("length", 7, "127"), ("length64", 64, "65536")],
        ),
        (
            "64 KiB, masked",
            format!("82ff000000000001000037fa213d{}", zeros(50)),
            &[("mask", 1, "1"), ("length64", 64, "65536"), ("key", 32, "37 fa 21 3d")],
        ),
        (
            "the longest length there is",
            "827fffffffffffffffff".into(),
            &[("length64", 64, "18446744073709551615")],
        ),
        ("close", "880503e8627965".into(), &[("opcode", 4, "0x8"), ("payload", 40, "03 e8 62 79 65")]),
        (
            "all reserved bits",
            "f100".into(),
            &[("rsv1", 1, "1"), ("rsv2", 1, "1"), ("rsv3", 1, "1"), ("length", 7, "0")],
        ),
        ("reserved opcode", "83810102030405".into(), &[("opcode", 4, "0x3"), ("payload", 8, "05")]),
        ("nothing in it", "8180deadbeef".into(), &[("length", 7, "0"), ("key", 32, "de ad be ef")]),
        ("cut in its key", "818537fa".into(), &[("length", 7, "5")]),
    ]
}

/// The diagram's bits are those of the wire, each in its place under the ruler, and the table says what they mean.
pub(crate) fn diagram(server: Server, browser: &Browser) {
    let page = browser.open(&server.url("websocket.html"));
    page.value(
        "Promise.all([import('/diagram.js'), import('/frame.js')]).then(([{ createDiagram }, { readFrame }]) => {
            const root = document.createElement('div');
            document.body.append(root);
            const diagram = createDiagram(root);
            window.drawn = (wire) => {
                diagram.show(readFrame(wire));
                const segments = [...root.querySelectorAll('.segment')].map((segment) => ({
                    field: segment.dataset.field,
                    bits: segment.querySelector('.bits').textContent,
                    hex: segment.querySelector('.bytes')?.textContent ?? null,
                    first: (parseInt(segment.style.gridRow) - 2) * 32 + parseInt(segment.style.gridColumn) - 1,
                }));
                const rows = [...root.querySelectorAll('tbody tr')].map((row) => [row.dataset.field,
                    Number(row.cells[1].textContent), row.cells[2].textContent]);
                const ruler = [...root.querySelectorAll('.ruler')].map((mark) => mark.textContent);
                return { segments, rows, ruler };
            };
        })",
    );
    for (name, wire, want) in frames() {
        let drawn = page.value(&format!("drawn('{wire}')"));
        let mut bits = String::new();
        for segment in drawn["segments"].as_array().into_iter().flatten() {
            assert_eq!(segment["first"], bits.len(), "{name}: where a field's bits are, {segment}");
            let own = segment["bits"].as_str().unwrap_or_default();
            if let Some(hex) = segment["hex"].as_str() {
                assert_eq!(hex, &wire[bits.len() / 4..][..own.len() / 4], "{name}: {segment}");
            }
            bits.push_str(own);
        }
        assert_eq!(bits, bits_of(&wire), "{name}");

        let rows = drawn["rows"].as_array().expect("it is a list");
        for (id, count, value) in want {
            assert!(rows.contains(&json!([id, count, value])), "{name}: {id} {count} {value} in {rows:?}");
        }
        let ruler = drawn["ruler"].as_array().into_iter().flatten().enumerate();
        let is_right = |(bit, mark): (usize, &Value)| {
            *mark == if bit % 10 == 0 { format!("{}0", bit / 10) } else { (bit % 10).to_string() }
        };
        assert_eq!(ruler.filter(|mark| is_right(*mark)).count(), 32, "{name}: the ruler");
    }
}

fn bits_of(wire: &str) -> String {
    let digits = wire.chars().map(|digit| digit.to_digit(16).expect("it is hex"));
    digits.map(|digit| format!("{digit:04b}")).collect()
}
