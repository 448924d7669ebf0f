//! A client of the Model Context Protocol, as bare as can be: it writes lines and reads lines.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, Command};
use std::sync::mpsc::{self, Receiver};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::running::{Event, Running};
use super::{JSON, Reply, Step, response, step};

/// How long anything may take before it counts as hung.
const PATIENCE: Duration = Duration::from_secs(20);

/// A server for agents, about to begin.
pub fn server() -> Step {
    step().args(["mcp"])
}

/// The id of one of many actions.
pub fn id(number: u32) -> String {
    format!("11111111-0000-0000-0000-{number:012}")
}

/// The answer of a service that has cancelled the first of them.
pub fn entity() -> Vec<u8> {
    let entity = json!({"id": id(1), "type": "Isolate", "status": "Cancelled"});
    response("200 OK", &[JSON], entity.to_string())
}

/// The same, late.
pub fn slow() -> Reply {
    let pause = Duration::from_millis(700);
    Reply::bytes("").pausing(pause).then(entity())
}

/// A conversation with a server.
pub struct Client {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
    stderr: Option<JoinHandle<String>>,
}

/// How a server ended.
#[derive(Debug)]
pub struct Ended {
    pub status: Option<i32>,
    /// What it said that nobody had heard.
    pub rest: Vec<Value>,
    pub stderr: String,
    /// How long the end took.
    pub took: Duration,
}

impl Client {
    /// Starts `server`; nothing was said yet.
    pub fn of(server: Step) -> Self {
        let mut client = Self::deaf(server);
        let stdout = client.child.stdout.take().unwrap();
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines() {
                if sender.send(line.expect("stdout is UTF-8")).is_err() {
                    return;
                }
            }
        });
        client.lines = lines;
        client
    }

    /// Starts `server`; what it says is not read before its end.
    pub fn deaf(server: Step) -> Self {
        let mut child = server.start();
        let mut stderr = child.stderr.take().unwrap();
        let stderr = thread::spawn(move || {
            let mut text = String::new();
            stderr.read_to_string(&mut text).expect("stderr is UTF-8");
            text
        });
        Self {
            stdin: child.stdin.take(),
            child,
            lines: mpsc::channel().1,
            stderr: Some(stderr),
        }
    }

    /// Closes the stdout of the server.
    pub fn close_stdout(&mut self) {
        drop(self.child.stdout.take());
    }

    /// Starts `server`, and shakes hands as until 2025-11-25.
    pub fn legacy(server: Step) -> Self {
        let mut client = Self::of(server);
        let params = json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}});
        client.request(0, "initialize", params);
        assert_eq!(client.hear()["id"], 0);
        client.say(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#);
        client
    }

    /// Writes a line.
    pub fn say(&mut self, line: impl AsRef<[u8]>) {
        let stdin = self.stdin.as_mut().expect("stdin is open");
        let line = [line.as_ref(), b"\n"].concat();
        stdin.write_all(&line).expect("the server reads");
    }

    /// Writes a request.
    pub fn request(&mut self, id: impl Into<Value>, method: &str, params: Value) {
        let request =
            json!({"jsonrpc": "2.0", "id": id.into(), "method": method, "params": params});
        self.say(request.to_string());
    }

    /// Writes a call of a tool.
    pub fn call(&mut self, id: impl Into<Value>, tool: &str, arguments: Value) {
        let params = json!({"name": tool, "arguments": arguments});
        self.request(id, "tools/call", params);
    }

    /// Writes a cancel of the action.
    pub fn cancel(&mut self, id: impl Into<Value>, action: &str) {
        self.call(id, "cancel_machine_action", arguments(action));
    }

    /// Says that the answer to a request is not wanted any more.
    pub fn give_up(&mut self, id: impl Into<Value>) {
        let params = json!({"requestId": id.into(), "reason": "not wanted\n\u{202e}"});
        let gives_up =
            json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": params});
        self.say(gives_up.to_string());
    }

    /// Reads the next line.
    #[track_caller]
    pub fn hear(&self) -> Value {
        let line = self.lines.recv_timeout(PATIENCE);
        serde_json::from_str(&line.expect("the server says something")).expect("a line is JSON")
    }

    /// Waits until `event` has come.
    #[track_caller]
    pub fn until(&self, event: impl Fn(&Running) -> bool + Send + 'static) {
        let running = Running {
            process: self.child.id(),
            stdout: std::sync::Arc::default(),
        };
        let event: Event = Box::new(event);
        let begun = Instant::now();
        while !event(&running) {
            assert!(begun.elapsed() < PATIENCE, "the event does not come");
            #[expect(clippy::disallowed_methods, reason = "a test may wait")]
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// Sends the signal of that name, and waits for the end.
    #[track_caller]
    pub fn signal(mut self, name: &str) -> Ended {
        let kill = format!("kill -{name} {}", self.child.id());
        let sent = Command::new("sh").args(["-c", &kill]).status();
        assert!(sent.expect("a shell").success());
        self.ended()
    }

    /// Ends the input, and waits for the end.
    #[track_caller]
    pub fn end(mut self) -> Ended {
        self.stdin = None;
        self.ended()
    }

    #[track_caller]
    fn ended(&mut self) -> Ended {
        let begun = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("the child can be waited for") {
                break status;
            }
            assert!(begun.elapsed() < PATIENCE, "the server does not end");
            #[expect(clippy::disallowed_methods, reason = "a test may wait")]
            thread::sleep(Duration::from_millis(2));
        };
        let took = begun.elapsed();
        let rest = self.lines.iter();
        let rest = rest.map(|line| serde_json::from_str(&line).expect("a line is JSON"));
        Ended {
            status: status.code(),
            rest: rest.collect(),
            stderr: self.stderr.take().unwrap().join().expect("stderr is read"),
            took,
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The arguments that cancel the action.
pub fn arguments(action: &str) -> Value {
    json!({"path_parameters": {"machineactionid": action}, "json_body": {"Comment": "not needed"}})
}

/// The same request as since 2026-07-28, without a handshake.
pub fn modern(id: impl Into<Value>, method: &str, mut params: Value) -> String {
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    json!({"jsonrpc": "2.0", "id": id.into(), "method": method, "params": params}).to_string()
}

/// The document that a call's text carries.
#[track_caller]
pub fn document(answer: &Value) -> Value {
    let text = answer["result"]["content"][0]["text"].as_str();
    serde_json::from_str(text.unwrap_or_else(|| panic!("no text: {answer}"))).expect("JSON")
}
