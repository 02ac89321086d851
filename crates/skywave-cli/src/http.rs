//! HTTP/1.1 connections, bounded in number and in patience.
//!
//! A client that says nothing, or goes on saying it for ever, costs a place for a while and
//! nobody else their answer.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{ConnectInfo, Request};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use skywave_whip::Problem;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};

/// Answers until `stop` is ready, then until the requests that are under way are answered.
/// At most `limit` connections are open at a time; more wait to be accepted.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    limit: usize,
    stop: impl Future<Output = ()>,
) {
    let router = router.layer(from_fn(in_time));
    let places = Arc::new(Semaphore::new(limit));
    let graceful = GracefulShutdown::new();
    let mut stop = pin!(stop);
    loop {
        let (stream, client, place) = tokio::select! {
            accepted = accept(&listener, &places) => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Out of descriptors, say: some will be free again.
                    tracing::warn!("cannot accept a connection: {error}");
                    sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            },
            () = &mut stop => break,
        };
        let service = router.clone().layer(Extension(ConnectInfo(client)));
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADER_TIMEOUT)
            .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            // Broken off by the client, or for its slowness: there is nobody to tell.
            let _ = connection.await;
            drop(place);
        });
    }
    drop(listener);
    graceful.shutdown().await;
}

/// Waits for a place, then for a client.
async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> io::Result<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await;
    let place = place.map_err(io::Error::other)?;
    let (stream, client) = listener.accept().await?;
    Ok((stream, client, place))
}

/// Gives up on a request whose body does not come.
async fn in_time(request: Request, next: Next) -> Response {
    match timeout(REQUEST_TIMEOUT, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::new(
            StatusCode::REQUEST_TIMEOUT,
            "The request did not arrive in time.",
        )
        .into_response(),
    }
}

/// From the start of a connection, or the last answer on it, to the end of a request's head.
const HEADER_TIMEOUT: Duration = Duration::from_secs(15);

/// For everything that follows the head. Opening a source is part of it.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// After an error of the system.
const ACCEPT_PAUSE: Duration = Duration::from_secs(1);
