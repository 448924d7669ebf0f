//! Real proxies, which must be installed: tinyproxy and squid from Debian, mitmproxy from PyPI. Run with
//! `cargo test --test spec proxies -- --ignored`.

use std::fs;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::step::file_with;
use crate::support::{Authority, JSON, Outcome, Reply, Server, Step, free_port, response, step};

/// How long a proxy may take to come up.
const PATIENCE: Duration = Duration::from_secs(30);

/// A proxy that is up until it is dropped.
struct Running {
    process: Child,
    port: u16,
}

impl Running {
    /// Starts `program`, whose configuration `configure` writes for a port and a folder of its own.
    fn start(program: &str, configure: impl FnOnce(u16, &Path) -> Vec<String>) -> Self {
        let port = free_port();
        let folder = fresh_folder();
        let process = Command::new(program)
            .args(configure(port, &folder))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("{program} does not start: {error}"));
        let mut running = Self { process, port };
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            let ended = running.process.try_wait().unwrap();
            assert_eq!(ended, None, "{program} has ended");
            assert!(begun.elapsed() < PATIENCE, "{program} is not up");
            #[expect(clippy::disallowed_methods, reason = "a test may wait")]
            std::thread::sleep(Duration::from_millis(50));
        }
        running
    }

    fn url(&self, user: &str) -> String {
        format!("http://{user}127.0.0.1:{}", self.port)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn fresh_folder() -> PathBuf {
    let path = file_with("");
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    path
}

fn tinyproxy(more: &str) -> Running {
    Running::start("tinyproxy", |port, folder| {
        let config = folder.join("tinyproxy.conf");
        let text = format!(
            "Port {port}\nListen 127.0.0.1\nTimeout 20\nAllow 127.0.0.1\nMaxClients 20\n{more}"
        );
        fs::write(&config, text).unwrap();
        vec![
            "-d".to_owned(),
            "-c".to_owned(),
            config.display().to_string(),
        ]
    })
}

fn squid() -> Running {
    Running::start("squid", |port, folder| {
        // squid gives up the rights of root for those of a user of its own, who has to write here.
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o777);
        fs::set_permissions(folder, mode).unwrap();
        let config = folder.join("squid.conf");
        let here = folder.display();
        let text = format!(
            "http_port 127.0.0.1:{port}\nhttp_access allow localhost\nacl all_ports port 1-65535\ncache deny all\n\
             pid_filename {here}/squid.pid\naccess_log none\ncache_log /dev/null\ncoredump_dir {here}\n\
             shutdown_lifetime 0 seconds\n"
        );
        fs::write(&config, text).unwrap();
        vec![
            "-N".to_owned(),
            "-f".to_owned(),
            config.display().to_string(),
        ]
    })
}

struct Hosts {
    sign_in: Server,
    api: Server,
}

impl Hosts {
    fn new() -> Self {
        let granted = r#"{"access_token":"a.token"}"#;
        Self {
            sign_in: Server::tls([Reply::bytes(response("200 OK", &[JSON], granted))]),
            api: Server::tls([Reply::bytes(response("200 OK", &[JSON], "{}"))]),
        }
    }

    fn step(&self) -> Step {
        step()
            .api(&self.api)
            .signing_in_at(&self.sign_in)
            .args(["--timeout", "20"])
    }

    #[track_caller]
    fn assert_both_called(&self, outcome: &Outcome) {
        assert_eq!(outcome.status, Some(0), "{outcome}");
        assert_eq!(
            (self.sign_in.received().len(), self.api.received().len()),
            (1, 1)
        );
    }
}

#[test]
#[ignore = "needs tinyproxy"]
fn tinyproxy_carries_sign_in_and_cancel() {
    let proxy = tinyproxy("");
    let hosts = Hosts::new();
    hosts.assert_both_called(&hosts.step().env("HTTPS_PROXY", proxy.url("")).run());
}

#[test]
#[ignore = "needs tinyproxy"]
fn tinyproxy_with_a_password_wants_it_and_gets_it() {
    let proxy = tinyproxy("BasicAuth user PASSWORD\n");
    let hosts = Hosts::new();
    hosts.assert_both_called(
        &hosts
            .step()
            .env("HTTPS_PROXY", proxy.url("user:PASSWORD@"))
            .run(),
    );
    for user in ["", "user:WRONG@"] {
        let outcome = Hosts::new()
            .step()
            .env("HTTPS_PROXY", proxy.url(user))
            .run();
        assert_eq!(outcome.status, Some(5), "{outcome}");
        assert!(outcome.stderr.contains("through the proxy"), "{outcome}");
        assert!(!outcome.to_string().contains("WRONG"));
    }
}

#[test]
#[ignore = "needs squid"]
fn squid_carries_sign_in_and_cancel() {
    let proxy = squid();
    let hosts = Hosts::new();
    hosts.assert_both_called(&hosts.step().env("HTTPS_PROXY", proxy.url("")).run());
}

#[test]
#[ignore = "needs tinyproxy"]
fn no_proxy_goes_past_a_proxy_that_is_down() {
    let proxy = tinyproxy("");
    let url = proxy.url("");
    drop(proxy);
    let hosts = Hosts::new();
    hosts.assert_both_called(
        &hosts
            .step()
            .env("HTTPS_PROXY", &url)
            .env("NO_PROXY", "127.0.0.1")
            .run(),
    );
    let outcome = Hosts::new().step().env("HTTPS_PROXY", url).run();
    assert_eq!(
        (outcome.status, &outcome.json()["error"]["request_sent"]),
        (Some(5), &"no".into()),
        "{outcome}"
    );
}

#[test]
#[ignore = "needs mitmproxy"]
fn mitmproxy_inspects_what_its_authority_is_trusted_for() {
    let folder = fresh_folder();
    let proxy = Running::start("mitmdump", |port, _| {
        let set = |setting: String| ["--set".to_owned(), setting];
        let mut args = vec![
            "--quiet".to_owned(),
            "--listen-host".to_owned(),
            "127.0.0.1".to_owned(),
        ];
        args.extend(["--listen-port".to_owned(), port.to_string()]);
        args.extend(set(format!("confdir={}", folder.display())));
        args.extend(set(format!(
            "ssl_verify_upstream_trusted_ca={}",
            Authority::trusted().pem_path()
        )));
        args
    });
    let authority = folder.join("mitmproxy-ca-cert.pem");
    let hosts = Hosts::new();
    let trusting = hosts.step().env("HTTPS_PROXY", proxy.url(""));
    hosts.assert_both_called(
        &trusting
            .env("SSL_CERT_FILE", authority.to_str().unwrap())
            .run(),
    );

    let outcome = Hosts::new().step().env("HTTPS_PROXY", proxy.url("")).run();
    assert_eq!(outcome.status, Some(5), "{outcome}");
    assert!(
        outcome.stderr.contains("from an unknown issuer ("),
        "{outcome}"
    );
    assert!(outcome.stderr.contains("mitmproxy"), "{outcome}");
    assert!(outcome.stderr.contains("SSL_CERT_FILE"), "{outcome}");
}
