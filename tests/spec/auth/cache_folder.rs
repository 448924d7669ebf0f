//! Which files of its folder the token cache touches.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::Server;
use crate::support::cache::{assert_used, cached, fresh_folder, set_mode};

/// The hash of some application, and random digits.
const HASH: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
const RANDOM: &str = "0123456789abcdef";

#[track_caller]
fn command(line: &[&str], path: &Path) {
    let status = Command::new(line[0]).args(&line[1..]).arg(path).status();
    assert!(status.unwrap().success(), "{line:?}");
}

/// Dates the file, the folder, or the link itself.
fn date(path: &Path, date: &str) {
    command(&["touch", "-h", "-d", date], path);
}

fn own_folder() -> PathBuf {
    let folder = fresh_folder();
    fs::create_dir(&folder).unwrap();
    set_mode(&folder, 0o700);
    folder
}

/// A file that only its owner may read, as the cache writes them.
fn file(path: &Path) {
    fs::write(path, "a token").unwrap();
    set_mode(path, 0o600);
}

/// Signs in anew, which is when the folder is swept.
#[track_caller]
fn sign_in(folder: &Path) {
    let (sign_in, api) = (
        Server::granting(&["x"], 3600),
        Server::answering(&["200 OK"]),
    );
    let outcome = cached(folder, &sign_in, &api).run();
    assert_used(&outcome, &api, "x");
    assert_eq!(outcome.stderr, "");
}

#[test]
fn what_a_killed_step_has_left_is_swept_away_and_what_is_being_written_stays() {
    let folder = own_folder();
    let dates = [
        ("1 hour ago", false),
        ("2 minutes ago", false),
        ("10 years ago", false),
        ("now", true),
        ("30 seconds ago", true),
        // The clock was wrong: either when the file was written, or it is now.
        ("30 seconds", true),
        ("10 years", false),
    ];
    let mut number = 0;
    let files = dates.map(|(written, stays)| {
        number += 1;
        let path = folder.join(format!("{HASH}.{number:016x}.partial"));
        file(&path);
        date(&path, written);
        (written, path, stays)
    });
    sign_in(&folder);
    for (written, path, stays) in files {
        assert_eq!(path.exists(), stays, "{written}");
    }
}

#[test]
fn a_file_of_another_name_is_never_touched() {
    let folder = own_folder();
    let upper = (HASH.to_uppercase(), RANDOM.to_uppercase());
    let names = [
        "backup.partial".to_owned(),
        "partial".to_owned(),
        ".partial".to_owned(),
        "x.1.partial".to_owned(),
        format!("{HASH}.partial"),
        format!("{HASH}..partial"),
        format!("{HASH}.{}.partial", &RANDOM[1..]),
        format!("{HASH}.{RANDOM}0.partial"),
        format!("{}.{RANDOM}.partial", &HASH[1..]),
        format!("{HASH}0.{RANDOM}.partial"),
        format!("{}.{RANDOM}.partial", upper.0),
        format!("{HASH}.{}.partial", upper.1),
        format!("{HASH}.{RANDOM}.{RANDOM}.partial"),
        format!("{HASH}-{RANDOM}.partial"),
        format!("{}g.{RANDOM}.partial", &HASH[1..]),
        format!("{HASH}.{}+.partial", &RANDOM[1..]),
        format!("{HASH}.{RANDOM}.partial.bak"),
        format!("{HASH}.{RANDOM}.partial~"),
        format!("{HASH}.{RANDOM}.partial\n"),
        format!(" {HASH}.{RANDOM}.partial"),
        format!("{HASH}.{RANDOM}.PARTIAL"),
        format!("{HASH}.{RANDOM}.json"),
        format!("{HASH}.{RANDOM}"),
        format!("{HASH}.json"),
        format!("{HASH}.lock"),
    ];
    let mut paths: Vec<PathBuf> = names.iter().map(|name| folder.join(name)).collect();
    let no_utf8 = format!("{HASH}.{RANDOM}.partial").replace('f', "\u{ff}");
    let no_utf8: Vec<u8> = no_utf8.chars().map(|letter| letter as u8).collect();
    paths.push(folder.join(OsStr::from_bytes(&no_utf8)));
    for path in &paths {
        file(path);
        date(path, "1 hour ago");
    }
    sign_in(&folder);
    for path in paths {
        assert_eq!(fs::read(&path).unwrap(), b"a token", "{path:?}");
    }
}

/// Makes what has the name.
type Make<'a> = &'a dyn Fn(&Path);

#[test]
fn what_only_has_the_name_of_an_abandoned_file_is_never_touched() {
    let folder = own_folder();
    let elsewhere = folder.join("elsewhere");
    file(&elsewhere);
    date(&elsewhere, "1 hour ago");
    let make: [(&str, Make<'_>); 7] = [
        ("a folder", &|path| fs::create_dir(path).unwrap()),
        ("a folder with a file", &|path| {
            fs::create_dir(path).unwrap();
            file(&path.join("x"));
        }),
        ("a link to a file", &|path| {
            symlink(&elsewhere, path).unwrap()
        }),
        ("a link to nothing", &|path| {
            symlink("nothing", path).unwrap()
        }),
        ("a pipe", &|path| command(&["mkfifo", "-m", "600"], path)),
        ("a file that others may read", &|path| {
            file(path);
            set_mode(path, 0o640);
        }),
        ("another user's file", &|path| {
            file(path);
            if rustix::process::geteuid().is_root() {
                command(&["chown", "65534"], path);
            } else {
                // Nobody else's file can be made: it is enough that others may write it.
                set_mode(path, 0o602);
            }
        }),
    ];
    let mut number = 0;
    let paths = make.map(|(what, make)| {
        number += 1;
        let path = folder.join(format!("{HASH}.{number:016x}.partial"));
        make(&path);
        date(&path, "1 hour ago");
        (what, path)
    });
    sign_in(&folder);
    for (what, path) in paths {
        assert!(path.symlink_metadata().is_ok(), "{what}");
    }
    assert_eq!(fs::read(&elsewhere).unwrap(), b"a token");
}
