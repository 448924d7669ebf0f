//! Tokens that are kept between runs.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::support::cache::{assert_used, cached, fresh_folder, mode, set_mode, tokens};
use crate::support::token::now;
use crate::support::{JSON, Reply, Server, assert_snapshot, each, response, step};

#[test]
fn a_token_is_kept_for_its_owner_alone_and_taken_by_the_next_run() {
    let folder = fresh_folder();
    let (sign_in, api) = (
        Server::granting(&["kept"], 3600),
        Server::answering(&["200 OK", "200 OK"]),
    );
    let first = cached(&folder, &sign_in, &api).run();
    assert_used(&first, &api, "kept");
    let second = cached(&folder, &sign_in, &api).run();
    assert_used(&second, &api, "kept");
    assert_eq!(sign_in.received().len(), 1);
    let [file] = tokens(&folder).try_into().unwrap();
    assert_eq!((mode(&folder), mode(&file)), (0o700, 0o600));
    let entry: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    let expires_at = entry["expires_at"].as_u64().unwrap();
    assert!(
        (now() + 3500..=now() + 3600).contains(&expires_at),
        "{entry}"
    );
}

#[test]
fn each_application_and_scope_has_a_token_of_its_own() {
    let folder = fresh_folder();
    let changes = [
        ("AZURE_CLIENT_ID", "other"),
        ("AZURE_TENANT_ID", "other.example"),
        ("MDE_SCOPE", "other/.default"),
    ];
    let (sign_in, api) = (
        Server::granting(&["a"], 3600),
        Server::answering(&["200 OK"]),
    );
    cached(&folder, &sign_in, &api).run();
    for (name, value) in changes {
        // The authority is the same only if the server is.
        let other = Server::granting(&["b"], 3600);
        let outcome = cached(&folder, &other, &Server::answering(&["200 OK"]))
            .env(name, value)
            .run();
        assert_eq!(
            (outcome.status, other.received().len()),
            (Some(0), 1),
            "{outcome}"
        );
    }
    assert_eq!(tokens(&folder).len(), 4);
}

#[test]
fn a_token_is_renewed_five_minutes_before_it_expires() {
    for (expires_in, kept) in [(299, 0), (301, 1)] {
        let folder = fresh_folder();
        let (sign_in, api) = (
            Server::granting(&["short"], expires_in),
            Server::answering(&["200 OK"]),
        );
        cached(&folder, &sign_in, &api).run();
        let count = if folder.exists() {
            tokens(&folder).len()
        } else {
            0
        };
        assert_eq!(count, kept);
    }
    let folder = fresh_folder();
    let (sign_in, api) = (
        Server::granting(&["old", "new"], 3600),
        Server::answering(&["200 OK", "200 OK"]),
    );
    cached(&folder, &sign_in, &api).run();
    let [file] = tokens(&folder).try_into().unwrap();
    fs::write(
        &file,
        json!({"access_token": "old", "expires_at": now() + 290}).to_string(),
    )
    .unwrap();
    let outcome = cached(&folder, &sign_in, &api).run();
    assert_used(&outcome, &api, "new");
}

#[test]
fn a_401_discards_the_token() {
    let folder = fresh_folder();
    let (sign_in, api) = (
        Server::granting(&["old", "new"], 3600),
        Server::answering(&["200 OK", "401 Unauthorized", "200 OK"]),
    );
    cached(&folder, &sign_in, &api).run();
    let outcome = cached(&folder, &sign_in, &api).run();
    assert_used(&outcome, &api, "new");
    let [file] = tokens(&folder).try_into().unwrap();
    assert!(fs::read_to_string(file).unwrap().contains("\"new\""));
}

/// What is done to the folder and the file in it.
type Preparation = fn(&Path, &Path);

