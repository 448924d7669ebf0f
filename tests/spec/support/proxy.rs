//! A forwarding proxy (RFC 9110, section 9.3.6) that notes what it is asked for.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use super::listen;

/// A proxy that is up until the tests end.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    /// A proxy that answers each CONNECT with `status`; if that is 200, it connects.
    pub fn answering(status: &'static str) -> Self {
        let listener = listen();
        let address = listener.local_addr().expect("an address");
        let asked = Arc::new(Mutex::new(Vec::new()));
        let notes = Arc::clone(&asked);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let notes = Arc::clone(&notes);
                // A client that goes away ends its own tunnel only.
                thread::spawn(move || tunnel(client, status, &notes));
            }
        });
        Self { address, asked }
    }

    /// A proxy that does `act` with each connection.
    pub fn acting(act: fn(&mut TcpStream) -> io::Result<()>) -> Self {
        let listener = listen();
        let address = listener.local_addr().expect("an address");
        thread::spawn(move || {
            for mut client in listener.incoming().flatten() {
                thread::spawn(move || {
                    read_head(&mut client)?;
                    act(&mut client)?;
                    // Closed with bytes unread, a connection is reset or not as chance will have it.
                    client.shutdown(Shutdown::Write)?;
                    io::copy(&mut client, &mut io::sink()).map(drop)
                });
            }
        });
        Self {
            address,
            asked: Arc::default(),
        }
    }

    /// Its host and port.
    pub fn host(&self) -> String {
        self.address.to_string()
    }

    /// The heads of the requests so far.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

/// The head of a request; of TLS, which it is not, the first byte.
fn read_head(client: &mut TcpStream) -> io::Result<String> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && !head.starts_with(&[0x16]) && client.read(&mut byte)? > 0
    {
        head.extend(byte);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

fn tunnel(mut client: TcpStream, status: &str, notes: &Mutex<Vec<String>>) -> io::Result<()> {
    let head = read_head(&mut client)?;
    let target = head
        .split_whitespace()
        .nth(1)
        .unwrap_or_default()
        .to_owned();
    notes.lock().unwrap().push(head);
    write!(client, "HTTP/1.1 {status}\r\n\r\n")?;
    if !status.starts_with("200") {
        return Ok(());
    }
    let mut server = TcpStream::connect(target)?;
    let (mut from_client, mut to_server) = (client.try_clone()?, server.try_clone()?);
    thread::spawn(move || io::copy(&mut from_client, &mut to_server));
    io::copy(&mut server, &mut client).map(drop)
}
