//! What a server does with clients that want too much, and with those that speak TLS.

use std::fs;
use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::routing::{get, put};
use clap::Parser;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::oneshot;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::*;

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    limits: HttpLimits,
}

/// A server with short patience where the line says so, until it is dropped: a second where
/// something has to come about in it, which on a busy machine takes its time.
struct Server {
    address: SocketAddr,
    _stop: oneshot::Sender<()>,
}

impl Server {
    async fn start(line: &str) -> Self {
        Self::with(line, None).await
    }

    async fn with(line: &str, tls: Option<Tls>) -> Self {
        let limits = Line::parse_from([""].into_iter().chain(line.split_whitespace())).limits;
        let router = Router::new()
            .route("/", get(async || "hello"))
            .route("/put", put(async |Json(text): Json<String>| text));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let stopped = async { drop(stopped.await) };
        tokio::spawn(serve(listener, router, limits, tls, stopped));
        Self {
            address,
            _stop: stop,
        }
    }

    /// What comes back before the server closes the connection.
    async fn exchange(&self, request: &str) -> String {
        String::from_utf8(self.raw(request).await).unwrap()
    }

    async fn raw(&self, request: &str) -> Vec<u8> {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        // Reset with more to read than we have read: as good as closed.
        let _ = stream.read_to_end(&mut answer).await;
        answer
    }

    async fn status(&self, request: &str) -> String {
        let answer = self.exchange(request).await;
        answer.split(' ').nth(1).unwrap_or_default().to_owned()
    }
}

#[tokio::test]
async fn request_is_answered() {
    let server = Server::start("").await;
    let answer = server
        .exchange("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        .await;
    assert!(
        answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("hello"),
        "{answer}"
    );
}

#[tokio::test]
async fn slow_loris_is_cut() {
    let server = Server::start("--http-header-timeout 0.05").await;
    for half in ["", "GET / HTTP/1.1\r\nHost:", "GET / HTTP/1.1\r\nX: y\r\n"] {
        // It would never end otherwise.
        assert!(!server.exchange(half).await.contains("200"), "{half}");
    }
}

#[tokio::test]
async fn connection_that_is_kept_for_nothing_is_ended() {
    let server = Server::start("--http-idle-timeout 1").await;
    let answer = server.exchange("GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert!(answer.ends_with("hello"), "{answer}");
}

#[tokio::test]
async fn rfc6585_5_large_heads_are_431() {
    let server = Server::start("--http-header-bytes 8192 --http-headers 20").await;
    let large = format!(
        "GET / HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n",
        "a".repeat(9000)
    );
    assert_eq!(server.status(&large).await, "431");
    let many = format!("GET / HTTP/1.1\r\nHost: x\r\n{}\r\n", "X: y\r\n".repeat(20));
    assert_eq!(server.status(&many).await, "431");
    let enough = format!(
        "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{}\r\n",
        "X: y\r\n".repeat(10)
    );
    assert_eq!(server.status(&enough).await, "200");
}

#[tokio::test]
async fn rfc9110_15_5_14_large_bodies_are_413() {
    let server = Server::start("--http-body-bytes 100").await;
    let put = |length: usize| {
        let text = format!("\"{}\"", "a".repeat(length - 2));
        format!(
            "PUT /put HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n\
             Content-Length: {length}\r\n\r\n{text}"
        )
    };
    assert_eq!(server.status(&put(100)).await, "200");
    assert_eq!(server.status(&put(101)).await, "413");
}

#[tokio::test]
async fn rfc9110_15_5_9_body_that_does_not_come_is_408() {
    let server = Server::start("--http-request-timeout 0.05 --http-idle-timeout 1").await;
    let half = "PUT /put HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
                Content-Length: 9\r\n\r\n\"hel";
    assert_eq!(server.status(half).await, "408");
}

#[tokio::test]
async fn more_connections_than_allowed_wait_until_one_ends() {
    let server = Server::start("--http-connections 1").await;
    let silent = TcpStream::connect(server.address).await.unwrap();
    let request = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let waiting = server.status(request);
    let (status, ()) = tokio::join!(waiting, async { drop(silent) });
    assert_eq!(status, "200");
}

/// A server with a certificate of its own, and what its clients trust.
struct TlsServer {
    server: Server,
    roots: RootCertStore,
    files: tempfile::TempDir,
}

impl TlsServer {
    async fn start(line: &str) -> Self {
        let files = tempfile::tempdir().unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(write_certificate(&files)).unwrap();
        let [cert, key] = ["cert.pem", "key.pem"].map(|name| files.path().join(name));
        let tls = Tls::watch(cert, key).unwrap();
        Self {
            server: Server::with(line, Some(tls)).await,
            roots,
            files,
        }
    }

    /// What the server shows to who connects now.
    async fn shown(&self) -> CertificateDer<'static> {
        let stream = self.connect("http/1.1").await;
        let chain = stream.get_ref().1.peer_certificates().unwrap();
        chain[0].clone().into_owned()
    }

    async fn connect(&self, protocol: &str) -> TlsStream<TcpStream> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(self.roots.clone())
            .with_no_client_auth();
        config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
        let stream = TcpStream::connect(self.server.address).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        TlsConnector::from(Arc::new(config))
            .connect(name, stream)
            .await
            .unwrap()
    }
}

