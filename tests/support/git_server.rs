//! A Git server over https: git's own `http-backend` behind TLS, with or without a user and a password.
//!
//! It has the API server's certificate, so that git trusts it with `GIT_SSL_CAINFO` set to the control plane's authority.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Command;
use tokio_rustls::TlsAcceptor;

use super::plane::Plane;
use super::proxy::{Seen, tls};

/// A server of one folder of bare repositories; it ends when it goes out of scope.
pub struct GitServer {
    address: SocketAddr,
    shared: Arc<Shared>,
    runtime: Option<tokio::runtime::Runtime>,
}

struct Shared {
    root: PathBuf,
    /// The one `user:password` that is let in, if not everybody is.
    login: Option<String>,
    /// The status of each answer, in order.
    answers: Mutex<Vec<u16>>,
}

impl GitServer {
    /// Serves the repositories below a folder on a free port, to whoever has the login (`user:password`).
    pub fn of(root: &Path, plane: &Plane, login: Option<&str>) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("git-server")
            .enable_all()
            .build()
            .expect("a thread for the server");
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a free port");
        let address = listener.local_addr().expect("an address");
        let login = login.map(str::to_owned);
        let shared = Arc::new(Shared { root: root.to_owned(), login, answers: Mutex::default() });
        let (acceptor, serving) = (tls(plane).0, Arc::clone(&shared));
        runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                // What goes wrong on a connection is git's to notice.
                tokio::spawn(serve(stream, acceptor.clone(), Arc::clone(&serving)));
            }
        });
        Self { address, shared, runtime: Some(runtime) }
    }

    /// The URL of a repository below the folder.
    pub fn url(&self, repository: &str) -> String {
        format!("https://{}/{repository}", self.address)
    }

    /// The status of each answer so far.
    pub fn answers(&self) -> Vec<u16> {
        self.shared.answers.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for GitServer {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Serves one connection, which carries one request.
async fn serve(stream: TcpStream, acceptor: TlsAcceptor, shared: Arc<Shared>) -> io::Result<()> {
    let mut client = acceptor.accept(stream).await?;
    let Some(request) = Seen::read(&mut client).await? else { return Ok(()) };
    let (status, headers, body) = if shared.lets_in(&request) {
        shared.ask_git(&request).await?
    } else {
        (401, "WWW-Authenticate: Basic realm=\"fleet\"\r\n".to_owned(), b"who are you".to_vec())
    };
    shared.answers.lock().unwrap_or_else(PoisonError::into_inner).push(status);
    let length = body.len();
    let head =
        format!("HTTP/1.1 {status} -\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n");
    client.write_all(head.as_bytes()).await?;
    client.write_all(&body).await?;
    client.shutdown().await
}

impl Shared {
    fn lets_in(&self, request: &Seen) -> bool {
        let Some(login) = &self.login else { return true };
        let wanted = base64::engine::general_purpose::STANDARD.encode(login);
        request.header("authorization") == Some(format!("Basic {wanted}").as_str())
    }

    /// Runs `git http-backend` as RFC 3875 says, and returns its status, its headers and its body.
    async fn ask_git(&self, request: &Seen) -> io::Result<(u16, String, Vec<u8>)> {
        let header = |name: &str| request.header(name).unwrap_or_default().to_owned();
        let mut child = Command::new("git")
            .arg("http-backend")
            .env("GIT_PROJECT_ROOT", &self.root)
            .env("GIT_HTTP_EXPORT_ALL", "1")
            // The folder may belong to another user than this process, in a container say.
            .env("GIT_CONFIG_COUNT", "1")
            .env("GIT_CONFIG_KEY_0", "safe.directory")
            .env("GIT_CONFIG_VALUE_0", "*")
            .env("REQUEST_METHOD", &request.method)
            .env("PATH_INFO", &request.path)
            .env("QUERY_STRING", &request.query)
            .env("CONTENT_TYPE", header("content-type"))
            .env("CONTENT_LENGTH", request.body.len().to_string())
            .env("HTTP_CONTENT_ENCODING", header("content-encoding"))
            .env("HTTP_GIT_PROTOCOL", header("git-protocol"))
            .env("GIT_PROTOCOL", header("git-protocol"))
            .env("REMOTE_USER", "ana")
            .env("REMOTE_ADDR", "127.0.0.1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut input = child.stdin.take().expect("a pipe");
        let mut output = child.stdout.take().expect("a pipe");
        let (said, answer) = tokio::join!(
            async {
                let written = input.write_all(&request.body).await;
                drop(input);
                written
            },
            async {
                let mut answer = Vec::new();
                output.read_to_end(&mut answer).await.map(|_| answer)
            }
        );
        said?;
        let answer = answer?;
        child.wait().await?;
        let end = answer.windows(4).position(|four| four == b"\r\n\r\n").expect("the end of the headers");
        let head = String::from_utf8_lossy(&answer[..end]).into_owned();
        let status = head.lines().find_map(|line| line.strip_prefix("Status: "));
        let status = status.and_then(|line| line.get(..3)?.parse().ok()).unwrap_or(200);
        let headers = head.lines().filter(|line| !line.starts_with("Status:"));
        Ok((status, headers.map(|line| format!("{line}\r\n")).collect(), answer[end + 4..].to_vec()))
    }
}
