//! A body loses its compression (RFC 9110, section 8.4), which nobody asked for but a proxy may apply.

use std::io::{self, BufRead, Read};

use flate2::bufread::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use ureq::http::HeaderMap;
use ureq::http::header::CONTENT_ENCODING;

use crate::call::received::value_text;
use crate::waiting::deadline::Deadline;

/// The greatest body of an answer, in bytes, both on the wire and decoded.
pub(crate) const MAX_BODY: usize = 10 << 20;

/// How many codings a body may have one over the other; each may blow it up anew.
const MAX_CODINGS: usize = 2;

/// How much is decoded before the clock is looked at, in bytes: a few may take long and bring nothing.
const CHUNK: usize = 4 << 10;

/// Returns the decoded `body`. Fails if the compression is unknown, damaged, cut short, hides more than [`MAX_BODY`]
/// bytes, or takes longer than the deadline allows.
pub(super) fn decode(
    headers: &HeaderMap,
    mut body: Vec<u8>,
    deadline: Deadline,
) -> io::Result<Vec<u8>> {
    if body.is_empty() {
        return Ok(body);
    }
    let codings = codings(headers);
    if codings.len() > MAX_CODINGS {
        return Err(io::Error::other(
            "the body has more than two Content-Encodings",
        ));
    }
    // The coding that was applied last stands last.
    for coding in codings.iter().rev() {
        let coded = Timed {
            left: &body,
            deadline,
        };
        body = decode_once(coded, coding)?;
    }
    Ok(body)
}

/// Returns the names of the codings, in the order in which they were applied.
fn codings(headers: &HeaderMap) -> Vec<String> {
    let values = headers.get_all(CONTENT_ENCODING).iter().map(value_text);
    let values = values.collect::<Vec<_>>().join(",").to_ascii_lowercase();
    let codings = values.split(',').map(str::trim);
    let is_coding = |coding: &&str| !matches!(*coding, "" | "identity");
    codings.filter(is_coding).map(str::to_owned).collect()
}

fn decode_once(body: Timed<'_>, coding: &str) -> io::Result<Vec<u8>> {
    match coding {
        "gzip" | "x-gzip" => bounded(MultiGzDecoder::new(body)),
        "deflate" => inflate(body),
        "br" | "zstd" | "compress" => Err(io::Error::other(format!(
            "the body has the unknown Content-Encoding {coding:?}"
        ))),
        // Any other is not shown: it may repeat what was sent, the token, too.
        _ => Err(io::Error::other("the body has an unknown Content-Encoding")),
    }
}

/// `deflate` is zlib's format by the standard, and bare deflate by a widespread mistake.
fn inflate(body: Timed<'_>) -> io::Result<Vec<u8>> {
    match body.left {
        [method, flags, ..]
            if method & 0x0F == 8 && u16::from_be_bytes([*method, *flags]) % 31 == 0 =>
        {
            let mut decoder = ZlibDecoder::new(body);
            whole(bounded(&mut decoder)?, decoder.into_inner())
        }
        _ => {
            let mut decoder = DeflateDecoder::new(body);
            whole(bounded(&mut decoder)?, decoder.into_inner())
        }
    }
}

/// Refuses bytes behind the end of what was compressed: they would be lost unnoticed.
fn whole(decoded: Vec<u8>, rest: Timed<'_>) -> io::Result<Vec<u8>> {
    match rest.left {
        [] => Ok(decoded),
        _ => Err(io::Error::other("more bytes follow the compressed body")),
    }
}

fn bounded(decoder: impl Read) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    decoder.take(MAX_BODY as u64 + 1).read_to_end(&mut body)?;
    if body.len() > MAX_BODY {
        return Err(io::Error::other(format!(
            "the decoded body has more than {MAX_BODY} bytes"
        )));
    }
    Ok(body)
}

/// Bytes that are handed out until a deadline. A decoder may take millions of blocks that hold nothing before it returns.
struct Timed<'a> {
    left: &'a [u8],
    deadline: Deadline,
}

impl Read for Timed<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.fill_buf()?.read(buffer)?;
        self.consume(count);
        Ok(count)
    }
}

impl BufRead for Timed<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.deadline.remaining().is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        Ok(self.left.get(..CHUNK).unwrap_or(self.left))
    }

    fn consume(&mut self, count: usize) {
        self.left = self.left.get(count..).unwrap_or_default();
    }
}
