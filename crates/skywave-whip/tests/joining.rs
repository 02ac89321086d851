//! A listener's place among those of its address, and when it is free for the next.

#![allow(clippy::unwrap_used)]

#[allow(dead_code)]
#[path = "../../skywave/tests/call/peer.rs"]
mod peer;
mod support;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Request, StatusCode, header};
use skywave::{EngineConfig, Limits};
use skywave_whip::WhepConfig;
use tokio::net::TcpListener;

use peer::Listener;
use support::{OFFER, Server, body, eventually};

/// A server with one place an address, which gives nobody up.
fn server() -> Server {
    server_with(PATIENT)
}

/// One with other patience.
fn server_with(limits: Limits) -> Server {
    let engine = EngineConfig {
        limits,
        ..EngineConfig::default()
    };
    let whep = WhepConfig {
        handshakes_per_address: 1,
        ..WhepConfig::default()
    };
    Server::configured(engine, whep)
}

/// An offer of the same client each time.
fn offer(sdp: impl Into<Body>) -> Request<Body> {
    Request::post("/whep")
        .header(header::CONTENT_TYPE, "application/sdp")
        .extension(ConnectInfo(SocketAddr::from(([192, 0, 2, 1], 50_000))))
        .body(sdp.into())
        .unwrap()
}

async fn status(server: &Server, sdp: &str) -> StatusCode {
    server.send(offer(sdp.to_owned())).await.status()
}

const FOREVER: Duration = Duration::from_secs(3600);

const PATIENT: Limits = Limits {
    answer_timeout: FOREVER,
    connect_timeout: FOREVER,
    handshake_timeout: FOREVER,
    disconnected_timeout: FOREVER,
    consent_timeout: FOREVER,
    circuit_breaker: false,
};

/// Waits until the place is free for another, and looks that by then the one before was given up.
async fn assert_free_after(server: &Server, reason: &str) {
    eventually(async || status(server, OFFER).await == StatusCode::CREATED).await;
    assert!(server.engine.stats().ended[reason] >= 1, "{reason}");
}

#[tokio::test(flavor = "multi_thread")]
async fn listener_that_is_connected_is_not_on_its_way_in() {
    let server = server();
    let listener = Listener::new().await;
    let answer = server.send(offer(listener.offer().await)).await;
    assert_eq!(answer.status(), StatusCode::CREATED);
    assert_eq!(status(&server, OFFER).await, StatusCode::TOO_MANY_REQUESTS);
    let answer = body(answer).await;
    let answer = String::from_utf8(answer.to_vec()).unwrap();
    listener.accept_answer(answer).await;
    eventually(async || status(&server, OFFER).await == StatusCode::CREATED).await;
    assert_eq!(server.listeners.stats().await.len(), 2, "both are there");
}

/// Who takes the answer and is never heard of.
#[tokio::test]
async fn listener_that_never_checks_gives_its_place_back() {
    let server = server_with(Limits {
        connect_timeout: Duration::from_millis(300),
        ..PATIENT
    });
    assert_eq!(status(&server, OFFER).await, StatusCode::CREATED);
    assert_free_after(&server, "noConnectivity").await;
}

/// Who has a path and then waits, as this end does, that the other begins the handshake.
#[tokio::test(flavor = "multi_thread")]
async fn listener_whose_handshake_stands_still_gives_its_place_back() {
    let server = server_with(Limits {
        handshake_timeout: Duration::from_millis(300),
        ..PATIENT
    });
    let listener = Listener::new().await;
    let answer = server.send(offer(listener.offer().await)).await;
    assert_eq!(answer.status(), StatusCode::CREATED);
    let answer = String::from_utf8(body(answer).await.to_vec()).unwrap();
    let to_wait = answer.replace("a=setup:passive", "a=setup:active");
    assert_ne!(answer, to_wait);
    listener.accept_answer(to_wait).await;
    assert_free_after(&server, "handshakeTimeout").await;
}

#[tokio::test]
async fn offer_that_is_refused_leaves_its_place_free() {
    let server = server();
    for _ in 0..10 {
        let refused = status(&server, "v=0").await;
        assert!(refused.is_client_error() && refused != StatusCode::TOO_MANY_REQUESTS);
    }
    assert_eq!(status(&server, OFFER).await, StatusCode::CREATED);
}

/// The answer of a full server holds no place either.
#[tokio::test]
async fn offer_for_which_the_engine_has_no_room_leaves_its_place_free() {
    let whep = WhepConfig {
        handshakes_per_address: 1,
        ..WhepConfig::default()
    };
    let full = EngineConfig {
        max_listeners: 0,
        ..EngineConfig::default()
    };
    let server = Server::configured(full, whep);
    for _ in 0..10 {
        let status = status(&server, OFFER).await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    }
}

/// Ten clients of one address whose offers are on their way, over real connections.
#[tokio::test(flavor = "multi_thread")]
async fn offer_that_is_half_there_takes_no_place() {
    let server = server();
    let http = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = http.local_addr().unwrap();
    let client = ConnectInfo(SocketAddr::from(([192, 0, 2, 1], 50_000)));
    let router = server.router.clone().layer(axum::Extension(client));
    tokio::spawn(async move { axum::serve(http, router).await });
    let head = format!(
        "POST /whep HTTP/1.1\r\nHost: here\r\nContent-Type: application/sdp\r\n\
         Content-Length: {}\r\n\r\n",
        OFFER.len()
    );
    let half_there: Vec<_> = (0..10)
        .map(|_| {
            let mut connection = TcpStream::connect(address).unwrap();
            connection.write_all(head.as_bytes()).unwrap();
            connection.write_all(&OFFER.as_bytes()[..100]).unwrap();
            connection
        })
        .collect();
    let mut connection = TcpStream::connect(address).unwrap();
    connection.write_all(head.as_bytes()).unwrap();
    connection.write_all(OFFER.as_bytes()).unwrap();
    let patience = Some(Duration::from_secs(30));
    connection.set_read_timeout(patience).unwrap();
    let mut answer = [0; 12];
    connection.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 201");
    drop(half_there);
    // The session outlives the connection that it was asked for over, and so does its place.
    drop(connection);
    assert_eq!(status(&server, OFFER).await, StatusCode::TOO_MANY_REQUESTS);
}
