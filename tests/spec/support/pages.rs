//! A service in clear that lists actions, a page for each call.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use super::{JSON, Outcome, Reply, Server, Step, listen, response, step};

/// A list, of whatever `args` say, from `server`.
pub fn list(server: &Server, args: &[&str]) -> Step {
    step()
        .args(["list"])
        .args(args.iter().copied())
        .api_with_token(server)
        .env("MDE_CALLS_PER_MINUTE", "0")
}

/// A page with `entities`, and a link to the next one.
pub fn page(entities: &str, link: Option<&str>) -> String {
    let link = link.map_or(String::new(), |link| {
        format!(r#","@odata.nextLink":"{link}""#)
    });
    format!(
        r#"{{"@odata.context":"https://x/$metadata#MachineActions","value":[{entities}]{link}}}"#
    )
}

/// The reply that a page is.
pub fn reply(page: impl AsRef<[u8]>) -> Reply {
    Reply::keeping_open(response("200 OK", &[JSON], page))
}

/// An open action.
pub fn action(id: &str) -> String {
    format!(r#"{{"id":"{id}","type":"Isolate","status":"Pending"}}"#)
}

/// The request lines that the server has received.
pub fn asked(server: &Server) -> Vec<String> {
    let first_line = |request: String| request.lines().next().unwrap().to_owned();
    server.received().into_iter().map(first_line).collect()
}

/// The ids of the actions on stdout.
pub fn ids(outcome: &Outcome) -> Vec<String> {
    let id = |line: &str| {
        let action: serde_json::Value = serde_json::from_str(line).unwrap();
        action["id"].as_str().unwrap_or("none").to_owned()
    };
    outcome.stdout.lines().map(id).collect()
}

/// A service whose pages are made as they are sent.
pub struct Pages {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Pages {
    /// For the call of each number, from 0, `send` writes the body.
    pub fn new(send: impl Fn(usize, &mut dyn Write) -> io::Result<()> + Send + 'static) -> Self {
        let listener = listen();
        let pages = Self {
            address: listener.local_addr().expect("an address"),
            asked: Arc::default(),
        };
        let asked = Arc::clone(&pages.asked);
        thread::spawn(move || {
            // One connection after the other: a list has no more.
            for stream in listener.incoming().flatten() {
                // A client that goes away ends its connection only.
                let _ = serve(&stream, &asked, &send);
            }
        });
        pages
    }

    /// Its URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How many pages were asked for.
    pub fn count(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}

fn serve(
    stream: &TcpStream,
    asked: &Mutex<Vec<String>>,
    send: &impl Fn(usize, &mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut lines = BufReader::new(stream).lines();
    while let Some(request) = lines.next() {
        asked.lock().unwrap().push(request?);
        for line in lines.by_ref() {
            if line?.is_empty() {
                break;
            }
        }
        let number = asked.lock().unwrap().len() - 1;
        let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
        (&*stream).write_all(head.as_bytes())?;
        let mut body = io::BufWriter::with_capacity(64 << 10, Chunked(stream));
        send(number, &mut body)?;
        body.flush()?;
        drop(body);
        (&*stream).write_all(b"0\r\n\r\n")?;
    }
    Ok(())
}

/// Frames each write as a chunk.
struct Chunked<'a>(&'a TcpStream);

impl Write for Chunked<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        write!(self.0, "{:x}\r\n", bytes.len())?;
        self.0.write_all(bytes)?;
        self.0.write_all(b"\r\n")?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
