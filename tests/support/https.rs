//! A small https server on loopback, with the API server's own certificate: what the API server itself calls.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;

use super::plane::Plane;
use super::proxy::{Seen, tls};

/// The server; it ends when it goes out of scope.
pub struct Https {
    pub address: SocketAddr,
    runtime: Option<tokio::runtime::Runtime>,
}

impl Https {
    /// Answers each request with a text of this type.
    #[track_caller]
    pub fn serve(
        plane: &Plane,
        content_type: &'static str,
        answer: impl Fn(&Seen) -> String + Send + Sync + 'static,
    ) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("https")
            .enable_all()
            .build()
            .expect("threads for the server");
        let (acceptor, _) = tls(plane);
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a free port");
        let address = listener.local_addr().expect("an address");
        let answer = Arc::new(answer);
        runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, answer) = (acceptor.clone(), Arc::clone(&answer));
                tokio::spawn(async move {
                    let mut stream = acceptor.accept(stream).await.ok()?;
                    let seen = Seen::read(&mut stream).await.ok()??;
                    let body = answer(&seen);
                    let head = format!(
                        "HTTP/1.1 200 OK\r\ncontent-type: {content_type}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                        body.len()
                    );
                    stream.write_all(head.as_bytes()).await.ok()?;
                    stream.write_all(body.as_bytes()).await.ok()?;
                    stream.shutdown().await.ok()
                });
            }
        });
        Self { address, runtime: Some(runtime) }
    }
}

impl Drop for Https {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
