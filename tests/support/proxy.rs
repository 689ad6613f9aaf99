//! A reverse proxy in front of an API server that breaks things on purpose and remembers what was asked.
//!
//! It speaks HTTP/1.1 over TLS with the API server's own certificate, so a kubeconfig needs nothing but another
//! port; bearer tokens pass through (client certificates cannot). Each request has a connection of its own, to the
//! client and to the server: the answer's bytes are handed on as they come, watches included, and never understood.

mod fault;
mod request;

use std::fmt::Write as _;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio_rustls::{TlsAcceptor, TlsConnector};

pub use fault::{Fault, FaultId};
pub use request::{Matching, Seen};

use super::patience::PATIENCE;
use super::plane::{Access, Plane};
use fault::Book;

/// A proxy in front of one API server; it ends, with all its connections, when it goes out of scope.
pub struct FaultProxy {
    shared: Arc<Shared>,
    address: SocketAddr,
    flow: watch::Sender<Flow>,
    runtime: Option<tokio::runtime::Runtime>,
}

/// What all connections obey.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Flow {
    /// No byte moves in either direction, and no connection ends.
    frozen: bool,
    /// Counts how often all connections were cut; one that began under another number ends.
    cut: usize,
}

struct Shared {
    count: AtomicUsize,
    log: Mutex<Vec<Seen>>,
    grown: Condvar,
    book: Mutex<Book>,
    upstream: SocketAddr,
    connector: TlsConnector,
}

impl FaultProxy {
    /// Starts a proxy in front of a control plane, on a free port.
    pub fn in_front_of(plane: &Plane) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("fault-proxy")
            .enable_all()
            .build()
            .expect("threads for the proxy");
        let upstream = plane.server.trim_start_matches("https://").parse().expect("the server's address");
        let (acceptor, connector) = tls(plane);
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a free port");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Shared {
            count: AtomicUsize::new(0),
            log: Mutex::default(),
            grown: Condvar::new(),
            book: Mutex::default(),
            upstream,
            connector,
        });
        let (flow, flows) = watch::channel(Flow::default());
        runtime.spawn(accept(listener, acceptor, Arc::clone(&shared), flows));
        Self { shared, address, flow, runtime: Some(runtime) }
    }

    /// Its address as a kubeconfig names a server.
    pub fn server(&self) -> String {
        format!("https://{}", self.address)
    }

    /// The same way into the cluster, through this proxy.
    pub fn through(&self, access: Access) -> Access {
        access.by(self.server())
    }

    /// Puts a fault in the way of every matching request from now on.
    pub fn always(&self, matching: Matching, fault: Fault) -> FaultId {
        self.book().put(matching, 0, None, fault)
    }

    /// Puts a fault in the way of the next matching request alone.
    pub fn once(&self, matching: Matching, fault: Fault) -> FaultId {
        self.book().put(matching, 0, Some(1), fault)
    }

    /// Lets some matching requests pass, then puts a fault in the way of as many.
    pub fn after(&self, passes: usize, times: usize, matching: Matching, fault: Fault) -> FaultId {
        self.book().put(matching, passes, Some(times), fault)
    }

    /// Takes a fault out again.
    pub fn remove(&self, fault: FaultId) {
        self.book().take_out(fault);
    }

    /// Takes all faults and hooks out.
    pub fn clear(&self) {
        self.book().clear();
    }

    /// Runs something once, before matching request number `nth` (from 0) is forwarded; the request waits for it. It
    /// may block, and run kubectl.
    pub fn before(&self, matching: Matching, nth: usize, hook: impl FnOnce() + Send + 'static) {
        self.book().put_hook(matching, nth, Box::new(hook));
    }

    /// Stops every byte on every connection, and lets them move again: a network that went silent.
    pub fn freeze(&self, frozen: bool) {
        self.flow.send_modify(|flow| flow.frozen = frozen);
    }

    /// Cuts all connections that are open now, watches included.
    pub fn cut_all(&self) {
        self.flow.send_modify(|flow| flow.cut += 1);
    }

    /// All requests so far, in the order in which they came.
    pub fn seen(&self) -> Vec<Seen> {
        lock(&self.shared.log).clone()
    }

    /// The requests so far that match.
    pub fn seen_matching(&self, matching: &Matching) -> Vec<Seen> {
        lock(&self.shared.log).iter().filter(|seen| matching.matches(seen)).cloned().collect()
    }

    /// The requests so far, a line each, for a test's failure message.
    pub fn listing(&self) -> String {
        lock(&self.shared.log).iter().fold(String::new(), |mut lines, seen| {
            let _ = writeln!(lines, "{seen}");
            lines
        })
    }

    /// Forgets the requests so far.
    pub fn forget(&self) {
        lock(&self.shared.log).clear();
    }

    /// Waits until this many matching requests have been seen; panics with all requests if they never come.
    #[track_caller]
    pub fn await_seen(&self, matching: &Matching, count: usize) {
        let end = Instant::now() + PATIENCE;
        let mut log = lock(&self.shared.log);
        while log.iter().filter(|seen| matching.matches(seen)).count() < count {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                drop(log);
                panic!("waited {PATIENCE:?} for {count} of {matching:?}; seen:\n{}", self.listing());
            }
            log = self.shared.grown.wait_timeout(log, left).expect("a proxy that did not panic").0;
        }
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        lock(&self.shared.book)
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A hook that panicked may have poisoned it; the log and the book are still whole.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns what speaks TLS to clients, with the API server's certificate, and to the API server.
pub(crate) fn tls(plane: &Plane) -> (TlsAcceptor, TlsConnector) {
    let key = PrivateKeyDer::from_pem_file(plane.folder.join("server.key")).expect("the server's key");
    let server = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("protocol versions")
        .with_no_client_auth()
        .with_single_cert(certificates(plane, "server.crt"), key)
        .expect("the server's certificate");
    (TlsAcceptor::from(Arc::new(server)), TlsConnector::from(Arc::new(client_tls(plane))))
}

