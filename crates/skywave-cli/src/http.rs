//! HTTP connections, with TLS or without, bounded in number, size and patience.
//!
//! A client that says nothing, or goes on saying it for ever, costs a place for a while and
//! nobody else their answer.

mod connection;
mod door;
mod limits;
mod tls;

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use skywave_whip::Problem;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use self::connection::Connection;
use self::door::Door;
pub(crate) use self::limits::{HttpLimits, seconds};
pub(crate) use self::tls::{Tls, TlsError, load};

/// Answers until `stop` is ready, then until the requests that are under way are answered.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    limits: HttpLimits,
    tls: Option<Tls>,
    stop: impl Future<Output = ()>,
) {
    let router = router
        .layer(DefaultBodyLimit::max(limits.body_bytes))
        .layer(from_fn_with_state(limits.request_timeout, in_time));
    let mut door = Door::new(&limits);
    let (stopping, stopped) = watch::channel(());
    let mut connections = JoinSet::new();
    let mut stop = pin!(stop);
    loop {
        let (stream, client, permit) = tokio::select! {
            accepted = accept(&listener, &door) => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Out of descriptors, say: some will be free again.
                    tracing::warn!("cannot accept a connection: {error}");
                    sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            },
            Some(_) = connections.join_next() => continue,
            () = &mut stop => break,
        };
        // Closed at once: who opens so many means no good, or has more to do than wait.
        let Some(place) = door.admit(client.ip(), permit) else {
            continue;
        };
        let connection = Connection {
            router: router.clone(),
            client,
            limits: limits.clone(),
            stopped: stopped.clone(),
        };
        let tls = tls.as_ref().map(Tls::acceptor);
        connections.spawn(async move {
            connection.run(stream, tls).await;
            drop(place);
        });
    }
    drop((listener, stopping));
    while connections.join_next().await.is_some() {}
}

/// Waits for a place, then for a client.
async fn accept(
    listener: &TcpListener,
    door: &Door,
) -> io::Result<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let permit = door.place().await.map_err(io::Error::other)?;
    let (stream, client) = listener.accept().await?;
    Ok((stream, client, permit))
}

/// Gives up on a request whose body does not come.
async fn in_time(State(limit): State<Duration>, request: Request, next: Next) -> Response {
    match timeout(limit, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::new(
            StatusCode::REQUEST_TIMEOUT,
            "The request did not arrive in time.",
        )
        .into_response(),
    }
}

/// After an error of the system.
const ACCEPT_PAUSE: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests;
