//! Whether and when to try again.

use std::time::Duration;

use ring::rand::{SecureRandom, SystemRandom};

use crate::call::Call;
use crate::call::received::{self, Received};
use crate::output::failure::{Failure, FailureCode};

/// The longest pause that is not asked for, before the second try; it doubles from try to try.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// Returns how long to wait before the next try of `call`, after its `tries`-th ended in `outcome`; `None` if that stands.
/// A service that asks for more than `longest` is not asked again.
///
/// A cancel may be repeated: it names one action by its id, and cancelling that twice cancels nothing else. So a lost
/// answer is asked for again. This holds for a token and for all that only reads, too, but for no other call of this API.
pub(super) fn pause(
    call: &Call,
    outcome: Result<&Received, &Failure>,
    tries: u32,
    longest: Duration,
) -> Option<Duration> {
    let asked = match outcome {
        Ok(received) if (call.may_pass)(received) => {
            received::retry_after_seconds(received).map(Duration::from_secs)
        }
        // A time-out has used up the time that another try would need.
        Err(failure) if failure.retryable && failure.code != FailureCode::Timeout => None,
        _ => return None,
    };
    if tries >= call.max_tries || asked.is_some_and(|asked| asked > longest) {
        return None;
    }
    Some(match asked {
        // Never sooner than asked; and not all at the same moment.
        Some(asked) => asked.saturating_add(FIRST_PAUSE.mul_f64(random())),
        // Exponential, with full jitter: many steps that failed together do not come again together.
        None => (FIRST_PAUSE * 2_u32.saturating_pow(tries.saturating_sub(1))).mul_f64(random()),
    })
}

/// Returns a number from 0 to 1.
fn random() -> f64 {
    let mut bytes = [0; 4];
    // Without random numbers the pauses are the shortest; they only spread the load.
    let _ = SystemRandom::new().fill(&mut bytes);
    f64::from(u32::from_ne_bytes(bytes)) / f64::from(u32::MAX)
}
