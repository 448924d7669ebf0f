//! The clouds of Microsoft.

use crate::support::granted::{api, form, granting};
use crate::support::{assert_snapshot, each, step};

/// Each cloud's hosts and scope, and that each can be overridden.
#[test]
fn every_cloud_has_its_hosts_and_scope_and_every_one_can_be_overridden() {
    let clouds = ["", "commercial", "gcc", "gcc-high", "dod"];
    let lines = each(clouds, |cloud| {
        let (sign_in, api) = (granting(), api());
        let outcome = step()
            .signing_in_at(&sign_in)
            .api(&api)
            .env("MDE_CLOUD", cloud)
            .args(["--verbose"])
            .run();
        assert_eq!(outcome.status, Some(0), "{outcome}");
        let scope = form(&sign_in.received()[0])["scope"].clone();
        let sandbox = step()
            .args(["--sandbox", "--verbose"])
            .env("MDE_CLOUD", cloud)
            .run();
        let words = sandbox.stderr.split_whitespace();
        let urls: Vec<&str> = words.filter(|word| word.starts_with("https://")).collect();
        let host = |url: &str| url.split('/').nth(2).unwrap().to_owned();
        let (sign_in, api) = (granting(), self::api());
        let step = step()
            .signing_in_at(&sign_in)
            .api(&api)
            .env("MDE_CLOUD", cloud);
        step.env("MDE_SCOPE", "https://other.example/.default")
            .run();
        assert_eq!(
            form(&sign_in.received()[0])["scope"],
            "https://other.example/.default"
        );
        format!(
            "{cloud}: sign-in {}, API {}, scope {scope}",
            host(urls[0]),
            host(urls[1])
        )
    });
    assert_snapshot!(lines.join("\n"), @"
    : sign-in login.microsoftonline.com, API api.security.microsoft.com, scope https://api.securitycenter.microsoft.com/.default
    commercial: sign-in login.microsoftonline.com, API api.security.microsoft.com, scope https://api.securitycenter.microsoft.com/.default
    gcc: sign-in login.microsoftonline.com, API api-gcc.securitycenter.microsoft.us, scope https://api-gcc.securitycenter.microsoft.us/.default
    gcc-high: sign-in login.microsoftonline.us, API api-gov.securitycenter.microsoft.us, scope https://api-gov.securitycenter.microsoft.us/.default
    dod: sign-in login.microsoftonline.us, API api-gov.securitycenter.microsoft.us, scope https://api-gov.securitycenter.microsoft.us/.default
    ");
}
