//! From when on actions were created.

use std::fmt;
use std::time::Duration;

use x509_cert::der::DateTime;

/// How many digits a fraction of a second may have; the service writes up to seven.
const MAX_FRACTION: usize = 9;

/// A moment, in UTC, without the `Z` and the zeros at its end: so it can be compared letter by letter.
pub(super) struct Since(String);

impl Since {
    const RULE: &str = "must be a date or a time as RFC 3339 has it: 2026-11-01, 2026-11-01T08:00:00Z or 2026-11-01T09:00:00+01:00";

    /// Reads a date, which begins at midnight in UTC, or a time (RFC 3339, section 5.6).
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        Self::read(&text.to_ascii_uppercase()).ok_or(Self::RULE)
    }

    fn read(text: &str) -> Option<Self> {
        let (date, time) = text.split_once('T').unwrap_or((text, "00:00:00Z"));
        let (clock, zone) = time.split_at_checked("00:00:00".len())?;
        let (fraction, zone) = zone.split_at(zone.find(['Z', '+', '-'])?);
        let is_fraction = |digits: &str| {
            (1..=MAX_FRACTION).contains(&digits.len())
                && digits.bytes().all(|byte| byte.is_ascii_digit())
        };
        if !fraction.is_empty() && !fraction.strip_prefix('.').is_some_and(is_fraction) {
            return None;
        }
        let local: DateTime = format!("{date}T{clock}Z").parse().ok()?;
        let utc = shifted(local, zone)?.to_string();
        let fraction = fraction.trim_end_matches('0').trim_end_matches('.');
        Some(Self(format!("{}{fraction}", utc.strip_suffix('Z')?)))
    }

    /// Whether what was created at `created`, as the service writes it, was created then or later.
    pub(super) fn is_before(&self, created: &str) -> bool {
        created.trim_end_matches('Z') >= self.0.as_str()
    }
}

impl fmt::Display for Since {
    /// As OData writes it (`Edm.DateTimeOffset`).
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}Z", self.0)
    }
}

/// Returns the moment in UTC at which it is `local` in `zone`: `Z`, `+01:00`, `-05:30`.
fn shifted(local: DateTime, zone: &str) -> Option<DateTime> {
    let (sign, offset) = zone.split_at_checked(1)?;
    if sign == "Z" {
        return offset.is_empty().then_some(local);
    }
    let (hours, minutes) = offset.split_once(':')?;
    let (hours, minutes) = (two_digits(hours, 23)?, two_digits(minutes, 59)?);
    let offset = Duration::from_secs(hours * 3600 + minutes * 60);
    let local = local.unix_duration();
    let utc = match sign {
        "+" => local.checked_sub(offset)?,
        _ => local.checked_add(offset)?,
    };
    DateTime::from_unix_duration(utc).ok()
}

/// Returns the number that two digits are, if it is `most` at most.
fn two_digits(digits: &str, most: u64) -> Option<u64> {
    let is_two = digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
    let number = is_two.then(|| digits.parse().ok())?;
    number.filter(|number| *number <= most)
}