#[test]
fn what_is_damaged_or_open_to_others_is_a_warning_and_a_fresh_sign_in() {
    let prepare: [(&str, Preparation); 5] = [
        ("damaged", |_, file| {
            fs::write(file, "{\"access_token\":\"MARK").unwrap()
        }),
        ("not a token", |_, file| {
            fs::write(file, "{\"access_token\":\"MARK\\n\",\"expires_at\":1}").unwrap()
        }),
        ("a file open to others", |_, file| set_mode(file, 0o640)),
        ("a folder open to others", |folder, _| {
            set_mode(folder, 0o750)
        }),
        ("a link", |folder, file| {
            fs::rename(file, folder.with_extension("elsewhere")).unwrap();
            std::os::unix::fs::symlink(folder.with_extension("elsewhere"), file).unwrap();
        }),
    ];
    let outcomes = prepare.map(|(name, prepare)| {
        let folder = fresh_folder();
        let (sign_in, api) = (
            Server::granting(&["old", "new"], 3600),
            Server::answering(&["200 OK", "200 OK"]),
        );
        cached(&folder, &sign_in, &api).run();
        let [file] = tokens(&folder).try_into().unwrap();
        prepare(&folder, &file);
        let file_name = file.file_name().unwrap().to_str().unwrap().to_owned();
        let outcome = cached(&folder, &sign_in, &api)
            .naming(file_name, "{file}")
            .run();
        assert_used(&outcome, &api, "new");
        assert!(!outcome.to_string().contains("MARK"));
        format!("## {name}\n{}", outcome.stderr)
    });
    assert_snapshot!(outcomes.join("\n"), @"
    ## damaged
    cancel-machine-action: warning: action 988cc94e-7a8f-4b28-ab65-54970c5d5018: the token cache is not used: {folder}/{file}: the token file is damaged. Check MDE_TOKEN_CACHE.

    ## not a token
    cancel-machine-action: warning: action 988cc94e-7a8f-4b28-ab65-54970c5d5018: the token cache is not used: {folder}/{file}: the token file is damaged. Check MDE_TOKEN_CACHE.

    ## a file open to others
    cancel-machine-action: warning: action 988cc94e-7a8f-4b28-ab65-54970c5d5018: the token cache is not used: {folder}/{file} has the mode 640, which lets other users in. Check MDE_TOKEN_CACHE.

    ## a folder open to others
    cancel-machine-action: warning: action 988cc94e-7a8f-4b28-ab65-54970c5d5018: the token cache is not used: {folder} has the mode 750, which lets other users in; use a folder of its own, which is created if it is missing. Check MDE_TOKEN_CACHE.

    ## a link
    cancel-machine-action: warning: action 988cc94e-7a8f-4b28-ab65-54970c5d5018: the token cache is not used: {folder}/{file} is not a regular file. Check MDE_TOKEN_CACHE.
    ");
}

#[test]
fn the_second_token_that_is_refused_is_discarded_too() {
    let folder = fresh_folder();
    let (sign_in, api) = (
        Server::granting(&["a", "b"], 3600),
        Server::answering(&["401 Unauthorized"]),
    );
    assert_eq!(cached(&folder, &sign_in, &api).run().status, Some(1));
    assert_eq!(tokens(&folder).len(), 0);
}

#[test]
fn a_lifetime_beyond_all_measure_breaks_no_run() {
    for expires_in in [u64::MAX, i64::MAX.cast_unsigned(), 0] {
        let folder = fresh_folder();
        let (sign_in, api) = (
            Server::granting(&["x"], expires_in),
            Server::answering(&["200 OK"]),
        );
        for _ in 0..2 {
            assert_used(&cached(&folder, &sign_in, &api).run(), &api, "x");
        }
    }
    let folder = fresh_folder();
    let (sign_in, api) = (
        Server::granting(&["x"], 3600),
        Server::answering(&["200 OK"]),
    );
    cached(&folder, &sign_in, &api).run();
    let [file] = tokens(&folder).try_into().unwrap();
    fs::write(
        &file,
        json!({"access_token": "kept", "expires_at": u64::MAX}).to_string(),
    )
    .unwrap();
    assert_used(&cached(&folder, &sign_in, &api).run(), &api, "kept");
}

/// What a grant says of its lifetime, and for how many seconds the token is kept; `None` if it is not.
#[test]
fn a_token_is_kept_for_as_long_as_it_says_a_day_at_most() {
    const DAY: u64 = 24 * 60 * 60;
    let begun = now();
    let in_an_hour = format!(r#""expires_on":"{}""#, begun + 3600);
    let cases = [
        (r#""expires_in":3600"#, Some(3600)),
        (r#""expires_in":"3600""#, Some(3600)),
        (in_an_hour.as_str(), Some(3600)),
        (r#""expires_in":900000000"#, Some(DAY)),
        (r#""expires_in":1e300"#, Some(DAY)),
        (r#""expires_in":-1"#, None),
        (r#""expires_on":1"#, None),
        (r#""other":1"#, None),
    ];
    each(cases, |(lifetime, wanted)| {
        let folder = fresh_folder();
        let grant = format!(r#"{{"access_token":"granted.token",{lifetime}}}"#);
        let sign_in = Server::tls([Reply::bytes(response("200 OK", &[JSON], grant))]);
        let api = Server::answering(&["200 OK"]);
        assert_eq!(cached(&folder, &sign_in, &api).run().status, Some(0));
        let kept = tokens(&folder).first().map(|file| {
            let entry: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
            entry["expires_at"].as_u64().unwrap()
        });
        let is_right = match (wanted, kept) {
            (None, None) => true,
            // A second may be lost where the time is rounded.
            (Some(wanted), Some(kept)) => (begun + wanted - 1..=now() + wanted).contains(&kept),
            _ => false,
        };
        assert!(is_right, "{kept:?}, begun at {begun}");
    });
}

#[test]
fn a_place_that_is_no_folder_of_ones_own_is_a_warning() {
    let link = fresh_folder();
    std::os::unix::fs::symlink("/tmp", &link).unwrap();
    let link = format!("{}/", link.display());
    let pipe_folder = fresh_folder();
    let (sign_in, api) = (
        Server::granting(&["new"], 3600),
        Server::answering(&["200 OK"]),
    );
    cached(&pipe_folder, &sign_in, &api).run();
    let [file] = tokens(&pipe_folder).try_into().unwrap();
    fs::remove_file(&file).unwrap();
    assert!(
        std::process::Command::new("mkfifo")
            .args(["-m", "600"])
            .arg(&file)
            .status()
            .unwrap()
            .success()
    );
    let file_name = file.file_name().unwrap().to_str().unwrap().to_owned();
    let places = ["/tmp", "/etc/passwd", &link, pipe_folder.to_str().unwrap()];
    let outcomes = places.map(|place| {
        let outcome = cached(Path::new(place), &sign_in, &api).naming(&file_name, "{file}");
        let outcome = outcome
            .naming(place.trim_end_matches('/'), "{folder}")
            .run();
        assert_used(&outcome, &api, "new");
        assert!(!outcome.stderr.contains("chmod"));
        outcome.stderr
    });
    assert_snapshot!(outcomes.join("\n"), @"
    cancel-machine-action: warning: action 988cc94e-7a8f-4b28-ab65-54970c5d5018: the token cache is not used: {folder} has the mode 777, which lets other users in; use a folder of its own, which is created if it is missing. Check MDE_TOKEN_CACHE.

    cancel-machine-action: warning: action 988cc94e-7a8f-4b28-ab65-54970c5d5018: the token cache is not used: {folder} is not a folder. Check MDE_TOKEN_CACHE.

    cancel-machine-action: warning: action 988cc94e-7a8f-4b28-ab65-54970c5d5018: the token cache is not used: {folder} is not a folder. Check MDE_TOKEN_CACHE.

    cancel-machine-action: warning: action 988cc94e-7a8f-4b28-ab65-54970c5d5018: the token cache is not used: {folder}/{file} is not a regular file. Check MDE_TOKEN_CACHE.
    ");
}

#[test]
fn a_folder_that_cannot_be_made_is_a_warning() {
    let (sign_in, api) = (
        Server::granting(&["new"], 3600),
        Server::answering(&["200 OK"]),
    );
    let outcome = cached(Path::new("/dev/null/x"), &sign_in, &api).run();
    assert_used(&outcome, &api, "new");
    assert_snapshot!(outcome.stderr, @"cancel-machine-action: warning: action 988cc94e-7a8f-4b28-ab65-54970c5d5018: the token cache is not used: {folder} is not a folder. Check MDE_TOKEN_CACHE.");
}

#[test]
fn given_tokens_and_those_of_managed_identities_are_not_kept() {
    let folder = fresh_folder();
    let grant = r#"{"access_token":"x","expires_in":"86399"}"#;
    let metadata = Server::tls([Reply::bytes(response("200 OK", &[JSON], grant))]);
    let api = Server::answering(&["200 OK", "200 OK"]);
    let path = folder.to_str().unwrap();
    let managed = step().api(&api).env("MDE_AUTH", "managed-identity");
    let managed = managed.env("AZURE_POD_IDENTITY_AUTHORITY_HOST", metadata.url());
    assert_eq!(managed.env("MDE_TOKEN_CACHE", path).run().status, Some(0));
    let given = step().api_with_token(&api).env("MDE_TOKEN_CACHE", path);
    assert_eq!(given.run().status, Some(0));
    assert!(!folder.exists());
}