fn certificates(plane: &Plane, name: &str) -> Vec<CertificateDer<'static>> {
    let file = plane.folder.join(name);
    CertificateDer::pem_file_iter(file).expect("a PEM file").map(|one| one.expect("a certificate")).collect()
}

/// Returns what speaks TLS to the API server, and to whatever else has a certificate of its authority.
pub(crate) fn client_tls(plane: &Plane) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    for authority in certificates(plane, "ca.crt") {
        roots.add(authority).expect("the authority");
    }
    ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("protocol versions")
        .with_root_certificates(roots)
        .with_no_client_auth()
}

async fn accept(
    listener: TcpListener,
    acceptor: TlsAcceptor,
    shared: Arc<Shared>,
    flows: watch::Receiver<Flow>,
) {
    while let Ok((stream, _)) = listener.accept().await {
        let (acceptor, shared, flow) = (acceptor.clone(), Arc::clone(&shared), flows.clone());
        tokio::spawn(async move {
            let mut end = flow.clone();
            let begun = end.borrow_and_update().cut;
            tokio::select! {
                // An error of a connection is the client's to notice; here it only ends it.
                _ = serve(stream, acceptor, shared, flow) => {}
                _ = end.wait_for(|flow| flow.cut != begun) => {}
            }
        });
    }
}

