//! Runs the real binary with nothing of this process's environment, and never longer than a bounded time.

use std::fmt;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

pub use super::files::file_with;
use super::layout::lay_out;
use super::masks::{mask_clock, mask_tries, tries_in};
use super::running::{Event, Running};
use super::{Authority, REQUEST, Server};

/// How long a run may take before it counts as hung.
const PATIENCE: Duration = Duration::from_secs(20);

/// One run of the binary, about to begin; the request is the usual one unless another is given.
#[must_use]
pub struct Step {
    command: Command,
    stdin: Vec<u8>,
    holds_stdin_open: bool,
    stdout: Stdio,
    stderr: Stdio,
    patience: Duration,
    signals: Vec<(String, Event)>,
    replacements: Vec<(String, String)>,
}

impl fmt::Debug for Step {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.command.fmt(formatter)
    }
}

/// A run with no arguments and an empty environment.
pub fn step() -> Step {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cancel-machine-action"));
    command.env_clear();
    // What fails for good is tried until the time limit.
    command.env("MDE_TIMEOUT", "4");
    Step {
        command,
        stdin: REQUEST.as_bytes().to_vec(),
        holds_stdin_open: false,
        stdout: Stdio::piped(),
        stderr: Stdio::piped(),
        patience: PATIENCE,
        signals: Vec::new(),
        replacements: Vec::new(),
    }
}

impl Step {
    /// Appends arguments.
    pub fn args<'a>(mut self, args: impl IntoIterator<Item = &'a str>) -> Self {
        self.command.args(args);
        self
    }

    /// Sets a variable.
    pub fn env(mut self, name: &str, value: impl AsRef<str>) -> Self {
        self.command.env(name, value.as_ref());
        self
    }

    /// Runs below limits of the shell: `-d 65536` is 64 MiB of data, `-v` of address space.
    pub fn limited(mut self, limits: &str) -> Self {
        let mut shell = Command::new("/bin/sh");
        let script = format!("ulimit {limits}; exec \"$0\" \"$@\"");
        shell.env_clear().args(["-c", &script]);
        shell
            .arg(self.command.get_program())
            .args(self.command.get_args());
        for (name, value) in self.command.get_envs() {
            shell.env(name, value.unwrap_or_default());
        }
        self.command = shell;
        self
    }

    /// Runs in `folder`.
    pub fn in_folder(mut self, folder: &Path) -> Self {
        self.command.current_dir(folder);
        self
    }

    /// What comes on stdin.
    pub fn stdin(mut self, text: impl AsRef<[u8]>) -> Self {
        self.stdin = text.as_ref().to_vec();
        self
    }

    /// stdin stays open after the request, as some engines leave it.
    pub fn holding_stdin_open(mut self) -> Self {
        self.holds_stdin_open = true;
        self
    }

    /// The run may take long.
    pub fn patiently(mut self) -> Self {
        self.patience = Duration::from_secs(150);
        self
    }

    /// The signal of that name is sent at `event`; those that come first are named first.
    pub fn signalling(
        mut self,
        signal: &str,
        event: impl Fn(&Running) -> bool + Send + 'static,
    ) -> Self {
        self.signals.push((signal.to_owned(), Box::new(event)));
        self
    }

    /// Runs, and sends the signal of that name at `event`.
    #[track_caller]
    pub fn run_until(
        self,
        signal: &str,
        event: impl Fn(&Running) -> bool + Send + 'static,
    ) -> Outcome {
        self.signalling(signal, event).run()
    }

    /// What stdout is connected to, instead of a pipe.
    pub fn stdout(mut self, stdout: impl Into<Stdio>) -> Self {
        self.stdout = stdout.into();
        self
    }

    /// What stderr is connected to, instead of a pipe.
    pub fn stderr(mut self, stderr: impl Into<Stdio>) -> Self {
        self.stderr = stderr.into();
        self
    }

    /// The API is `server`, whose certificates are trusted.
    pub fn api(self, server: &Server) -> Self {
        self.env("MDE_BASE_URL", server.url())
            .env("SSL_CERT_FILE", Authority::trusted().pem_path())
            .naming(server.host(), "{api}")
    }

    /// The API is `server`, and the token is given.
    pub fn api_with_token(self, server: &Server) -> Self {
        self.api(server).env("MDE_ACCESS_TOKEN", "a.given-token")
    }

    /// The sign-in service is `server`, and the application signs in with a secret.
    pub fn signing_in_at(self, server: &Server) -> Self {
        self.env("AZURE_AUTHORITY_HOST", server.url())
            .env("SSL_CERT_FILE", Authority::trusted().pem_path())
            .env("AZURE_TENANT_ID", "tenant.example")
            .env("AZURE_CLIENT_ID", "client-1")
            .env("AZURE_CLIENT_SECRET", "s3cret&=+/%")
            .naming(server.host(), "{sign-in}")
    }

    /// What varies from run to run stands by its name in the outcome.
    pub fn naming(mut self, varying: impl Into<String>, name: &str) -> Self {
        self.replacements.push((varying.into(), name.to_owned()));
        self
    }

    /// Starts it for a conversation: all its streams are pipes.
    pub fn start(mut self) -> Child {
        let streams = self.command.stdin(Stdio::piped()).stdout(self.stdout);
        streams
            .stderr(self.stderr)
            .spawn()
            .expect("the binary starts")
    }

    /// Runs to the end.
    #[track_caller]
    pub fn run(mut self) -> Outcome {
        let started = Instant::now();
        let mut child = self
            .command
            .stdin(Stdio::piped())
            .stdout(std::mem::replace(&mut self.stdout, Stdio::null()))
            .stderr(std::mem::replace(&mut self.stderr, Stdio::null()))
            .spawn()
            .expect("the binary starts");
        let mut stdin = child.stdin.take().expect("a pipe");
        let request = std::mem::take(&mut self.stdin);
        let holds_stdin_open = self.holds_stdin_open;
        let writer = thread::spawn(move || {
            // A step that has seen enough may be gone by now.
            let _ = stdin.write_all(&request);
            holds_stdin_open.then_some(stdin)
        });
        let running = Running {
            process: child.id(),
            stdout: Arc::default(),
        };
        let stdout = read_all(child.stdout.take(), &running.stdout);
        let stderr = read_all(child.stderr.take(), &Arc::default());
        let end = wait(&mut child, &running, self.patience, &self.signals);
        let took = started.elapsed();
        drop(writer.join());
        let stderr = stderr.join().expect("stderr is read");
        let tries = tries_in(&String::from_utf8_lossy(&stderr));
        let tries = tries.map(|tries| self.name(tries.into_bytes()));
        let stderr = self.name(stderr);
        let is_retry = |line: &&str| line.contains("attempt ") && line.contains("; retrying in ");
        let (retries, others): (Vec<&str>, Vec<&str>) = stderr.lines().partition(is_retry);
        Outcome {
            status: end.status.code(),
            stdout: self.name(stdout.join().expect("stdout is read")),
            stderr: others.iter().map(|line| format!("{line}\n")).collect(),
            retries: retries.iter().map(ToString::to_string).collect(),
            tries,
            took,
            stopped_within: end.stopped_within,
            peak_memory: end.peak_memory,
            worked: end.worked,
        }
    }

    fn name(&self, text: Vec<u8>) -> String {
        let text = String::from_utf8(text).expect("output is UTF-8");
        let replace =
            |text: String, (varying, name): &(String, String)| text.replace(varying, name);
        let text = self.replacements.iter().fold(text, replace);
        mask_tries(mask_clock(text))
    }
}

