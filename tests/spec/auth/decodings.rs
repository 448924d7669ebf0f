//! What the sign-in service repeats of a credential is not shown, however it is encoded. The secrets and the encodings
//! are generated; what came out is judged by decoders of the test's own.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use cancel_machine_action::auth::secret::Secret;
use percent_encoding::percent_decode_str;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::json;

use crate::auth::encodings::{Encoding, encoded, encodings, secret};
use crate::support::step::file_with;
use crate::support::{Authority, JSON, Outcome, Reply, Server, response, step};

fn run<S: Strategy>(cases: u32, strategy: S, test: impl Fn(S::Value) -> Result<(), TestCaseError>) {
    let config = Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    };
    if let Err(error) = TestRunner::new(config).run(&strategy, test) {
        panic!("{error}");
    }
}

#[test]
fn a_secret_is_found_in_every_encoding_of_it() {
    let around = prop::sample::select(vec![
        ("", ""),
        ("You sent client_secret=", "&grant_type=x"),
        ("AADSTS7000215: '", "' is not valid. %4"),
        ("{\"client_secret\":\"", "\"}"),
    ]);
    run(
        800,
        (secret(), encodings(), around),
        |(secret, encodings, (before, after))| {
            let text = format!("{before}{}{after}", encoded(&secret, &encodings));
            prop_assert!(Secret::new(secret).is_in(&text), "{text}");
            Ok(())
        },
    );
}

#[test]
fn a_part_of_eight_letters_is_found_too() {
    let secret = "[a-zA-Z0-9]{16,60}";
    run(
        500,
        (secret, any::<prop::sample::Index>(), encodings()),
        |(secret, start, encodings)| {
            let start = start.index(secret.len() - 8);
            // In digits the letters at the edges may be lost.
            let part = secret.get(start..(start + 12).min(secret.len())).unwrap();
            let text = format!("You sent {} …", encoded(part, &encodings));
            prop_assert!(Secret::new(secret).is_in(&text), "{text}");
            Ok(())
        },
    );
}

#[test]
fn a_part_of_eight_characters_as_they_are_is_found_whatever_they_are() {
    let secret = prop_oneof!["[ -~]{8,60}", "[a-d+ =/]{8,60}", "([a-z]{1,3}[ +]){8,12}"];
    run(
        500,
        (secret, any::<prop::sample::Index>()),
        |(secret, start)| {
            let start = start.index(secret.len() - 7);
            let text = format!("bad {} here", &secret[start..start + 8]);
            prop_assert!(Secret::new(secret).is_in(&text), "{text}");
            Ok(())
        },
    );
}

#[test]
fn white_space_hides_no_secret_without_letters_and_digits() {
    let secret = Secret::new("-!~;:,.#?*".to_owned());
    assert!(secret.is_in("You sent - ! ~ ; : , . # ? *"));
    assert!(secret.is_in("You sent -%20!%20~%20;%20:%20,%20.%20#%20?%20*"));
    assert!(!secret.is_in("You sent - ! ~ and some more."));
}

#[test]
fn a_secret_is_found_below_as_many_layers_as_are_looked_through() {
    let below = |layers: usize| {
        let percent = format!("%{}", "25".repeat(layers - 1));
        let letters = "abcdefghij".bytes();
        let text: Vec<String> = letters.map(|byte| format!("{percent}{byte:02x}")).collect();
        Secret::new("abcdefghij".to_owned()).is_in(&text.concat())
    };
    assert!((1..=8).all(below));
}

/// What a service says by itself.
const USUAL: [&str; 6] = [
    "invalid_client: AADSTS7000215: Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '66666666-7777-8888-9999-000000000000'.",
    "invalid_client: AADSTS7000222: The provided client secret keys for app '66666666-7777-8888-9999-000000000000' are expired. Visit the Azure portal to create new keys for your app: https://aka.ms/NewClientSecret, or consider using certificate credentials for added security: https://aka.ms/certCreds.",
    "unauthorized_client: AADSTS700016: Application with identifier '66666666-7777-8888-9999-000000000000' was not found in the directory 'Contoso'.",
    "invalid_request: AADSTS90002: Tenant 'contoso.example' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud.",
    "invalid_client: AADSTS700213: No matching federated identity record found for presented assertion subject 'system:serviceaccount:soc:playbooks'.",
    "error: No User Assigned Managed Identity found for specified ClientId/ResourceId/PrincipalId.",
];

#[test]
fn what_a_service_says_by_itself_is_shown() {
    let text = prop::sample::select(USUAL.to_vec());
    let secret = prop_oneof![
        "[a-zA-Z0-9~._-]{34,40}",
        "[0-9A-F]{32}",
        "[a-f0-9]{8}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{12}",
        "[a-zA-Z0-9!@#]{8,12}",
    ];
    run(500, (secret, text), |(secret, text)| {
        prop_assert!(!Secret::new(secret).is_in(text));
        Ok(())
    });
    // What is no secret hides a text only as it is.
    for short in ["q", "xyz", "1%2", "~~~"] {
        assert!(!Secret::new(short.to_owned()).is_in("Invalid: cXh5eg== %78y %71"));
        assert!(Secret::new(short.to_owned()).is_in(&format!("You sent {short}.")));
    }
}