/// Serves one connection, which carries one request.
async fn serve(
    stream: TcpStream,
    acceptor: TlsAcceptor,
    shared: Arc<Shared>,
    mut flow: watch::Receiver<Flow>,
) -> io::Result<()> {
    moving(&mut flow).await;
    let mut client = acceptor.accept(stream).await?;
    let Some(mut seen) = Seen::read(&mut client).await? else { return Ok(()) };
    moving(&mut flow).await;

    let (fault, hooks) = {
        let mut book = lock(&shared.book);
        (book.strike(&seen), book.due(&seen))
    };
    seen.fault = fault.as_ref().map(Fault::name);
    seen.number = shared.count.fetch_add(1, Ordering::Relaxed);
    lock(&shared.log).push(seen.clone());
    shared.grown.notify_all();
    if !hooks.is_empty() {
        tokio::task::spawn_blocking(|| hooks.into_iter().for_each(|hook| hook()))
            .await
            .map_err(io::Error::other)?;
    }

    match fault {
        Some(Fault::DropBefore) => return Ok(()),
        Some(Fault::BlackHole) => std::future::pending().await,
        Some(Fault::Answer { status, headers, body }) => {
            return answer(&mut client, &shared, &seen, status, &headers, &body).await;
        }
        Some(Fault::GoneInWatch) => {
            let Fault::Answer { body, .. } = Fault::gone() else { unreachable!("an answer") };
            let event = format!("{{\"type\":\"ERROR\",\"object\":{body}}}\n");
            return answer(&mut client, &shared, &seen, 200, &[], &event).await;
        }
        Some(Fault::Delay(pause)) => tokio::time::sleep(pause).await,
        Some(Fault::DropAfter | Fault::BlackHoleAfter | Fault::Truncate(_)) | None => {}
    }

    let upstream = TcpStream::connect(shared.upstream).await?;
    let name = ServerName::from(shared.upstream.ip());
    let mut server = shared.connector.connect(name, upstream).await?;
    // A body that is to be cut in the middle must not be shorter than it looks.
    let without: &[&str] = if matches!(fault, Some(Fault::Truncate(_))) { &["accept-encoding"] } else { &[] };
    server.write_all(&seen.forwarded(without)).await?;
    server.flush().await?;
    let Some((head, first)) = request::read_head(&mut server).await? else { return Ok(()) };
    let status = std::str::from_utf8(&head).ok().and_then(|head| head.split(' ').nth(1)?.parse().ok());
    match fault {
        Some(Fault::DropAfter) => return Ok(()),
        Some(Fault::BlackHoleAfter) => std::future::pending().await,
        _ => {}
    }
    moving(&mut flow).await;
    note_status(&shared, &seen, status);
    client.write_all(&head).await?;
    client.write_all(b"\r\n\r\n").await?;
    let limit = if let Some(Fault::Truncate(bytes)) = fault { Some(bytes) } else { None };
    hand_on(&mut server, &mut client, first, limit, &mut flow).await?;
    if limit.is_none() {
        client.shutdown().await?;
    }
    Ok(())
}

/// Hands a body on as it comes, until the server has ended it, the client has gone, or the limit is reached.
async fn hand_on(
    server: &mut (impl AsyncRead + Unpin),
    client: &mut (impl AsyncRead + AsyncWrite + Unpin),
    first: Vec<u8>,
    limit: Option<usize>,
    flow: &mut watch::Receiver<Flow>,
) -> io::Result<()> {
    let mut left = limit.unwrap_or(usize::MAX);
    let mut piece = first;
    let mut buffer = vec![0; 64 << 10];
    let mut unasked = [0; 1];
    loop {
        moving(flow).await;
        let length = piece.len().min(left);
        client.write_all(&piece[..length]).await?;
        client.flush().await?;
        left -= length;
        if left == 0 {
            return Ok(());
        }
        let read = tokio::select! {
            read = server.read(&mut buffer) => read?,
            // A client sends nothing while it waits: this is its end.
            _ = client.read(&mut unasked) => return Ok(()),
        };
        if read == 0 {
            return Ok(());
        }
        piece = buffer[..read].to_vec();
    }
}

/// Waits while all connections are frozen.
async fn moving(flow: &mut watch::Receiver<Flow>) {
    let _ = flow.wait_for(|flow| !flow.frozen).await;
}

async fn answer(
    client: &mut (impl AsyncWrite + Unpin),
    shared: &Shared,
    seen: &Seen,
    status: u16,
    headers: &[(String, String)],
    body: &str,
) -> io::Result<()> {
    note_status(shared, seen, Some(status));
    let mut head = format!("HTTP/1.1 {status} Fault\r\ncontent-type: application/json\r\n");
    for (name, value) in headers {
        let _ = write!(head, "{name}: {value}\r\n");
    }
    let _ = write!(head, "content-length: {}\r\nconnection: close\r\n\r\n", body.len());
    client.write_all(head.as_bytes()).await?;
    client.write_all(body.as_bytes()).await?;
    client.shutdown().await
}

fn note_status(shared: &Shared, seen: &Seen, status: Option<u16>) {
    if let Some(entry) = lock(&shared.log).iter_mut().find(|entry| entry.number == seen.number) {
        entry.status = status;
    }
}
