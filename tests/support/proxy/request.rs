//! Requests as the proxy sees them: read from the wire, understood as Kubernetes means them, selected by a test.

use std::fmt::{self, Write as _};
use std::io;

use tokio::io::{AsyncRead, AsyncReadExt as _};

/// The longest head and body that a test's client sends.
const LONGEST_HEAD: usize = 64 << 10;
const LONGEST_BODY: usize = 64 << 20;

/// One request that the proxy has seen, and what became of it.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// Its number among all requests of this proxy, from 0.
    pub number: usize,
    pub method: String,
    /// Without the query.
    pub path: String,
    /// Without the question mark; as it was sent, percent-encoded.
    pub query: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// What authorization calls it: get, list, watch, create, update, patch, delete or deletecollection; the method
    /// in lower case for paths that name no resource.
    pub verb: String,
    pub group: String,
    pub version: String,
    /// Empty for paths that name no resource, such as `/version` and `/openapi/v3`.
    pub resource: String,
    pub namespace: Option<String>,
    pub name: Option<String>,
    pub subresource: Option<String>,
    /// The status that the client was sent; none while it waits, and where the connection was cut before.
    pub status: Option<u16>,
    /// The fault that a test had put in its way.
    pub fault: Option<&'static str>,
}

impl Seen {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    pub fn user_agent(&self) -> &str {
        self.header("user-agent").unwrap_or_default()
    }

    /// Whether the server is asked only to pretend (`dryRun=All`).
    pub fn is_dry_run(&self) -> bool {
        self.query.split('&').any(|pair| pair == "dryRun=All")
    }

    /// Whether this request may change the cluster: a write that is no dry run and no review.
    pub fn is_write(&self) -> bool {
        let review = self.resource.ends_with("reviews");
        !self.is_dry_run() && !review && !matches!(self.verb.as_str(), "get" | "list" | "watch" | "head")
    }

    /// Reads one request; none where the client closed the connection without sending any.
    pub(crate) async fn read(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<Self>> {
        let Some((head, mut rest)) = read_head(stream).await? else { return Ok(None) };
        let head = String::from_utf8(head).map_err(io::Error::other)?;
        let mut lines = head.split("\r\n");
        let mut first = lines.next().unwrap_or_default().split(' ');
        let (method, target) = (first.next().unwrap_or_default(), first.next().unwrap_or_default());
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let headers: Vec<(String, String)> = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.trim().to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        let mut seen = Self {
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers,
            ..Self::default()
        };
        seen.understand();
        let length = seen.header("content-length").and_then(|value| value.parse().ok()).unwrap_or(0);
        let chunked =
            seen.header("transfer-encoding").is_some_and(|value| value.eq_ignore_ascii_case("chunked"));
        seen.body =
            if chunked { read_chunks(stream, rest).await? } else { fill(stream, &mut rest, length).await? };
        Ok(Some(seen))
    }

    /// Reads verb, group, version, resource, namespace, name and subresource off the path.
    fn understand(&mut self) {
        let path = self.path.clone();
        let mut parts = path.split('/').filter(|part| !part.is_empty());
        self.verb = self.method.to_ascii_lowercase();
        match parts.next() {
            Some("api") => {}
            Some("apis") => parts.next().unwrap_or_default().clone_into(&mut self.group),
            _ => return,
        }
        parts.next().unwrap_or_default().clone_into(&mut self.version);
        let mut parts: Vec<&str> = parts.collect();
        // `namespaces/NAME` and its own subresources are the namespace itself.
        if parts.len() > 2 && parts[0] == "namespaces" && !matches!(parts[2], "status" | "finalize") {
            self.namespace = Some(parts[1].to_owned());
            parts.drain(..2);
        }
        let mut parts = parts.into_iter().map(ToOwned::to_owned);
        let Some(resource) = parts.next() else { return };
        self.resource = resource;
        self.name = parts.next();
        self.subresource = parts.next();
        let watch = self.query.split('&').any(|pair| matches!(pair, "watch=true" | "watch=1" | "watch"));
        let verb = match (self.method.as_str(), &self.name) {
            ("GET", _) if watch => "watch",
            ("GET", None) => "list",
            ("POST", _) => "create",
            ("PUT", _) => "update",
            ("DELETE", None) => "deletecollection",
            _ => return,
        };
        verb.clone_into(&mut self.verb);
    }

    /// Returns the request as it goes to the server: the same, on a connection of its own.
    pub(super) fn forwarded(&self, without: &[&str]) -> Vec<u8> {
        let query = if self.query.is_empty() { String::new() } else { format!("?{}", self.query) };
        let mut head = format!("{} {}{query} HTTP/1.1\r\n", self.method, self.path);
        for (name, value) in &self.headers {
            if !matches!(name.as_str(), "connection" | "transfer-encoding" | "content-length" | "expect")
                && !without.contains(&name.as_str())
            {
                let _ = write!(head, "{name}: {value}\r\n");
            }
        }
        let _ = write!(head, "content-length: {}\r\nconnection: close\r\n\r\n", self.body.len());
        [head.as_bytes(), &self.body].concat()
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let query = if self.query.is_empty() { String::new() } else { format!("?{}", self.query) };
        let status = self.status.map_or("-".to_owned(), |status| status.to_string());
        let fault = self.fault.map(|fault| format!(" [{fault}]")).unwrap_or_default();
        write!(f, "#{} {} {}{query} -> {status}{fault}", self.number, self.method, self.path)
    }
}

/// Reads up to the empty line; returns what came before it and what came after it already.
pub(super) async fn read_head(
    stream: &mut (impl AsyncRead + Unpin),
) -> io::Result<Option<(Vec<u8>, Vec<u8>)>> {
    let mut bytes = Vec::new();
    let mut buffer = vec![0; 16 << 10];
    loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let rest = bytes.split_off(end + 4);
            bytes.truncate(end);
            return Ok(Some((bytes, rest)));
        }
        if bytes.len() > LONGEST_HEAD {
            return Err(io::Error::other("a head without an end"));
        }
        match stream.read(&mut buffer).await? {
            0 if bytes.is_empty() => return Ok(None),
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            length => bytes.extend_from_slice(&buffer[..length]),
        }
    }
}

