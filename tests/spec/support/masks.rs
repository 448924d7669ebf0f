//! What differs from run to run, by its name.

/// The clause about the tries, without how long they took.
pub fn tries_in(stderr: &str) -> Option<String> {
    let (before, after) = stderr.split_once(" attempts in ")?;
    let (_, count) = before.rsplit_once(" (")?;
    let (_, told) = after.split_once(" s, ")?;
    let (told, _) = told.split_once(')')?;
    Some(format!("{count} attempts in {{time}} s, {told}"))
}

/// How often a call was tried is a matter of chance.
pub fn mask_tries(mut text: String) -> String {
    while let Some((before, after)) = text.split_once(" attempts in ")
        && let Some((before, _)) = before.rsplit_once(" (")
    {
        let (_, rest) = after.split_once(')').expect("the clause ends");
        text = format!("{before} {{tries}}{rest}");
    }
    text
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