#[test]
fn a_text_of_many_layers_is_looked_through_at_once() {
    let secret = Secret::new("aB3~".repeat(8000));
    for part in ["%25", "&amp;", "\\u005c", "JTI1", "+ %2525", "&#x26;#37;"] {
        let text = part.repeat(2466 / part.len());
        let begun = Instant::now();
        assert!(!secret.is_in(&text));
        assert!(
            begun.elapsed() < Duration::from_secs(if cfg!(debug_assertions) { 8 } else { 1 }),
            "{part}: {:?}",
            begun.elapsed()
        );
    }
}

/// All that a reader can make of `text`: another way than the program's.
fn decoded(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::from([text.to_owned()]);
    for _ in 0..4 {
        let next: Vec<String> = found.iter().flat_map(|text| undone(text)).collect();
        found.extend(next);
    }
    found
}

fn undone(text: &str) -> Vec<String> {
    let mut texts = vec![
        percent_decode_str(text).decode_utf8_lossy().into_owned(),
        percent_decode_str(&text.replace('+', " "))
            .decode_utf8_lossy()
            .into_owned(),
        text.replace("&amp;", "&")
            .replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&quot;", "\"")
            .replace("&apos;", "'"),
        text.split_whitespace().collect(),
    ];
    texts
        .extend(serde_json::from_str::<String>(&format!("\"{}\"", text.replace('"', "\\\""))).ok());
    for word in
        text.split(|letter: char| !letter.is_ascii_alphanumeric() && !"+/=_-".contains(letter))
    {
        let word = word
            .trim_end_matches('=')
            .replace('+', "-")
            .replace('/', "_");
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(&word).unwrap_or_default();
        texts.extend(String::from_utf8(bytes).ok().filter(|text| text.len() > 7));
    }
    texts
}

#[track_caller]
fn assert_hidden(outcome: &Outcome, secret: &str) {
    assert_eq!(outcome.status, Some(4), "{outcome}");
    let document = outcome.json();
    let message = document["error"]["message"].as_str().unwrap();
    for shown in [&outcome.stdout, &outcome.stderr, message] {
        for text in decoded(shown) {
            let text = text.to_lowercase();
            let secret: Vec<char> = secret.to_lowercase().chars().collect();
            for part in secret.windows(8) {
                let part: String = part.iter().collect();
                assert!(!text.contains(&part), "{secret:?} in {text}");
            }
        }
    }
}

fn refusing(error: &str, description: &str) -> Server {
    let refusal = json!({"error": error, "error_description": description}).to_string();
    Server::tls([Reply::bytes(response("400 Bad Request", &[JSON], refusal))])
}

#[test]
fn neither_stdout_nor_stderr_repeats_a_secret_however_the_service_does() {
    let place = (0..420_usize, any::<bool>());
    run(
        60,
        (secret(), encodings(), place),
        |(secret, encodings, (before, is_code))| {
            // A variable has one line; a secret is not all of what a shell would trim.
            let text = encoded(&secret, &encodings);
            let (error, description) = match is_code {
                true => (text.clone(), "It was refused.".to_owned()),
                false => (
                    "invalid_client".to_owned(),
                    format!("{}{text}. And more", "x ".repeat(before / 2)),
                ),
            };
            let sign_in = refusing(&error, &description);
            let outcome = step()
                .signing_in_at(&sign_in)
                .env("AZURE_CLIENT_SECRET", &secret)
                .args(["--verbose"])
                .run();
            assert_hidden(&outcome, &secret);
            Ok(())
        },
    );
}

#[test]
fn every_proof_of_an_identity_is_kept_from_sight() {
    let proof = "853b9a84-5bfa-4b22-a3f3-0b9a43d9ad8a";
    let file = file_with(proof);
    for encoding in [
        Encoding::Percent(true, true),
        Encoding::Base64(2, true, false),
        Encoding::UpperCase,
    ] {
        let echo = encoding.of(proof);
        let sign_in = refusing("invalid_client", &format!("You sent {echo}, which is bad."));
        let federated = step()
            .signing_in_at(&sign_in)
            .env("AZURE_CLIENT_SECRET", "")
            .env("AZURE_FEDERATED_TOKEN_FILE", file.to_str().unwrap())
            .run();
        let managed = step()
            .env("IDENTITY_ENDPOINT", sign_in.url())
            .env("IDENTITY_HEADER", proof)
            .env("SSL_CERT_FILE", Authority::trusted().pem_path())
            .run();
        for outcome in [federated, managed] {
            assert_hidden(&outcome, proof);
            assert!(
                outcome
                    .stderr
                    .contains("invalid_client (its message is not shown"),
                "{outcome}"
            );
        }
    }
}

#[test]
fn a_header_of_the_answer_that_repeats_the_token_is_not_told_in_a_failure() {
    let token = "secrettoken0123456789";
    for header in [
        format!("Content-Encoding: {token}"),
        format!("Content-Encoding: gzip, {token}"),
    ] {
        let api = Server::tls([Reply::bytes(response("200 OK", &[&header], "{}"))]);
        let step = step().api(&api).env("MDE_ACCESS_TOKEN", token);
        let outcome = step.run();
        assert_eq!(outcome.status, Some(5), "{outcome}");
        assert!(!outcome.to_string().contains("secrettoken"), "{outcome}");
    }
}
