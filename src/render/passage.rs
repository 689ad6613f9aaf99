//! Defines the one way onto the network for a program that renders: a proxy of our own on this machine, which lets https
//! through to the hosts that the user allowed, and nothing else.
//!
//! An allowed host decides what it answers: it may redirect to any other, and what it gives may refer to more. The program
//! is given this proxy in its environment, so that each connection is asked for by name (`CONNECT host:port`, RFC 9110,
//! section 9.3.6). What is said within is encrypted, and not looked at.
//!
//! It does not cover this machine's own loopback addresses: Go's HTTP client, and so kustomize, never asks a proxy for
//! them (`golang.org/x/net/http/httpproxy`). Whoever allows a host trusts it not to lead there.

use crate::model::limits;
use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::{CancellationToken, DropGuard};

/// Connections at the same time; further ones wait.
const CONNECTIONS: usize = 16;
/// The most that a request for a connection may take, and how long it may take.
const REQUEST_BYTES: usize = 8 << 10;
const REQUEST_TIME: Duration = Duration::from_secs(10);

/// A proxy that runs until it is dropped.
pub(super) struct Passage {
    port: u16,
    _running: DropGuard,
}

impl Passage {
    /// Opens a proxy on a free port of this machine. Must be called on an async runtime.
    pub async fn to(hosts: BTreeSet<String>) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let port = listener.local_addr()?.port();
        let running = CancellationToken::new();
        tokio::spawn(running.clone().run_until_cancelled_owned(serve(listener, Arc::new(hosts))));
        Ok(Self { port, _running: running.drop_guard() })
    }

    /// Returns the proxy as programs are told of it.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

async fn serve(listener: TcpListener, hosts: Arc<BTreeSet<String>>) {
    let turns = Arc::new(Semaphore::new(CONNECTIONS));
    // They end with this future.
    let mut tunnels = JoinSet::new();
    while let Ok(turn) = turns.clone().acquire_owned().await {
        let Ok((client, _)) = listener.accept().await else { return };
        let hosts = Arc::clone(&hosts);
        tunnels.spawn(async move {
            if let Err(error) = tunnel(client, &hosts).await {
                tracing::debug!(%error, "a connection of a rendering ended");
            }
            drop(turn);
        });
        while tunnels.try_join_next().is_some() {}
    }
}

/// Answers one request, and passes on what is said in both directions if it was granted.
async fn tunnel(mut client: TcpStream, hosts: &BTreeSet<String>) -> io::Result<()> {
    let request = tokio::time::timeout(REQUEST_TIME, request(&mut client)).await??;
    let Some((host, port)) = wanted(&request).filter(|(host, _)| hosts.contains(host)) else {
        let first = request.lines().next().unwrap_or_default();
        tracing::info!(request = first, "a rendering may not connect there");
        return client
            .write_all(b"HTTP/1.1 403 Host not allowed\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            .await;
    };
    let mut server = match TcpStream::connect((host.as_str(), port)).await {
        Ok(server) => server,
        Err(error) => {
            client
                .write_all(b"HTTP/1.1 502 No connection\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                .await?;
            return Err(error);
        }
    };
    client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
    let (mut from_client, mut to_client) = client.split();
    let (from_server, mut to_server) = server.split();
    let mut from_server = from_server.take(limits::EXPORT_BYTES);
    let there = async {
        tokio::io::copy(&mut from_client, &mut to_server).await?;
        to_server.shutdown().await
    };
    let back = async {
        tokio::io::copy(&mut from_server, &mut to_client).await?;
        to_client.shutdown().await
    };
    tokio::try_join!(there, back).map(|_| ())
}

/// Reads the head of a request. Errors: it is too long, or does not end.
async fn request(client: &mut TcpStream) -> io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() >= REQUEST_BYTES {
            return Err(io::Error::other("the request is too long"));
        }
        head.push(client.read_u8().await?);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

/// Returns the host and port that a connection is asked for; `None`: something else is asked for.
fn wanted(request: &str) -> Option<(String, u16)> {
    let mut words = request.lines().next()?.split(' ');
    let (Some("CONNECT"), Some(authority)) = (words.next(), words.next()) else { return None };
    let (host, port) = authority.rsplit_once(':')?;
    Some((host.to_ascii_lowercase(), port.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server on this machine that says back what it is told.
    async fn echo() -> u16 {
        let listener = TcpListener::bind(("localhost", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let (mut from, mut to) = client.split();
                tokio::io::copy(&mut from, &mut to).await.unwrap();
            }
        });
        port
    }

    /// Sends a text through a passage to `localhost` and returns everything that comes back.
    async fn said(request: &str) -> String {
        let passage = Passage::to(["localhost".to_owned()].into()).await.unwrap();
        let mut client = TcpStream::connect(("127.0.0.1", passage.port)).await.unwrap();
        client.write_all(request.as_bytes()).await.unwrap();
        client.shutdown().await.unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.unwrap();
        answer
    }

    #[tokio::test]
    async fn an_allowed_host_is_reached_and_no_other_by_whatever_it_is_asked() {
        let port = echo().await;
        let granted = said(&format!("CONNECT LocalHost:{port} HTTP/1.1\r\nHost: x\r\n\r\nhello")).await;
        assert_eq!(granted, "HTTP/1.1 200 OK\r\n\r\nhello");
        for refused in [
            format!("CONNECT 127.0.0.1:{port} HTTP/1.1\r\n\r\n"),
            format!("CONNECT other.example.com:{port} HTTP/1.1\r\n\r\n"),
            format!("CONNECT x@localhost:{port} HTTP/1.1\r\n\r\n"),
            // What an allowed host redirects to without encryption, or through another method.
            format!("GET http://localhost:{port}/ HTTP/1.1\r\nHost: localhost\r\n\r\n"),
            "CONNECT localhost HTTP/1.1\r\n\r\n".to_owned(),
        ] {
            let answer = said(&refused).await;
            assert!(answer.starts_with("HTTP/1.1 403 "), "{refused}: {answer}");
        }
    }

    #[tokio::test]
    async fn a_passage_ends_with_the_run() {
        let passage = Passage::to(["localhost".to_owned()].into()).await.unwrap();
        let place = ("127.0.0.1", passage.port);
        drop(passage);
        let refused = async { while TcpStream::connect(place).await.is_ok() {} };
        assert_eq!(tokio::time::timeout(Duration::from_secs(60), refused).await, Ok(()));
    }
}
