//! What differs from run to run, by its name.

/// The sentence about the tries.
pub fn tries_in(stderr: &str) -> Option<String> {
    let (_, rest) = stderr.split_once(" Tried ")?;
    let (tries, _) = rest.split_once(").")?;
    Some(format!("Tried {tries})."))
}

/// How often a call was tried is a matter of chance.
pub fn mask_tries(text: String) -> String {
    let mut parts = text.split(" Tried ");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        let rest = part.split_once(").").expect("the end of the tries").1;
        format!("{text} {{tries}}{rest}")
    })
}

/// The time that this machine's clock says stands as `{now}`.
pub fn mask_clock(text: String) -> String {
    let marker = "clock says ";
    let mut parts = text.split(marker);
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        let rest = part.split_once(" GMT").expect("the end of a date").1;
        format!("{text}{marker}{{now}}{rest}")
    })
}
