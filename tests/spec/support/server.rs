//! A scripted server on a free port: sends any bytes at any pace, over TLS or in clear, and says what it received.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::json;

use super::certificates::Leaf;
use super::reply::{Act, JSON, Reply, response};
use super::running::Running;
use super::{Authority, listen};

/// How long a connection may idle; longer than any test's time limit.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A server that is up until it is dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    scheme: &'static str,
    state: Arc<State>,
}

#[derive(Debug, Default)]
struct State {
    replies: Mutex<VecDeque<Reply>>,
    received: Mutex<Vec<String>>,
    is_over: Mutex<bool>,
    connections: Mutex<usize>,
    address: Mutex<Option<SocketAddr>>,
}

impl State {
    /// The next reply; the last one answers all further requests.
    fn next_reply(&self) -> Option<Reply> {
        let mut replies = self.replies.lock().unwrap();
        match replies.len() {
            0 | 1 => replies.front().cloned(),
            _ => replies.pop_front(),
        }
    }

    fn wait_for(&self, requests: usize) {
        let begun = Instant::now();
        while self.received.lock().unwrap().len() < requests && begun.elapsed() < PATIENCE {
            #[expect(clippy::disallowed_methods, reason = "a test may wait")]
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// Closes the listener, and waits until it is closed.
    fn close(&self) {
        *self.is_over.lock().unwrap() = true;
        let address = *self.address.lock().unwrap();
        // Each connection wakes the listener, so that it sees that it is over.
        while address.is_some_and(|address| TcpStream::connect(address).is_ok()) {}
    }
}

impl Server {
    /// In clear.
    pub fn plain(replies: impl IntoIterator<Item = Reply>) -> Self {
        Self::start(None, replies)
    }

    /// Over TLS, with a certificate that steps are told to trust.
    pub fn tls(replies: impl IntoIterator<Item = Reply>) -> Self {
        Self::start(
            Some(Authority::trusted().server_config(Leaf::Good)),
            replies,
        )
    }

    /// Over TLS, with any certificate.
    pub fn with_config(
        config: Arc<ServerConfig>,
        replies: impl IntoIterator<Item = Reply>,
    ) -> Self {
        Self::start(Some(config), replies)
    }

    /// A sign-in service that grants each of `tokens` once, for `expires_in` seconds.
    pub fn granting(tokens: &[&str], expires_in: u64) -> Self {
        Self::tls(tokens.iter().map(|token| {
            let grant =
                json!({"token_type": "Bearer", "expires_in": expires_in, "access_token": token});
            Reply::bytes(response("200 OK", &[JSON], grant.to_string()))
        }))
    }

    /// An API that answers with each of `statuses` once.
    pub fn answering(statuses: &[&str]) -> Self {
        let reply = |status: &&str| Reply::bytes(response(status, &[JSON], "{}"));
        Self::tls(statuses.iter().map(reply))
    }

    fn start(config: Option<Arc<ServerConfig>>, replies: impl IntoIterator<Item = Reply>) -> Self {
        let listener = listen();
        let server = Self {
            address: listener.local_addr().expect("an address"),
            scheme: if config.is_some() { "https" } else { "http" },
            state: Arc::new(State {
                replies: Mutex::new(replies.into_iter().collect()),
                ..State::default()
            }),
        };
        *server.state.address.lock().unwrap() = Some(server.address);
        let state = Arc::clone(&server.state);
        thread::spawn(move || {
            for stream in listener.incoming() {
                if *state.is_over.lock().unwrap() {
                    return;
                }
                let (state, config) = (Arc::clone(&state), config.clone());
                *state.connections.lock().unwrap() += 1;
                // A client that goes away ends its connection, not the server.
                thread::spawn(move || serve(&state, config, stream?));
            }
        });
        server
    }

    /// Its URL.
    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.address)
    }

    /// Its address and port.
    pub fn host(&self) -> String {
        self.address.to_string()
    }

    /// Every request so far, as it came over the wire, with the port by its name.
    pub fn received(&self) -> Vec<String> {
        let received = self.state.received.lock().unwrap();
        let name = |request: &String| request.replace(&self.host(), "{host}");
        received.iter().map(name).collect()
    }

    /// The event that so many requests have come.
    pub fn heard(&self, count: usize) -> impl Fn(&Running) -> bool + Send + use<> {
        let state = Arc::clone(&self.state);
        move |_| state.received.lock().unwrap().len() >= count
    }

    /// The event that so many connections were opened.
    pub fn reached(&self, count: usize) -> impl Fn(&Running) -> bool + Send + use<> {
        let state = Arc::clone(&self.state);
        move |_| *state.connections.lock().unwrap() >= count
    }

    /// How many connections were opened.
    pub fn connections(&self) -> usize {
        *self.state.connections.lock().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.state.close();
    }
}

fn serve(state: &State, config: Option<Arc<ServerConfig>>, stream: TcpStream) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut stream = match config {
        None => Stream::Plain(stream),
        Some(config) => {
            let connection = ServerConnection::new(config).map_err(io::Error::other)?;
            Stream::Tls(Box::new(StreamOwned::new(connection, stream)))
        }
    };
    loop {
        let is_unasked = |reply: &Reply| !reply.reads_request;
        if !state
            .replies
            .lock()
            .unwrap()
            .front()
            .is_some_and(is_unasked)
        {
            let Some(request) = read_request(&mut stream)? else {
                return Ok(());
            };
            state.received.lock().unwrap().push(request);
        }
        let reply = state.next_reply();
        let reply = reply.unwrap_or_else(|| Reply::bytes(response("599 Unscripted", &[], "")));
        if reply.closes_server {
            state.close();
        }
        for act in &reply.acts {
            match act {
                Act::Send(bytes) => stream.write_all(bytes).and_then(|()| stream.flush())?,
                #[expect(clippy::disallowed_methods, reason = "a test may wait")]
                Act::Pause(pause) => thread::sleep(*pause),
                Act::Await(requests) => state.wait_for(*requests),
                Act::BreakOff => return stream.socket().shutdown(Shutdown::Both),
            }
        }
        if !reply.keeps_open {
            return stream.close();
        }
    }
}

/// A whole request, its body framed by its length; `None` at the end of the connection.
fn read_request(stream: &mut Stream) -> io::Result<Option<String>> {
    let mut bytes = Vec::new();
    let mut byte = [0];
    while !bytes.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte)? == 0 {
            return Ok(None);
        }
        bytes.extend(byte);
    }
    let head = String::from_utf8_lossy(&bytes).to_ascii_lowercase();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.map_or(0, |length| length.parse().expect("a length"))];
    stream.read_exact(&mut body)?;
    bytes.extend(body);
    Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
}

enum Stream {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ServerConnection, TcpStream>>),
}

impl Stream {
    fn socket(&self) -> &TcpStream {
        match self {
            Self::Plain(stream) => stream,
            Self::Tls(stream) => &stream.sock,
        }
    }

    /// Closes as a server should, so that nothing that was sent is lost.
    fn close(mut self) -> io::Result<()> {
        if let Self::Tls(stream) = &mut self {
            stream.conn.send_close_notify();
            stream.flush()?;
        }
        self.socket().shutdown(Shutdown::Write)?;
        io::copy(&mut self.socket(), &mut io::sink()).map(drop)
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.read(buffer),
            Self::Tls(stream) => stream.read(buffer),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.write(bytes),
            Self::Tls(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(stream) => stream.flush(),
            Self::Tls(stream) => stream.flush(),
        }
    }
}
