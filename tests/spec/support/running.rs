//! What can be seen of a step from outside, for as long as it runs: the events at which a test acts.

use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

/// Whether what is waited for has come.
pub type Event = Box<dyn Fn(&Running) -> bool + Send>;

/// A process of the binary.
pub struct Running {
    pub process: u32,
    /// What it has written so far.
    pub stdout: Arc<Mutex<Vec<u8>>>,
}

impl Running {
    /// How many lines it has written.
    pub fn lines(&self) -> usize {
        let stdout = self.stdout.lock().unwrap();
        stdout.iter().filter(|byte| **byte == b'\n').count()
    }

    /// It would not be ended by the signal of that number, but handle it.
    pub fn catches(&self, signal: u32) -> bool {
        self.mask("SigCgt:") & (1 << (signal - 1)) != 0
    }

    /// The event that it has handled every signal that was sent, and the thread that attends to them has had a moment,
    /// which nothing shows.
    pub fn attends() -> impl Fn(&Self) -> bool + Send {
        let since = OnceLock::new();
        move |step: &Self| {
            step.mask("ShdPnd:") == 0
                && since.get_or_init(Instant::now).elapsed() > Duration::from_millis(200)
        }
    }

    /// The event that `event` has come a moment ago.
    pub fn soon_after(event: impl Fn(&Self) -> bool + Send) -> impl Fn(&Self) -> bool + Send {
        let since = OnceLock::new();
        move |step: &Self| {
            event(step) && since.get_or_init(Instant::now).elapsed() > Duration::from_millis(150)
        }
    }

    /// It has the lock of a token in `folder` open.
    pub fn uses_lock(&self, folder: &Path) -> bool {
        uses_lock(&self.process.to_string(), folder)
    }

    /// The greatest resident memory so far, as the kernel counts it, in KiB; 0 once the process is gone.
    pub fn peak_memory(&self) -> u64 {
        let number = self.note("VmHWM:");
        number
            .and_then(|number| number.parse().ok())
            .unwrap_or_default()
    }

    /// How long it has worked so far, in hundredths of a second as the kernel counts them.
    pub fn worked(&self) -> Duration {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.process)).unwrap_or_default();
        let (_, fields) = stat.rsplit_once(')').unwrap_or_default();
        let ticks = fields.split_whitespace().skip(11).take(2);
        let ticks: u64 = ticks.filter_map(|field| field.parse::<u64>().ok()).sum();
        Duration::from_millis(10 * ticks)
    }

    fn mask(&self, name: &str) -> u64 {
        let mask = self.note(name).unwrap_or_default();
        u64::from_str_radix(&mask, 16).unwrap_or_default()
    }

    /// What the kernel notes of it under `name`, without its unit.
    fn note(&self, name: &str) -> Option<String> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process)).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().next().map(str::to_owned)
    }
}

/// How many processes have the lock of a token in `folder` open.
pub fn users_of_locks(folder: &Path) -> usize {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let names = processes.filter_map(|process| process.file_name().into_string().ok());
    let numbers = names.filter(|name| name.parse::<u32>().is_ok());
    numbers.filter(|process| uses_lock(process, folder)).count()
}

fn uses_lock(process: &str, folder: &Path) -> bool {
    let files = fs::read_dir(format!("/proc/{process}/fd"));
    let mut files = files.into_iter().flatten().flatten();
    let is_lock =
        |path: &Path| path.starts_with(folder) && path.extension().is_some_and(|it| it == "lock");
    files.any(|file| fs::read_link(file.path()).is_ok_and(|path| is_lock(&path)))
}
