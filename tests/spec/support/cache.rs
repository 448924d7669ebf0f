//! Steps that keep their tokens in a folder.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::thread;

use super::step::file_with;
use super::{Outcome, Server, Step, step};

/// A folder's path at which nothing is yet.
pub fn fresh_folder() -> PathBuf {
    let path = file_with("");
    fs::remove_file(&path).unwrap();
    path
}

/// A step that signs in at `sign_in`, calls `api`, and keeps its tokens in `folder`.
pub fn cached(folder: &Path, sign_in: &Server, api: &Server) -> Step {
    step()
        .api(api)
        .signing_in_at(sign_in)
        .env("MDE_TOKEN_CACHE", folder.to_str().unwrap())
        .naming(folder.to_str().unwrap(), "{folder}")
}

/// The files of tokens in the folder.
pub fn tokens(folder: &Path) -> Vec<PathBuf> {
    files(folder, "json")
}

/// The file whose lock the step has that signs in.
pub fn lock(folder: &Path) -> PathBuf {
    let [lock] = files(folder, "lock").try_into().expect("one lock");
    lock
}

fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let is_asked_for = |path: &PathBuf| path.extension().is_some_and(|found| found == extension);
    paths.filter(is_asked_for).collect()
}

/// The mode of a file or folder.
pub fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// Sets it.
pub fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// The step was answered with 200, and its last call had `token`.
#[track_caller]
pub fn assert_used(outcome: &Outcome, api: &Server, token: &str) {
    assert_eq!(outcome.status, Some(0), "{outcome}");
    let last = api.received().pop().unwrap();
    assert!(last.contains(&format!("Bearer {token}\r\n")), "{last}");
}

/// The outcomes of so many steps at once.
pub fn at_once(count: usize, step: impl Fn() -> Step + Sync) -> Vec<Outcome> {
    thread::scope(|scope| {
        let runs: Vec<_> = (0..count).map(|_| scope.spawn(|| step().run())).collect();
        runs.into_iter()
            .map(|run| run.join().expect("the step ends"))
            .collect()
    })
}