/// Reads until `have` holds `length` bytes, and returns these.
async fn fill(
    stream: &mut (impl AsyncRead + Unpin),
    have: &mut Vec<u8>,
    length: usize,
) -> io::Result<Vec<u8>> {
    if length > LONGEST_BODY {
        return Err(io::Error::other("a body that no test sends"));
    }
    let mut buffer = vec![0; 64 << 10];
    while have.len() < length {
        match stream.read(&mut buffer).await? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => have.extend_from_slice(&buffer[..read]),
        }
    }
    let rest = have.split_off(length);
    Ok(std::mem::replace(have, rest))
}

async fn read_chunks(stream: &mut (impl AsyncRead + Unpin), mut have: Vec<u8>) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let end = loop {
            if let Some(end) = have.windows(2).position(|window| window == b"\r\n") {
                break end;
            }
            let length = have.len() + 1;
            have = [fill(stream, &mut have, length).await?, have].concat();
        };
        let line = fill(stream, &mut have, end + 2).await?;
        let size =
            String::from_utf8_lossy(&line[..end]).split(';').next().unwrap_or_default().trim().to_owned();
        let size = usize::from_str_radix(&size, 16).map_err(io::Error::other)?;
        let chunk = fill(stream, &mut have, size + 2).await?;
        if size == 0 {
            return Ok(body);
        }
        body.extend_from_slice(&chunk[..size]);
    }
}

/// Selects requests: all that were named must hold.
#[derive(Clone, Debug, Default)]
pub struct Matching {
    verbs: Vec<&'static str>,
    resource: Option<String>,
    namespace: Option<String>,
    name: Option<String>,
    path_part: Option<String>,
    query_part: Option<String>,
    dry_run: Option<bool>,
    writes: bool,
}

impl Matching {
    /// Every request.
    pub fn any() -> Self {
        Self::default()
    }

    /// Requests with one of these verbs: get, list, watch, create, update, patch, delete, deletecollection.
    pub fn verbs(verbs: &[&'static str]) -> Self {
        Self { verbs: verbs.to_vec(), ..Self::default() }
    }

    /// Requests that may change the cluster.
    pub fn writes() -> Self {
        Self { writes: true, ..Self::default() }
    }

    /// Of a resource in the plural, and its subresources: `deployments`.
    #[must_use]
    pub fn resource(mut self, resource: &str) -> Self {
        self.resource = Some(resource.to_owned());
        self
    }

    #[must_use]
    pub fn namespace(mut self, namespace: &str) -> Self {
        self.namespace = Some(namespace.to_owned());
        self
    }

    /// Of one object.
    #[must_use]
    pub fn name(mut self, name: &str) -> Self {
        self.name = Some(name.to_owned());
        self
    }

    /// Whose path contains something: `/openapi/v3`, `/apis/metrics.k8s.io`.
    #[must_use]
    pub fn path(mut self, part: &str) -> Self {
        self.path_part = Some(part.to_owned());
        self
    }

    /// Whose query contains something, as it is sent: `fieldManager=kubectl`.
    #[must_use]
    pub fn query(mut self, part: &str) -> Self {
        self.query_part = Some(part.to_owned());
        self
    }

    /// Only dry runs, or only others.
    #[must_use]
    pub fn dry_run(mut self, wanted: bool) -> Self {
        self.dry_run = Some(wanted);
        self
    }

    pub fn matches(&self, seen: &Seen) -> bool {
        let is = |wanted: &Option<String>, given: Option<&str>| {
            wanted.as_deref().is_none_or(|wanted| given == Some(wanted))
        };
        (self.verbs.is_empty() || self.verbs.contains(&seen.verb.as_str()))
            && is(&self.resource, Some(&seen.resource))
            && is(&self.namespace, seen.namespace.as_deref())
            && is(&self.name, seen.name.as_deref())
            && self.path_part.as_ref().is_none_or(|part| seen.path.contains(part))
            && self.query_part.as_ref().is_none_or(|part| seen.query.contains(part))
            && self.dry_run.is_none_or(|wanted| seen.is_dry_run() == wanted)
            && (!self.writes || seen.is_write())
    }
}
