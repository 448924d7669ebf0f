//! Tables: their rows are checked side by side.

use std::any::Any;
use std::fmt::Debug;
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
                    let name: String = format!("{row:?}").chars().take(100).collect();
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

fn reason(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    let text = text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string));
    text.unwrap_or_else(|| "a panic without a text".to_owned())
}