/// A new certificate with its key, into the files of a server.
fn write_certificate(files: &tempfile::TempDir) -> CertificateDer<'static> {
    let signed = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = signed.signing_key.serialize_pem();
    fs::write(files.path().join("key.pem"), key).unwrap();
    let cert = files.path().join("cert.pem");
    fs::write(&cert, signed.cert.pem()).unwrap();
    CertificateDer::from_pem_file(&cert).unwrap()
}

#[tokio::test]
async fn new_certificate_is_shown_to_who_connects_then_and_open_connections_go_on() {
    let mut server = TlsServer::start("").await;
    let old = server.shown().await;
    let mut open = server.connect("http/1.1").await;
    let new = write_certificate(&server.files);
    server.roots.add(new.clone()).unwrap();
    // The files are looked at every few seconds.
    let reloaded = async {
        while server.shown().await == old {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    timeout(Duration::from_secs(60), reloaded).await.unwrap();
    assert_eq!(server.shown().await, new);
    let request = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    open.write_all(request).await.unwrap();
    let mut answer = String::new();
    open.read_to_string(&mut answer).await.unwrap();
    assert!(answer.ends_with("hello"), "{answer}");
}

#[tokio::test]
async fn rfc7301_https_is_http1_for_who_wants_that() {
    let server = TlsServer::start("").await;
    let mut stream = server.connect("http/1.1").await;
    let request = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    stream.write_all(request).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(
        answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("hello"),
        "{answer}"
    );
}

#[tokio::test]
async fn rfc7301_https_is_http2_for_who_can() {
    let server = TlsServer::start("--http-header-bytes 8192").await;
    let stream = server.connect("h2").await;
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let handshake =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream));
    let (mut sender, connection) = handshake.await.unwrap();
    tokio::spawn(connection);
    let request = |filler: &str| {
        let request = Request::get("https://localhost/").header("x", filler);
        request.body(Body::empty()).unwrap()
    };
    let answer = sender.send_request(request("small")).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    let answer = sender
        .send_request(request(&"a".repeat(9000)))
        .await
        .unwrap();
    assert_eq!(answer.status(), StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
}

#[tokio::test]
async fn http2_connection_that_is_kept_for_nothing_is_ended() {
    let server = TlsServer::start("--http-idle-timeout 1").await;
    let stream = server.connect("h2").await;
    let handshake =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream));
    let (sender, connection) = handshake.await.unwrap();
    let ended: Result<(), hyper::Error> = connection.await;
    ended.unwrap();
    drop::<hyper::client::conn::http2::SendRequest<Body>>(sender);
}

#[tokio::test]
async fn tls_handshake_that_does_not_come_is_cut() {
    let server = TlsServer::start("--http-header-timeout 1").await;
    assert_eq!(server.server.exchange("").await, "");
    let plain = server.server.raw("GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
    let plain = String::from_utf8_lossy(&plain).into_owned();
    assert!(!plain.contains("hello"), "{plain}");
    // Others do not notice.
    drop(server.connect("h2").await);
}
