//! The one list of what is worth another try.

/// The statuses of answers that may pass by themselves: too late, throttled, failing, overloaded. What is tried again,
/// what is called `retryable`, and what ends with the status "not now" follows from this one list.
///
/// Source: "Microsoft Defender for Endpoint API - error codes", and RFC 9110, section 15.
const PASSING: [u16; 6] = [408, 429, 500, 502, 503, 504];

/// Whether `status` is one that may pass by itself.
pub(crate) fn may_pass(status: u16) -> bool {
    PASSING.contains(&status)
}
