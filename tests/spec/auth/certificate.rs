//! An application that signs in with a certificate.

use rsa::RsaPrivateKey;
use rsa::pkcs8::DecodePrivateKey;
use rsa::pss::{Signature, VerifyingKey};
use rsa::sha2::Sha256;
use rsa::signature::Verifier;
use serde_json::json;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use crate::support::certificates::{Validity, client_certificate, key};
use crate::support::granted::{api, application, assert_granted, form, granting};
use crate::support::step::file_with;
use crate::support::token::{AUDIENCE, decode, now};
use crate::support::{Server, assert_snapshot, each};

fn pem(certificate: &str, key: &str) -> String {
    let file = file_with(format!("{certificate}{key}"));
    file.to_str().unwrap().to_owned()
}

#[test]
fn a_certificate_signs_an_assertion_that_another_implementation_verifies() {
    let pkcs8 = key("rsa.pem");
    let (certificate, thumbprint) = client_certificate(&pkcs8, Validity::Now);
    let (other, _) = client_certificate(&key("other-rsa.pem"), Validity::Now);
    let (expired, _) = client_certificate(&pkcs8, Validity::Past);
    let files = [
        pem(&certificate, &pkcs8),
        pem(&pkcs8, &certificate),
        pem(&certificate, &key("rsa-pkcs1.pem")),
        pem(&format!("Bag Attributes\n{other}{certificate}"), &pkcs8),
        pem(
            &format!("0 the old and the new\n{expired}{certificate}"),
            &pkcs8,
        ),
        pem(&format!("\u{feff}{certificate}{expired}"), &pkcs8),
    ];
    let mut seen = Vec::new();
    for file in files {
        let (sign_in, api) = (granting(), api());
        let begun = now();
        let outcome = application(&sign_in, &api)
            .env("AZURE_CLIENT_CERTIFICATE_PATH", file)
            .run();
        assert_granted(&outcome, &api);

        let url = format!("{}/tenant.example/oauth2/v2.0/token", sign_in.url());
        let request = sign_in.received().remove(0);
        let form = form(&request);
        let names: Vec<&str> = form.keys().copied().collect();
        assert_eq!(
            names,
            [
                "client_assertion",
                "client_assertion_type",
                "client_id",
                "grant_type",
                "scope"
            ]
        );
        assert_eq!(
            form["client_assertion_type"],
            "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        );
        assert_eq!(form["client_id"], "client-1");
        assert_eq!(form["grant_type"], "client_credentials");
        assert_eq!(form["scope"], format!("{AUDIENCE}/.default"));

        let assertion = &form["client_assertion"];
        let [header, claims] = decode(assertion).try_into().unwrap();
        assert_eq!(
            header,
            json!({"alg": "PS256", "typ": "JWT", "x5t#S256": thumbprint})
        );
        assert_eq!(claims["aud"], url);
        assert_eq!(
            (&claims["iss"], &claims["sub"]),
            (&json!("client-1"), &json!("client-1"))
        );
        let time = |name: &str| claims[name].as_u64().unwrap();
        assert!((begun..=now()).contains(&time("iat")));
        assert_eq!(time("nbf"), time("iat"));
        assert!((1..=600).contains(&(time("exp") - time("iat"))));
        let jti = claims["jti"].as_str().unwrap().to_owned();
        assert!(jti.len() >= 22, "128 bits in base64url: {jti}");
        assert!(!seen.contains(&jti));
        seen.push(jti);

        let (signed, signature) = assertion.rsplit_once('.').unwrap();
        let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).unwrap();
        let private = RsaPrivateKey::from_pkcs8_pem(&pkcs8).unwrap();
        VerifyingKey::<Sha256>::new(private.to_public_key())
            .verify(
                signed.as_bytes(),
                &Signature::try_from(signature.as_slice()).unwrap(),
            )
            .unwrap();
    }
}

#[test]
fn a_certificate_that_cannot_be_used_is_told_before_any_call() {
    let (rsa, other) = (key("rsa.pem"), key("other-rsa.pem"));
    let (good, _) = client_certificate(&rsa, Validity::Now);
    let (expired, _) = client_certificate(&rsa, Validity::Past);
    let (future, _) = client_certificate(&rsa, Validity::Future);
    let elliptic = rcgen::KeyPair::generate().unwrap().serialize_pem();
    let (elliptic_certificate, _) = client_certificate(&elliptic, Validity::Now);
    let keys = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/spec/data/keys");
    let cases = [
        ("encrypted", pem(&good, &key("encrypted.pem"))),
        (
            "encrypted in the old way",
            pem(&good, &key("encrypted-pkcs1.pem")),
        ),
        ("PFX", format!("{keys}/client.pfx")),
        ("another key", pem(&good, &other)),
        ("expired", pem(&expired, &rsa)),
        ("not valid yet", pem(&future, &rsa)),
        ("no certificate", pem("", &rsa)),
        ("no key", pem(&good, "")),
        ("an elliptic key", pem(&elliptic_certificate, &elliptic)),
        ("a small key", pem(&good, &key("small-rsa.pem"))),
        ("no PEM", pem("hello", "")),
        ("damaged", pem(&good.replace("\nMII", "\n!!!"), &rsa)),
        ("no file", "/no/such/file".to_owned()),
    ];
    let outcomes = each(cases, |(name, path)| {
        let sign_in = Server::tls([]);
        let outcome = application(&sign_in, &api())
            .env("AZURE_CLIENT_CERTIFICATE_PATH", path)
            .run();
        assert_eq!(
            (outcome.status, sign_in.connections()),
            (Some(3), 0),
            "{name}: {outcome}"
        );
        format!("## {name}\n{outcome}")
    });
    let all = outcomes.join("\n\n");
    for key in [rsa, other, key("rsa-pkcs1.pem"), key("encrypted.pem")] {
        let line = key.lines().nth(3).unwrap();
        assert!(!all.contains(line));
    }
    assert_snapshot!(all);
}
