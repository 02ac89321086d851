//! One connection, from its first byte to its last.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use axum::http::header::HOST;
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulConnection;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt;

use super::HttpLimits;

/// What is needed to talk to one client.
#[derive(Clone)]
pub(super) struct Connection {
    pub(super) router: Router,
    pub(super) client: SocketAddr,
    pub(super) limits: HttpLimits,
    /// Its other end is gone when the server stops.
    pub(super) stopped: watch::Receiver<()>,
}

impl Connection {
    /// Talks until either end has had enough. What breaks off, for the client's slowness say, is
    /// told to nobody.
    pub(super) async fn run(self, stream: TcpStream, tls: Option<TlsAcceptor>) {
        let Some(tls) = tls else {
            return self.talk(stream, false).await;
        };
        let handshake = timeout(self.limits.header_timeout, tls.accept(stream)).await;
        let Ok(Ok(stream)) = handshake else {
            return;
        };
        let is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
        self.talk(stream, is_http2).await;
    }

    async fn talk(self, stream: impl AsyncRead + AsyncWrite + Unpin + 'static, is_http2: bool) {
        let (busy, work) = watch::channel(0_usize);
        let Self {
            router,
            client,
            limits,
            stopped,
        } = self;
        let service =
            service_fn(move |request| answer(router.clone(), client, busy.clone(), request));
        let io = TokioIo::new(stream);
        let idle = idle(work, limits.idle_timeout);
        if is_http2 {
            let mut builder = http2::Builder::new(TokioExecutor::new());
            builder
                .timer(TokioTimer::new())
                .max_concurrent_streams(limits.http2_streams)
                .max_header_list_size(limits.header_bytes);
            drive(builder.serve_connection(io, service), idle, stopped).await;
        } else {
            let mut builder = http1::Builder::new();
            builder
                .timer(TokioTimer::new())
                .header_read_timeout(limits.header_timeout)
                .max_headers(limits.headers)
                .max_buf_size(limits.header_bytes as usize);
            drive(builder.serve_connection(io, service), idle, stopped).await;
        }
    }
}

/// Has the router answer. `busy` counts the requests under way.
async fn answer(
    router: Router,
    client: SocketAddr,
    busy: watch::Sender<usize>,
    request: hyper::Request<Incoming>,
) -> Result<Response, Infallible> {
    let mut request: Request = request.map(Body::new);
    // HTTP/2 has the name in the address (RFC 9113 §8.3.1).
    let authority = request.uri().authority().map(|name| name.as_str().parse());
    if let Some(Ok(name)) = authority {
        request.headers_mut().entry(HOST).or_insert(name);
    }
    request.extensions_mut().insert(ConnectInfo(client));
    busy.send_modify(|requests| *requests += 1);
    let done = Done(busy);
    let response = router.oneshot(request).await;
    drop(done);
    response
}

/// One request fewer is under way, also when it was broken off.
struct Done(watch::Sender<usize>);

impl Drop for Done {
    fn drop(&mut self) {
        self.0.send_modify(|requests| *requests -= 1);
    }
}

/// Returns when no request has been under way for so long.
async fn idle(mut work: watch::Receiver<usize>, limit: Duration) {
    loop {
        let Ok(requests) = work.wait_for(|requests| *requests == 0).await else {
            // The connection is over.
            return;
        };
        drop(requests);
        if timeout(limit, work.changed()).await.is_err() {
            return;
        }
    }
}

/// Works on a connection until it ends, is idle, or the server stops; then its last answers may
/// still go out.
async fn drive(
    connection: impl GracefulConnection,
    idle: impl Future<Output = ()>,
    mut stopped: watch::Receiver<()>,
) {
    let mut connection = pin!(connection);
    tokio::select! {
        _ = connection.as_mut() => return,
        () = idle => {}
        // Nothing is ever sent: an error says that the server stops.
        _ = stopped.changed() => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = timeout(LAST_ANSWERS_TIME, connection).await;
}

/// For the answers that are under way when a connection is to end.
const LAST_ANSWERS_TIME: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::Instant;

    #[tokio::test(start_paused = true)]
    async fn connection_is_idle_when_nothing_was_under_way_for_so_long() {
        let limit = Duration::from_secs(60);
        let (busy, work) = watch::channel(0);
        let start = Instant::now();
        let idle = tokio::spawn(idle(work, limit));
        tokio::time::sleep(Duration::from_secs(50)).await;
        busy.send_modify(|requests| *requests += 1);
        let done = Done(busy.clone());
        tokio::time::sleep(Duration::from_secs(500)).await;
        assert!(!idle.is_finished(), "a request is under way");
        drop(done);
        idle.await.unwrap();
        assert_eq!(start.elapsed().as_secs(), 50 + 500 + 60);
    }

    #[tokio::test(start_paused = true)]
    async fn request_that_began_and_ended_unseen_counts_too() {
        let limit = Duration::from_secs(60);
        let (busy, work) = watch::channel(0);
        let start = Instant::now();
        let idle = tokio::spawn(idle(work, limit));
        tokio::time::sleep(Duration::from_secs(50)).await;
        busy.send_modify(|requests| *requests += 1);
        drop(Done(busy.clone()));
        idle.await.unwrap();
        assert_eq!(start.elapsed().as_secs(), 50 + 60);
    }
}
