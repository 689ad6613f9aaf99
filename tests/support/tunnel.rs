//! A small proxy on the loopback that tunnels what it is asked to: HTTP `CONNECT` and SOCKS5, told apart by the first
//! byte. It counts what went through it.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// A running proxy; its threads end with the test's process.
pub struct Tunnel {
    port: u16,
    opened: Arc<AtomicUsize>,
}

impl Tunnel {
    pub fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let opened = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&opened);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let count = Arc::clone(&count);
                thread::spawn(move || drop(serve(client, &count)));
            }
        });
        Self { port, opened }
    }

    /// Its address as a proxy of this scheme: `http` or `socks5`.
    pub fn url(&self, scheme: &str) -> String {
        format!("{scheme}://127.0.0.1:{}", self.port)
    }

    /// How many tunnels were opened.
    pub fn opened(&self) -> usize {
        self.opened.load(Ordering::SeqCst)
    }
}

fn serve(mut client: TcpStream, opened: &AtomicUsize) -> std::io::Result<()> {
    let mut first = [0];
    client.read_exact(&mut first)?;
    let server = if first[0] == 5 { socks(&mut client)? } else { connect(&mut client)? };
    opened.fetch_add(1, Ordering::SeqCst);
    let (mut to_server, mut from_client) = (server.try_clone()?, client.try_clone()?);
    let upwards = thread::spawn(move || {
        let copied = std::io::copy(&mut from_client, &mut to_server);
        let _ = to_server.shutdown(Shutdown::Write);
        copied
    });
    let mut server = server;
    std::io::copy(&mut server, &mut client)?;
    let _ = client.shutdown(Shutdown::Write);
    let _ = upwards.join();
    Ok(())
}

/// RFC 1928, without authentication.
fn socks(client: &mut TcpStream) -> std::io::Result<TcpStream> {
    let mut count = [0];
    client.read_exact(&mut count)?;
    client.read_exact(&mut vec![0; usize::from(count[0])])?;
    client.write_all(&[5, 0])?;
    let mut head = [0; 4];
    client.read_exact(&mut head)?;
    let host = if head[3] == 1 {
        let mut address = [0; 4];
        client.read_exact(&mut address)?;
        Ipv4Addr::from(address).to_string()
    } else {
        client.read_exact(&mut count)?;
        let mut name = vec![0; usize::from(count[0])];
        client.read_exact(&mut name)?;
        String::from_utf8_lossy(&name).into_owned()
    };
    let mut port = [0; 2];
    client.read_exact(&mut port)?;
    let server = TcpStream::connect((host.as_str(), u16::from_be_bytes(port)))?;
    client.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0])?;
    Ok(server)
}

fn connect(client: &mut TcpStream) -> std::io::Result<TcpStream> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        client.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    let text = String::from_utf8_lossy(&head);
    // The first letter was read already: `ONNECT host:port HTTP/1.1`.
    let place = text.split_whitespace().nth(1).unwrap_or_default();
    let server = TcpStream::connect(place)?;
    client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
    Ok(server)
}