fn read_all(
    stream: Option<impl Read + Send + 'static>,
    so_far: &Arc<Mutex<Vec<u8>>>,
) -> thread::JoinHandle<Vec<u8>> {
    let so_far = Arc::clone(so_far);
    thread::spawn(move || {
        let mut buffer = [0; 65536];
        let mut stream = stream;
        while let Some(stream) = &mut stream {
            match stream.read(&mut buffer).expect("the pipe is readable") {
                0 => break,
                count => so_far.lock().unwrap().extend(&buffer[..count]),
            }
        }
        std::mem::take(&mut *so_far.lock().unwrap())
    })
}

/// How a process ended.
struct End {
    status: ExitStatus,
    stopped_within: Duration,
    peak_memory: u64,
    worked: Duration,
}

#[track_caller]
fn wait(
    child: &mut Child,
    running: &Running,
    patience: Duration,
    signals: &[(String, Event)],
) -> End {
    let started = Instant::now();
    let (mut peak_memory, mut worked) = (0, Duration::ZERO);
    let mut signalled = None;
    let mut signals = signals.iter().peekable();
    loop {
        // The last that is seen: before the binary is executed, it is the memory of these tests.
        peak_memory = Some(running.peak_memory())
            .filter(|it| *it > 0)
            .unwrap_or(peak_memory);
        worked = running.worked().max(worked);
        if let Some(status) = child.try_wait().expect("the child can be waited for") {
            let stopped_within = signalled.map_or(Duration::ZERO, |at: Instant| at.elapsed());
            return End {
                status,
                stopped_within,
                peak_memory,
                worked,
            };
        }
        if let Some((name, _)) = signals.next_if(|(_, has_come)| has_come(running)) {
            signalled.get_or_insert_with(Instant::now);
            let kill = format!("kill -{name} {}", running.process);
            let sent = Command::new("sh").args(["-c", &kill]).status();
            assert!(sent.expect("a shell").success());
        }
        if started.elapsed() > patience {
            child.kill().expect("the child can be ended");
            panic!("the step hung for {patience:?}");
        }
        #[expect(clippy::disallowed_methods, reason = "a test may wait")]
        thread::sleep(Duration::from_millis(2));
    }
}

/// How a run ended. Its `Display` is what snapshots hold.
#[derive(Debug)]
pub struct Outcome {
    /// The exit status; `None` if a signal ended it.
    pub status: Option<i32>,
    /// All of stdout.
    pub stdout: String,
    /// All of stderr, but for the lines about retries: how many there are is a matter of chance.
    pub stderr: String,
    /// The lines about retries.
    pub retries: Vec<String>,
    /// The sentence about the tries on stderr, which stands as `{tries}` in the others: as chance will have it.
    pub tries: Option<String>,
    /// How long it took.
    pub took: Duration,
    /// How long it took from the first signal on.
    pub stopped_within: Duration,
    /// The greatest resident memory that was seen, in KiB.
    pub peak_memory: u64,
    /// How long it was seen to work: whatever else this machine does.
    pub worked: Duration,
}

impl Outcome {
    /// The one JSON document on stdout's one line.
    #[track_caller]
    pub fn json(&self) -> Value {
        let line = self.stdout.strip_suffix('\n').expect("a line");
        assert!(!line.contains('\n'), "more than one line: {line}");
        serde_json::from_str(line).expect("JSON")
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let status = self
            .status
            .map_or("signal".to_owned(), |code| code.to_string());
        writeln!(formatter, "status: {status}")?;
        writeln!(formatter, "stdout: {}", lay_out(&self.stdout))?;
        write!(formatter, "stderr: {}", self.stderr.trim_end())
    }
}
