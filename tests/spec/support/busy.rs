//! An API in clear that takes thousands of calls, and notes the id of each.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use super::listen;
use super::running::Running;

/// A server that is up until the tests end.
pub struct Busy {
    address: SocketAddr,
    notes: Arc<Mutex<Notes>>,
}

#[derive(Default)]
struct Notes {
    connections: usize,
    refused: usize,
    /// The id of each call.
    ids: Vec<String>,
    /// The id of each call that was answered with 200.
    answered: Vec<String>,
}

/// What is answered to the call of a number, from 1; nothing closes the connection.
type Answer = Box<dyn FnMut(usize) -> &'static str + Send>;

impl Busy {
    /// The answer of a service that has cancelled.
    pub const OK: &str = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 22\r\n\r\n{\"status\":\"Cancelled\"}";

    /// A server that gives `answer` to each call.
    pub fn new(answer: impl FnMut(usize) -> &'static str + Send + 'static) -> Self {
        let listener = listen();
        let address = listener.local_addr().expect("an address");
        let notes = Arc::new(Mutex::new(Notes::default()));
        let server = Self {
            address,
            notes: Arc::clone(&notes),
        };
        thread::spawn(move || {
            let mut answer: Answer = Box::new(answer);
            // One connection after the other: a batch has no more.
            for stream in listener.incoming().flatten() {
                notes.lock().unwrap().connections += 1;
                // A client that goes away ends its connection only.
                let _ = serve(stream, &notes, &mut answer);
            }
        });
        server
    }

    /// A server that takes its time.
    pub fn slow(pause: Duration) -> Self {
        Self::new(move |_| {
            #[expect(clippy::disallowed_methods, reason = "a test may wait")]
            thread::sleep(pause);
            Self::OK
        })
    }

    /// A server that refuses more than `limit` calls in any `window`.
    pub fn limiting(limit: usize, window: Duration) -> Self {
        let mut last: VecDeque<Instant> = VecDeque::new();
        Self::new(move |_| {
            let now = Instant::now();
            while last.front().is_some_and(|call| now - *call >= window) {
                last.pop_front();
            }
            if last.len() >= limit {
                return "HTTP/1.1 429 x\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n";
            }
            last.push_back(now);
            Self::OK
        })
    }

    /// Its URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The event that so many calls have come.
    pub fn heard(&self, count: usize) -> impl Fn(&Running) -> bool + Send + use<> {
        let notes = Arc::clone(&self.notes);
        move |_| notes.lock().unwrap().ids.len() >= count
    }

    /// How many connections were opened.
    pub fn connections(&self) -> usize {
        self.notes.lock().unwrap().connections
    }

    /// How many calls were answered with 429.
    pub fn refused(&self) -> usize {
        self.notes.lock().unwrap().refused
    }

    /// The id of each call, in their order.
    pub fn ids(&self) -> Vec<String> {
        self.notes.lock().unwrap().ids.clone()
    }

    /// The id of each call that was answered with 200, in their order.
    pub fn answered(&self) -> Vec<String> {
        self.notes.lock().unwrap().answered.clone()
    }
}

fn serve(mut stream: TcpStream, notes: &Mutex<Notes>, answer: &mut Answer) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let count = stream.read(&mut buffer)?;
        if count == 0 {
            return Ok(());
        }
        bytes.extend_from_slice(&buffer[..count]);
        let text = String::from_utf8_lossy(&bytes);
        // Every request of these tests has the same body.
        if !text.ends_with("\r\n\r\n{}") {
            continue;
        }
        let id = text.split('/').nth(3).expect("an id").to_owned();
        bytes.clear();
        let number = {
            let mut notes = notes.lock().unwrap();
            notes.ids.push(id.clone());
            notes.ids.len()
        };
        let reply = answer(number);
        {
            let mut notes = notes.lock().unwrap();
            notes.refused += usize::from(reply.starts_with("HTTP/1.1 429"));
            if reply == Busy::OK {
                notes.answered.push(id);
            }
        }
        if reply.is_empty() {
            return Ok(());
        }
        stream.write_all(reply.as_bytes())?;
    }
}
