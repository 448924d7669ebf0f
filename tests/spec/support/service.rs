//! An API in clear that has actions: each is cancelled some time after its cancel was carried out.

use std::collections::{BTreeMap, VecDeque};
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use super::{Step, listen};

/// What becomes of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is carried out and answered.
    Answered,
    /// It is not carried out, but answered with 429, and so many seconds to wait.
    Throttled(u64),
    /// It is not carried out, but answered with 503.
    Failed,
    /// It is carried out, and the connection is closed without an answer.
    Dropped,
}

/// A call that has come.
#[derive(Clone, Debug)]
pub struct Call {
    pub at: Instant,
    pub is_cancel: bool,
    pub id: String,
    pub fate: Fate,
}

/// What becomes of the call of a number, from 1; as it came, it is answered.
type Fates = Box<dyn FnMut(usize, &Call) -> Fate + Send>;
type Ends = Box<dyn Fn(usize) -> Option<Duration> + Send>;

/// A service that is up until the tests end.
pub struct Service {
    address: SocketAddr,
    calls: Arc<Mutex<Vec<Call>>>,
}

struct Actions {
    /// How long after its cancel the action of that number is cancelled; never, if there is no time.
    ends: Ends,
    fates: Fates,
    cancelled: BTreeMap<String, Instant>,
    calls: Arc<Mutex<Vec<Call>>>,
}

impl Service {
    /// A service whose action of a number is cancelled so long after its cancel.
    pub fn ending(ends: impl Fn(usize) -> Option<Duration> + Send + 'static) -> Self {
        Self::with(ends, |_, _| Fate::Answered)
    }

    /// The same, but the call of a number, from 1, has that fate.
    pub fn with(
        ends: impl Fn(usize) -> Option<Duration> + Send + 'static,
        fates: impl FnMut(usize, &Call) -> Fate + Send + 'static,
    ) -> Self {
        let listener = listen();
        let address = listener.local_addr().expect("an address");
        let calls = Arc::<Mutex<Vec<Call>>>::default();
        let mut actions = Actions {
            ends: Box::new(ends),
            fates: Box::new(fates),
            cancelled: BTreeMap::new(),
            calls: Arc::clone(&calls),
        };
        thread::spawn(move || {
            // One connection after the other: a batch has no more.
            for stream in listener.incoming().flatten() {
                // A client that goes away ends its connection only.
                let _ = serve(stream, &mut actions);
            }
        });
        Self { address, calls }
    }

    /// What becomes of the calls if no more than `limit` are answered in any `window`.
    pub fn limit(limit: usize, window: Duration) -> impl FnMut(usize, &Call) -> Fate + Send {
        let mut last: VecDeque<Instant> = VecDeque::new();
        move |_, _| {
            let now = Instant::now();
            while last.front().is_some_and(|call| now - *call >= window) {
                last.pop_front();
            }
            if last.len() >= limit {
                return Fate::Throttled(1);
            }
            last.push_back(now);
            Fate::Answered
        }
    }

    /// A run that calls it.
    pub fn called_by(&self, step: Step) -> Step {
        let url = format!("http://{}", self.address);
        step.env("MDE_BASE_URL", url).env("MDE_ACCESS_TOKEN", "x")
    }

    /// Every call so far.
    pub fn calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap().clone()
    }
}

impl Actions {
    /// The whole answer; nothing closes the connection.
    fn answer(&mut self, is_cancel: bool, id: &str) -> String {
        let now = Instant::now();
        let mut call = Call {
            at: now,
            is_cancel,
            id: id.to_owned(),
            fate: Fate::Answered,
        };
        let number = self.calls.lock().unwrap().len() + 1;
        let fate = (self.fates)(number, &call);
        call.fate = fate;
        self.calls.lock().unwrap().push(call);
        if is_cancel && matches!(fate, Fate::Answered | Fate::Dropped) {
            self.cancelled.entry(id.to_owned()).or_insert(now);
        }
        match fate {
            Fate::Answered => self.action(id, now),
            Fate::Dropped => String::new(),
            Fate::Failed => "HTTP/1.1 503 x\r\nContent-Length: 0\r\n\r\n".to_owned(),
            Fate::Throttled(seconds) => {
                format!("HTTP/1.1 429 x\r\nRetry-After: {seconds}\r\nContent-Length: 0\r\n\r\n")
            }
        }
    }

    fn action(&self, id: &str, now: Instant) -> String {
        let number = id.rsplit('-').next().and_then(|digits| digits.parse().ok());
        let end = (self.ends)(number.unwrap_or_default());
        let ended = self.cancelled.get(id).zip(end);
        let status = match ended {
            Some((cancelled, end)) if now - *cancelled >= end => "Cancelled",
            _ => "Pending",
        };
        let body = format!(r#"{{"id":"{id}","type":"Isolate","status":"{status}","commands":[]}}"#);
        let length = body.len();
        format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        )
    }
}

fn serve(mut stream: TcpStream, actions: &mut Actions) -> io::Result<()> {
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
        let is_cancel = text.starts_with("POST ");
        // Every cancel of these tests has the same body.
        if !text.ends_with(if is_cancel { "\r\n\r\n{}" } else { "\r\n\r\n" }) {
            continue;
        }
        let path = text.split(' ').nth(1).expect("a path");
        let id = path.split('/').nth(3).expect("an id").to_owned();
        bytes.clear();
        let answer = actions.answer(is_cancel, &id);
        if answer.is_empty() {
            return Ok(());
        }
        stream.write_all(answer.as_bytes())?;
    }
}
