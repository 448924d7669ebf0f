//! Tables: their rows are checked side by side.

use std::any::Any;
use std::fmt::{self, Debug, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::thread;

/// How many rows of a table are checked at once: they wait more than they work.
const AT_ONCE: usize = 6;

/// What `check` returns for each row, in their order. Fails with the beginning of each row that fails, and why it does:
/// that of a tuple is its name.
#[track_caller]
pub fn each<Row: Debug + Send, T: Send>(
    rows: impl IntoIterator<Item = Row>,
    check: impl Fn(Row) -> T + Sync,
) -> Vec<T> {
    let rows: Vec<Row> = rows.into_iter().collect();
    let mut results: Vec<Option<T>> = rows.iter().map(|_| None).collect();
    let work = Mutex::new(rows.into_iter().zip(&mut results));
    let failures = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let next = work.lock().unwrap().next();
                    let Some((row, result)) = next else { return };
                    let name = beginning(&row);
                    match catch_unwind(AssertUnwindSafe(|| check(row))) {
                        Ok(value) => *result = Some(value),
                        Err(panic) => {
                            let failure = format!("{name}: {}", reason(&*panic));
                            failures.lock().unwrap().push(failure);
                        }
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    assert!(
        failures.is_empty(),
        "{} rows fail:\n\n{}",
        failures.len(),
        failures.join("\n\n")
    );
    drop(work);
    results.into_iter().flatten().collect()
}

/// The first letters of its debug form, which may be long: no more of it is written.
fn beginning(row: &impl Debug) -> String {
    struct Short(String);
    impl Write for Short {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            self.0
                .extend(text.chars().take(100 - self.0.len().min(100)));
            match self.0.len() < 100 {
                true => Ok(()),
                false => Err(fmt::Error),
            }
        }
    }
    let mut short = Short(String::new());
    // It fails once there is enough of it.
    let _ = write!(short, "{row:?}");
    short.0
}

fn reason(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    let text = text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string));
    text.unwrap_or_else(|| "a panic without a text".to_owned())
}
