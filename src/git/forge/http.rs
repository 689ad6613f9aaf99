//! Defines the small client for the APIs of forges: https only, bounded in time and size, and no redirect is followed, so
//! that a token goes nowhere else.

use super::ForgeError;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client as Pool;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;

/// Time for one answer.
const TIME: Duration = Duration::from_secs(30);
/// Bytes of one answer.
const BYTES: usize = 4 << 20;

/// What a forge answered.
pub struct Answer {
    pub status: u16,
    pub body: Vec<u8>,
}

/// A header with its value; it may be a token, and so is printed nowhere.
pub type Header = (&'static str, String);

/// The client.
pub struct Client {
    pool: Pool<HttpsConnector<HttpConnector>, Full<hyper::body::Bytes>>,
}

impl Client {
    /// Trusts the authorities of the machine, and those of the file that git is told to trust.
    pub fn new(variable: &(dyn Fn(&str) -> Option<String> + Sync)) -> Self {
        let mut roots = RootCertStore::empty();
        let found = rustls_native_certs::load_native_certs();
        for certificate in found.certs {
            // One that cannot be read vouches for nobody.
            let _ = roots.add(certificate);
        }
        let files = ["GIT_SSL_CAINFO", "SSL_CERT_FILE"].into_iter().filter_map(variable);
        for file in files {
            for certificate in CertificateDer::pem_file_iter(file).into_iter().flatten().flatten() {
                let _ = roots.add(certificate);
            }
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = match builder {
            Ok(builder) => builder.with_root_certificates(roots).with_no_client_auth(),
            // The provider has ciphers of both versions.
            Err(_) => ClientConfig::builder().with_root_certificates(roots).with_no_client_auth(),
        };
        let connector = hyper_rustls::HttpsConnectorBuilder::new()
            .with_tls_config(config)
            .https_only()
            .enable_http1()
            .build();
        Self { pool: Pool::builder(TokioExecutor::new()).build(connector) }
    }

    pub async fn get(&self, address: &str, headers: &[Header]) -> Result<Answer, ForgeError> {
        self.send("GET", address, headers, Vec::new()).await
    }

    pub async fn post(
        &self,
        address: &str,
        headers: &[Header],
        body: &serde_json::Value,
    ) -> Result<Answer, ForgeError> {
        self.send("POST", address, headers, body.to_string().into_bytes()).await
    }

    async fn send(
        &self,
        method: &str,
        address: &str,
        headers: &[Header],
        body: Vec<u8>,
    ) -> Result<Answer, ForgeError> {
        let host = host_of(address).to_owned();
        let no_answer = |reason: String| ForgeError::NoAnswer { host: host.clone(), reason };
        let mut request = http::Request::builder()
            .method(method)
            .uri(address)
            .header("user-agent", concat!("driftdeck/", env!("CARGO_PKG_VERSION")))
            .header("accept", "application/json")
            .header("content-type", "application/json");
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let request = request.body(Full::from(body)).map_err(|error| no_answer(error.to_string()))?;
        let asking = async {
            let answer = self.pool.request(request).await.map_err(|error| failure(&host, &error))?;
            let status = answer.status().as_u16();
            let body = Limited::new(answer.into_body(), BYTES).collect().await;
            let body = body.map_err(|error| no_answer(error.to_string()))?.to_bytes().to_vec();
            Ok(Answer { status, body })
        };
        tokio::time::timeout(TIME, asking)
            .await
            .unwrap_or_else(|_| Err(no_answer(format!("no answer within {} s", TIME.as_secs()))))
    }
}

fn failure(host: &str, error: &hyper_util::client::legacy::Error) -> ForgeError {
    let mut reason = error.to_string();
    let mut source = error.source();
    let mut is_certificate = false;
    while let Some(inner) = source {
        reason = inner.to_string();
        is_certificate |= reason.contains("certificate");
        source = inner.source();
    }
    let host = host.to_owned();
    if is_certificate {
        ForgeError::Untrusted { host, reason }
    } else {
        ForgeError::NoAnswer { host, reason }
    }
}

fn host_of(address: &str) -> &str {
    let rest = address.strip_prefix("https://").unwrap_or(address);
    rest.split('/').next().unwrap_or(rest)
}
