//! A body loses its compression (RFC 9110, section 8.4), which only a list asks for but a proxy may apply.

use std::io::{self, BufRead, BufReader, Cursor, Read};

use flate2::bufread::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use ureq::http::HeaderMap;
use ureq::http::header::CONTENT_ENCODING;

use crate::call::header_text::header_text;
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
    body: Vec<u8>,
    deadline: Deadline,
) -> io::Result<Vec<u8>> {
    if body.is_empty() || codings(headers).is_empty() {
        return Ok(body);
    }
    let coded = Timed {
        left: &body,
        deadline,
    };
    bounded(decoder(headers, coded)?)
}

/// Returns `body` without its compression, decoded as it is read. Fails if the compression is unknown; what it reads from
/// fails if it is damaged or cut short.
pub(super) fn decoder<'a>(
    headers: &HeaderMap,
    body: impl BufRead + 'a,
) -> io::Result<Box<dyn BufRead + 'a>> {
    let codings = codings(headers);
    if codings.len() > MAX_CODINGS {
        return Err(io::Error::other(
            "the body has more than two Content-Encodings",
        ));
    }
    let mut body: Box<dyn BufRead + 'a> = Box::new(body);
    // The coding that was applied last stands last.
    for coding in codings.iter().rev() {
        body = Box::new(BufReader::new(decoder_of(coding, body)?));
    }
    Ok(body)
}

/// Returns the names of the codings, in the order in which they were applied.
fn codings(headers: &HeaderMap) -> Vec<String> {
    let values = headers.get_all(CONTENT_ENCODING).iter().map(header_text);
    let values = values.collect::<Vec<_>>().join(",").to_ascii_lowercase();
    let codings = values.split(',').map(str::trim);
    let is_coding = |coding: &&str| !matches!(*coding, "" | "identity");
    codings.filter(is_coding).map(str::to_owned).collect()
}

fn decoder_of<'a>(coding: &str, body: Box<dyn BufRead + 'a>) -> io::Result<Box<dyn Read + 'a>> {
    match coding {
        "gzip" | "x-gzip" => Ok(Box::new(MultiGzDecoder::new(body))),
        "deflate" => Ok(Box::new(Inflate::new(body)?)),
        "br" | "zstd" | "compress" => Err(io::Error::other(format!(
            "the body has the unknown Content-Encoding {coding:?}"
        ))),
        // Any other is not shown: it may repeat what was sent, the token, too.
        _ => Err(io::Error::other("the body has an unknown Content-Encoding")),
    }
}

/// What has the first bytes of a body before the rest of it.
type Restored<R> = io::Chain<Cursor<Vec<u8>>, R>;

/// `deflate` is zlib's format by the standard, and bare deflate by a widespread mistake.
enum Inflate<R> {
    Zlib(ZlibDecoder<Restored<R>>),
    Bare(DeflateDecoder<Restored<R>>),
}

impl<R: BufRead> Inflate<R> {
    fn new(mut body: R) -> io::Result<Self> {
        let mut start = Vec::new();
        body.by_ref().take(2).read_to_end(&mut start)?;
        let is_zlib = matches!(start.as_slice(), [method, flags]
            if method & 0x0F == 8 && u16::from_be_bytes([*method, *flags]) % 31 == 0);
        let body = Cursor::new(start).chain(body);
        Ok(match is_zlib {
            true => Self::Zlib(ZlibDecoder::new(body)),
            false => Self::Bare(DeflateDecoder::new(body)),
        })
    }

    fn rest(&mut self) -> &mut Restored<R> {
        match self {
            Self::Zlib(decoder) => decoder.get_mut(),
            Self::Bare(decoder) => decoder.get_mut(),
        }
    }
}

impl<R: BufRead> Read for Inflate<R> {
    /// Refuses bytes behind the end of what was compressed: they would be lost unnoticed.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = match self {
            Self::Zlib(decoder) => decoder.read(buffer)?,
            Self::Bare(decoder) => decoder.read(buffer)?,
        };
        let is_end = count == 0 && !buffer.is_empty();
        match is_end && !self.rest().fill_buf()?.is_empty() {
            true => Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "more bytes follow the compressed body",
            )),
            false => Ok(count),
        }
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
